//! Environments: engine distributions jobs run on, and their snapshots.

use crate::{
    Engine, Millis,
    id::{EnvironmentId, OperationId, TeamId},
};
use serde::{Deserialize, Serialize};

/// Body that registers an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvironmentInput {
    pub name: String,
    /// The team it belongs to; absent: shared by all.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Directory on the console host: `lib`, `plugins`, `conf` of Flink, or `jars`, `python`, `conf` of Spark.
    pub directory: String,
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManifestFile {
    /// Path below the distribution, for example `lib/flink-dist-2.3.0.jar`.
    pub path: String,
    pub sha256: String,
    pub size: i64,
    /// CRC-32 of a file that goes into an archive, whose headers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
}

/// An immutable, numbered list of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    pub environment: EnvironmentId,
    pub number: i64,
    pub files: Vec<ManifestFile>,
    /// Settings of the distribution's own configuration that every job starts from.
    pub defaults: Vec<(String, String)>,
    pub created_by_name: String,
    pub created_at: Millis,
    pub reason: Option<String>,
}

/// How far an environment is on one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterPlacement {
    pub cluster_code: String,
    /// Snapshot whose every file was verified there.
    pub snapshot: Option<i64>,
    pub files_done: i64,
    pub files_total: i64,
    pub bytes_done: i64,
    pub bytes_total: i64,
    /// The operation that places it now, or did last.
    pub operation: Option<OperationId>,
    pub failure: Option<crate::Failure>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Environment {
    pub id: EnvironmentId,
    pub name: String,
    pub team: Option<TeamId>,
    /// Which engine's files they are; a job runs on an environment of its own engine only.
    pub engine: Engine,
    /// Version of the engine, found from the file names.
    pub version: String,
    pub directory: String,
    /// The newest snapshot; new runs take it.
    pub snapshot: i64,
    pub files: i64,
    pub bytes: i64,
    pub placements: Vec<ClusterPlacement>,
    pub created_at: Millis,
}
