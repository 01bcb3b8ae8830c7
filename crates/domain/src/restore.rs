//! Restore points: savepoints and retained checkpoints a later run can start from.

use crate::{
    Code, Failure, Millis,
    id::{EnvironmentId, JobId, OperationId, RestorePointId, RunId, TeamId},
    validate,
};
use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$outer:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $type { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl $type {
            pub const ALL: &'static [$type] = &[$($type::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $($type::$name => $text,)* }
            }

            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        named_schema!($type, name);
    };
}

names! {
    RestoreKind {
        /// Taken because somebody asked for it; the console disposes of it only when told to.
        Savepoint = "savepoint",
        /// The last one of a run that kept its checkpoints when it ended; belongs to the engine.
        Checkpoint = "checkpoint",
    }
}

names! {
    /// Whether a restore point can be used, as HDFS said when it was asked last.
    RestoreState {
        /// Its `_metadata` is there.
        Valid = "valid",
        /// HDFS has no such file (any more).
        Gone = "gone",
        /// Somebody had the console delete it.
        Disposed = "disposed",
    }
}

names! {
    /// Whose the restored state is afterwards.
    ClaimMode {
        /// The new run's: the engine deletes it when later checkpoints no longer need it.
        Claim = "claim",
        /// Stays as it is; the first checkpoint copies what it needs.
        NoClaim = "no_claim",
        /// Stays, and checkpoints may go on referring to it. Versions before 2.0 only.
        Legacy = "legacy",
    }
}

names! {
    /// How a savepoint is written.
    SavepointFormat {
        /// Independent of the state backend.
        Canonical = "canonical",
        /// The backend's own: faster, and bound to it.
        Native = "native",
    }
}

/// A savepoint or a retained checkpoint of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestorePoint {
    pub id: RestorePointId,
    pub job: JobId,
    pub team: TeamId,
    /// The run whose state it holds.
    pub run: RunId,
    /// Code of the cluster it lies on.
    pub cluster: String,
    pub kind: RestoreKind,
    /// Directory that holds `_metadata`, as a path of the cluster's file system.
    pub path: String,
    /// When it was recorded.
    pub created_at: Millis,
    /// When it was complete.
    pub completed_at: Millis,
    /// Bytes below its directory; what an incremental checkpoint shares lies elsewhere and is not counted.
    pub size: Option<i64>,
    /// Version of the job the run had.
    pub version: i64,
    pub environment: EnvironmentId,
    /// Snapshot of the environment the run was pinned to.
    pub snapshot: i64,
    /// Of a savepoint.
    pub format: Option<SavepointFormat>,
    /// The operation that took it.
    pub operation: Option<OperationId>,
    pub state: RestoreState,
    /// When HDFS said so.
    pub verified_at: Millis,
    /// A run that has not ended and was started from it: as long as it lasts, the files stay.
    pub used_by: Option<RunId>,
    /// The newest valid one of the job: what a start suggests.
    #[serde(default)]
    pub preselected: bool,
}

/// What a run was started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestoredFrom {
    /// Absent when somebody typed a path the console has no record of.
    pub point: Option<RestorePointId>,
    /// Directory that holds `_metadata`, as a path of the cluster's file system.
    pub path: String,
    pub claim_mode: ClaimMode,
    /// State that no operator of the new version takes is left out instead of failing the run.
    pub allow_non_restored_state: bool,
}

/// Body that asks for a savepoint of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SavepointRequest {
    /// Canonical when absent.
    pub format: Option<SavepointFormat>,
}

/// Where a start begins, as somebody wrote it: the id of a restore point, or a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    Point(RestorePointId),
    /// Absolute, or an address with a file system; may name the `_metadata` file.
    Path(String),
}

impl RestoreTarget {
    pub const MAX_PATH: usize = 1000;

    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        if text.starts_with("rp_") {
            return text
                .parse()
                .map(Self::Point)
                .map_err(|_| Failure::new(Code::NotFound).with("what", "restore point"));
        }
        validate::line("restore_from", text, Self::MAX_PATH)?;
        let path = text.strip_suffix("/_metadata").unwrap_or(text);
        if path.starts_with('/') || path.contains("://") {
            Ok(Self::Path(path.trim_end_matches('/').to_owned()))
        } else {
            Err(Failure::new(Code::FieldInvalid)
                .with("field", "restore_from")
                .with("reason", "hdfs://… | /… | rp_…"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_names_a_point_or_a_path() {
        let id = "rp_00000000000000000000000001";
        assert_eq!(
            RestoreTarget::parse(id),
            Ok(RestoreTarget::Point(id.parse().unwrap()))
        );
        for (text, path) in [
            ("/a/b", "/a/b"),
            (" /a/b/ ", "/a/b"),
            ("/a/b/_metadata", "/a/b"),
            ("hdfs://nn:8020/a/b/_metadata", "hdfs://nn:8020/a/b"),
        ] {
            assert_eq!(
                RestoreTarget::parse(text),
                Ok(RestoreTarget::Path(path.into())),
                "{text}"
            );
        }
        for bad in ["", " ", "a/b", "rp_1", "/a\nb", "\u{202e}/a"] {
            assert!(RestoreTarget::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for mode in ClaimMode::ALL {
            assert_eq!(ClaimMode::from_name(mode.name()), Some(*mode));
            let json = serde_json::to_string(mode).unwrap();
            assert_eq!(json, format!("\"{}\"", mode.name()));
        }
    }
}
