//! Operations: durable intents to change something outside, with their steps and log.

use crate::{
    Failure, Millis,
    id::{EnvironmentId, OperationId, RunId},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    Submit,
    Stop,
    /// Takes a savepoint of a run that goes on.
    Savepoint,
    /// Puts an environment's files on a cluster.
    Place,
}

impl OperationKind {
    pub fn name(self) -> &'static str {
        match self {
            OperationKind::Submit => "submit",
            OperationKind::Stop => "stop",
            OperationKind::Savepoint => "savepoint",
            OperationKind::Place => "place",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [
            OperationKind::Submit,
            OperationKind::Stop,
            OperationKind::Savepoint,
            OperationKind::Place,
        ]
        .into_iter()
        .find(|k| k.name() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    Pending,
    Running,
    /// A request was sent and its outcome is not known; nothing is assumed until it is.
    InDoubt,
    Done,
    Failed,
}

impl OperationState {
    pub const ALL: [OperationState; 5] = [
        Self::Pending,
        Self::Running,
        Self::InDoubt,
        Self::Done,
        Self::Failed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::InDoubt => "in_doubt",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    pub fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::Failed)
    }
}

/// A step a person sees, in the order they happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// A fixed key: `plan`, `ensure_files`, `allocate`, `post`, `confirm`, `scan`, `upload`, `verify`, `publish`, `ask`,
    /// `savepoint`, `record`, `await`.
    pub name: String,
    pub state: OperationState,
    pub started_at: Option<Millis>,
    pub ended_at: Option<Millis>,
    /// Bytes or files done and in total, when the step counts any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub progress: Option<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    pub files_done: i64,
    pub files_total: i64,
    pub bytes_done: i64,
    pub bytes_total: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    pub run: Option<RunId>,
    pub environment: Option<EnvironmentId>,
    pub steps: Vec<Step>,
    /// One line per entry, oldest first; bounded.
    pub log: Vec<LogLine>,
    pub failure: Option<Failure>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    pub at: Millis,
    pub text: String,
}
