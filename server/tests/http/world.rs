//! A console with two teams, one of which has everything there is to have.

use crate::app::TestApp;
use domain::{
    Role, Viewer,
    artifact::{Artifact, NewUpload, UploadTicket},
    environment::{Environment, EnvironmentInput},
    id::{RestorePointId, TokenId, UploadId},
    identity::NewToken,
    job::{Job, NewJob},
    restore::RestoreKind,
    run::{Run, StartRequest},
};
use std::io::{Cursor, Write};
use testkit::{FakeCluster, builders};

/// Stands in every name of the team's things; must never reach anybody else.
pub(crate) const CANARY: &str = "canary";

pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) environment: Environment,
    pub(crate) artifact: Artifact,
    pub(crate) upload: UploadId,
    pub(crate) job: Job,
    pub(crate) run: Run,
    /// Of the developer who made all this.
    pub(crate) token: TokenId,
    point: RestorePointId,
    cluster: FakeCluster,
}

impl World {
    pub(crate) async fn new() -> Self {
        let cluster = FakeCluster::start().await;
        let home = tempfile::tempdir().unwrap().keep();
        distribution(&home);
        let allowed = home.clone();
        let app = TestApp::with(|config| config.clusters.allowed_directories = vec![allowed]).await;
        for role in Role::ALL {
            app.user(&format!("{CANARY}-{}", role.name()), "canary-team", role)
                .await;
            app.user(&format!("other-{}", role.name()), "other-team", role)
                .await;
        }
        let service = app.state.service.clone();
        let teams = service.teams(&app.admin).await.unwrap();
        let team = teams.iter().find(|t| t.name == "canary-team").unwrap().id.clone();
        let input = builders::cluster_input("canary-cluster", &cluster.client_xml(), team.clone());
        service.create_cluster(&app.admin, input).await.unwrap();
        let input = EnvironmentInput {
            name: "canary-environment".into(),
            team: Some(team),
            directory: home.display().to_string(),
        };
        let environment = service.create_environment(&app.admin, input).await.unwrap();
        let developer: Viewer = service.host_viewer("canary-developer").await.unwrap();
        let body = futures::stream::iter([Ok(bytes::Bytes::from(jar()))]);
        let artifact = service
            .store_artifact(&developer, None, "canary.jar", body)
            .await
            .unwrap();
        let new = NewUpload {
            name: "canary-upload.jar".into(),
            size: 10,
            sha256: None,
            team: None,
        };
        let UploadTicket::Open { id: upload, .. } = service.start_upload(&developer, new).await.unwrap()
        else {
            panic!("the content is new")
        };
        let new = NewJob {
            team: None,
            spec: builders::sql_job("canary-job", "canary-cluster", environment.id.clone()),
        };
        let job = service.create_job(&developer, new, None).await.unwrap();
        let run = service
            .start_run(&developer, &job.id, StartRequest::default(), None)
            .await
            .unwrap();
        let new = NewToken {
            name: "canary-token".into(),
            days: 1,
        };
        let token = service.create_token(&developer, new).await.unwrap().token.id;
        let db = server::boot::connect(&app.state.config).await.unwrap();
        let point = savepoint(&db, &run).await;
        db.close().await;
        Self {
            point,
            app,
            environment,
            artifact,
            upload,
            job,
            run,
            token,
            cluster,
        }
    }

    /// Id of the team's own thing of a kind; empty for other words.
    fn id_of(&self, noun: &str) -> String {
        match noun {
            "artifacts" => self.artifact.id.to_string(),
            "environments" => self.environment.id.to_string(),
            "jobs" => self.job.id.to_string(),
            "operations" => self.run.operation.as_ref().unwrap().to_string(),
            "restore-points" => self.point.to_string(),
            "runs" => self.run.id.to_string(),
            "tokens" => self.token.to_string(),
            "uploads" => self.upload.to_string(),
            _ => String::new(),
        }
    }

    /// A pattern with the team's own things in its places.
    pub(crate) fn path(&self, pattern: &str) -> String {
        let id = pattern
            .split('/')
            .map(|word| self.id_of(word))
            .find(|id| !id.is_empty())
            .unwrap_or_default();
        let path = pattern
            .replace("{id}", &id)
            .replace("{code}", "canary-cluster")
            .replace("{number}", "1")
            .replace("{tab}", "config")
            .replace("{container}", "container_1_0001_01_000001")
            .replace("{file}", "jobmanager.log");
        assert!(!path.contains('{'), "{path}");
        path
    }

