//! What the demo registers in its console. Each thing is made only when it is missing.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::console::Api;
use crate::sandbox::conf::{CONSOLE, Layout, Ports, TEAMS};
use crate::{Res, fetch, run};

/// Names of the example jobs.
pub(crate) const BATCH: &str = "airports by state";
const STREAM: &str = "clicks stream";
pub(crate) const JAR: &str = "airports by state (jar)";

pub(super) const TEAM: &str = "demo";
pub(super) const CLUSTER: &str = "sandbox";

/// Placing is some hundred megabytes through one DataNode.
const PLACE_LIMIT: Duration = Duration::from_secs(600);

/// The team user's directory with the data set and the results of the example jobs.
pub(crate) fn data() -> String {
    format!("/user/{}/demo", TEAMS[0])
}

/// The sandbox as a cluster, Flink placed on it, the test jobs' jar, the example jobs.
pub(crate) fn register(api: &Api, jobs_jar: &Path, root: &str) -> Res<()> {
    let team = team(api)?;
    cluster(api, &team, root)?;
    let name = format!("flink-{}", fetch::FLINK_VERSION);
    let environment = environment(api, &name, &fetch::flink(fetch::FLINK_VERSION)?)?;
    let jar = std::fs::read(jobs_jar).map_err(|e| format!("cannot read {}: {e}", jobs_jar.display()))?;
    let artifact = artifact(api, &team, "penstock-testjobs.jar", &jar)?;
    let base = format!("hdfs://127.0.0.1:{}{}", Ports::configured()?.nn_rpc(), data());
    let spec = |name: &str, kind: &str, more: Value| {
        let mut spec = json!({
            "name": name, "kind": kind, "cluster": CLUSTER, "environment": environment,
            "queue": "root.default", "resources": {"job_manager_mb": 1024, "task_manager_mb": 1024},
        });
        if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
            spec.extend(more.clone());
        }
        spec
    };
    let jobs = [
        spec(BATCH, "flink_sql", json!({"sql": batch_script(&base)})),
        spec(STREAM, "flink_sql", json!({"sql": STREAM_SCRIPT})),
        spec(
            JAR,
            "flink_jar",
            json!({
                "artifact": artifact, "main_class": "io.penstock.testjobs.AirportsByState",
                "args": [format!("{base}/airports.csv"), format!("{base}/by-state-jar")],
            }),
        ),
    ];
    for spec in jobs {
        let name = spec["name"].clone();
        if api.find("/jobs", |job| job["name"] == name)?.is_none() {
            api.post("/jobs", &json!({"team": team, "spec": spec}))?;
            run::say(&format!("job {name} created"));
        }
    }
    Ok(())
}

