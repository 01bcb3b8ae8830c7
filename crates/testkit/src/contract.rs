//! What the Hadoop clients rely on, as assertions about a cluster: run against a real one to prove
//! that the clients are right, and against the fake one to prove that the fake is.

use hadoop::{
    ApplicationId, ContainerId, Error, HdfsPath, Identity, Observation,
    conf::Configuration,
    nm::{NodeManager, Part},
    rm::{AppQuery, ResourceManager},
    shell::{env_value, join_args},
    tfile::{AggregatedLog, HdfsFile},
    types::{App, AppState, FinalStatus},
    webhdfs::{CreateOptions, FileKind, WebHdfs},
    xml::{AclKind, LaunchContext, LocalResource, Resource, ResourceKind, SubmissionContext, Visibility},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const NEW: CreateOptions = CreateOptions {
    permission: 0o644,
    overwrite: false,
};
const MODIFIED: i64 = 1_000_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments and values that a shell could break.
pub const HOSTILE: &[&str] = &[
    "",
    " ",
    "it's",
    "\"",
    "$HOME",
    "$(id)",
    "`id`",
    "\\",
    "\\\\$x",
    "trailing\\",
    "new\nline",
    "c\rr",
    "tab\t",
    "a;b&&c|d>e<f",
    "*",
    "{{PWD}}",
    "{{{PWD}}}",
    "<LOG_DIR>",
    "a<CPS>b",
    "<ADD_OPENS>",
    "}}{{",
    "<&>",
    "]]>",
    "ü…漢🦀",
    "'\\''",
    "!x",
    "#c",
];

/// Asks again until `ready` gives something.
///
/// # Panics
/// When that takes longer than a minute.
pub async fn eventually<T>(what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ready().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn path(dir: &HdfsPath, below: &str) -> HdfsPath {
    dir.join(below).unwrap()
}

/// Files, below `dir`, which must not exist in a directory the user may write to; `denied` is a
/// directory the user may not write to.
///
/// # Panics
/// When the file system behaves otherwise.
pub async fn webhdfs_contract(hdfs: &WebHdfs, dir: &HdfsPath, denied: &HdfsPath) {
    directories(hdfs, dir, denied).await;
    files(hdfs, dir).await;
    renames_and_times(hdfs, dir).await;
    lists(hdfs, dir).await;
    assert_eq!(hdfs.delete(dir, true).await, Ok(true));
    assert_eq!(hdfs.delete(dir, true).await, Ok(false));
    assert!(matches!(hdfs.status(dir).await, Err(Error::NotFound { .. })));
}

async fn directories(hdfs: &WebHdfs, dir: &HdfsPath, denied: &HdfsPath) {
    assert_eq!(hdfs.find(dir).await, Ok(None));
    let deep = path(dir, "a/b");
    assert!(matches!(
        hdfs.mkdir(&deep, 0o700).await,
        Err(Error::NotFound { .. })
    ));
    let levels = [
        (dir.clone(), 0o755),
        (path(dir, "a"), 0o711),
        (deep.clone(), 0o700),
    ];
    for _ in 0..2 {
        hdfs.mkdirs_all(&levels).await.unwrap();
        for (level, mode) in &levels {
            let status = hdfs.status(level).await.unwrap();
            assert!(status.is_dir() && status.mode() == *mode, "{level}: {status:?}");
        }
    }
    hdfs.mkdir(&deep, 0o777).await.unwrap();
    assert_eq!(
        hdfs.status(&deep).await.unwrap().mode(),
        0o700,
        "an existing directory is left as it is"
    );
    hdfs.set_permission(&deep, 0o750).await.unwrap();
    assert_eq!(hdfs.status(&deep).await.unwrap().mode(), 0o750);
    hdfs.check_access(&deep, "rwx").await.unwrap();
    assert!(matches!(
        hdfs.mkdir(&path(denied, "penstock-contract"), 0o700).await,
        Err(Error::Forbidden { .. })
    ));
    assert!(matches!(
        hdfs.check_access(denied, "-w-").await,
        Err(Error::Forbidden { .. })
    ));
}

async fn files(hdfs: &WebHdfs, dir: &HdfsPath) {
    // Every character that means something in a URL and may stand in a name.
    let odd = path(dir, "a b+c&d=e#f?g;h'(1)~ü漢.txt");
    hdfs.write(&odd, "hello", NEW).await.unwrap();
    let status = hdfs.status(&odd).await.unwrap();
    assert_eq!(
        (status.kind, status.length, status.mode()),
        (FileKind::File, 5, 0o644)
    );
    assert_eq!(&hdfs.read(&odd, 1, 3).await.unwrap()[..], b"ell");
    assert_eq!(&hdfs.read(&odd, 3, 100).await.unwrap()[..], b"lo");
    assert_eq!(&hdfs.read_all(&odd, 5).await.unwrap()[..], b"hello");
    assert!(hdfs.read_all(&odd, 4).await.is_err());
    assert!(matches!(
        hdfs.write(&odd, "other", NEW).await,
        Err(Error::AlreadyExists { .. })
    ));
    assert_eq!(&hdfs.read_all(&odd, 100).await.unwrap()[..], b"hello");
    hdfs.write(
        &odd,
        "other",
        CreateOptions {
            permission: 0o600,
            overwrite: true,
        },
    )
    .await
    .unwrap();
    assert_eq!(&hdfs.read_all(&odd, 100).await.unwrap()[..], b"other");
    let nowhere = path(dir, "missing/file");
    let result = hdfs.write(&nowhere, "x", NEW).await;
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
    assert_eq!(
        hdfs.find(nowhere.parent().as_ref().unwrap()).await,
        Ok(None),
        "no directory made on the way"
    );
    assert!(matches!(
        hdfs.read(&path(dir, "none"), 0, 1).await,
        Err(Error::NotFound { .. })
    ));

    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n % 253) as u8).collect();
    let mut sums = Vec::new();
    for name in ["big1", "big2"] {
        let file = path(dir, name);
        let body = net::stream_file(std::io::Cursor::new(content.clone()));
        hdfs.create(&file, content.len() as u64, body, NEW).await.unwrap();
        assert_eq!(hdfs.read_all(&file, 4_000_000).await.unwrap(), content);
        sums.push(hdfs.checksum(&file).await.unwrap());
    }
    assert_eq!(sums[0], sums[1]);
    assert_ne!(sums[0].bytes, hdfs.checksum(&odd).await.unwrap().bytes);
    // The DataNode refuses before it has read all this.
    for _ in 0..2 {
        let large = net::stream_file(std::io::Cursor::new(vec![7; 16 << 20]));
        let result = hdfs.create(&path(dir, "big1"), 16 << 20, large, NEW).await;
        assert!(matches!(result, Err(Error::AlreadyExists { .. })), "{result:?}");
    }
    let short = net::stream_file(std::io::Cursor::new(b"12345".to_vec()));
    let result = hdfs.create(&path(dir, "short"), 10, short, NEW).await;
    assert!(matches!(result, Err(Error::Source { .. })), "{result:?}");
    hdfs.write(&path(dir, "empty"), "", NEW).await.unwrap();
    assert!(hdfs.read_all(&path(dir, "empty"), 10).await.unwrap().is_empty());
    let summary = hdfs.content_summary(&path(dir, "big1")).await.unwrap();
    assert_eq!((summary.length, summary.file_count), (content.len() as u64, 1));
}

