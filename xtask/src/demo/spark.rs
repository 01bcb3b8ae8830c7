//! Spark in the demo's console: the newest version, and one example of each kind on the same data set.

use std::path::Path;

use serde_json::{Value, json};

use super::setup::{self, CLUSTER, TEAM};
use crate::console::Api;
use crate::sandbox::{conf::Ports, spark};
use crate::{Res, run};

const SQL: &str = "airports by state (Spark SQL)";
const JAR: &str = "airports by state (Spark jar)";
const PYTHON: &str = "airports by state (PySpark)";

/// With `{input}` and `{result}` for where they are.
const SCRIPT: &str = include_str!("../../../sandbox/examples/airports_by_state.sql");
const PROGRAM: &str = include_str!("../../../sandbox/examples/airports_by_state.py");

/// Spark placed on the sandbox, its programs uploaded, the example jobs.
pub(crate) fn register(api: &Api, jobs_jar: &Path) -> Res<()> {
    let version = spark::VERSIONS[0];
    let environment = setup::environment(api, &format!("spark-{version}"), &spark::spark(version)?)?;
    let team = api.find("/teams", |team| team["name"] == TEAM)?;
    let team = setup::id(&team.ok_or("the demo's team is gone")?)?;
    let base = format!(
        "hdfs://127.0.0.1:{}{}",
        Ports::configured()?.nn_rpc(),
        setup::data()
    );
    let jar = std::fs::read(jobs_jar).map_err(|e| format!("cannot read {}: {e}", jobs_jar.display()))?;
    let jar = setup::artifact(api, &team, "penstock-spark-testjobs.jar", &jar)?;
    let python = setup::artifact(api, &team, "airports_by_state.py", PROGRAM.as_bytes())?;
    let input = format!("{base}/airports.csv");
    let into = |name: &str| format!("{base}/by-state-{name}");
    let jobs = [
        (
            SQL,
            "spark_sql",
            json!({ "sql": SCRIPT.replace("{input}", &input).replace("{result}", &into("spark-sql")) }),
        ),
        (
            JAR,
            "spark_jar",
            json!({
                "artifact": jar, "main_class": "io.penstock.spark.testjobs.AirportsByState",
                "args": [input, into("spark-jar")],
            }),
        ),
        (
            PYTHON,
            "pyspark",
            json!({ "artifact": python, "args": [input, into("pyspark")] }),
        ),
    ];
    for (name, kind, more) in jobs {
        let mut spec = json!({
            "name": name, "kind": kind, "cluster": CLUSTER, "environment": environment, "queue": "root.default",
            "spark": { "driver_mb": 512, "executor_mb": 512, "executors": 1 },
        });
        if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), more) {
            spec.extend(more);
        }
        if api.find("/jobs", |job| job["name"] == name)?.is_none() {
            api.post("/jobs", &json!({ "team": team, "spec": spec }))?;
            run::say(&format!("job \"{name}\" created"));
        }
    }
    Ok(())
}
