//! Sizes of a Spark application, and the sizes of the containers they come to.

use domain::{Code, Failure};
use std::collections::BTreeMap;

/// What Spark adds to a JVM's memory at least, in MiB.
const MIN_OVERHEAD_MB: i64 = 384;
const OVERHEAD_FACTOR: f64 = 0.1;

pub use domain::job::{DynamicAllocation, SparkResources as Resources};

/// MiB of the driver's container. `conf` may hold the factor and the least overhead.
pub fn driver_container_mb(resources: &Resources, conf: &BTreeMap<String, String>) -> i64 {
    resources.driver_mb + overhead("driver", resources.driver_mb, resources.driver_overhead_mb, conf)
}

/// MiB of one executor's container, with what `conf` adds for Python and off-heap memory.
pub fn executor_container_mb(resources: &Resources, conf: &BTreeMap<String, String>) -> i64 {
    let extra = |key: &str| conf.get(key).and_then(|text| mebibytes(text)).unwrap_or(0);
    let off_heap = conf
        .get("spark.memory.offHeap.enabled")
        .is_some_and(|on| on.trim() == "true");
    resources.executor_mb
        + overhead(
            "executor",
            resources.executor_mb,
            resources.executor_overhead_mb,
            conf,
        )
        + extra("spark.executor.pyspark.memory")
        + if off_heap {
            // A plain number there is bytes.
            conf.get("spark.memory.offHeap.size")
                .map_or(0, |text| match text.trim().parse::<i64>() {
                    Ok(bytes) => bytes >> 20,
                    Err(_) => mebibytes(text).unwrap_or(0),
                })
        } else {
            0
        }
}

/// The settings they come to.
pub fn settings(resources: &Resources) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("spark.driver.memory", format!("{}m", resources.driver_mb)),
        ("spark.driver.cores", resources.driver_cores.to_string()),
        ("spark.executor.memory", format!("{}m", resources.executor_mb)),
        ("spark.executor.cores", resources.executor_cores.to_string()),
    ];
    let mut some = |key, value: Option<String>| all.extend(value.map(|value| (key, value)));
    some(
        "spark.driver.memoryOverhead",
        resources.driver_overhead_mb.map(|mb| format!("{mb}m")),
    );
    some(
        "spark.executor.memoryOverhead",
        resources.executor_overhead_mb.map(|mb| format!("{mb}m")),
    );
    let Some(dynamic) = &resources.dynamic else {
        some("spark.dynamicAllocation.enabled", Some("false".into()));
        some("spark.executor.instances", Some(resources.executors.to_string()));
        return all;
    };
    let seconds = |number: Option<i64>| number.map(|number| format!("{number}s"));
    some("spark.dynamicAllocation.enabled", Some("true".into()));
    some(
        "spark.dynamicAllocation.minExecutors",
        Some(dynamic.min.to_string()),
    );
    some(
        "spark.dynamicAllocation.maxExecutors",
        Some(dynamic.max.to_string()),
    );
    some(
        "spark.dynamicAllocation.initialExecutors",
        Some(dynamic.initial.unwrap_or(dynamic.min).to_string()),
    );
    some(
        "spark.dynamicAllocation.executorIdleTimeout",
        seconds(Some(dynamic.idle_seconds)),
    );
    some(
        "spark.dynamicAllocation.cachedExecutorIdleTimeout",
        seconds(dynamic.cached_idle_seconds),
    );
    some(
        "spark.dynamicAllocation.shuffleTracking.enabled",
        Some(dynamic.shuffle_tracking.to_string()),
    );
    // Either way of keeping shuffle files; with neither, a driver does not start.
    some(
        "spark.shuffle.service.enabled",
        Some((!dynamic.shuffle_tracking).to_string()),
    );
    some(
        "spark.dynamicAllocation.shuffleTracking.timeout",
        seconds(dynamic.shuffle_seconds.filter(|_| dynamic.shuffle_tracking)),
    );
    all
}

