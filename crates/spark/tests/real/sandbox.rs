//! A real cluster to start applications on, one at a time.

use domain::Failure;
use futures::StreamExt;
use hadoop::{
    ApplicationId, Endpoints, HdfsPath, Identity,
    rm::ResourceManager,
    tfile::{AggregatedLog, HdfsFile},
    types::App,
    webhdfs::{CreateOptions, WebHdfs},
    xml::Visibility,
};
use net::Bytes;
use spark::{
    Cluster, Dependency, Distribution, Launch, PlacedFile, PlanInput, PrepareInput, Prepared, Resources,
    Spec, cause, distribution, events, launch::Bundle, zip,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const USER: &str = "team_a";
const SERVICE: &str = "penstock";
/// Every file is given it, as in production, so that what lies there can stay.
const MTIME: i64 = 1_000_000_000_000;
const START_TO_END: Duration = Duration::from_secs(240);

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run by `cargo xtask with`"))
}

pub(crate) struct Sandbox {
    pub(crate) rm: ResourceManager,
    /// As the jobs' user, and as the console's own.
    pub(crate) hdfs: WebHdfs,
    service: WebHdfs,
    pub(crate) fs: String,
    cluster: Cluster,
    distribution: Distribution,
    libraries: PlacedFile,
    python: Vec<(String, PlacedFile)>,
    runner: PlacedFile,
}

/// An application after its end.
pub(crate) struct Ended {
    pub(crate) id: ApplicationId,
    pub(crate) app: App,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) results: Option<String>,
}

impl Ended {
    pub(crate) fn state(&self) -> String {
        format!("{:?}/{:?}", self.app.state, self.app.final_status)
    }

    pub(crate) fn cause(&self) -> Failure {
        cause::explain(&cause::Evidence {
            diagnostics: &self.app.diagnostics,
            out: &self.out,
            err: &self.err,
        })
    }

    #[track_caller]
    pub(crate) fn succeeded(&self) {
        assert_eq!(
            self.state(),
            "Finished/Succeeded",
            "{}\n{}\n{}",
            self.app.diagnostics,
            self.out,
            self.err
        );
    }
}

pub(crate) fn spec(name: &str, program: spark::Program) -> Spec {
    Spec {
        name: name.into(),
        queue: "default".into(),
        program,
        args: vec![],
        conf: BTreeMap::new(),
        resources: Resources {
            driver_mb: 512,
            executor_mb: 512,
            executors: 1,
            ..Resources::default()
        },
        tags: vec!["spark-test".into()],
        time_zone: Some("Asia/Shanghai".into()),
        priority: None,
        node_label: None,
        am_attempts: 1,
        preview_rows: 3,
    }
}

fn path(text: &str) -> HdfsPath {
    HdfsPath::new(text).unwrap()
}

impl Sandbox {
    /// With the version whose home this variable names.
    pub(crate) async fn new(home: &str) -> Self {
        let http = net::Client::new().unwrap();
        let at = |name| Endpoints::new(&[variable(name)]).unwrap();
        let user = Identity::simple_do_as(USER, SERVICE);
        let rm = ResourceManager::new(http.clone(), at("PENSTOCK_SANDBOX_RM"), user.clone());
        let hdfs = WebHdfs::new(http, at("PENSTOCK_SANDBOX_NN"), user);
        let service = hdfs.with_identity(Identity::simple(SERVICE));
        let conf = PathBuf::from(variable("PENSTOCK_SANDBOX_CONF"));
        let client_xml = ["core-site.xml", "hdfs-site.xml", "yarn-site.xml"]
            .map(|name| (name.to_owned(), std::fs::read_to_string(conf.join(name)).unwrap()))
            .to_vec();
        let home = PathBuf::from(variable(home));
        let mut files = Vec::new();
        for dir in ["jars", "python/lib"] {
            for entry in std::fs::read_dir(home.join(dir)).expect("run `cargo xtask sandbox spark`") {
                let name = entry.unwrap().file_name().into_string().unwrap();
                files.push(format!("{dir}/{name}"));
            }
        }
        files.sort();
        let defaults = std::fs::read_to_string(home.join(distribution::DEFAULTS_PATH)).ok();
        let found = distribution::inspect(
            &home.display().to_string(),
            files.iter().map(String::as_str),
            defaults.as_deref(),
        )
        .unwrap();
        for dir in ["/penstock/spark-tests"] {
            service.mkdirs_all(&[(path(dir), 0o755)]).await.unwrap();
        }
        let own = |name: &str| path(&format!("/user/{USER}/spark-tests{name}"));
        hdfs.mkdirs_all(&[
            (own(""), 0o700),
            (own("/files"), 0o700),
            (own("/prepared"), 0o700),
            (own("/runs"), 0o700),
        ])
        .await
        .unwrap();
        let empty = PlacedFile {
            uri: String::new(),
            size: 0,
            mtime: 0,
            visibility: Visibility::Private,
        };
        let mut sandbox = Self {
            rm,
            hdfs,
            service,
            fs: variable("PENSTOCK_SANDBOX_DEFAULT_FS"),
            cluster: Cluster {
                hadoop_user: USER.into(),
                service_user: SERVICE.into(),
                class_path: vec![],
                min_allocation_mb: 128,
                client_xml,
            },
            distribution: found,
            libraries: empty.clone(),
            python: vec![],
            runner: empty,
        };
        let begun = Instant::now();
        sandbox.libraries = sandbox.place_libraries(&home, &files).await;
        println!("libraries placed in {:?}", begun.elapsed());
        for file in sandbox.distribution.python.clone() {
            let bytes = std::fs::read(home.join(&file)).unwrap();
            let name = file.rsplit('/').next().unwrap();
            let place = format!("/penstock/spark-tests/{}-{name}", sandbox.distribution.version);
            let placed = sandbox
                .put(&sandbox.service, &place, bytes, Visibility::Public)
                .await;
            sandbox.python.push((file, placed));
        }
        let jar = std::fs::read(variable("PENSTOCK_SPARK_RUNNER_JAR")).unwrap();
        sandbox.runner = sandbox.own("runner.jar", jar).await;
        sandbox
    }

