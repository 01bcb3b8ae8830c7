//! Flink versions and what differs between them.

use domain::{Code, Failure};
use std::{fmt, str::FromStr};

/// The oldest version jobs can run on.
pub const OLDEST: &str = "1.18";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

/// How a list of files is written into `_CLIENT_SHIP_FILES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descriptor {
    /// `YarnLocalResourceDescriptor{key=…, …}`, read back with a pattern of blank-free fields.
    Named,
    /// An object with single quotes.
    Json,
}

/// Where the JobManager leaves what it knows of an ended job, below `jobmanager.archive.fs.dir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveLayout {
    /// `<job id>`.
    Job,
    /// `<cluster>/applications/<id>/application-summary` and `…/jobs/<job id>`.
    Application,
}

/// What a planner has to know of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Name of the configuration file in the container's directory.
    pub config_file: &'static str,
    /// Whether that file is YAML; else lines of `key: value`, in which `#` cuts the rest.
    pub yaml: bool,
    pub descriptor: Descriptor,
    /// Whether a file that is no jar puts its directory on the class path, instead of itself.
    pub directories_on_class_path: bool,
    pub archive: ArchiveLayout,
    /// Configuration key of the state a job starts from.
    pub restore_path_key: &'static str,
    pub restore_claim_mode_key: &'static str,
    pub restore_ignore_unclaimed_key: &'static str,
    /// Whether checkpoints may go on referring to state that stays the caller's.
    pub legacy_claim_mode: bool,
}

impl Version {
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// The version in the name of the distribution's own jar, such as `lib/flink-dist-2.3.0.jar`.
    pub fn of_dist(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        name.strip_prefix("flink-dist-")?
            .strip_suffix(".jar")?
            .parse()
            .ok()
    }

    /// # Errors
    /// [`Code::VersionUnsupported`].
    pub fn features(self) -> Result<Features, Failure> {
        let at_least = |major, minor| self >= Self::new(major, minor, 0);
        if !at_least(1, 18) {
            return Err(Failure::new(Code::VersionUnsupported)
                .with("what", "Flink")
                .with("version", self)
                .with("least", OLDEST));
        }
        let yaml = at_least(1, 19);
        let state_recovery = at_least(1, 20);
        Ok(Features {
            config_file: if yaml { "config.yaml" } else { "flink-conf.yaml" },
            yaml,
            descriptor: if yaml { Descriptor::Json } else { Descriptor::Named },
            directories_on_class_path: yaml,
            archive: if at_least(2, 3) {
                ArchiveLayout::Application
            } else {
                ArchiveLayout::Job
            },
            restore_path_key: if state_recovery {
                "execution.state-recovery.path"
            } else {
                "execution.savepoint.path"
            },
            restore_claim_mode_key: if state_recovery {
                "execution.state-recovery.claim-mode"
            } else {
                "execution.savepoint-restore-mode"
            },
            restore_ignore_unclaimed_key: if state_recovery {
                "execution.state-recovery.ignore-unclaimed-state"
            } else {
                "execution.savepoint.ignore-unclaimed-state"
            },
            legacy_claim_mode: !at_least(2, 0),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Text that is not a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version of Flink")]
pub struct VersionError;

impl FromStr for Version {
    type Err = VersionError;

    /// Reads `2.3.0`, and `2.3.0-vendor7` as 2.3.0.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let numbers = text.split_once('-').map_or(text, |(numbers, _)| numbers);
        let mut parts = numbers.split('.').map(|part| {
            part.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| part.parse::<u16>().ok())
                .flatten()
        });
        let mut next = || parts.next().flatten().ok_or(VersionError);
        Ok(Self::new(next()?, next()?, next()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_stands_in_the_name_of_the_distribution_jar() {
        for (path, version) in [
            ("lib/flink-dist-2.3.0.jar", Some(Version::new(2, 3, 0))),
            ("flink-dist-1.18.1.jar", Some(Version::new(1, 18, 1))),
            ("lib/flink-dist-1.20.5-acme-3.jar", Some(Version::new(1, 20, 5))),
            ("lib/flink-dist_2.12-1.14.0.jar", None),
            ("lib/flink-dist-2.3.jar", None),
            ("lib/flink-dist-2.3.0.jar.bak", None),
            ("lib/flink-csv-2.3.0.jar", None),
            ("lib/flink-dist-+2.3.0.jar", None),
        ] {
            assert_eq!(Version::of_dist(path), version, "{path}");
        }
    }

    #[test]
    fn differences_begin_where_they_began() {
        let features = |text: &str| text.parse::<Version>().unwrap().features();
        let f = features("1.18.1").unwrap();
        assert_eq!(
            (f.config_file, f.descriptor),
            ("flink-conf.yaml", Descriptor::Named)
        );
        assert_eq!(f.restore_path_key, "execution.savepoint.path");
        let f = features("1.19.3").unwrap();
        assert_eq!((f.config_file, f.descriptor), ("config.yaml", Descriptor::Json));
        assert_eq!(f.restore_path_key, "execution.savepoint.path");
        let f = features("1.20.5").unwrap();
        assert_eq!(f.restore_path_key, "execution.state-recovery.path");
        assert_eq!(f.archive, ArchiveLayout::Job);
        assert_eq!(features("2.3.0").unwrap().archive, ArchiveLayout::Application);
        let failure = features("1.17.2").unwrap_err();
        assert_eq!(
            (failure.code, failure.args["version"].as_str()),
            (Code::VersionUnsupported, "1.17.2")
        );
    }
}