pub(super) fn id(object: &Value) -> Res<String> {
    let id = object["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| format!("an answer without id: {object}"))
}

fn team(api: &Api) -> Res<String> {
    if let Some(team) = api.find("/teams", |team| team["name"] == TEAM)? {
        return id(&team);
    }
    id(&api.post("/teams", &json!({"name": TEAM}))?)
}

fn cluster(api: &Api, team: &str, root: &str) -> Res<()> {
    if api
        .find("/clusters", |cluster| cluster["code"] == CLUSTER)?
        .is_some()
    {
        return Ok(());
    }
    let queues = ["root.default", "root.adhoc"];
    let body = json!({
        "code": CLUSTER, "name": "Sandbox", "directory": Layout::new()?.client, "hdfs_root": root,
        "identity": "simple-doas", "service_user": CONSOLE,
        "grants": [{"team": team, "hadoop_user": TEAMS[0], "queues": queues}],
    });
    api.post("/clusters", &body)?;
    run::say(&format!("cluster \"{CLUSTER}\" registered"));
    Ok(())
}

/// Registers a distribution and waits until the cluster has it.
pub(super) fn environment(api: &Api, name: &str, home: &Path) -> Res<String> {
    let known = api.find("/environments", |environment| environment["name"] == name)?;
    let environment = match known {
        Some(environment) => environment,
        None => api.post("/environments", &json!({"name": name, "directory": home}))?,
    };
    let id = id(&environment)?;
    let placements = environment["placements"].as_array().cloned().unwrap_or_default();
    let placed = placements
        .iter()
        .any(|p| p["cluster_code"] == CLUSTER && p["snapshot"] == environment["snapshot"]);
    if !placed {
        run::say(&format!("placing {name} on the cluster"));
        let operation = api.post(&format!("/environments/{id}/place"), &json!({"cluster": CLUSTER}))?;
        await_placed(api, &operation)?;
    }
    Ok(id)
}

fn await_placed(api: &Api, operation: &Value) -> Res<()> {
    let path = format!("/operations/{}", id(operation)?);
    let begun = Instant::now();
    let mut told = String::new();
    while begun.elapsed() < PLACE_LIMIT {
        let now = api.get(&path)?;
        let line = progress(&now);
        if line != told {
            run::say(&format!("  {line}"));
            told = line;
        }
        match now["state"].as_str() {
            Some("done") => return Ok(()),
            Some("failed") => return Err(format!("placing it failed: {}", now["failure"])),
            _ => std::thread::sleep(Duration::from_secs(1)),
        }
    }
    Err(format!(
        "placing it took more than {} s; last: {told}",
        PLACE_LIMIT.as_secs()
    ))
}

/// The step an operation is in, as "upload: 12 of 40 files, 120 of 310 MB".
fn progress(operation: &Value) -> String {
    let steps = operation["steps"].as_array().cloned().unwrap_or_default();
    let current = steps
        .iter()
        .find(|step| step["state"] != "done" && step["state"] != "pending");
    let Some(step) = current.or(steps.last()) else {
        return operation["state"].as_str().unwrap_or_default().to_owned();
    };
    let name = step["name"].as_str().unwrap_or_default();
    let number = |key: &str| step["progress"][key].as_i64().unwrap_or(0);
    if step["progress"].is_null() || number("bytes_total") == 0 {
        return name.to_owned();
    }
    let mega = |key: &str| number(key) / 1_000_000;
    format!(
        "{name}: {} of {} files, {} of {} MB",
        number("files_done"),
        number("files_total"),
        mega("bytes_done"),
        mega("bytes_total")
    )
}

/// An example program; what is there already is not stored again, new content is a new version.
pub(super) fn artifact(api: &Api, team: &str, name: &str, bytes: &[u8]) -> Res<String> {
    let stored = api.send(
        "POST",
        &format!("/artifacts?name={name}&team={team}"),
        Some(("application/octet-stream", bytes)),
    )?;
    id(&stored)
}

fn batch_script(base: &str) -> String {
    format!(
        "-- Counts the airports of each state of the United States.\n\
         SET 'execution.runtime-mode' = 'batch';\n\n\
         CREATE TEMPORARY TABLE airports (\n  \
           iata STRING, name STRING, city STRING, state STRING, country STRING,\n  \
           latitude DOUBLE, longitude DOUBLE\n\
         ) WITH (\n  \
           'connector' = 'filesystem',\n  \
           'path' = '{base}/airports.csv',\n  \
           'format' = 'csv',\n  \
           -- The first line holds the names of the columns.\n  \
           'csv.ignore-parse-errors' = 'true'\n\
         );\n\n\
         CREATE TEMPORARY TABLE by_state (\n  \
           state STRING, airports BIGINT, northernmost DOUBLE\n\
         ) WITH (\n  \
           'connector' = 'filesystem',\n  \
           'path' = '{base}/by-state',\n  \
           'format' = 'csv'\n\
         );\n\n\
         INSERT OVERWRITE by_state\n\
         SELECT state, COUNT(*), MAX(latitude)\n\
         FROM airports\n\
         WHERE country = 'USA'\n\
         GROUP BY state;\n\n\
         -- Printed to jobmanager.out.\n\
         SELECT * FROM by_state ORDER BY airports DESC, state LIMIT 10;\n"
    )
}

const STREAM_SCRIPT: &str = "\
-- Random clicks, counted per page every ten seconds; the counts are in taskmanager.out.
CREATE TEMPORARY TABLE clicks (
  page INT,
  seen AS PROCTIME()
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '20',
  'fields.page.min' = '1',
  'fields.page.max' = '5'
);

CREATE TEMPORARY TABLE counts (
  window_end TIMESTAMP(3), page INT, clicks BIGINT
) WITH ('connector' = 'print');

INSERT INTO counts
SELECT window_end, page, COUNT(*)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(seen), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, page;
";