async fn renames_and_times(hdfs: &WebHdfs, dir: &HdfsPath) {
    let (from, to) = (path(dir, "from"), path(dir, "to here"));
    hdfs.write(&from, "1", NEW).await.unwrap();
    hdfs.set_times(&from, Some(MODIFIED), None).await.unwrap();
    hdfs.rename(&from, &to).await.unwrap();
    assert_eq!(hdfs.find(&from).await, Ok(None));
    assert_eq!(hdfs.status(&to).await.unwrap().modification_time, MODIFIED);
    hdfs.write(&from, "2", NEW).await.unwrap();
    let result = hdfs.rename(&from, &to).await;
    assert!(matches!(result, Err(Error::AlreadyExists { .. })), "{result:?}");
    assert_eq!(&hdfs.read_all(&to, 10).await.unwrap()[..], b"1");
    let result = hdfs.rename(&path(dir, "none"), &path(dir, "x")).await;
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
    assert_eq!(hdfs.delete(&from, false).await, Ok(true));
    hdfs.set_times(&to, Some(MODIFIED + 1), Some(MODIFIED))
        .await
        .unwrap();
    assert_eq!(hdfs.status(&to).await.unwrap().modification_time, MODIFIED + 1);
}

async fn lists(hdfs: &WebHdfs, dir: &HdfsPath) {
    let list = path(dir, "list");
    hdfs.mkdir(&list, 0o700).await.unwrap();
    assert!(hdfs.list(&list).await.unwrap().items.is_empty());
    hdfs.write(&path(&list, "one"), "1", NEW).await.unwrap();
    let one = hdfs.list(&list).await.unwrap();
    assert_eq!(
        (one.items.len(), one.items[0].path_suffix.as_str(), one.unreadable),
        (1, "one", 0)
    );
    for name in ["three", "two"] {
        hdfs.mkdir(&path(&list, name), 0o700).await.unwrap();
    }
    let batch = hdfs.list_batch(&list, None).await.unwrap();
    let names = |items: &[hadoop::webhdfs::FileStatus]| {
        items.iter().map(|s| s.path_suffix.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&batch.entries.items), batch.more),
        (["one", "three", "two"].map(String::from).to_vec(), false)
    );
    let batch = hdfs.list_batch(&list, Some("one")).await.unwrap();
    assert_eq!(names(&batch.entries.items), ["three", "two"]);
    assert!(matches!(
        hdfs.list(&path(dir, "none")).await,
        Err(Error::NotFound { .. })
    ));
}