    /// The distribution's jars as one archive, sent while they are read.
    async fn place_libraries(&self, home: &Path, files: &[String]) -> PlacedFile {
        let jars: Vec<(&str, PathBuf)> = files
            .iter()
            .filter_map(|file| Some((distribution::archived(file)?, home.join(file))))
            .collect();
        let entries: Vec<zip::Entry> = jars
            .iter()
            .map(|(name, file)| {
                let bytes = std::fs::read(file).unwrap();
                let crc32 = zip::crc32(&bytes);
                zip::Entry {
                    name: (*name).to_owned(),
                    size: bytes.len() as u64,
                    crc32,
                    sha256: crc32.to_string(),
                }
            })
            .collect();
        let layout = zip::Layout::new(&entries).unwrap();
        let target = path(&format!("/penstock/spark-tests/{}.zip", layout.id));
        let there = self.service.find(&target).await.unwrap();
        if there.is_none_or(|status| status.length != layout.length) {
            let files: Vec<PathBuf> = jars.into_iter().map(|(_, file)| file).collect();
            let pieces = futures::stream::iter(layout.pieces).then(move |piece| {
                let file = match &piece {
                    zip::Piece::Entry(at) => Some(files[*at].clone()),
                    zip::Piece::Bytes(_) => None,
                };
                async move {
                    match piece {
                        zip::Piece::Bytes(bytes) => Ok(Bytes::from(bytes)),
                        zip::Piece::Entry(_) => tokio::fs::read(file.unwrap()).await.map(Bytes::from),
                    }
                }
            });
            let options = CreateOptions {
                permission: 0o644,
                overwrite: true,
            };
            self.service
                .create(&target, layout.length, Box::pin(pieces), options)
                .await
                .unwrap();
            self.service.set_times(&target, Some(MTIME), None).await.unwrap();
        }
        self.placed(&self.service, &target, Visibility::Public).await
    }

    async fn placed(&self, hdfs: &WebHdfs, target: &HdfsPath, visibility: Visibility) -> PlacedFile {
        let status = hdfs.status(target).await.unwrap();
        PlacedFile {
            uri: target.to_uri(&self.fs),
            size: status.length,
            mtime: status.modification_time,
            visibility,
        }
    }

    async fn put(&self, hdfs: &WebHdfs, place: &str, bytes: Vec<u8>, visibility: Visibility) -> PlacedFile {
        let target = path(place);
        let permission = if visibility == Visibility::Public {
            0o644
        } else {
            0o600
        };
        let options = CreateOptions {
            permission,
            overwrite: true,
        };
        hdfs.write(&target, bytes, options).await.unwrap();
        hdfs.set_times(&target, Some(MTIME), None).await.unwrap();
        self.placed(hdfs, &target, visibility).await
    }

    /// A file of the jobs' user.
    pub(crate) async fn own(&self, name: &str, bytes: impl Into<Vec<u8>>) -> PlacedFile {
        let bytes = bytes.into();
        // The name of other content is another one, or nodes would take what they have.
        let place = format!("/user/{USER}/spark-tests/files/{:08x}-{name}", zip::crc32(&bytes));
        self.put(&self.hdfs, &place, bytes, Visibility::Private).await
    }

    pub(crate) async fn testjobs(&self) -> PlacedFile {
        let jar = std::fs::read(variable("PENSTOCK_SPARK_TESTJOBS_JAR")).unwrap();
        self.own("testjobs.jar", jar).await
    }

    /// A path below the jobs' user's directory, as a URI.
    pub(crate) fn uri(&self, below: &str) -> String {
        format!("{}/user/{USER}/spark-tests/{below}", self.fs)
    }