    /// Arguments of a server function: all there are under their usual names, since a function
    /// takes those it knows.
    pub(crate) fn arguments(&self, endpoint: &str) -> serde_json::Value {
        let nouns = ["environment", "token", "operation", "job"];
        let noun = nouns
            .iter()
            .find(|noun| endpoint.contains(**noun))
            .unwrap_or(&"job");
        let mut spec = serde_json::to_value(&self.job.spec).unwrap();
        if endpoint == "create_job" {
            spec["name"] = "another".into();
        }
        let input = match endpoint {
            "create_environment" => self.body("POST", "/api/v1/environments"),
            _ => self.body("POST", "/api/v1/clusters"),
        };
        let job = if ["create_job", "check_job", "preview_spec"].contains(&endpoint) {
            serde_json::json!({ "team": self.job.team, "spec": spec })
        } else {
            self.job.id.to_string().into()
        };
        serde_json::json!({
            "id": self.id_of(&format!("{noun}s")),
            "ids": [self.job.id],
            "code": "canary-cluster",
            "cluster": "canary-cluster",
            "run": self.run.id,
            "container": "container_1_0001_01_000001",
            "file": "jobmanager.log",
            "query": {},
            "q": "",
            "view": "all",
            "sort": "name",
            "key": format!("key-{endpoint}"),
            "point": self.point,
            "request": match endpoint {
                "stop_run" => serde_json::json!({ "mode": "kill" }),
                _ => serde_json::json!({}),
            },
            "job": job,
            "update": { "base_version": 1, "spec": spec },
            "input": serde_json::from_str::<serde_json::Value>(&input).unwrap(),
            "token": { "name": "x", "days": 1 },
        })
    }

    /// A body the route takes.
    pub(crate) fn body(&self, method: &str, pattern: &str) -> String {
        let job = || serde_json::to_value(&self.job.spec).unwrap();
        let body = match (method, pattern) {
            ("POST", "/api/v1/jobs" | "/api/v1/jobs/check") => {
                let mut spec = job();
                spec["name"] = "another".into();
                serde_json::json!({ "team": self.job.team, "spec": spec })
            }
            ("PUT", "/api/v1/jobs/{id}") => serde_json::json!({ "base_version": 1, "spec": job() }),
            ("POST", "/api/v1/tokens") => serde_json::json!({ "name": "x", "days": 1 }),
            ("POST", "/api/v1/users") => serde_json::json!({ "name": "new-user" }),
            ("POST", "/api/v1/teams") => serde_json::json!({ "name": "new-team" }),
            ("POST", "/api/v1/uploads") => {
                serde_json::json!({ "name": "x.jar", "size": 5, "team": self.job.team })
            }
            ("POST", "/api/v1/runs/{id}/stop") => serde_json::json!({ "mode": "kill" }),
            ("POST", "/api/v1/environments/{id}/place") => serde_json::json!({ "cluster": "canary-cluster" }),
            ("POST", "/api/v1/environments") => {
                serde_json::json!({ "name": "another", "directory": self.environment.directory })
            }
            ("POST" | "PUT", "/api/v1/clusters" | "/api/v1/clusters/{code}") => {
                let code = if method == "POST" {
                    "another"
                } else {
                    "canary-cluster"
                };
                let input = builders::cluster_input(code, &self.cluster.client_xml(), self.job.team.clone());
                serde_json::to_value(input).unwrap()
            }
            _ => return String::new(),
        };
        body.to_string()
    }
}

/// A savepoint of the run, as if it had been taken.
async fn savepoint(db: &store::Db, run: &Run) -> RestorePointId {
    let id = RestorePointId::from_ulid("00000000000000000000000001").unwrap();
    let point = store::restore_points::NewRestorePoint {
        id: id.clone(),
        job: run.job.clone(),
        run: run.id.clone(),
        team: run.team.clone(),
        cluster: run.cluster.clone(),
        hadoop_user: "team_a".into(),
        kind: RestoreKind::Savepoint,
        path: "/penstock/teams/team_a/savepoints/canary/savepoint-1".into(),
        format: None,
        operation: None,
        size: None,
        created_at: run.created_at,
        completed_at: run.created_at,
    };
    let mut tx = db.begin().await.unwrap();
    assert!(store::restore_points::insert(&mut tx, &point).await.unwrap());
    tx.commit().await.unwrap();
    id
}

/// A directory that looks like a Flink distribution.
fn distribution(home: &std::path::Path) {
    std::fs::create_dir_all(home.join("lib")).unwrap();
    std::fs::create_dir_all(home.join("conf")).unwrap();
    for name in [
        "flink-dist-2.3.0.jar",
        "flink-table-api-java-uber-2.3.0.jar",
        "flink-table-planner-loader-2.3.0.jar",
        "flink-table-runtime-2.3.0.jar",
        "log4j-core-2.24.3.jar",
    ] {
        std::fs::write(home.join("lib").join(name), name).unwrap();
    }
}

fn jar() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("META-INF/MANIFEST.MF", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"Manifest-Version: 1.0\r\nMain-Class: com.example.Main\r\n\r\n")
        .unwrap();
    zip.finish().unwrap().into_inner()
}
