//! What a driver's REST interface answers. Everything may be missing: versions differ.

use serde::{Deserialize, Deserializer};

/// Longest text kept of a name or reason, in characters; both come from the job's own code.
const MAX_TEXT: usize = 500;

fn text<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = Option::<String>::deserialize(d)?.unwrap_or_default();
    Ok(text.chars().take(MAX_TEXT).collect())
}

/// Epoch milliseconds of `2026-11-20T21:06:51.348GMT`.
fn time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::<String>::deserialize(d)?.and_then(|text| millis(&text)))
}

fn millis(text: &str) -> Option<i64> {
    let text = text.strip_suffix("GMT").or_else(|| text.strip_suffix('Z'))?;
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Days since the epoch of a date, with years that begin in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    Some(seconds * 1000 + number(20, 23).unwrap_or(0))
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum JobStatus {
    Running,
    Succeeded,
    Failed,
    /// A name this console does not know.
    Other(String),
    #[default]
    Unknown,
}

impl<'de> Deserialize<'de> for JobStatus {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(match text(d)?.as_str() {
            "RUNNING" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "UNKNOWN" | "" => Self::Unknown,
            other => Self::Other(other.to_owned()),
        })
    }
}

/// A job of the driver: one action, of several stages. Times are epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Job {
    pub job_id: i64,
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub description: String,
    /// `statement-<n>` for those of a SQL script.
    #[serde(deserialize_with = "text")]
    pub job_group: String,
    pub status: JobStatus,
    #[serde(deserialize_with = "time")]
    pub submission_time: Option<i64>,
    #[serde(deserialize_with = "time")]
    pub completion_time: Option<i64>,
    pub stage_ids: Vec<i64>,
    pub num_tasks: i64,
    pub num_active_tasks: i64,
    pub num_completed_tasks: i64,
    pub num_skipped_tasks: i64,
    pub num_failed_tasks: i64,
    pub num_active_stages: i64,
    pub num_completed_stages: i64,
    pub num_failed_stages: i64,
}

/// A stage of a job. Sizes are bytes, durations milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Stage {
    pub stage_id: i64,
    pub attempt_id: i64,
    #[serde(deserialize_with = "text")]
    pub status: String,
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub description: String,
    pub num_tasks: i64,
    pub num_active_tasks: i64,
    pub num_complete_tasks: i64,
    pub num_failed_tasks: i64,
    #[serde(deserialize_with = "time")]
    pub submission_time: Option<i64>,
    #[serde(deserialize_with = "time")]
    pub completion_time: Option<i64>,
    pub executor_run_time: i64,
    pub jvm_gc_time: i64,
    pub input_bytes: i64,
    pub input_records: i64,
    pub output_bytes: i64,
    pub output_records: i64,
    pub shuffle_read_bytes: i64,
    pub shuffle_write_bytes: i64,
    pub memory_bytes_spilled: i64,
    pub disk_bytes_spilled: i64,
    #[serde(deserialize_with = "text")]
    pub failure_reason: String,
}

/// A process of the application; the driver has the id `driver`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Executor {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(deserialize_with = "text")]
    pub host_port: String,
    pub is_active: bool,
    pub total_cores: i64,
    pub active_tasks: i64,
    pub failed_tasks: i64,
    pub completed_tasks: i64,
    pub total_duration: i64,
    #[serde(rename = "totalGCTime")]
    pub total_gc_time: i64,
    pub total_input_bytes: i64,
    pub total_shuffle_read: i64,
    pub total_shuffle_write: i64,
    pub memory_used: i64,
    pub max_memory: i64,
    #[serde(deserialize_with = "time")]
    pub add_time: Option<i64>,
    #[serde(deserialize_with = "time")]
    pub remove_time: Option<i64>,
    #[serde(deserialize_with = "text")]
    pub remove_reason: String,
    pub attributes: Attributes,
}

/// Where YARN has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Attributes {
    #[serde(rename = "CONTAINER_ID", deserialize_with = "text")]
    pub container: String,
    #[serde(rename = "NM_HTTP_ADDRESS", deserialize_with = "text")]
    pub node: String,
}

/// How far an application is. Skipped tasks do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub jobs: i64,
    pub jobs_running: i64,
    pub jobs_failed: i64,
    pub stages_running: i64,
    pub tasks: i64,
    pub tasks_running: i64,
    pub tasks_completed: i64,
    pub tasks_failed: i64,
}

impl Progress {
    pub fn of(jobs: &[Job]) -> Self {
        jobs.iter().fold(Self::default(), |sum, job| Self {
            jobs: sum.jobs + 1,
            jobs_running: sum.jobs_running + i64::from(job.status == JobStatus::Running),
            jobs_failed: sum.jobs_failed + i64::from(job.status == JobStatus::Failed),
            stages_running: sum.stages_running + job.num_active_stages,
            tasks: sum.tasks + (job.num_tasks - job.num_skipped_tasks).max(job.num_completed_tasks),
            tasks_running: sum.tasks_running + job.num_active_tasks,
            tasks_completed: sum.tasks_completed + job.num_completed_tasks,
            tasks_failed: sum.tasks_failed + job.num_failed_tasks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, want) in [
            ("1970-01-01T00:00:00.000GMT", Some(0)),
            ("2026-11-20T21:06:51.348GMT", Some(1_795_208_811_348)),
            ("2024-02-29T12:00:00.000GMT", Some(1_709_208_000_000)),
            ("1969-12-31T23:59:59.999GMT", Some(-1)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(millis(text), want, "{text}");
        }
    }
}
