//! A console with the sandbox registered and Flink placed on it, and what stories do there.

use crate::{
    api::{Answer, Api},
    console::Console,
    sandbox::{SERVICE_USER, Sandbox, TEAM_USER},
    wait::until,
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use testkit::checker::{Checker, SeenApp};
use tokio::sync::OnceCell;

pub(crate) const CLUSTER: &str = "sandbox";
const TEAM: &str = "stories";
/// A granted queue that the ResourceManager does not have.
pub(crate) const QUEUE_NOWHERE: &str = "root.nowhere";
const ENDED: [&str; 5] = ["finished", "cancelled", "killed", "failed", "lost_track"];

/// Which Flink a story is told on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flink {
    Newest,
    /// The last of Flink 1, beside the newest on the same console and cluster.
    One,
}

pub(crate) struct Site {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) console: Console,
    pub(crate) admin: Api,
    /// A developer of the team: what stories do, they do with these rights.
    pub(crate) dev: Api,
    pub(crate) team: String,
    pub(crate) environment: String,
    /// Placed when a story first asks for it.
    flink_1: OnceCell<String>,
    artifact: String,
    spark: OnceCell<String>,
    older_spark: OnceCell<String>,
    /// The console's directory on HDFS, and one of the team's user for data.
    pub(crate) root: String,
    pub(crate) data: String,
    jobs: AtomicU32,
}

fn id(object: &Value) -> String {
    object["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{object}"))
        .to_owned()
}

impl Site {
    pub(crate) async fn open(sandbox: Arc<Sandbox>, database: Option<&str>) -> Self {
        let console = Console::start(&sandbox, database).await;
        let admin = console.api("admin");
        let team = id(&admin.post("/teams", &json!({ "name": TEAM })).await.with(201));
        console.user("dev", &format!("{TEAM}:developer"));
        let dev = console.api("dev");
        let mark: u64 = rand::random();
        let mut site = Self {
            root: format!("/penstock/test-{mark:016x}"),
            data: format!("/user/{TEAM_USER}/test-{mark:016x}"),
            environment: String::new(),
            flink_1: OnceCell::new(),
            artifact: String::new(),
            spark: OnceCell::new(),
            older_spark: OnceCell::new(),
            jobs: AtomicU32::new(0),
            sandbox,
            console,
            admin,
            dev,
            team,
        };
        let directory = json!({ "directory": site.sandbox.client });
        site.register(CLUSTER, directory).await;
        let body = json!({ "name": "flink", "directory": site.sandbox.flink });
        site.environment = id(&site.admin.post("/environments", &body).await.with(201));
        site.place(&site.environment, CLUSTER).await;
        let jar = std::fs::read(&site.sandbox.test_jobs).unwrap();
        site.artifact = site.upload("penstock-testjobs.jar", jar).await;
        site
    }

    /// Uploads a file for the team; answers the artifact's id.
    pub(crate) async fn upload(&self, name: &str, bytes: Vec<u8>) -> String {
        let path = format!("/artifacts?name={name}&team={}", self.team);
        id(&self.dev.upload(&path, bytes).await.with(201))
    }

    /// The environment of the newest Spark, which the first story that needs it registers and places.
    pub(crate) async fn spark(&self) -> String {
        let make = || self.new_spark("spark", &self.sandbox.spark);
        self.spark.get_or_init(make).await.clone()
    }

    /// As [`Site::spark`], of the oldest line.
    pub(crate) async fn older_spark(&self) -> String {
        let make = || self.new_spark("older-spark", &self.sandbox.older_spark);
        self.older_spark.get_or_init(make).await.clone()
    }

    async fn new_spark(&self, name: &str, home: &Path) -> String {
        let body = json!({ "name": name, "directory": home });
        let created = self.admin.post("/environments", &body).await.with(201);
        assert_eq!(created["engine"], "spark", "{created:#}");
        let environment = id(&created);
        self.place(&environment, CLUSTER).await;
        environment
    }

    /// Writes a file into the team's directory for data.
    pub(crate) async fn write(&self, name: &str, text: &str) {
        self.sandbox.write(&format!("{}/{name}", self.data), text).await;
    }

