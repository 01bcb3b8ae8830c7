//! What Flink's REST interface and its archive answer. Everything may be missing: versions differ.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Reads an answer; a member that is null is the same as one that is missing.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(json)?;
    drop_nulls(&mut value);
    T::deserialize(value)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// State of a job, as the engine names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum JobState {
    Initializing,
    Created,
    Running,
    Failing,
    Failed,
    Cancelling,
    Canceled,
    Finished,
    Restarting,
    Suspended,
    Reconciling,
    /// A name this console does not know.
    Other(String),
    #[default]
    Unknown,
}

impl JobState {
    pub fn from_name(name: &str) -> Self {
        match name {
            "INITIALIZING" => Self::Initializing,
            "CREATED" => Self::Created,
            "RUNNING" => Self::Running,
            "FAILING" => Self::Failing,
            "FAILED" => Self::Failed,
            "CANCELLING" => Self::Cancelling,
            "CANCELED" => Self::Canceled,
            "FINISHED" => Self::Finished,
            "RESTARTING" => Self::Restarting,
            "SUSPENDED" => Self::Suspended,
            "RECONCILING" => Self::Reconciling,
            "" => Self::Unknown,
            other => Self::Other(other.chars().take(40).collect()),
        }
    }

    /// Whether the job has ended for good.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Failed | Self::Canceled | Self::Finished)
    }
}

impl<'de> Deserialize<'de> for JobState {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::from_name(&String::deserialize(d)?))
    }
}

/// How many tasks are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Tasks {
    pub total: i64,
    pub created: i64,
    pub scheduled: i64,
    pub deploying: i64,
    pub running: i64,
    pub finished: i64,
    pub canceling: i64,
    pub canceled: i64,
    pub failed: i64,
    pub reconciling: i64,
    pub initializing: i64,
}

impl Tasks {
    /// Whether every task runs, or has already finished while others run. The job's own state says
    /// RUNNING long before it has a TaskManager.
    pub fn are_running(&self) -> bool {
        self.running > 0 && self.running + self.finished >= self.total
    }
}

/// A line of `/jobs/overview`. Times are milliseconds since the epoch, -1 when not yet.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct JobSummary {
    pub jid: String,
    pub name: String,
    pub state: JobState,
    #[serde(rename = "start-time")]
    pub start_time: i64,
    #[serde(rename = "end-time")]
    pub end_time: i64,
    pub duration: i64,
    #[serde(rename = "last-modification")]
    pub last_modification: i64,
    pub tasks: Tasks,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Jobs {
    pub(crate) jobs: Vec<JobSummary>,
}

/// `/jobs/<id>`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Job {
    pub jid: String,
    pub name: String,
    pub state: JobState,
    #[serde(rename = "job-type")]
    pub job_type: String,
    #[serde(rename = "start-time")]
    pub start_time: i64,
    #[serde(rename = "end-time")]
    pub end_time: i64,
    pub duration: i64,
    pub vertices: Vec<Vertex>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Vertex {
    pub id: String,
    pub name: String,
    pub parallelism: i64,
    pub status: String,
    #[serde(deserialize_with = "upper_tasks")]
    pub tasks: Tasks,
}

/// The counts of a vertex have upper-case names.
fn upper_tasks<'de, D: Deserializer<'de>>(d: D) -> Result<Tasks, D::Error> {
    let counts = std::collections::BTreeMap::<String, i64>::deserialize(d)?;
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    Ok(Tasks {
        total: counts.values().sum(),
        created: count("CREATED"),
        scheduled: count("SCHEDULED"),
        deploying: count("DEPLOYING"),
        running: count("RUNNING"),
        finished: count("FINISHED"),
        canceling: count("CANCELING"),
        canceled: count("CANCELED"),
        failed: count("FAILED"),
        reconciling: count("RECONCILING"),
        initializing: count("INITIALIZING"),
    })
}

impl Job {
    /// Tasks of all vertices.
    pub fn tasks(&self) -> Tasks {
        self.vertices.iter().fold(Tasks::default(), |sum, vertex| {
            let t = &vertex.tasks;
            Tasks {
                total: sum.total + t.total,
                created: sum.created + t.created,
                scheduled: sum.scheduled + t.scheduled,
                deploying: sum.deploying + t.deploying,
                running: sum.running + t.running,
                finished: sum.finished + t.finished,
                canceling: sum.canceling + t.canceling,
                canceled: sum.canceled + t.canceled,
                failed: sum.failed + t.failed,
                reconciling: sum.reconciling + t.reconciling,
                initializing: sum.initializing + t.initializing,
            }
        })
    }
}

/// An exception of a job's history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Exception {
    #[serde(rename = "exceptionName")]
    pub name: String,
    pub stacktrace: String,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    #[serde(rename = "taskName")]
    pub task: Option<String>,
    #[serde(rename = "concurrentExceptions")]
    pub concurrent: Vec<Exception>,
}

/// `/jobs/<id>/exceptions`, or `/applications/<id>/exceptions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Exceptions {
    /// Up to 1.x.
    #[serde(rename = "root-exception")]
    pub root: Option<String>,
    #[serde(rename = "exceptionHistory")]
    pub history: History,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct History {
    /// Newest first.
    pub entries: Vec<Exception>,
    pub truncated: bool,
}

impl Exceptions {
    /// The stack traces, newest first.
    pub fn stacks(&self) -> Vec<String> {
        let history = self
            .history
            .entries
            .iter()
            .flat_map(|entry| std::iter::once(entry).chain(&entry.concurrent))
            .map(|exception| exception.stacktrace.clone());
        let mut stacks: Vec<String> = history.chain(self.root.clone()).collect();
        stacks.retain(|stack| !stack.trim().is_empty());
        stacks
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct TaskManager {
    /// The container's id.
    pub id: String,
    #[serde(rename = "slotsNumber")]
    pub slots: i64,
    #[serde(rename = "freeSlots")]
    pub free_slots: i64,
    #[serde(rename = "timeSinceLastHeartbeat")]
    pub last_heartbeat: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TaskManagers {
    pub(crate) taskmanagers: Vec<TaskManager>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Settings(Vec<Setting>);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Setting {
    key: String,
    value: String,
}

impl Settings {
    pub(crate) fn get(self, key: &str) -> Option<String> {
        self.0
            .into_iter()
            .find(|setting| setting.key == key)
            .map(|setting| setting.value)
    }
}