fn overhead(role: &str, memory: i64, given: Option<i64>, conf: &BTreeMap<String, String>) -> i64 {
    if let Some(mb) = given {
        return mb;
    }
    let factor = conf
        .get(&format!("spark.{role}.memoryOverheadFactor"))
        .and_then(|text| text.trim().parse::<f64>().ok())
        .filter(|factor| factor.is_finite() && *factor > 0.0)
        .unwrap_or(OVERHEAD_FACTOR);
    let least = conf
        .get(&format!("spark.{role}.minMemoryOverhead"))
        .and_then(|text| mebibytes(text))
        .unwrap_or(MIN_OVERHEAD_MB);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "as Spark rounds it; sizes are checked"
    )]
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 MiB")]
    let share = (memory as f64 * factor) as i64;
    share.max(least)
}

/// MiB of `512`, `512m`, `2g`, `1gb`, as Spark reads a size in MiB.
pub fn mebibytes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = text[..digits].parse().ok()?;
    match text[digits..].trim_end_matches('b') {
        "" if text.ends_with('b') => Some(number >> 20),
        "k" => Some(number >> 10),
        "" | "m" => Some(number),
        "g" => number.checked_mul(1 << 10),
        "t" => number.checked_mul(1 << 20),
        _ => None,
    }
}

/// A value that cannot be used, named by its field.
pub(crate) fn invalid(field: &str, reason: impl std::fmt::Display) -> Failure {
    Failure::new(Code::FieldInvalid)
        .with("field", field)
        .with("reason", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn containers_are_larger_than_heaps() {
        let mut resources = Resources {
            driver_mb: 2048,
            executor_mb: 8192,
            ..Resources::default()
        };
        assert_eq!(driver_container_mb(&resources, &BTreeMap::new()), 2432);
        assert_eq!(executor_container_mb(&resources, &BTreeMap::new()), 8192 + 819);
        let given = conf(&[
            ("spark.executor.memoryOverheadFactor", "0.4"),
            ("spark.driver.minMemoryOverhead", "1g"),
            ("spark.memory.offHeap.enabled", "true"),
            ("spark.memory.offHeap.size", "1073741824"),
            ("spark.executor.pyspark.memory", "512m"),
        ]);
        assert_eq!(driver_container_mb(&resources, &given), 3072);
        assert_eq!(
            executor_container_mb(&resources, &given),
            8192 + 3276 + 1024 + 512
        );
        resources.driver_overhead_mb = Some(0);
        assert_eq!(driver_container_mb(&resources, &given), 2048);
    }

    #[test]
    fn sizes_are_read_as_spark_reads_them() {
        for (text, mb) in [
            ("512", Some(512)),
            ("512M", Some(512)),
            (" 2g ", Some(2048)),
            ("1gb", Some(1024)),
            ("2048k", Some(2)),
            ("2097152b", Some(2)),
            ("1.5g", None),
            ("", None),
            ("many", None),
        ] {
            assert_eq!(mebibytes(text), mb, "{text}");
        }
    }

    #[test]
    fn numbers_that_contradict_each_other_are_refused() {
        let dynamic = |min, max, initial| Resources {
            dynamic: Some(DynamicAllocation {
                min,
                max,
                initial,
                ..DynamicAllocation::default()
            }),
            ..Resources::default()
        };
        assert!(Resources::default().check().is_ok());
        assert!(dynamic(0, 5, Some(3)).check().is_ok());
        for (bad, field) in [
            (dynamic(6, 5, None), "max"),
            (dynamic(2, 5, Some(1)), "initial"),
            (
                Resources {
                    executors: 0,
                    ..Resources::default()
                },
                "executors",
            ),
            (
                Resources {
                    driver_mb: 100,
                    ..Resources::default()
                },
                "driver_mb",
            ),
        ] {
            assert_eq!(bad.check().unwrap_err().args["field"], field);
        }
        let all = settings(&dynamic(1, 5, None));
        let get = |key: &str| all.iter().find(|(k, _)| *k == key).map(|(_, v)| v.as_str());
        assert_eq!(get("spark.dynamicAllocation.initialExecutors"), Some("1"));
        assert_eq!(
            get("spark.dynamicAllocation.shuffleTracking.timeout"),
            Some("1800s")
        );
        assert_eq!(get("spark.executor.instances"), None);
    }
}
