//! Of a file system.

use super::*;

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
