//! What is typed about the sizes and files of a Spark job.

use super::state::{Form, Row};
use domain::{
    Engine,
    id::ArtifactId,
    job::{DynamicAllocation, JobSpec, SparkResources},
};
use leptos::prelude::*;

#[derive(Clone, Copy)]
pub struct Sizes {
    pub driver_mb: RwSignal<String>,
    pub driver_cores: RwSignal<String>,
    pub driver_overhead_mb: RwSignal<String>,
    pub executor_mb: RwSignal<String>,
    pub executor_cores: RwSignal<String>,
    pub executor_overhead_mb: RwSignal<String>,
    pub executors: RwSignal<String>,
    /// Whether the number of executors follows the work.
    pub dynamic: RwSignal<bool>,
    pub min: RwSignal<String>,
    pub max: RwSignal<String>,
    pub initial: RwSignal<String>,
    pub idle_seconds: RwSignal<String>,
    pub cached_idle_seconds: RwSignal<String>,
    pub shuffle_tracking: RwSignal<bool>,
    pub shuffle_seconds: RwSignal<String>,
    pub dependencies: RwSignal<Vec<ArtifactId>>,
    pub files: RwSignal<Vec<Row>>,
    pub archives: RwSignal<Vec<Row>>,
    pub priority: RwSignal<String>,
    pub node_label: RwSignal<String>,
}

/// What is no number is below every range, so its check names the range.
fn number(signal: RwSignal<String>) -> i64 {
    signal.get().trim().parse().unwrap_or(-1)
}

fn optional(signal: RwSignal<String>) -> Option<i64> {
    (!signal.with(|text| text.trim().is_empty())).then(|| number(signal))
}

fn shown(number: Option<i64>) -> String {
    number.map(|n| n.to_string()).unwrap_or_default()
}

impl Sizes {
    pub fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            driver_mb: text(),
            driver_cores: text(),
            driver_overhead_mb: text(),
            executor_mb: text(),
            executor_cores: text(),
            executor_overhead_mb: text(),
            executors: text(),
            dynamic: RwSignal::new(false),
            min: text(),
            max: text(),
            initial: text(),
            idle_seconds: text(),
            cached_idle_seconds: text(),
            shuffle_tracking: RwSignal::new(true),
            shuffle_seconds: text(),
            dependencies: RwSignal::new(Vec::new()),
            files: RwSignal::new(Vec::new()),
            archives: RwSignal::new(Vec::new()),
            priority: text(),
            node_label: text(),
        }
    }

    /// Puts a definition into the fields.
    pub fn fill(self, form: Form, spec: &JobSpec) {
        let sizes = spec.spark.clone().unwrap_or_default();
        self.driver_mb.set(sizes.driver_mb.to_string());
        self.driver_cores.set(sizes.driver_cores.to_string());
        self.driver_overhead_mb.set(shown(sizes.driver_overhead_mb));
        self.executor_mb.set(sizes.executor_mb.to_string());
        self.executor_cores.set(sizes.executor_cores.to_string());
        self.executor_overhead_mb.set(shown(sizes.executor_overhead_mb));
        self.executors.set(sizes.executors.to_string());
        self.dynamic.set(sizes.dynamic.is_some());
        let dynamic = sizes.dynamic.unwrap_or_default();
        self.min.set(dynamic.min.to_string());
        self.max.set(dynamic.max.to_string());
        self.initial.set(shown(dynamic.initial));
        self.idle_seconds.set(dynamic.idle_seconds.to_string());
        self.cached_idle_seconds.set(shown(dynamic.cached_idle_seconds));
        self.shuffle_tracking.set(dynamic.shuffle_tracking);
        self.shuffle_seconds.set(shown(dynamic.shuffle_seconds));
        self.dependencies.set(spec.dependencies.clone());
        let rows = |texts: &[String]| texts.iter().map(|text| form.new_row("", text)).collect();
        self.files.set(rows(&spec.files));
        self.archives.set(rows(&spec.archives));
        self.priority.set(shown(spec.priority.map(i64::from)));
        self.node_label.set(spec.node_label.clone().unwrap_or_default());
    }

    fn resources(self) -> SparkResources {
        SparkResources {
            driver_mb: number(self.driver_mb),
            driver_cores: number(self.driver_cores),
            driver_overhead_mb: optional(self.driver_overhead_mb),
            executor_mb: number(self.executor_mb),
            executor_cores: number(self.executor_cores),
            executor_overhead_mb: optional(self.executor_overhead_mb),
            executors: number(self.executors),
            dynamic: self.dynamic.get().then(|| DynamicAllocation {
                min: number(self.min),
                max: number(self.max),
                initial: optional(self.initial),
                idle_seconds: number(self.idle_seconds),
                cached_idle_seconds: optional(self.cached_idle_seconds),
                shuffle_tracking: self.shuffle_tracking.get(),
                shuffle_seconds: optional(self.shuffle_seconds),
            }),
        }
    }

    /// Completes a definition; one of another engine has nothing of this.
    pub fn complete(self, spec: JobSpec) -> JobSpec {
        if spec.kind.engine() != Engine::Spark {
            return spec;
        }
        let lines = |rows: RwSignal<Vec<Row>>| {
            let all = rows.get();
            let lines = all.iter().map(|row| row.value.get().trim().to_owned());
            lines.filter(|line| !line.is_empty()).collect()
        };
        JobSpec {
            spark: Some(self.resources()),
            dependencies: self.dependencies.get(),
            files: lines(self.files),
            archives: lines(self.archives),
            priority: optional(self.priority).map(|n| i32::try_from(n).unwrap_or(-1)),
            node_label: Some(self.node_label.get().trim().to_owned()).filter(|label| !label.is_empty()),
            ..spec
        }
    }
}