    /// Registers the sandbox under a code; `access` is its client XML or where it is.
    pub(crate) async fn register(&self, code: &str, access: Value) {
        let mut body = json!({
            "code": code, "name": code, "hdfs_root": self.root, "identity": "simple-doas",
            "service_user": SERVICE_USER,
            "grants": [{
                "team": self.team, "hadoop_user": TEAM_USER,
                "queues": ["root.default", "root.adhoc", QUEUE_NOWHERE],
            }],
        });
        let fields = access.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        self.admin.post("/clusters", &body).await.with(201);
    }

    /// The definition as it is told on a Flink.
    pub(crate) async fn on(&self, flink: Flink, mut spec: Value) -> Value {
        if flink == Flink::One {
            spec["environment"] = self.flink_1().await.into();
        }
        spec
    }

    async fn flink_1(&self) -> &str {
        let environment = self.flink_1.get_or_init(async || {
            let body = json!({ "name": "flink-1", "directory": self.sandbox.flink_1 });
            let made = id(&self.admin.post("/environments", &body).await.with(201));
            self.place(&made, CLUSTER).await;
            made
        });
        environment.await
    }

    /// Puts an environment on a cluster and waits until it is there.
    pub(crate) async fn place(&self, environment: &str, cluster: &str) {
        let path = format!("/environments/{environment}/place");
        let operation = self.admin.post(&path, &json!({ "cluster": cluster })).await;
        let path = format!("/operations/{}", id(&operation.with(202)));
        until("it is placed", async || {
            let operation = self.admin.look(&path).await?;
            match operation["state"].as_str() {
                Some("done") => Ok(()),
                Some("failed") => panic!("{operation}"),
                _ => Err(operation.to_string()),
            }
        })
        .await;
    }

    /// A directory for a story's data, as Flink names it.
    pub(crate) fn data_uri(&self, name: &str) -> String {
        format!("{}{}/{name}", self.sandbox.file_system, self.data)
    }

    pub(crate) fn checker(&self) -> &Checker {
        &self.sandbox.checker
    }

    /// A definition with small sizes, and `more` in it.
    pub(crate) fn spec(&self, kind: &str, more: Value) -> Value {
        let mut spec = json!({
            "name": format!("story {}", self.jobs.fetch_add(1, Ordering::Relaxed)),
            "kind": kind, "cluster": CLUSTER, "environment": self.environment, "queue": "root.default",
            "resources": {
                "job_manager_mb": 1024, "task_manager_mb": 1024, "slots": 1, "parallelism": 1,
            },
        });
        let more = more.as_object().unwrap().clone();
        spec.as_object_mut().unwrap().extend(more);
        spec
    }

    /// A program of the test jobs' jar.
    pub(crate) fn jar(&self, main_class: &str, args: Value) -> Value {
        let main_class = format!("io.penstock.testjobs.{main_class}");
        let more = json!({ "artifact": self.artifact, "main_class": main_class, "args": args });
        self.spec("flink_jar", more)
    }

    pub(crate) async fn create(&self, spec: &Value) -> Answer {
        let body = json!({ "team": self.team, "spec": spec });
        self.dev.post("/jobs", &body).await
    }

    /// Saves a definition; answers the job's id.
    pub(crate) async fn job(&self, spec: &Value) -> String {
        id(&self.create(spec).await.with(201))
    }

    /// Starts a job; answers the run's id.
    pub(crate) async fn start(&self, job: &str) -> String {
        let run = self
            .dev
            .post(&format!("/jobs/{job}/runs"), &json!({}))
            .await
            .with(202);
        assert!(
            ["preparing", "submitting", "queued"].contains(&run["state"].as_str().unwrap()),
            "{run}"
        );
        id(&run)
    }

    pub(crate) async fn started(&self, spec: &Value) -> String {
        self.start(&self.job(spec).await).await
    }

    pub(crate) async fn run(&self, run: &str) -> Value {
        self.dev.get(&format!("/runs/{run}")).await
    }

