//! Puts one file at its place on HDFS, so that what lies there is always whole and never replaced.

use super::MTIME;
use crate::{
    Error, Result, Service,
    chaos::crash_point,
    clusters::{Connection, data_failure, hdfs_failure},
};
use bytes::{Bytes, BytesMut};
use domain::{Code, Failure, Millis};
use hadoop::{HdfsPath, checksum::Checksummer, webhdfs::CreateOptions, webhdfs::WebHdfs};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashSet, VecDeque},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::io::AsyncReadExt;

/// Where the content of a file comes from.
pub(crate) enum Content {
    Memory(Bytes),
    /// Read while it is sent, which is counted.
    Pieces(Vec<Piece>, Arc<AtomicI64>),
}

impl Content {
    /// A local file, and the hash it must have.
    pub(crate) fn file(path: PathBuf, sha256: &str) -> Self {
        let sha256 = sha256.to_owned();
        Content::Pieces(vec![Piece::File { path, sha256 }], Arc::default())
    }
}

/// A part of a file that is put together while it is sent.
pub(crate) enum Piece {
    Bytes(Bytes),
    /// A whole local file, and the hash it must have.
    File {
        path: PathBuf,
        sha256: String,
    },
}

/// Counts along what is really sent.
#[derive(Default, Clone)]
struct Sums {
    hdfs: Checksummer,
    /// What was wrong with a local file.
    failure: Option<Failure>,
}

impl Service {
    /// Writes a file beside its place, verifies it, gives it its time and renames it there. An equal
    /// file that is there already, or came there meanwhile, is as good.
    pub(crate) async fn put(
        &self,
        connection: &Connection,
        user: &str,
        path: &HdfsPath,
        mode: u16,
        content: Content,
        size: u64,
    ) -> Result<()> {
        let hdfs = connection.hdfs_as(user);
        // The bytes and their sums go to and come from a DataNode.
        let told = |error: hadoop::Error| Error::from(data_failure(connection, user, path, &error));
        let beside = beside(path, "", self.now())?;
        let _held = self.inner.writing.hold(beside.name());
        let written = async {
            let options = CreateOptions {
                permission: mode,
                overwrite: false,
            };
            let sums = match content {
                Content::Memory(bytes) => {
                    let mut sums = Sums::default();
                    sums.hdfs.update(&bytes);
                    hdfs.write(&beside, bytes, options).await.map_err(told)?;
                    sums
                }
                Content::Pieces(pieces, sent) => send(&hdfs, &beside, pieces, sent, size, options)
                    .await
                    .map_err(|error| match error {
                        Sent::Hdfs(error) => told(error),
                        Sent::Local(failure) => failure.into(),
                    })?,
            };
            let corrupt = |reason: String| {
                Error::from(
                    Failure::new(Code::HdfsCorrupt)
                        .with("path", path)
                        .with("reason", reason),
                )
            };
            crash_point!("put.written");
            let status = hdfs.status(&beside).await.map_err(told)?;
            if status.length != size {
                return Err(corrupt(format!("{} of {size} bytes arrived", status.length)));
            }
            // The DataNode's own sums, so nothing is read back. A file system that sums differently
            // has checked the packets by its own sums at least.
            let there = hdfs.checksum(&beside).await.map_err(told)?;
            if sums.hdfs.matches(&there) == Some(false) {
                return Err(corrupt("its checksum differs from what was sent".to_owned()));
            }
            hdfs.set_times(&beside, Some(MTIME), None).await.map_err(told)?;
            crash_point!("put.timed");
            match hdfs.rename(&beside, path).await {
                Ok(()) => Ok(true),
                Err(hadoop::Error::AlreadyExists { .. }) => Ok(false),
                Err(error) => Err(told(error)),
            }
        };
        let result: Result<bool> = written.await;
        match result {
            Ok(true) => Ok(()),
            Ok(false) => {
                hdfs.delete(&beside, false).await.map_err(told)?;
                if self.is_placed(connection, user, path, size).await? {
                    return Ok(());
                }
                self.replace_broken(connection, user, path, size).await
            }
            Err(error) => {
                // Left-overs are hidden files that nothing refers to; one try to tidy up is enough.
                let _ = hdfs.delete(&beside, false).await;
                Err(error)
            }
        }
    }

    /// A file at one of our places with another size or time was not written by us, or was changed.
    /// When only its time differs it gets it back; else it is moved out of the way, never overwritten.
    async fn replace_broken(
        &self,
        connection: &Connection,
        user: &str,
        path: &HdfsPath,
        size: u64,
    ) -> Result<()> {
        let hdfs = connection.hdfs_as(user);
        let told = |error: hadoop::Error| Error::from(hdfs_failure(connection, user, path, &error));
        let status = hdfs.status(path).await.map_err(told)?;
        if status.length == size {
            return hdfs.set_times(path, Some(MTIME), None).await.map_err(told);
        }
        let aside = beside(path, "broken-", self.now())?;
        hdfs.rename(path, &aside).await.map_err(told)?;
        // The next try finds the place free.
        let reason = format!("{} instead of {size} bytes", status.length);
        Err(Failure::new(Code::HdfsCorrupt)
            .with("path", path)
            .with("reason", reason)
            .into())
    }
}

