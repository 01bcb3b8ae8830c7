//! Of nodes, containers and logs.

use super::{applications::accepted, *};

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
