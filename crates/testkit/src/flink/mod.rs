//! A Flink application master: one job, its REST, its logs, and what it leaves on the file system.

mod archive;
pub(crate) mod rest;

use crate::{
    fault,
    hdfs::tree::{Content, Kind, Tree, parent},
    rm::{App, app::Submission, life::path_of_uri},
    script::FinalStatus,
};
use bytes::Bytes;
use domain::Millis;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub(crate) struct Savepoint {
    pub(crate) directory: String,
    /// Where it lies, or why there is none; absent while it is made.
    pub(crate) outcome: Option<Result<String, String>>,
}

pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) started: Millis,
    pub(crate) changed: Millis,
    pub(crate) ended: Option<Millis>,
    pub(crate) running: u32,
    pub(crate) total: u32,
    /// Time and stack, the newest first.
    pub(crate) exceptions: Vec<(Millis, String)>,
    pub(crate) savepoints: BTreeMap<String, Savepoint>,
    /// Address of the newest completed one.
    pub(crate) checkpoint: Option<String>,
}

impl Job {
    pub(crate) fn new(submission: &Submission, at: Millis) -> Self {
        let id = fixed_id(&submission.command).unwrap_or_else(|| {
            let mut seed = u64::from_be_bytes(at.to_be_bytes());
            format!("{:016x}{:016x}", fault::next(&mut seed), fault::next(&mut seed))
        });
        Self {
            id,
            name: submission.name.clone(),
            state: "RUNNING".into(),
            started: at,
            changed: at,
            ended: None,
            running: 0,
            total: 2,
            exceptions: Vec::new(),
            savepoints: BTreeMap::new(),
            checkpoint: None,
        }
    }

    pub(crate) fn set_state(&mut self, state: &str, at: Millis) {
        state.clone_into(&mut self.state);
        self.changed = at;
        if matches!(state, "FINISHED" | "FAILED" | "CANCELED") {
            self.ended = Some(at);
        }
        if !matches!(state, "RUNNING" | "CANCELLING") {
            self.running = 0;
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ended.is_some()
    }
}

/// The job id that the command fixes.
fn fixed_id(command: &str) -> Option<String> {
    let (_, rest) = command.split_once("internal.pipeline.job-id=")?;
    let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    (id.len() == 32).then_some(id)
}

/// Log files of a new container: the master's or a worker's.
pub(crate) fn first_logs(master: bool) -> BTreeMap<String, Vec<u8>> {
    let name = if master { "jobmanager" } else { "taskmanager" };
    let line = format!("2026-01-01 00:00:00,000 INFO  org.apache.flink.{name} [] - Starting {name}\n");
    BTreeMap::from([
        (
            "prelaunch.out".to_owned(),
            b"Setting up env variables\nLaunching container\n".to_vec(),
        ),
        ("prelaunch.err".to_owned(), Vec::new()),
        (format!("{name}.log"), line.into_bytes()),
        (format!("{name}.out"), Vec::new()),
        (format!("{name}.err"), Vec::new()),
    ])
}

/// The version in the name of the distribution's own jar.
pub(crate) fn version(submission: &Submission) -> String {
    let dist = submission.resources.iter().find_map(|file| {
        let name = file.key.rsplit('/').next()?;
        name.strip_prefix("flink-dist-")?.strip_suffix(".jar")
    });
    dist.unwrap_or("2.3.0").to_owned()
}

/// What the master does last: it archives its job and deletes its staging directory.
pub(crate) fn farewell(app: &mut App, tree: &mut Tree, status: FinalStatus, at: Millis) {
    let end = match status {
        FinalStatus::Succeeded | FinalStatus::Undefined => "FINISHED",
        FinalStatus::Failed => "FAILED",
        FinalStatus::Killed => "CANCELED",
    };
    if let Some(job) = app.job.as_mut().filter(|job| !job.is_over()) {
        job.set_state(end, at);
    }
    archive::write(app, tree, end, at);
    if let Some(staging) = app.submission.environment.get("_FLINK_YARN_FILES") {
        let path = path_of_uri(staging);
        let path = path.trim_end_matches('/');
        // As the user: what belongs to others stays.
        if path.len() > 1 && tree.require_change(&app.user, path).is_ok() {
            tree.remove(path, at);
        }
    }
}

/// Writes a file as `user`, with the directories it needs; false where the user may not.
pub(crate) fn write(tree: &mut Tree, user: &str, path: &str, content: Vec<u8>, at: Millis) -> bool {
    if tree.mkdirs(user, parent(path), 0o755, at).is_err() || tree.require_change(user, path).is_err() {
        return false;
    }
    tree.remove(path, at);
    let content = Content {
        length: content.len() as u64,
        sha256: hex::encode(Sha256::digest(&content)),
        bytes: Some(Bytes::from(content)),
    };
    tree.insert(user, path, 0o644, Kind::File(content), at);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_command_as_it_is_quoted() {
        let id = "0123456789abcdef0123456789abcdef";
        let command = format!("java X -D '\\$internal.pipeline.job-id={id}' 1> out");
        assert_eq!(fixed_id(&command).as_deref(), Some(id));
        assert_eq!(fixed_id("-D internal.pipeline.job-id=12"), None);
    }
}