/// Hidden names this process writes to now.
#[derive(Default)]
pub(crate) struct Writing(Mutex<HashSet<String>>);

impl Writing {
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.names().contains(name)
    }

    fn hold(&self, name: &str) -> Held<'_> {
        self.names().insert(name.to_owned());
        Held {
            writing: self,
            name: name.to_owned(),
        }
    }

    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Held<'a> {
    writing: &'a Writing,
    name: String,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.writing.names().remove(&self.name);
    }
}

/// When a name was made by [`beside`] for an upload; `None` for every other name, and for a broken
/// file that was moved aside: its content is somebody else's.
pub(crate) fn hidden_since(name: &str) -> Option<Millis> {
    let (id, rest) = name.strip_prefix('.')?.split_once('-')?;
    let ulid: ulid::Ulid = id.parse().ok()?;
    let ours = !rest.is_empty() && ulid.to_string().to_ascii_lowercase() == id;
    ours.then(|| Millis::try_from(ulid.timestamp_ms()).unwrap_or(Millis::MAX))
}

/// A hidden name in the same directory, so that a rename moves nothing.
fn beside(path: &HdfsPath, mark: &str, now: Millis) -> Result<HdfsPath> {
    let dir = path
        .parent()
        .ok_or_else(|| Error::internal("a file without a directory"))?;
    dir.join(&format!(".{mark}{}-{}", crate::clock::ulid(now), path.name()))
        .map_err(Error::internal)
}

enum Sent {
    Hdfs(hadoop::Error),
    Local(Failure),
}

/// What is being read of the pieces.
struct Reading {
    rest: VecDeque<Piece>,
    open: Option<Open>,
    sums: Arc<Mutex<Sums>>,
    sent: Arc<AtomicI64>,
}

struct Open {
    file: tokio::fs::File,
    path: PathBuf,
    sha256: String,
    seen: Sha256,
}

/// Bytes read at once.
const CHUNK: usize = 1024 * 1024;

impl Reading {
    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is wrong for whoever sends: the stream itself can only break off.
    fn fail(&self, failure: Failure) -> std::io::Error {
        self.sums().failure = Some(failure);
        std::io::Error::other("a local file cannot be sent")
    }

    async fn next(mut self) -> std::io::Result<Option<(Bytes, Self)>> {
        loop {
            let bytes = match &mut self.open {
                Some(open) => {
                    let mut buffer = BytesMut::with_capacity(CHUNK);
                    match open.file.read_buf(&mut buffer).await {
                        Ok(_) => {}
                        Err(error) => {
                            let failure = unreadable(&open.path, error.kind());
                            return Err(self.fail(failure));
                        }
                    }
                    open.seen.update(&buffer);
                    buffer.freeze()
                }
                None => match self.rest.pop_front() {
                    None => return Ok(None),
                    Some(Piece::Bytes(bytes)) => bytes,
                    Some(Piece::File { path, sha256 }) => match tokio::fs::File::open(&path).await {
                        Ok(file) => {
                            let seen = Sha256::new();
                            self.open = Some(Open {
                                file,
                                path,
                                sha256,
                                seen,
                            });
                            continue;
                        }
                        Err(error) => return Err(self.fail(unreadable(&path, error.kind()))),
                    },
                },
            };
            if bytes.is_empty() {
                if let Some(open) = self.open.take() {
                    let now = hex::encode(open.seen.finalize());
                    if now != open.sha256 {
                        return Err(self.fail(changed(&open.path, &open.sha256, &now)));
                    }
                }
                continue;
            }
            self.sums().hdfs.update(&bytes);
            let count = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            self.sent.fetch_add(count, Ordering::Relaxed);
            return Ok(Some((bytes, self)));
        }
    }
}

fn unreadable(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(Code::DirectoryUnreadable)
        .with("path", path.display())
        .with("reason", reason)
}

fn changed(path: &Path, before: &str, now: &str) -> Failure {
    let reason = format!(
        "it changed after it was registered (sha256 {} is now {})",
        &before[..12],
        &now[..12]
    );
    unreadable(path, reason)
}

/// Streams local files and sums what is really sent: a file may change while it is read.
async fn send(
    hdfs: &WebHdfs,
    to: &HdfsPath,
    pieces: Vec<Piece>,
    sent: Arc<AtomicI64>,
    size: u64,
    options: CreateOptions,
) -> std::result::Result<Sums, Sent> {
    let sums = Arc::new(Mutex::new(Sums::default()));
    let reading = Reading {
        rest: pieces.into(),
        open: None,
        sums: sums.clone(),
        sent,
    };
    let stream = futures::stream::try_unfold(reading, Reading::next);
    let created = hdfs.create(to, size, Box::pin(stream), options).await;
    let sums = sums.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(failure) = sums.failure {
        return Err(Sent::Local(failure));
    }
    created.map_err(Sent::Hdfs)?;
    Ok(sums)
}
