//! A streaming script from its start to its end.

use crate::{site::Site, wait::until, world::World};
use serde_json::{Value, json};
use std::sync::Arc;

/// Endless, and costs next to nothing.
pub(crate) const SCRIPT: &str = "\
CREATE TABLE source (id BIGINT, v STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '5');
CREATE TABLE sink (id BIGINT, v STRING) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT id, v FROM source;
";

pub(crate) async fn cancelled(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let run = site
        .started(&site.spec("flink_sql", json!({ "sql": SCRIPT })))
        .await;
    let shown = site.until(&run, &["running"]).await;
    assert_eq!(shown["tasks_running"], shown["tasks_total"], "{shown:#}");
    assert!(shown["tasks_total"].as_i64().unwrap() > 0, "{shown:#}");
    let app = site.only_application(&run).await;
    assert_eq!(app.state, "RUNNING", "{app:?}");
    assert_eq!(app.user, crate::sandbox::TEAM_USER);
    let states = site.states(&run).await;
    let order = ["submitting", "queued", "starting", "running"];
    let passed: Vec<&str> = states
        .iter()
        .map(String::as_str)
        .filter(|state| order.contains(state))
        .collect();
    assert_eq!(passed, order, "{states:?}");

    for (role, file) in [
        ("jobmanager", "jobmanager.log"),
        ("taskmanager", "taskmanager.log"),
    ] {
        read(site, &run, role, file, true).await;
    }
    site.stop(&run, "cancel").await;
    let shown = site.until(&run, &["cancelled"]).await;
    assert!(shown["ended_at"].is_i64(), "{shown:#}");
    let app = site.only_application(&run).await;
    assert_eq!(
        (app.state.as_str(), app.final_status.as_str()),
        ("FINISHED", "KILLED")
    );
    site.assert_clean(&run).await;
    // By now or soon the files of the node are gone and their copies are on HDFS.
    for (role, file) in [
        ("jobmanager", "jobmanager.log"),
        ("taskmanager", "taskmanager.log"),
    ] {
        read(site, &run, role, file, false).await;
    }
}

/// Reads the beginning of a file and finds in it what Flink writes there first.
pub(crate) async fn read(site: &Site, run: &str, role: &str, file: &str, running: bool) {
    read_for(site, run, role, file, running, "org.apache.flink").await;
}

/// As [`read`], and finds `wanted` in it.
pub(crate) async fn read_for(site: &Site, run: &str, role: &str, file: &str, running: bool, wanted: &str) {
    let what = format!(
        "{file} of {run} while it is {}running",
        if running { "" } else { "not " }
    );
    until(&what, async || {
        let containers = site.dev.look(&format!("/runs/{run}/logs")).await?;
        let all = containers.as_array().unwrap();
        let container = all
            .iter()
            .find(|container| container["role"] == role && container["running"] == running)
            .ok_or_else(|| containers.to_string())?;
        let listed = container["files"].as_array().unwrap();
        let entry = listed.iter().find(|entry| entry["name"] == file);
        let bytes = entry.and_then(|entry| entry["bytes"].as_i64()).unwrap_or(0);
        if bytes == 0 {
            return Err(container.to_string());
        }
        let id = container["id"].as_str().unwrap();
        let page = site
            .dev
            .look(&format!(
                "/runs/{run}/logs/{id}/{file}?from_line=1&limit=500&search=INFO"
            ))
            .await?;
        check(&page, wanted)
    })
    .await;
}

fn check(page: &Value, wanted: &str) -> Result<(), String> {
    let lines = page["lines"].as_array().unwrap();
    let told = lines.iter().any(|line| line.as_str().unwrap().contains(wanted));
    let hits = page["hits"].as_array().unwrap().len();
    if told && hits > 0 && page["total_lines"].as_i64() >= Some(10) {
        Ok(())
    } else {
        Err(format!("{hits} hits, {page}"))
    }
}
