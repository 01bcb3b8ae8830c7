//! Savepoints and checkpoints of a running job.

use super::{Client, Observation, is_job_id};
use net::Method;
use serde::Deserialize;
use serde_json::json;

const MAX_CAUSE: usize = 1500;

/// A savepoint to take. The trigger id makes a repeated request the same request: Flink answers for
/// the one it has, as long as its JobManager lives.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// 32 hex digits.
    pub trigger: &'a str,
    /// Address of the directory below which Flink makes one for the savepoint.
    pub directory: &'a str,
    /// `CANONICAL` or `NATIVE`.
    pub format: &'a str,
}

/// How far a savepoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    InProgress,
    /// The address of its directory.
    Taken(String),
    /// Why there is none, in Flink's words.
    Failed(String),
}

impl Client {
    /// Has a savepoint taken; the job goes on.
    pub async fn take_savepoint(&self, job: &str, order: Order<'_>) -> Observation<()> {
        let body = json!({
            "target-directory": order.directory, "cancel-job": false, "formatType": order.format,
            "triggerId": order.trigger,
        });
        self.order(job, "savepoints", order.trigger, &body).await
    }

    /// Has a savepoint taken and the job ended behind it. With `drain` its sources say first that
    /// nothing more comes, so that all windows and timers fire.
    pub async fn stop_with_savepoint(&self, job: &str, order: Order<'_>, drain: bool) -> Observation<()> {
        let body = json!({
            "targetDirectory": order.directory, "drain": drain, "formatType": order.format,
            "triggerId": order.trigger,
        });
        self.order(job, "stop", order.trigger, &body).await
    }

    async fn order(&self, job: &str, what: &str, trigger: &str, body: &serde_json::Value) -> Observation<()> {
        // The shape of a trigger id is that of a job's.
        if !is_job_id(job) || !is_job_id(trigger) {
            return Observation::Gone;
        }
        let request = self.request(Method::POST, &format!("jobs/{job}/{what}"));
        match request.json(body).send().await {
            Ok(reply) => self.body::<serde_json::Value>(&reply).map(drop),
            Err(error) => Observation::Inconclusive(error.into()),
        }
    }

    /// [`Observation::Gone`]: this JobManager has no such savepoint, or no such job.
    pub async fn savepoint(&self, job: &str, trigger: &str) -> Observation<Progress> {
        if !is_job_id(job) || !is_job_id(trigger) {
            return Observation::Gone;
        }
        let answer: Observation<Answer> = self.read(&format!("jobs/{job}/savepoints/{trigger}")).await;
        answer.map(Answer::progress)
    }

    /// Address of the newest checkpoint the job has completed, when it lies on a file system.
    pub async fn newest_checkpoint(&self, job: &str) -> Observation<Option<String>> {
        let checkpoints: Observation<Checkpoints> = self.of_job(job, "/checkpoints").await;
        checkpoints.map(|checkpoints| {
            let newest = checkpoints.latest.completed;
            Some(newest.external_path).filter(|path| !newest.is_savepoint && path.contains("://"))
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    status: Status,
    operation: Operation,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Operation {
    location: Option<String>,
    #[serde(rename = "failure-cause")]
    failure: Option<Cause>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    class: String,
    #[serde(rename = "stack-trace")]
    stack: String,
}

impl Answer {
    fn progress(self) -> Progress {
        if self.status.id != "COMPLETED" {
            return Progress::InProgress;
        }
        match (self.operation.location, self.operation.failure) {
            (Some(location), None) => Progress::Taken(location),
            (_, Some(cause)) => Progress::Failed(cause.told()),
            (None, None) => Progress::Failed("no location was told".to_owned()),
        }
    }
}

impl Cause {
    /// The innermost cause: those around it only say where it was met.
    fn told(&self) -> String {
        let lines = || self.stack.lines().map(str::trim).filter(|line| !line.is_empty());
        let root = lines()
            .filter_map(|line| line.strip_prefix("Caused by: "))
            .next_back();
        let line = root.or_else(|| lines().next()).unwrap_or(&self.class);
        line.chars().filter(|c| !c.is_control()).take(MAX_CAUSE).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Checkpoints {
    latest: Latest,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Latest {
    completed: Checkpoint,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Checkpoint {
    external_path: String,
    is_savepoint: bool,
}
