//! Sizes of a Spark application.

use crate::{Failure, validate};
use serde::{Deserialize, Serialize};

/// The heap below which a driver refuses to start.
pub const LEAST_MB: i64 = 472;
const MOST_MB: i64 = 1_048_576;

/// Sizes of a Spark application. Memory is in MiB (1 MiB = 1 048 576 bytes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SparkResources {
    /// Heap of the driver.
    pub driver_mb: i64,
    pub driver_cores: i64,
    /// What the driver's container has beside the heap; absent: a tenth of it, at least 384.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_overhead_mb: Option<i64>,
    /// Heap of one executor.
    pub executor_mb: i64,
    pub executor_cores: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor_overhead_mb: Option<i64>,
    /// Executors, when their number is fixed.
    pub executors: i64,
    /// Present: their number follows the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic: Option<DynamicAllocation>,
}

impl Default for SparkResources {
    fn default() -> Self {
        Self {
            driver_mb: 1024,
            driver_cores: 1,
            driver_overhead_mb: None,
            executor_mb: 1024,
            executor_cores: 1,
            executor_overhead_mb: None,
            executors: 2,
            dynamic: None,
        }
    }
}

/// Executors that come and go with the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DynamicAllocation {
    pub min: i64,
    pub max: i64,
    /// Executors at the start; absent: as many as `min`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<i64>,
    /// Seconds without work after which an executor goes.
    pub idle_seconds: i64,
    /// The same for one that holds cached data; absent: it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_idle_seconds: Option<i64>,
    /// Executors with shuffle files of running work stay. Without, the nodes need Spark's shuffle
    /// service.
    pub shuffle_tracking: bool,
    /// Seconds after which even those go; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle_seconds: Option<i64>,
}

impl Default for DynamicAllocation {
    fn default() -> Self {
        Self {
            min: 0,
            max: 10,
            initial: None,
            idle_seconds: 60,
            cached_idle_seconds: None,
            shuffle_tracking: true,
            shuffle_seconds: Some(1800),
        }
    }
}

impl SparkResources {
    /// Each number with the field it is refused by, the number's name in the JSON body.
    pub(crate) fn failures(&self) -> Vec<(&'static str, Failure)> {
        let mut all = Vec::new();
        let mut range = |field: &'static str, number: i64, min: i64, max: i64| {
            if let Err(failure) = validate::range(field, number, min, max) {
                all.push((field, failure));
            }
        };
        range("driver_mb", self.driver_mb, LEAST_MB, MOST_MB);
        range("driver_cores", self.driver_cores, 1, 256);
        range(
            "driver_overhead_mb",
            self.driver_overhead_mb.unwrap_or(0),
            0,
            MOST_MB,
        );
        range("executor_mb", self.executor_mb, LEAST_MB, MOST_MB);
        range("executor_cores", self.executor_cores, 1, 256);
        range(
            "executor_overhead_mb",
            self.executor_overhead_mb.unwrap_or(0),
            0,
            MOST_MB,
        );
        let Some(dynamic) = &self.dynamic else {
            range("executors", self.executors, 1, 100_000);
            return all;
        };
        range("min", dynamic.min, 0, 100_000);
        range("max", dynamic.max, dynamic.min.max(1), 100_000);
        range(
            "initial",
            dynamic.initial.unwrap_or(dynamic.min),
            dynamic.min,
            dynamic.max,
        );
        for (field, seconds) in [
            ("idle_seconds", Some(dynamic.idle_seconds)),
            ("cached_idle_seconds", dynamic.cached_idle_seconds),
            ("shuffle_seconds", dynamic.shuffle_seconds),
        ] {
            range(field, seconds.unwrap_or(1), 1, 10_000_000);
        }
        all
    }

    /// # Errors
    /// [`crate::Code::FieldRange`] with the first field that cannot be used.
    pub fn check(&self) -> Result<(), Failure> {
        self.failures()
            .into_iter()
            .next()
            .map_or(Ok(()), |(_, failure)| Err(failure))
    }
}
