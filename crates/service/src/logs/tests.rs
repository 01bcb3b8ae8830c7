//! The spool and what fills it, on files in memory.

use super::{
    fetch::{BATCH, OVERLAP, Opened, Origin, Stale},
    search::Needle,
    spool::{Held, Limits, Spool},
};
use bytes::Bytes;
use futures::StreamExt;
use std::{
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

/// An original that a test changes. Like a node it may begin earlier than asked.
struct Fake {
    content: Mutex<Vec<u8>>,
    early: u64,
    /// Bytes after which the connection breaks, once.
    breaks: Mutex<Option<usize>>,
    sent: Mutex<u64>,
}

impl Fake {
    fn new(content: &[u8]) -> Self {
        Self {
            content: Mutex::new(content.to_vec()),
            early: 0,
            breaks: Mutex::new(None),
            sent: Mutex::new(0),
        }
    }

    fn set(&self, content: &[u8]) {
        *self.content.lock().unwrap() = content.to_vec();
    }

    fn sent(&self) -> u64 {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

impl Origin for Fake {
    async fn open(&self, offset: u64) -> std::result::Result<Opened<'_>, hadoop::Error> {
        let content = self.content.lock().unwrap().clone();
        let offset = offset.saturating_sub(self.early);
        let rest = content.get(offset as usize..).unwrap_or_default();
        let broken = || hadoop::Error::Broken {
            reason: "test".into(),
        };
        let mut chunks: Vec<_> = rest.chunks(1000).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        if let Some(after) = self.breaks.lock().unwrap().take() {
            chunks.truncate(after / 1000);
            chunks.push(Err(broken()));
        }
        *self.sent.lock().unwrap() += rest.len() as u64;
        Ok(Opened {
            size: content.len() as u64,
            offset,
            bytes: futures::stream::iter(chunks).boxed(),
        })
    }
}

const LIMITS: Limits = Limits {
    total: 1 << 20,
    file: 200_000,
    files: 100,
};

fn spool(dir: &Path) -> Spool {
    Spool::with(dir.to_owned(), LIMITS).unwrap()
}

async fn refresh(spool: &Spool, key: &str, origin: &Fake) -> Held {
    let (held, _) = spool.hold(key).await.unwrap().ready().await.unwrap();
    spool.refresh(held, origin).await.ok().unwrap()
}

fn content(held: &Held) -> Vec<u8> {
    held.view().unwrap().end(u64::MAX).unwrap()
}

fn text(lines: std::ops::Range<u32>) -> Vec<u8> {
    lines
        .flat_map(|n| format!("{n} INFO a line\n").into_bytes())
        .collect()
}

#[tokio::test]
async fn only_what_is_new_is_fetched() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(dir.path());
    for early in [0, 7, 5000] {
        let mut origin = Fake::new(&text(0..3000));
        origin.early = early;
        let key = format!("k{early}");
        assert_eq!(content(&refresh(&spool, &key, &origin).await), text(0..3000));
        origin.sent();
        origin.set(&text(0..3100));
        let held = refresh(&spool, &key, &origin).await;
        assert_eq!(content(&held), text(0..3100));
        assert_eq!(held.view().unwrap().index.lines(), 3100);
        assert!(origin.sent() <= 100 * 20 + OVERLAP + early);
    }
}

#[tokio::test]
async fn another_file_of_the_name_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(dir.path());
    let origin = Fake::new(&text(0..1000));
    let old = refresh(&spool, "k", &origin).await.view().unwrap();
    // Rolled over: shorter, then longer than before with other bytes.
    for replaced in [text(5000..5010), text(7000..9000), Vec::new(), text(1..2)] {
        origin.set(&replaced);
        let held = refresh(&spool, "k", &origin).await;
        assert_eq!(content(&held), replaced);
    }
    assert_eq!(
        old.end(u64::MAX).unwrap(),
        text(0..1000),
        "a reader keeps what it saw"
    );
}

#[tokio::test]
async fn what_arrived_before_a_break_stays() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::with(
        dir.path().to_owned(),
        Limits {
            file: 64 << 20,
            total: 128 << 20,
            files: 9,
        },
    )
    .unwrap();
    let all = b"0123456789abcdef".repeat(600_000);
    let origin = Fake::new(&all);
    *origin.breaks.lock().unwrap() = Some(9_000_000);
    let (held, _) = spool.hold("k").await.unwrap().ready().await.unwrap();
    assert!(matches!(
        spool.refresh(held, &origin).await,
        Err(Stale::Origin(_))
    ));
    origin.sent();
    assert_eq!(content(&refresh(&spool, "k", &origin).await), all);
    assert!(origin.sent() < 2_000_000);
}

#[tokio::test]
async fn of_a_file_too_long_the_end_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(dir.path());
    let whole = text(0..30_000);
    let origin = Fake::new(&whole);
    let held = refresh(&spool, "k", &origin).await;
    let kept = LIMITS.file / 2;
    let notice = format!("[… {} B …]\n", whole.len() as u64 - kept);
    assert_eq!(
        content(&held),
        [notice.as_bytes(), &whole[whole.len() - kept as usize..]].concat()
    );
    drop(held);
    origin.sent();
    let longer = text(0..30_100);
    origin.set(&longer);
    let held = refresh(&spool, "k", &origin).await;
    assert!(content(&held).ends_with(&text(30_000..30_100)) && content(&held).starts_with(notice.as_bytes()));
    assert!(origin.sent() < 5000);
    drop(held);
    // Beyond the limit once more.
    origin.set(&text(0..40_000));
    let held = refresh(&spool, "k", &origin).await;
    assert!(content(&held).len() as u64 <= kept + 100 && content(&held).ends_with(&text(39_990..40_000)));
}

