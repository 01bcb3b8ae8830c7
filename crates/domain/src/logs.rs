//! Logs of a run's containers.

use serde::{Deserialize, Serialize};

/// A container of a run and the files it wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogContainer {
    pub id: String,
    /// `jobmanager` or `taskmanager` of Flink, `driver` or `executor` of Spark.
    pub role: String,
    /// Host it ran on.
    pub node: Option<String>,
    pub running: bool,
    pub files: Vec<LogFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogFile {
    pub name: String,
    pub bytes: i64,
}

/// Most lines of one answer, and most characters of one line; the rest of a longer one is cut and said so.
pub const MAX_LINES: u32 = 2000;
pub const MAX_LINE_CHARS: usize = 8000;

/// A window of a log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// Number of the first line below, from 1.
    pub from_line: i64,
    pub lines: Vec<String>,
    /// Lines the file has so far.
    pub total_lines: i64,
    pub bytes: i64,
    /// Whether the container still writes.
    pub running: bool,
    /// Numbers of the lines that hold the searched text; at most 1000.
    #[serde(default)]
    pub hits: Vec<i64>,
    /// Line numbers of errors and warnings counted over the whole file.
    pub errors: i64,
    pub warnings: i64,
    /// First line that reports an error.
    pub first_error: Option<i64>,
}

/// Which window is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogQuery {
    /// First line, from 1; absent: the last `limit` lines.
    pub from_line: Option<i64>,
    pub limit: Option<u32>,
    pub search: Option<String>,
}
