//! What the master writes to `jobmanager.archive.fs.dir` before it leaves.

use super::{rest, version};
use crate::{
    hdfs::tree::{Kind, Tree},
    rm::{App, app::Submission, life::path_of_uri},
};
use domain::Millis;
use serde_json::{Value, json};

const SETTING: &str = "jobmanager.archive.fs.dir";

pub(super) fn write(app: &App, tree: &mut Tree, end: &str, at: Millis) {
    let submission = &app.submission;
    let directory = on_command(&submission.command).or_else(|| in_file(submission, tree));
    let Some(directory) = directory else { return };
    let directory = directory.trim_end_matches('/');
    let pages = app.job.as_ref().map(|job| {
        vec![
            ("/jobs/overview".to_owned(), rest::overview(job, at)),
            (format!("/jobs/{}", job.id), rest::details(job, at)),
            (
                format!("/jobs/{}/exceptions", job.id),
                rest::exceptions(&job.exceptions),
            ),
        ]
    });
    let mut put = |path: String, pages: &[(String, Value)]| {
        let entries: Vec<_> = pages
            .iter()
            .map(|(path, page)| json!({"path": path, "json": page.to_string()}))
            .collect();
        let text = json!({"archive": entries}).to_string();
        super::write(tree, &app.user, &path, text.into_bytes(), at);
    };
    if !by_application(&version(submission)) {
        if let (Some(job), Some(pages)) = (&app.job, pages) {
            put(format!("{directory}/{}", job.id), &pages);
        }
        return;
    }
    let id = format!("{:032x}", app.id.number);
    let directory = format!(
        "{directory}/{}/applications/{id}",
        cluster_directory(&app.id.to_string())
    );
    let (jobs, exceptions) = match &app.job {
        Some(job) => (
            rest::overview(job, at)["jobs"].clone(),
            rest::exceptions(&job.exceptions),
        ),
        // The program failed before it had a job.
        None => (json!([]), rest::exceptions(&app.main_failed)),
    };
    let summary = [
        (
            format!("/applications/{id}"),
            json!({"id": id, "name": app.submission.name, "status": end, "start-time": app.launched,
                "end-time": at, "duration": at - app.launched, "jobs": jobs}),
        ),
        (format!("/applications/{id}/exceptions"), exceptions),
    ];
    put(format!("{directory}/application-summary"), &summary);
    if let (Some(job), Some(pages)) = (&app.job, pages) {
        put(format!("{directory}/jobs/{}", job.id), &pages);
    }
}

/// From 2.3 on the archive is kept by application.
fn by_application(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (2, 3)
}

/// Java's hash of the name as the upper half of an id.
fn cluster_directory(name: &str) -> String {
    let hash = name.bytes().fold(0_i32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(i32::from(byte))
    });
    format!("{:016x}{:016x}", i64::from(hash), 0)
}

fn on_command(command: &str) -> Option<String> {
    let (_, rest) = command.split_once(&format!("{SETTING}="))?;
    let value = rest.split(['\'', '"', ' ']).next()?;
    (!value.is_empty()).then(|| path_of_uri(value))
}

/// Value of the setting in the configuration file of the launch.
fn in_file(submission: &Submission, tree: &Tree) -> Option<String> {
    let is_config = |key: &str| matches!(key, "config.yaml" | "flink-conf.yaml");
    let file = submission.resources.iter().find(|file| is_config(&file.key))?;
    let Kind::File(content) = &tree.get(&path_of_uri(&file.uri))?.kind else {
        return None;
    };
    let text = String::from_utf8_lossy(content.bytes.as_ref()?).into_owned();
    let line = text
        .lines()
        .find(|line| line.trim_start_matches('"').starts_with(SETTING))?;
    let (_, value) = line.split_once(':')?;
    Some(path_of_uri(value.trim().trim_matches(['"', '\''])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_where_it_was_seen() {
        let seen = "ffffffffea4624c60000000000000000";
        assert_eq!(cluster_directory("application_1795257773096_0004"), seen);
        assert!(by_application("2.3.0") && !by_application("2.2.1") && !by_application("1.20.5"));
        let command = "java X -D jobmanager.archive.fs.dir=hdfs://h:1/a/b 1> out";
        assert_eq!(on_command(command).as_deref(), Some("/a/b"));
    }
}