#[tokio::test]
async fn the_least_recently_used_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::with(
        dir.path().to_owned(),
        Limits {
            total: 250_000,
            ..LIMITS
        },
    )
    .unwrap();
    let origin = Fake::new(&text(0..5000));
    assert!(text(0..5000).len() > 80_000);
    for key in ["a", "b", "a", "c"] {
        refresh(&spool, key, &origin).await;
    }
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["a.part", "c.part"]);
    // Nothing can go while somebody is busy with all of it.
    let (a, c) = (spool.hold("a").await.unwrap(), spool.hold("c").await.unwrap());
    let d = spool.hold("d").await.unwrap();
    let failed = spool.refresh(d, &origin).await.err().unwrap();
    assert!(matches!(failed, Stale::Own(error) if error.failure.code == domain::Code::DiskFull));
    drop((a, c));
    assert_eq!(content(&refresh(&spool, "d", &origin).await), text(0..5000));
    assert_eq!(content(&refresh(&spool, "b", &origin).await), text(0..5000));
    assert_eq!(names(), ["b.part", "d.part"]);
}

#[tokio::test]
async fn complete_copies_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Fake::new(&text(0..1000));
    let first = spool(dir.path());
    refresh(&first, "done", &origin).await.complete().await.unwrap();
    refresh(&first, "empty", &Fake::new(b""))
        .await
        .complete()
        .await
        .unwrap();
    refresh(&first, "open", &origin).await;
    drop(first);
    let second = spool(dir.path());
    assert!(!dir.path().join("open.part").exists());
    for (key, complete, lines) in [("done", true, 1000), ("empty", true, 0), ("open", false, 0)] {
        let (held, done) = second.hold(key).await.unwrap().ready().await.unwrap();
        assert_eq!(done, complete, "{key}");
        assert_eq!(held.view().map_or(0, |view| view.index.lines()), lines, "{key}");
    }
    // A copy somebody removed is fetched again.
    let third = spool(dir.path());
    std::fs::remove_file(dir.path().join("done.log")).unwrap();
    let (held, done) = third.hold("done").await.unwrap().ready().await.unwrap();
    assert!(!done);
    drop(held);
    assert_eq!(content(&refresh(&third, "done", &origin).await), text(0..1000));
}

#[tokio::test]
async fn one_caller_fetches_and_the_others_see_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(dir.path());
    let origin = Fake::new(&text(0..5000));
    let reads = (0..8).map(|_| async {
        let (held, _) = spool.hold("k").await.unwrap().ready().await.unwrap();
        if held.is_fresh(Duration::from_secs(60)) {
            return content(&held);
        }
        content(&spool.refresh(held, &origin).await.ok().unwrap())
    });
    for read in futures::future::join_all(reads).await {
        assert_eq!(read, text(0..5000));
    }
    assert_eq!(origin.sent(), text(0..5000).len() as u64);
}

/// The figures promised for a million lines.
#[tokio::test]
async fn a_million_lines() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::with(
        dir.path().to_owned(),
        Limits {
            total: 1 << 30,
            file: 512 << 20,
            files: 9,
        },
    )
    .unwrap();
    let mut bytes = Vec::with_capacity(110 << 20);
    let filler = " org.apache.flink.runtime.taskmanager.Task [] - checkpoint completed, nothing to see";
    for n in 0..1_000_000 {
        let level = if n == 900_000 { "ERROR needle" } else { "INFO " };
        bytes.extend_from_slice(b"2026-11-21 10:00:00,000 ");
        bytes.extend_from_slice(level.as_bytes());
        bytes.extend_from_slice(filler.as_bytes());
        bytes.push(b'\n');
    }
    let started = Instant::now();
    let mut held = spool.hold("k").await.unwrap();
    for chunk in bytes.chunks(BATCH) {
        held = spool.append(held, chunk.to_vec()).await.unwrap();
    }
    let spooled = started.elapsed();
    drop(held);
    let started = Instant::now();
    let view = spool.hold("k").await.unwrap().view().unwrap();
    let end = view.last(500).unwrap();
    let opened = started.elapsed();
    assert_eq!(
        (end.from, view.index.lines(), view.index.counts().first_error),
        (999_501, 1_000_000, Some(900_001))
    );
    let started = Instant::now();
    assert!(view.lines(900_001, 500).unwrap().lines[0].contains("needle"));
    let jumped = started.elapsed();
    let mut searched = Vec::new();
    for word in ["NEEDLE", "ERROR", "zebra", "eta", "\u{5931}\u{8d25}"] {
        let needle = Needle::new(word).unwrap();
        let started = cpu_time();
        let hits = view
            .search(&needle, 1000, &std::sync::atomic::AtomicBool::new(false))
            .unwrap();
        searched.push(cpu_time() - started);
        assert_eq!(hits.contains(&900_001), word == "NEEDLE" || word == "ERROR");
    }
    println!("spooled {spooled:?}, opened {opened:?}, jumped {jumped:?}, searched {searched:?}");
    // These two take a thousandth of it; a busy machine may be slower.
    assert!(
        opened.as_millis() <= 300 && jumped.as_millis() <= 200,
        "{opened:?} {jumped:?}"
    );
    // Without optimisation a search costs about five times as much.
    let most = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });
    assert!(searched.iter().all(|took| *took <= most), "{searched:?}");
}

/// What this thread has computed so far: other processes of the host do not count.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
