//! Where the sandbox is, and what a test may do to it that the console may not.

use net::{Client, Method, Url};
use serde_json::json;
use std::path::PathBuf;
use tempfile::TempDir;
use testkit::checker::Checker;

/// The team's user, and the console's own.
pub(crate) const TEAM_USER: &str = "team_a";
pub(crate) const SERVICE_USER: &str = "penstock";
/// Not the program's usual name: who ends every console on the machine means others.
const PROGRAM: &str = "story-console";

pub(crate) struct Sandbox {
    pub(crate) rm: String,
    pub(crate) nn: String,
    /// `hdfs://host:port`.
    pub(crate) file_system: String,
    /// Directory of the Hadoop client's XML.
    pub(crate) client: PathBuf,
    pub(crate) flink: PathBuf,
    /// The newest version, and the oldest line jobs can run on.
    pub(crate) spark: PathBuf,
    pub(crate) older_spark: PathBuf,
    /// The last line of Flink 1.
    pub(crate) flink_1: PathBuf,
    pub(crate) runner: PathBuf,
    pub(crate) test_jobs: PathBuf,
    pub(crate) spark_test_jobs: PathBuf,
    pub(crate) postgres: String,
    pub(crate) checker: Checker,
    superuser: String,
    http: Client,
    programs: TempDir,
}

impl Sandbox {
    pub(crate) fn find() -> Self {
        let told = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: run `cargo xtask with cargo test -p server --test real`")
            })
        };
        let (rm, nn) = (told("PENSTOCK_SANDBOX_RM"), told("PENSTOCK_SANDBOX_NN"));
        let superuser = told("PENSTOCK_SANDBOX_SUPERUSER");
        // A build that goes on beside the stories must not change the program under them.
        let programs = tempfile::tempdir().unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_penstock"), programs.path().join(PROGRAM)).unwrap();
        Self {
            programs,
            checker: Checker::new(&rm, &nn, &superuser),
            file_system: told("PENSTOCK_SANDBOX_DEFAULT_FS"),
            client: told("PENSTOCK_SANDBOX_CONF").into(),
            flink: told("PENSTOCK_SANDBOX_FLINK").into(),
            spark: told("PENSTOCK_SANDBOX_SPARK").into(),
            older_spark: told("PENSTOCK_SANDBOX_SPARK_3").into(),
            flink_1: told("PENSTOCK_SANDBOX_FLINK_1").into(),
            runner: told("PENSTOCK_RUNNER_JAR").into(),
            test_jobs: told("PENSTOCK_TESTJOBS_JAR").into(),
            spark_test_jobs: told("PENSTOCK_SPARK_TESTJOBS_JAR").into(),
            postgres: told("PENSTOCK_TEST_PG"),
            http: Client::new().unwrap(),
            superuser,
            rm,
            nn,
        }
    }

    /// The console's program.
    pub(crate) fn program(&self) -> PathBuf {
        self.programs.path().join(PROGRAM)
    }

    /// Ends an application behind the console's back.
    pub(crate) async fn kill(&self, application: &str) {
        let url = format!("{}/ws/v1/cluster/apps/{application}/state", self.rm);
        let request = self.http.put(Url::parse(&url).unwrap());
        let reply = request
            .query("user.name", &self.superuser)
            .json(&json!({ "state": "KILLED" }))
            .send()
            .await
            .unwrap();
        assert!(
            reply.status.is_success(),
            "kill of {application}: {}",
            reply.text()
        );
    }

    /// Writes a file of the team's user.
    pub(crate) async fn write(&self, path: &str, text: &str) {
        let url = Url::parse(&format!("{}/webhdfs/v1{path}", self.nn)).unwrap();
        let request = self.http.put(url).query("op", "CREATE");
        let request = request.query("noredirect", "true").query("overwrite", "true");
        let reply = request.query("user.name", TEAM_USER).send().await.unwrap();
        let target: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        let target = Url::parse(target["Location"].as_str().unwrap()).unwrap();
        let request = self.http.put(target);
        let request = request.body("application/octet-stream", text.as_bytes().to_vec());
        let reply = request.send().await.unwrap();
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
    }

    /// Takes a directory away with all that is in it.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), String> {
        let url = Url::parse(&format!("{}/webhdfs/v1{path}", self.nn)).unwrap();
        let request = self.http.request(Method::DELETE, url);
        let reply = request
            .query("op", "DELETE")
            .query("recursive", "true")
            .query("user.name", &self.superuser)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        if reply.status.is_success() {
            Ok(())
        } else {
            Err(format!("delete of {path}: {}", reply.text()))
        }
    }
}
