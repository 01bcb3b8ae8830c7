//! Artifacts: uploaded files by content.

use crate::{
    Millis,
    id::{ArtifactId, TeamId, UploadId},
};
use serde::{Deserialize, Serialize};

/// Largest file, and the size of the parts it is sent in.
pub const MAX_ARTIFACT_BYTES: i64 = 512 * 1024 * 1024;
pub const PART_BYTES: i64 = 8 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artifact {
    pub id: ArtifactId,
    pub team: TeamId,
    /// File name as uploaded; shown only, never part of a path on the console host.
    pub name: String,
    /// Counts contents of one name within the team, from 1.
    pub version: i64,
    pub sha256: String,
    pub size: i64,
    /// Classes with a `main` method; the manifest's first.
    pub main_classes: Vec<String>,
    /// The manifest's Main-Class.
    pub manifest_class: Option<String>,
    pub created_by_name: String,
    pub created_at: Millis,
}

/// Body that announces an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    pub name: String,
    pub size: i64,
    /// Lower-case hex. When the console has the content already, nothing needs to be sent.
    #[serde(default)]
    pub sha256: Option<String>,
    #[serde(default)]
    pub team: Option<TeamId>,
}

/// Answer to an announced upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum UploadTicket {
    /// The content is stored already.
    Known { artifact: Artifact },
    /// Send the parts that are not in `received`.
    Open {
        id: UploadId,
        part_size: i64,
        parts: i64,
        received: Vec<i64>,
    },
}
