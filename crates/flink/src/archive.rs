//! What a JobManager leaves on HDFS of an ended job, below `jobmanager.archive.fs.dir`.

use crate::{
    rest::{self, Exceptions, JobSummary},
    version::{ArchiveLayout, Features},
};
use serde::{Deserialize, de::DeserializeOwned};

/// Largest file that is read: it holds the plan and every subtask of a job.
pub const MAX_FILE: u64 = 64 << 20;

/// Where to look, relative to the archive directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file of a job whose id is known.
    pub job: Option<String>,
    /// A directory to list: each directory in it is an application with `application-summary` and
    /// `jobs/<id>`.
    pub applications: Option<String>,
}

pub const SUMMARY: &str = "application-summary";

/// Where an application's archive lies.
pub fn place(features: &Features, application: &str, job: Option<&str>) -> Place {
    match features.archive {
        ArchiveLayout::Job => Place {
            job: job.map(str::to_owned),
            applications: None,
        },
        ArchiveLayout::Application => Place {
            job: None,
            applications: Some(format!("{}/applications", cluster_directory(application))),
        },
    }
}

/// The cluster's name in the archive: Java's hash of the application id as the upper half of an id.
fn cluster_directory(application: &str) -> String {
    let hash = application
        .encode_utf16()
        .fold(0_i32, |hash, c| hash.wrapping_mul(31).wrapping_add(i32::from(c)));
    format!("{:016x}{:016x}", i64::from(hash), 0)
}

/// What a file of the archive says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Archive {
    pub jobs: Vec<JobSummary>,
    /// Of the application, where the version keeps it: `FINISHED`, `FAILED`, `CANCELED`.
    pub status: Option<String>,
    /// Stack traces: the application's first, then the jobs', newest first.
    pub stacks: Vec<String>,
}

/// The file is not an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an archive of a job: {0}")]
pub struct ArchiveError(String);

#[derive(Deserialize)]
struct File {
    archive: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    json: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Application {
    status: Option<String>,
    jobs: Vec<JobSummary>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Overview {
    jobs: Vec<JobSummary>,
}

/// Reads one file of the archive; entries that cannot be read are left out.
///
/// # Errors
/// When it is no archive at all.
pub fn parse(bytes: &[u8]) -> Result<Archive, ArchiveError> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| ArchiveError(error.to_string()))?;
    let mut archive = Archive::default();
    let (mut of_application, mut of_jobs) = (Vec::new(), Vec::new());
    for Entry { path, json } in &file.archive {
        let names: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match names.as_slice() {
            ["jobs", "overview"] => {
                archive.jobs.extend(read::<Overview>(json).jobs);
            }
            ["jobs", _, "exceptions"] => of_jobs.extend(read::<Exceptions>(json).stacks()),
            ["applications", _, "exceptions"] => {
                of_application.extend(read::<Exceptions>(json).stacks());
            }
            ["applications", id] if *id != "overview" => {
                let application: Application = read(json);
                archive.status = application.status;
                archive.jobs.extend(application.jobs);
            }
            _ => {}
        }
    }
    archive.stacks = of_application;
    archive.stacks.extend(of_jobs);
    Ok(archive)
}

fn read<T: DeserializeOwned + Default>(json: &str) -> T {
    rest::read(json.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Version, rest::JobState, stack};

    #[test]
    fn place_is_where_the_engine_writes() {
        let features = |v: &str| v.parse::<Version>().unwrap().features().unwrap();
        // As seen on a cluster.
        assert_eq!(
            place(&features("2.3.0"), "application_1795257773096_0004", Some("aa")).applications,
            Some("ffffffffea4624c60000000000000000/applications".into())
        );
        assert_eq!(
            place(&features("1.20.5"), "application_1795257773096_0004", Some("aa")),
            Place {
                job: Some("aa".into()),
                applications: None
            }
        );
    }

    #[test]
    fn summary_of_an_application_tells_why_it_failed() {
        let archive = parse(include_bytes!("../tests/samples/application-summary.json")).unwrap();
        assert_eq!(archive.status.as_deref(), Some("FAILED"));
        let states: Vec<_> = archive.jobs.iter().map(|job| job.state.clone()).collect();
        assert_eq!(states, [JobState::Finished, JobState::Failed]);
        assert_eq!(
            stack::root(&archive.stacks[0]).unwrap().text(),
            "ArithmeticException: / by zero"
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert!(parse(b"").is_err() && parse(b"<html>").is_err() && parse(b"{}").is_err());
        let odd = br#"{"archive":[{"path":"/jobs/x/exceptions","json":"nonsense"},{"path":"","json":"{}"},{"path":"/jobs/overview","json":"{\"jobs\":[{\"jid\":\"a\",\"state\":\"NEWSTATE\",\"extra\":1}]}"}]}"#;
        let archive = parse(odd).unwrap();
        assert_eq!(archive.jobs[0].state, JobState::Other("NEWSTATE".into()));
        assert!(archive.stacks.is_empty());
    }
}
