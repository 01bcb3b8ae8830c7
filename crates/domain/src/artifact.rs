//! Artifacts: uploaded files by content.

use crate::{
    Millis,
    id::{ArtifactId, TeamId, UploadId},
};
use serde::{Deserialize, Serialize};

/// Largest file, and the size of the parts it is sent in.
pub const MAX_ARTIFACT_BYTES: i64 = 512 * 1024 * 1024;
pub const PART_BYTES: i64 = 8 * 1024 * 1024;

/// What an uploaded file can be used for, which its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// A program, or classes a program needs.
    Jar,
    /// A Python program, or a module of one.
    Python,
    /// A Python package: `.zip`, `.egg` or `.whl`.
    PythonPackage,
}

impl ArtifactKind {
    /// The endings of usable files, in lower case.
    pub const ENDINGS: [(&str, ArtifactKind); 5] = [
        (".jar", ArtifactKind::Jar),
        (".py", ArtifactKind::Python),
        (".zip", ArtifactKind::PythonPackage),
        (".egg", ArtifactKind::PythonPackage),
        (".whl", ArtifactKind::PythonPackage),
    ];

    /// By the ending of a file name; `None` when jobs cannot use such a file.
    pub fn of(name: &str) -> Option<Self> {
        Self::ending(name).map(|(_, kind)| kind)
    }

    /// The ending of a usable file name, in lower case, with the kind it tells.
    pub fn ending(name: &str) -> Option<(&'static str, Self)> {
        let name = name.to_ascii_lowercase();
        Self::ENDINGS
            .into_iter()
            .find(|(ending, _)| name.len() > ending.len() && name.ends_with(ending))
    }

    pub fn is_python(self) -> bool {
        matches!(self, ArtifactKind::Python | ArtifactKind::PythonPackage)
    }
}

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

impl Artifact {
    /// `None` for a file of an ending that is not taken any more.
    pub fn kind(&self) -> Option<ArtifactKind> {
        ArtifactKind::of(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        for (name, kind) in [
            ("orders.jar", Some(ArtifactKind::Jar)),
            ("Orders.JAR", Some(ArtifactKind::Jar)),
            ("main.py", Some(ArtifactKind::Python)),
            ("lib-1.0.whl", Some(ArtifactKind::PythonPackage)),
            ("lib.egg", Some(ArtifactKind::PythonPackage)),
            ("deps.zip", Some(ArtifactKind::PythonPackage)),
            (".py", None),
            ("orders.jar.exe", None),
            ("jar", None),
        ] {
            assert_eq!(ArtifactKind::of(name), kind, "{name}");
        }
    }
}
