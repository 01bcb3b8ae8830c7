//! A registered cluster with an environment, a team, its people and a job.

use super::{Database, Kind, Life, Plan, until};
use domain::{
    Engine, Role, Scope, Viewer,
    environment::{Environment, EnvironmentInput},
    id::{RunId, TeamId},
    identity::{NewMembership, NewUser},
    job::{Job, NewJob},
    operation::Operation,
    run::{Run, RunState, StartRequest, StopMode, StopRequest},
};
use service::{Clock, Service};
use std::{
    io::{Cursor, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::Db;
use testkit::{FakeCluster, Options, builders};

/// The team's user on the cluster.
pub(crate) const TEAM_USER: &str = "team_a";

/// The host's time and what was added to it.
#[derive(Default)]
struct Shifted(AtomicI64);

impl Clock for Shifted {
    fn now(&self) -> i64 {
        service::SystemClock.now() + self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct WorldOptions {
    pub(crate) kind: Kind,
    /// Of the environment and the job.
    pub(crate) engine: Engine,
    pub(crate) cluster: Options,
    pub(crate) tick: Duration,
    /// Whether the environment lies on the cluster before anything starts.
    pub(crate) placed: bool,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            kind: Kind::Sqlite,
            engine: Engine::Flink,
            cluster: Options::default(),
            tick: Duration::from_millis(100),
            placed: false,
        }
    }
}

pub(crate) struct World {
    pub(crate) fake: FakeCluster,
    pub(crate) plan: Plan,
    pub(crate) life: Option<Life>,
    /// The test's own connection: it reads past the console.
    pub(crate) db: Db,
    pub(crate) admin: Viewer,
    /// A developer of the team.
    pub(crate) viewer: Viewer,
    pub(crate) team: TeamId,
    pub(crate) environment: Environment,
    pub(crate) job: Job,
    clock: Arc<Shifted>,
    database: Database,
    _dir: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new(options: WorldOptions) -> Self {
        let fake = FakeCluster::with(options.cluster).await;
        let database = Database::new(options.kind).await;
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join(options.engine.name());
        distribution(&home, options.engine);
        let clock = Arc::new(Shifted::default());
        let plan = Plan {
            url: database.url.clone(),
            data_dir: dir.path().join("data"),
            allowed: dir.path().to_owned(),
            clock: clock.clone(),
            works: true,
            tick: options.tick,
        };
        let life = Life::begin(&plan).await;
        let db = database.open().await;
        let (xml, placed) = (fake.client_xml(), options.placed);
        let engine = options.engine;
        let made = life.ask(move |service| async move {
            service.first_start().await.unwrap();
            let admin = service.host_viewer("admin").await.unwrap();
            let team = service.create_team(&admin, "a").await.unwrap().id;
            let viewer = person(&service, &admin, "dev", "a", Role::Developer).await;
            let input = builders::cluster_input("fake", &xml, team.clone());
            service.create_cluster(&admin, input).await.unwrap();
            let input = EnvironmentInput {
                name: engine.name().into(),
                team: None,
                directory: home.display().to_string(),
            };
            let environment = service.create_environment(&admin, input).await.unwrap();
            if placed {
                let placing = service
                    .place_environment(&admin, &environment.id, "fake", None)
                    .await
                    .unwrap();
                until("the environment is placed", || async {
                    let operation = service.operation(&admin, &placing.id).await.unwrap();
                    (!operation.state.is_open()).then_some(())
                })
                .await;
            }
            let flink = builders::sql_job("numbers", "fake", environment.id.clone());
            let spec = match engine {
                Engine::Flink => flink,
                Engine::Spark => builders::spark_sql_job("numbers", "fake", environment.id.clone()),
            };
            let new = NewJob {
                team: Some(team.clone()),
                spec,
            };
            let job = service.create_job(&viewer, new, None).await.unwrap();
            (admin, team, viewer, environment, job)
        });
        let (admin, team, viewer, environment, job) = made.await;
        Self {
            fake,
            plan,
            life: Some(life),
            db,
            admin,
            viewer,
            team,
            environment,
            job,
            clock,
            database,
            _dir: dir,
        }
    }

    pub(crate) async fn simple() -> Self {
        Self::new(WorldOptions::default()).await
    }

    pub(crate) fn life(&self) -> &Life {
        self.life.as_ref().expect("a console lives")
    }

    /// As kill −9 and a start.
    pub(crate) async fn restart(&mut self) {
        self.die().await;
        self.life = Some(Life::begin(&self.plan).await);
    }

    pub(crate) async fn die(&mut self) {
        if let Some(life) = self.life.take() {
            life.kill().await;
        }
    }

    /// Moves the console's time on; the cluster's stays.
    pub(crate) fn advance(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    pub(crate) async fn start(&self) -> Run {
        let (viewer, job) = (self.viewer.clone(), self.job.id.clone());
        let call = |service: Service| async move {
            service
                .start_run(&viewer, &job, StartRequest::default(), None)
                .await
        };
        self.life().ask(call).await.unwrap()
    }

    pub(crate) async fn stop(&self, run: &RunId, mode: StopMode) -> service::Result<Operation> {
        let (viewer, run) = (self.viewer.clone(), run.clone());
        let call = |service: Service| async move {
            service
                .stop_run(&viewer, &run, StopRequest::new(mode), None)
                .await
        };
        self.life().ask(call).await
    }

    /// The run as a person sees it.
    pub(crate) async fn run(&self, id: &RunId) -> Run {
        let (viewer, id) = (self.viewer.clone(), id.clone());
        let call = |service: Service| async move { service.run(&viewer, &id).await };
        self.life().ask(call).await.unwrap()
    }

    pub(crate) async fn when(&self, id: &RunId, what: &str, wanted: impl Fn(&Run) -> bool) -> Run {
        let deadline = tokio::time::Instant::now() + super::PATIENCE;
        loop {
            let run = self.run(id).await;
            if wanted(&run) {
                return run;
            }
            if tokio::time::Instant::now() > deadline {
                let operations = store::operations::of_run(&self.db, &Scope::All, id)
                    .await
                    .unwrap();
                let deeds = self.fake.control().deeds();
                panic!(
                    "in vain: {what}\n{run:#?}\n{operations:#?}\n{:#?}",
                    &deeds[deeds.len().saturating_sub(5)..]
                );
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    pub(crate) async fn when_state(&self, id: &RunId, state: RunState) -> Run {
        self.when(id, state.name(), |run| run.state == state).await
    }

    /// Waits until nothing is under way for the run.
    pub(crate) async fn when_closed(&self, id: &RunId) -> Vec<Operation> {
        until("every operation is closed", || async {
            let all = store::operations::of_run(&self.db, &Scope::All, id)
                .await
                .unwrap();
            all.iter().all(|one| !one.state.is_open()).then_some(all)
        })
        .await
    }

    /// What is, or was last, to be POSTed for the run.
    pub(crate) async fn body(&self, run: &RunId) -> Option<String> {
        let row = store::runs::row(&self.db, run).await.unwrap().unwrap();
        Some(row.prepared?["body"].as_str().unwrap().to_owned())
    }

    /// Sends the body of a submission once more, as a network does that held it back.
    pub(crate) async fn arrive_late(&self, body: String) {
        let mut url = net::Url::parse(&self.fake.rm_url).unwrap();
        url.set_path("/ws/v1/cluster/apps");
        let request = net::Client::new()
            .unwrap()
            .post(url)
            .query("user.name", TEAM_USER);
        let reply = request.body("application/xml", body).send().await.unwrap();
        assert_eq!(reply.status.as_u16(), 202);
    }

    /// POSTs of submissions that reached the ResourceManager, whatever became of them.
    pub(crate) fn posts(&self) -> usize {
        let history = self.fake.control().history();
        let posts = history.iter().filter(|request| {
            request.method == "POST" && request.path.trim_end_matches('/') == "/ws/v1/cluster/apps"
        });
        posts.count()
    }

    /// What lies below the console's root and is not meant to stay.
    pub(crate) async fn left_over(&self) -> Vec<String> {
        let files = self.fake.checker().files_below("/penstock").await.unwrap();
        let stays = |path: &str| {
            let path = path.strip_prefix("/penstock/").unwrap_or_default();
            let hidden = path.split('/').any(|part| part.starts_with('.'));
            let home = format!("teams/{TEAM_USER}/");
            let own = path.strip_prefix(home.as_str()).unwrap_or_default();
            !hidden
                && (path == "penstock.json"
                    || path.starts_with("environments/")
                    || path.starts_with("runner/")
                    || [
                        "artifacts/",
                        "prepared/",
                        "archive/",
                        "savepoints/",
                        "checkpoints/",
                    ]
                    .iter()
                    .any(|dir| own.starts_with(dir)))
        };
        let files = files
            .into_iter()
            .filter(|file| !file.is_dir && !stays(&file.path));
        files.map(|file| file.path).collect()
    }

    pub(crate) async fn end(mut self) {
        self.die().await;
        self.db.close().await;
        self.database.end().await;
    }
}

pub(crate) fn run_tag(run: &RunId) -> String {
    format!("penstock-run-{run}")
}

/// Makes a user with one role in one team.
pub(crate) async fn person(service: &Service, admin: &Viewer, name: &str, team: &str, role: Role) -> Viewer {
    let new = NewUser {
        name: name.to_owned(),
        password: None,
        admin: false,
        teams: vec![NewMembership {
            team: team.to_owned(),
            role,
        }],
    };
    service.create_user(admin, new).await.unwrap();
    service.host_viewer(name).await.unwrap()
}

/// What counts as a distribution.
fn distribution(home: &Path, engine: Engine) {
    let (dir, names): (_, &[&str]) = match engine {
        Engine::Flink => (
            "lib",
            &[
                "flink-dist-2.3.0.jar",
                "flink-table-api-java-uber-2.3.0.jar",
                "flink-table-planner-loader-2.3.0.jar",
                "flink-table-runtime-2.3.0.jar",
                "log4j-core-2.24.3.jar",
            ],
        ),
        Engine::Spark => (
            "jars",
            &[
                "spark-core_2.13-4.3.0.jar",
                "spark-yarn_2.13-4.3.0.jar",
                "spark-sql_2.13-4.3.0.jar",
                "spark-launcher_2.13-4.3.0.jar",
                "scala-library-2.13.18.jar",
                "ivy-2.5.3.jar",
                "hadoop-client-runtime-3.5.0.jar",
            ],
        ),
    };
    std::fs::create_dir_all(home.join(dir)).unwrap();
    for name in names {
        std::fs::write(home.join(dir).join(name), name).unwrap();
    }
}

/// The smallest jar with a main class.
pub(crate) fn jar() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("META-INF/MANIFEST.MF", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"Manifest-Version: 1.0\r\nMain-Class: com.example.Main\r\n\r\n")
        .unwrap();
    zip.finish().unwrap().into_inner()
}