    pub(crate) async fn read(&self, uri: &str) -> String {
        let place = path(uri.strip_prefix(&self.fs).unwrap());
        let bytes = self.hdfs.read_all(&place, 16 << 20).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    pub(crate) async fn submit(
        &self,
        spec: &Spec,
        program: Option<(&str, &PlacedFile)>,
        dependencies: &[Dependency],
    ) -> (ApplicationId, Launch) {
        self.submit_with(spec, program, dependencies, [None, None]).await
    }

    /// With a JDK and a Python of the environment's own.
    pub(crate) async fn submit_with(
        &self,
        spec: &Spec,
        program: Option<(&str, &PlacedFile)>,
        dependencies: &[Dependency],
        [jdk, python_home]: [Option<&Bundle>; 2],
    ) -> (ApplicationId, Launch) {
        let prepared = Prepared::new(&PrepareInput {
            spec,
            distribution: &self.distribution,
            cluster: &self.cluster,
            libraries: &self.libraries,
            python: &self.python,
            program: program.map(|(_, file)| file),
            program_name: program.map_or("", |(name, _)| name),
            runner: &self.runner,
            dependencies,
            jdk,
            python_home,
            conf_dir: &self.uri("prepared"),
        })
        .unwrap();
        let place = format!("/user/{USER}/spark-tests/prepared/{}", prepared.archive_name);
        let archive = self
            .put(&self.hdfs, &place, prepared.archive.clone(), Visibility::Private)
            .await;
        let deadline = Instant::now() + Duration::from_secs(60);
        let id = loop {
            match self.rm.new_application().await {
                Ok(new) => break new.application_id,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        let launch = Launch::plan(
            &prepared,
            &PlanInput {
                archive: &archive,
                deployment: "sparktest",
                run: &id.to_string(),
                run_dir: &self.uri(&format!("runs/{id}")),
            },
        )
        .unwrap();
        let xml = launch.submission(id).to_xml().unwrap();
        self.rm.submit(xml).await.unwrap();
        (id, launch)
    }

    pub(crate) async fn run(
        &self,
        spec: &Spec,
        program: Option<(&str, &PlacedFile)>,
        dependencies: &[Dependency],
    ) -> Ended {
        let (id, launch) = self.submit(spec, program, dependencies).await;
        self.end(spec, id, launch).await
    }

    /// Waits for the end and collects what there is to see.
    pub(crate) async fn end(&self, spec: &Spec, id: ApplicationId, launch: Launch) -> Ended {
        let app = self.ended(id).await;
        let (out, err) = self.logs(id).await;
        let ended = Ended {
            id,
            app,
            out,
            err,
            results: launch.results,
        };
        println!("{id} {} {}", spec.name, ended.state());
        ended
    }

    pub(crate) async fn ended(&self, id: ApplicationId) -> App {
        let deadline = Instant::now() + START_TO_END;
        loop {
            // The ResourceManager may be away for a while.
            let app = self.rm.app(id).await;
            if let Ok(app) = &app
                && app.state.is_final()
            {
                return app.clone();
            }
            if Instant::now() > deadline {
                let _ = self.rm.kill(id).await;
                panic!("{id} has not ended: {app:?}");
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Standard output and error of the driver, from what the node has collected.
    async fn logs(&self, id: ApplicationId) -> (String, String) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(logs) = self.collected(id).await {
                return logs;
            }
            assert!(Instant::now() < deadline, "no logs of {id}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn collected(&self, id: ApplicationId) -> Option<(String, String)> {
        let text = id.to_string();
        let number: u32 = text.rsplit('_').next()?.parse().ok()?;
        let dir = path(&format!(
            "/tmp/logs/{USER}/bucket-logs-tfile/{:04}/{text}",
            number % 10_000
        ));
        let listed = self.hdfs.list(&dir).await.ok()?;
        let file = listed
            .items
            .iter()
            .find(|file| !file.path_suffix.ends_with(".tmp"))?;
        let source = HdfsFile {
            hdfs: self.hdfs.clone(),
            path: dir.join(&file.path_suffix).ok()?,
        };
        let log = AggregatedLog::open(source, file.length).await.ok()?;
        let files = log.files().await.ok()?;
        let mut texts = (String::new(), String::new());
        for file in files.iter().filter(|file| file.container.ends_with("_000001")) {
            let from = file.length.saturating_sub(256 << 10);
            let bytes = log.read(file, from, file.length - from).await.ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match file.name.as_str() {
                "stdout" => texts.0 = text,
                "stderr" => texts.1 = text,
                _ => {}
            }
        }
        Some(texts)
    }

    /// What a script left of one of its statements.
    pub(crate) async fn rows(&self, ended: &Ended, statement: u32) -> events::Rows {
        let results = ended.results.as_deref().unwrap();
        let text = self.read(&format!("{results}/statement-{statement}.jsonl")).await;
        events::rows(&text).unwrap()
    }
}