    /// Waits until the run is in one of the states; ends at once when it has ended otherwise.
    pub(crate) async fn until(&self, run: &str, wanted: &[&str]) -> Value {
        let path = format!("/runs/{run}");
        let found = until(&format!("{run} is {wanted:?}"), async || {
            let shown = self.dev.look(&path).await?;
            let state = shown["state"].as_str().unwrap_or_default();
            if wanted.contains(&state) || ENDED.contains(&state) {
                Ok(shown)
            } else {
                Err(shown.to_string())
            }
        })
        .await;
        let state = found["state"].as_str().unwrap();
        assert!(wanted.contains(&state), "wanted {wanted:?}: {found:#}");
        found
    }

    /// Waits until the run has failed for a reason that says what to do.
    pub(crate) async fn until_failed(&self, run: &str, code: &str) -> Value {
        self.until(run, &["failed"]).await;
        let path = format!("/runs/{run}");
        let shown = until(&format!("{run} failed with {code}"), async || {
            let shown = self.dev.look(&path).await?;
            let told = shown["failure"]["code"].as_str().unwrap_or_default();
            // A better reason may still turn up in the logs.
            if told != code && told.starts_with("app_failed") {
                Err(shown["failure"].to_string())
            } else {
                Ok(shown)
            }
        })
        .await;
        assert_eq!(shown["failure"]["code"], code, "{shown:#}");
        shown
    }

    pub(crate) async fn stop(&self, run: &str, mode: &str) {
        let body = json!({ "mode": mode });
        let path = format!("/runs/{run}/stop");
        self.dev.post(&path, &body).await.with(202);
    }

    /// Kills the run and waits until console and cluster agree that it has ended.
    pub(crate) async fn kill(&self, run: &str) {
        self.stop(run, "kill").await;
        self.until(run, &["cancelled"]).await;
        let app = self.only_application(run).await;
        assert_eq!(app.state, "KILLED", "{app:?}");
        self.assert_clean(run).await;
    }

    /// What the run's history says it has been, oldest first.
    pub(crate) async fn states(&self, run: &str) -> Vec<String> {
        let events = self.dev.get(&format!("/runs/{run}/events")).await;
        let events = events.as_array().unwrap().iter();
        events
            .filter_map(|event| event["to"].as_str().map(str::to_owned))
            .collect()
    }

    /// The one application the cluster has for the run, as the console names it too.
    pub(crate) async fn only_application(&self, run: &str) -> SeenApp {
        let app = self
            .checker()
            .assert_exactly_one(&format!("penstock-run-{run}"))
            .await;
        assert_eq!(self.run(run).await["external_id"], app.id);
        app
    }

    /// Waits until nothing of the run is left among the files of running ones.
    pub(crate) async fn assert_clean(&self, run: &str) {
        let path = format!("{}/teams/{TEAM_USER}/runs", self.root);
        until(&format!("nothing of {run} is left on HDFS"), async || {
            let files = self.checker().files_below(&path).await?;
            let left: Vec<_> = files.iter().filter(|file| file.path.contains(run)).collect();
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("{left:?}"))
            }
        })
        .await;
    }

    /// Ends what still runs and takes the site's files away.
    pub(crate) async fn close(self, tell: bool) {
        if tell {
            eprintln!("the end of the console's log:\n{}", self.console.log_tail());
        }
        // Whose applications these are stands in the root's marker.
        let marker = self.checker().read(&format!("{}/penstock.json", self.root)).await;
        drop(self.console);
        let marker: Value = serde_json::from_slice(&marker.unwrap_or_default()).unwrap_or_default();
        if let Some(deployment) = marker["deployment"].as_str() {
            let tag = format!("penstock-{deployment}");
            for app in self.sandbox.checker.applications_by_tag(&tag).await.unwrap() {
                if !app.is_over() {
                    self.sandbox.kill(&app.id).await;
                }
            }
            // An application that is being killed may still write.
            tokio::time::timeout(Duration::from_secs(30), async {
                while let Ok(apps) = self.sandbox.checker.applications_by_tag(&tag).await
                    && !apps.iter().all(SeenApp::is_over)
                {
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            })
            .await
            .ok();
        }
        for path in [&self.root, &self.data] {
            self.sandbox.delete(path).await.unwrap();
        }
    }
}