/// A submission that runs `command` until it is killed.
pub fn submission(id: ApplicationId, queue: &str, tags: &[&str], command: String) -> SubmissionContext {
    SubmissionContext {
        application_id: id,
        name: "contract <&> ü".into(),
        queue: queue.into(),
        priority: None,
        am_resource: Resource {
            memory_mb: 128,
            vcores: 1,
        },
        max_app_attempts: 1,
        application_type: "CONTRACT".into(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        keep_containers: false,
        attempt_failures_validity_ms: None,
        node_label: None,
        container: LaunchContext {
            command,
            ..LaunchContext::default()
        },
        log_aggregation: None,
    }
}

/// Applications in `queue`, to which `rm`'s user may submit. `stranger` is a user without rights on
/// them, where the cluster checks such rights.
///
/// # Panics
/// When the ResourceManager behaves otherwise.
pub async fn rm_contract(rm: &ResourceManager, queue: &str, stranger: Option<Identity>) {
    cluster(rm, queue).await;
    unknown_queue(rm).await;
    let id = rm.new_application().await.unwrap().application_id;
    // Numbers begin anew with every start of a ResourceManager that remembers what ran before.
    let tag = format!("Penstock-Contract-{}-{}", id.cluster_timestamp, id.number);
    assert!(matches!(rm.app(id).await, Err(Error::NotFound { .. })));
    assert_eq!(rm.observe(id).await, Observation::Gone);
    assert!(matches!(rm.kill(id).await, Err(Error::NotFound { .. })));
    assert!(
        rm.apps_by_tag(&tag, &AppQuery::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );

    let mut context = submission(id, queue, &["contract", &tag], "sleep 120".into());
    context.container.acls = vec![(AclKind::View, " ".into()), (AclKind::Modify, " ".into())];
    let xml = context.to_xml().unwrap();
    let result = rm.submit(xml.as_bytes()[..100].to_vec()).await;
    assert!(matches!(result, Err(Error::BadRequest { .. })), "{result:?}");
    assert_eq!(
        rm.observe(id).await,
        Observation::Gone,
        "a refused body leaves nothing behind"
    );
    for _ in 0..2 {
        rm.submit(xml.clone()).await.unwrap();
    }
    let app = accepted(rm, id).await;
    assert_eq!(
        (app.name.as_str(), app.application_type.as_str()),
        ("contract <&> ü", "CONTRACT")
    );
    assert_eq!((app.final_status, app.finished_time), (FinalStatus::Undefined, 0));
    assert!(app.has_tag(&tag) && app.application_tags.contains(&tag.to_lowercase()));
    assert!(
        app.queue == queue || app.queue.ends_with(&format!(".{queue}")),
        "{}",
        app.queue
    );

    let live = AppQuery {
        states: vec![AppState::Accepted, AppState::Running],
        ..AppQuery::default()
    };
    let found = rm.apps_by_tag(&tag, &live).await.unwrap();
    assert_eq!(
        (
            found.items.iter().map(|app| app.id).collect::<Vec<_>>(),
            found.unreadable
        ),
        (vec![id], 0)
    );
    let ended = AppQuery {
        states: vec![AppState::Killed],
        ..AppQuery::default()
    };
    assert!(rm.apps_by_tag(&tag, &ended).await.unwrap().items.is_empty());
    eventually("the first attempt", async || {
        let attempts = rm.attempts(id).await.unwrap();
        assert_eq!(attempts.unreadable, 0);
        attempts
            .items
            .first()
            .and_then(|attempt| attempt.container_id.clone())
    })
    .await;

    if let Some(stranger) = stranger {
        let result = rm.with_identity(stranger).kill(id).await;
        assert!(matches!(result, Err(Error::Forbidden { .. })), "{result:?}");
    }
    let killed = eventually("the end", async || {
        Some(rm.kill(id).await.unwrap()).filter(|killed| killed.done)
    })
    .await;
    assert_eq!(killed.state, "KILLED");
    let Observation::Known(app) = rm.observe(id).await else {
        panic!("the killed application is not known")
    };
    assert_eq!(
        (app.state, app.final_status),
        (AppState::Killed, FinalStatus::Killed)
    );
    assert!(app.finished_time > 0 && app.state.is_final());
    assert_eq!(rm.apps_by_tag(&tag, &ended).await.unwrap().items.len(), 1);
    rm.submit(xml).await.unwrap();
    assert_eq!(
        rm.app(id).await.unwrap().state,
        AppState::Killed,
        "an id never starts twice"
    );
}

async fn cluster(rm: &ResourceManager, queue: &str) {
    let info = rm.cluster_info().await.unwrap();
    assert!(info.is_active() && info.started_on > 0 && !info.hadoop_version.is_empty());
    let new = rm.new_application().await.unwrap();
    assert_eq!(new.application_id.cluster_timestamp as i64, info.started_on);
    assert!(new.maximum_resource_capability.memory > 0);
    let scheduler = rm.scheduler().await.unwrap();
    let found = scheduler.root.find(queue).expect("the queue");
    assert!(found.leaf && found.name == queue.rsplit('.').next().unwrap_or_default());
    let nodes = rm.nodes().await.unwrap();
    assert!(
        nodes
            .items
            .iter()
            .any(|node| node.state == "RUNNING" && node.node_http_address.is_some())
    );
    assert_eq!(nodes.unreadable, 0);
    assert!(rm.metrics().await.unwrap().total_mb > 0);
    assert!(
        rm.conf_value("yarn.application.classpath")
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(rm.conf_value("penstock.no.such.setting").await, Ok(None));
    let unknown: ApplicationId = "application_1_0001".parse().unwrap();
    assert_eq!(rm.observe(unknown).await, Observation::Gone);
}

/// A submission to a queue that does not exist is refused at once where the user may not submit to the
/// root, in the words of a closed queue, and rejected afterwards where it may. The scheduler tells.
async fn unknown_queue(rm: &ResourceManager) {
    const NAME: &str = "root.no-such-queue";
    assert!(rm.scheduler().await.unwrap().root.find(NAME).is_none());
    let id = rm.new_application().await.unwrap().application_id;
    let context = submission(id, NAME, &["contract"], "true".into());
    match rm.submit(context.to_xml().unwrap()).await {
        Err(Error::BadRequest { message }) => {
            assert!(
                message.contains("permission") && message.contains(NAME),
                "{message}"
            );
            assert_eq!(rm.observe(id).await, Observation::Gone);
        }
        Ok(()) => {
            let app = eventually("the rejection", async || match rm.observe(id).await {
                Observation::Known(app) => app.state.is_final().then_some(app),
                _ => None,
            })
            .await;
            assert!(app.diagnostics.contains("unknown queue"), "{}", app.diagnostics);
        }
        other => panic!("{other:?}"),
    }
}

async fn accepted(rm: &ResourceManager, id: ApplicationId) -> App {
    eventually("acceptance", async || match rm.observe(id).await {
        Observation::Known(app) => {
            assert!(!app.state.is_final(), "{}", app.diagnostics);
            app.state.is_durable().then_some(app)
        }
        other => panic!("{other:?}"),
    })
    .await
}

/// A container that prints hostile arguments and variables, read live and from the aggregated logs.
/// Only a cluster that really runs processes can do this. `dir` is a writable directory.
///
/// # Panics
/// When anything arrives changed.
pub async fn container_contract(
    conf: &Configuration,
    rm: &ResourceManager,
    hdfs: &WebHdfs,
    queue: &str,
    dir: &HdfsPath,
) {
    let id = rm.new_application().await.unwrap().application_id;
    let mut printed = String::from("printf '%s\\\\n--\\\\n' ");
    printed.push_str(&join_args(HOSTILE.iter().copied()));
    for n in 0..HOSTILE.len() {
        printed.push_str(&format!(" \\\"\\$V{n}\\\""));
    }
    let command = format!("{printed} > <LOG_DIR>/printed; cat given/file.txt > <LOG_DIR>/given; sleep 120");
    let mut context = submission(id, queue, &["contract"], command);
    context.container.environment = HOSTILE
        .iter()
        .enumerate()
        .map(|(n, raw)| (format!("V{n}"), env_value(raw, false)))
        .collect();
    hdfs.mkdirs_all(&[(dir.clone(), 0o700)]).await.unwrap();
    let file = path(dir, "given file.txt");
    hdfs.write(&file, "from hdfs", NEW).await.unwrap();
    hdfs.set_times(&file, Some(MODIFIED), None).await.unwrap();
    context.container.local_resources = vec![LocalResource {
        key: "given/file.txt".into(),
        uri: file.to_uri(&conf.default_fs().unwrap()),
        kind: ResourceKind::File,
        visibility: Visibility::Application,
        size: 9,
        timestamp: MODIFIED,
    }];
    rm.submit(context.to_xml().unwrap()).await.unwrap();
    accepted(rm, id).await;

    let expected: String = HOSTILE
        .iter()
        .chain(HOSTILE)
        .map(|arg| format!("{arg}\n--\n"))
        .collect();
    let (node, container) = eventually("the container", async || {
        let app = rm.app(id).await.unwrap();
        assert!(!app.state.is_final(), "{}", app.diagnostics);
        let attempt = rm.attempts(id).await.unwrap().items.pop()?;
        Some((attempt.node_http_address?, attempt.container_id?))
    })
    .await;
    let nm = NodeManager::new(http(), &node, rm.identity().clone()).unwrap();
    let read = async |file: &'static str, part| nm.read(&container, file, part).await.ok();
    let live = eventually("what the container printed", async || {
        read("given", Part::Head(100))
            .await
            .filter(|content| content.file_size == 9)?;
        read("printed", Part::Head(1 << 20)).await
    })
    .await;
    assert_eq!(String::from_utf8_lossy(&live.bytes), expected);
    let tail = read("printed", Part::Tail(7)).await.unwrap();
    assert_eq!(
        (&tail.bytes[..], tail.offset),
        (
            &expected.as_bytes()[expected.len() - 7..],
            expected.len() as u64 - 7
        )
    );
    let none = read("stderr", Part::Tail(7)).await;
    assert!(none.is_none_or(|content| content.bytes.is_empty()));
    let files = nm.logs(&container).await.unwrap();
    let size = files
        .items
        .iter()
        .find(|file| file.name == "printed")
        .map(|file| file.size);
    assert_eq!((size, files.unreadable), (Some(expected.len() as u64), 0));
    assert!(
        nm.containers()
            .await
            .unwrap()
            .items
            .iter()
            .any(|one| one.id == container)
    );
    let result = nm.read(&container, "no such file", Part::Tail(1)).await;
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
    let missing: ContainerId = "container_1_0001_01_000001".parse().unwrap();
    let result = nm.logs(&missing).await;
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
    let result = nm.read(&missing, "stdout", Part::Tail(1)).await;
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");

    rm.kill(id).await.unwrap();
    aggregated(conf, rm, hdfs, id, &container, &expected).await;
    hdfs.delete(dir, true).await.unwrap();
}

async fn aggregated(
    conf: &Configuration,
    rm: &ResourceManager,
    hdfs: &WebHdfs,
    id: ApplicationId,
    container: &ContainerId,
    expected: &str,
) {
    let dirs = conf.log_dirs(&rm.identity().user, id).unwrap();
    let (dir, status) = eventually("the aggregated log", async || {
        for dir in &dirs {
            match hdfs.list(dir).await {
                Ok(list) => {
                    let done = list
                        .items
                        .into_iter()
                        .find(|file| !file.path_suffix.ends_with(".tmp") && file.length > 0);
                    return done.map(|file| (dir.clone(), file));
                }
                Err(Error::NotFound { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        None
    })
    .await;
    let source = HdfsFile {
        hdfs: hdfs.clone(),
        path: path(&dir, &status.path_suffix),
    };
    let log = AggregatedLog::open(source, status.length).await.unwrap();
    let files = log.files().await.unwrap();
    let find = |name: &str| {
        files
            .iter()
            .find(|f| f.container == container.as_str() && f.name == name)
            .expect("the log file")
    };
    let printed = find("printed");
    assert_eq!(printed.length, expected.len() as u64);
    assert_eq!(
        &log.read(printed, 0, 1 << 20).await.unwrap()[..],
        expected.as_bytes()
    );
    assert_eq!(
        &log.read(printed, 10, 20).await.unwrap()[..],
        &expected.as_bytes()[10..30]
    );
    assert_eq!(&log.read(find("given"), 0, 100).await.unwrap()[..], b"from hdfs");
}

/// A client with the usual limits.
///
/// # Panics
/// When the TLS library cannot be set up.
pub fn http() -> net::Client {
    net::Client::new().unwrap()
}
