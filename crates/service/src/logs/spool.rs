//! A bounded copy of log files on the console's disk. A log's home answers only "the first" or "the
//! last so many bytes", or lies in pieces on HDFS; jumps and searches need the file at hand.
//!
//! A file of a container that still writes is `<key>.part` and grows; once all of it is here and it
//! cannot change any more it becomes `<key>.log`. Those alone outlive a restart: their index is made
//! anew when somebody looks.

use super::{index::Index, window::View};
use crate::{Error, Result};
use domain::Code;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{OwnedMutexGuard, Semaphore};

/// Limits of the spool, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub total: u64,
    /// Of a longer file only the end is kept.
    pub file: u64,
    pub files: usize,
}

const LIMITS: Limits = Limits {
    total: 1 << 30,
    file: 512 << 20,
    files: 20_000,
};
/// Files brought here, and searches, at once.
const FETCHES: usize = 8;
const SEARCHES: usize = 4;

/// The copies of log files.
pub(crate) struct Spool {
    dir: PathBuf,
    pub(super) limits: Limits,
    table: Mutex<HashMap<String, Arc<Slot>>>,
    /// Counts uses; the least recent goes first.
    uses: AtomicU64,
    pub(super) fetches: Semaphore,
    pub(super) searches: Arc<Semaphore>,
    pub(super) memory: super::source::Memory,
}

/// A place in the spool.
#[derive(Debug)]
struct Slot {
    used: AtomicU64,
    bytes: AtomicU64,
    state: Arc<tokio::sync::Mutex<Replica>>,
}

/// What is here of one file. One caller at a time holds it.
#[derive(Debug)]
pub(super) struct Replica {
    /// Path without its ending.
    stem: PathBuf,
    file: Option<Arc<File>>,
    index: Arc<Index>,
    complete: bool,
    evicted: bool,
    /// Bytes at the beginning of the original that are not here, and how many stand here for them.
    left_out: u64,
    notice: u64,
    /// When the original was looked at last.
    pub looked: Option<Instant>,
    /// The node that has the original, and when it was found there.
    pub node: Option<(String, Instant)>,
    /// Whether the container still wrote when looked at last.
    pub running: bool,
}

/// The right to read and extend one copy. It may be moved into a blocking task, which then ends
/// what it began even if its caller is gone.
pub(super) struct Held {
    slot: Arc<Slot>,
    pub replica: OwnedMutexGuard<Replica>,
}

impl Spool {
    /// Opens the spool in `dir`, which it makes if need be, and removes what a stop left half-done.
    pub(crate) fn new(dir: PathBuf) -> Result<Self> {
        Self::with(dir, LIMITS)
    }

    pub(super) fn with(dir: PathBuf, limits: Limits) -> Result<Self> {
        let told = |error: io::Error| Error::internal(format!("{}: {error}", dir.display()));
        fs::create_dir_all(&dir).map_err(told)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).map_err(told)?;
        let mut kept = Vec::new();
        for entry in fs::read_dir(&dir).map_err(told)? {
            let path = entry.map_err(told)?.path();
            match path.extension().and_then(|e| e.to_str()) {
                Some("part") => fs::remove_file(&path).map_err(told)?,
                Some("log") => {
                    let meta = fs::metadata(&path).map_err(told)?;
                    let key = path
                        .file_stem()
                        .and_then(|s| s.to_str())
                        .unwrap_or_default()
                        .to_owned();
                    kept.push((meta.modified().ok(), key, meta.len()));
                }
                _ => {}
            }
        }
        kept.sort();
        let mut table = HashMap::new();
        for (use_no, (_, key, bytes)) in kept.into_iter().enumerate() {
            let copy = Replica {
                complete: true,
                ..Replica::new(dir.join(&key))
            };
            table.insert(key, Arc::new(Slot::new(copy, use_no as u64, bytes)));
        }
        let spool = Self {
            dir,
            limits,
            uses: AtomicU64::new(table.len() as u64),
            table: Mutex::new(table),
            fetches: Semaphore::new(FETCHES),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            memory: super::source::Memory::default(),
        };
        // The limits may have become tighter.
        spool.make_room(0, None)?;
        Ok(spool)
    }

    /// The name of a file's copy.
    pub(super) fn key(parts: &[&str]) -> String {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
            hash.update([0]);
        }
        hex::encode(&hash.finalize()[..20])
    }

    /// Waits until nobody else is busy with the copy and takes it; an empty one if there was none.
    pub(super) async fn hold(&self, key: &str) -> Result<Held> {
        loop {
            // The lock must be gone before a new place is made.
            let known = self.table().get(key).cloned();
            let slot = match known {
                Some(slot) => slot,
                None => self.insert(key)?,
            };
            slot.used
                .store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
            let replica = slot.state.clone().lock_owned().await;
            if !replica.evicted {
                return Ok(Held { slot, replica });
            }
        }
    }

    fn insert(&self, key: &str) -> Result<Arc<Slot>> {
        self.make_room(0, None)?;
        let fresh = || Arc::new(Slot::new(Replica::new(self.dir.join(key)), 0, 0));
        Ok(self.table().entry(key.to_owned()).or_insert_with(fresh).clone())
    }

    /// Throws the least recently used copies away until `more` bytes fit, and books them for `but`.
    /// Copies somebody is busy with stay; when nothing else is left, there is no room.
    fn make_room(&self, more: u64, but: Option<&Arc<Slot>>) -> Result<()> {
        let mut table = self.table();
        let mut total: u64 = table
            .values()
            .map(|slot| slot.bytes.load(Ordering::Relaxed))
            .sum();
        let claim = || {
            if let Some(slot) = but {
                slot.bytes.fetch_add(more, Ordering::Relaxed);
            }
            Ok(())
        };
        if total + more <= self.limits.total && table.len() < self.limits.files {
            return claim();
        }
        let mut oldest: Vec<(u64, String)> = table
            .iter()
            .map(|(key, slot)| (slot.used.load(Ordering::Relaxed), key.clone()))
            .collect();
        oldest.sort();
        for (_, key) in oldest {
            let Some(slot) = table.get(&key).cloned() else {
                continue;
            };
            if but.is_some_and(|but| Arc::ptr_eq(but, &slot)) {
                continue;
            }
            let Ok(mut copy) = slot.state.try_lock() else {
                continue;
            };
            copy.evicted = true;
            copy.remove();
            drop(copy);
            total -= slot.bytes.load(Ordering::Relaxed);
            table.remove(&key);
            if total + more <= self.limits.total && table.len() < self.limits.files {
                return claim();
            }
        }
        Err(Code::DiskFull.into())
    }

    /// Adds bytes to a copy.
    pub(super) async fn append(&self, held: Held, bytes: Vec<u8>) -> Result<Held> {
        self.make_room(bytes.len() as u64, Some(&held.slot))?;
        held.work(move |copy| copy.append(&bytes)).await
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn new(copy: Replica, used: u64, bytes: u64) -> Self {
        Self {
            used: AtomicU64::new(used),
            bytes: AtomicU64::new(bytes),
            state: Arc::new(tokio::sync::Mutex::new(copy)),
        }
    }
}

impl Held {
    /// Does what needs the disk away from the async threads.
    async fn work(
        mut self,
        work: impl FnOnce(&mut Replica) -> io::Result<()> + Send + 'static,
    ) -> Result<Self> {
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut self.replica);
            self.slot
                .bytes
                .store(self.replica.index.bytes(), Ordering::Relaxed);
            (self, result)
        });
        let (held, result) = done.await.map_err(Error::internal)?;
        result.map_err(disk)?;
        Ok(held)
    }

    /// Whether all of the file is here for good; then it can be read.
    pub(super) async fn ready(mut self) -> Result<(Self, bool)> {
        if self.replica.complete && self.replica.file.is_none() {
            self = self.work(Replica::reopen).await?;
        }
        let complete = self.replica.complete;
        Ok((self, complete))
    }

    /// Whether it is complete and can be read at once.
    pub(super) fn is_done(&self) -> bool {
        self.replica.complete && self.replica.file.is_some()
    }

    /// Forgets what is here. Of the original the first `left_out` bytes will be missing.
    pub(super) async fn restart(self, left_out: u64) -> Result<Self> {
        let held = self
            .work(|copy| {
                copy.remove();
                Ok(())
            })
            .await?;
        if left_out == 0 {
            return Ok(held);
        }
        let notice = format!("[… {left_out} B …]\n");
        held.work(move |copy| {
            copy.append(notice.as_bytes())?;
            (copy.left_out, copy.notice) = (left_out, notice.len() as u64);
            Ok(())
        })
        .await
    }

    /// Says that all of the file is here and that it cannot change.
    pub(super) async fn complete(self) -> Result<Self> {
        self.work(Replica::finish).await
    }

    /// The file as it is now; `None` when nothing of it was ever here.
    pub(super) fn view(&self) -> Option<View> {
        let file = self.replica.file.clone()?;
        Some(View {
            file,
            index: self.replica.index.clone(),
        })
    }

    /// Whether the original was looked at within `age`.
    pub(super) fn is_fresh(&self, age: Duration) -> bool {
        self.replica.file.is_some() && self.replica.looked.is_some_and(|at| at.elapsed() < age)
    }

    /// How much of the original is here or left out for good.
    pub(super) fn have(&self) -> u64 {
        self.replica.left_out + self.replica.index.bytes() - self.replica.notice
    }

    /// How many bytes of the original's beginning are not here.
    pub(super) fn left_out(&self) -> u64 {
        self.replica.left_out
    }

    /// How many bytes of the original's end are here.
    pub(super) fn held_bytes(&self) -> u64 {
        self.replica.index.bytes() - self.replica.notice
    }
}

impl Replica {
    fn new(stem: PathBuf) -> Self {
        Self {
            stem,
            file: None,
            index: Arc::default(),
            complete: false,
            evicted: false,
            left_out: 0,
            notice: 0,
            looked: None,
            node: None,
            running: false,
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => {
                let path = self.stem.with_extension("part");
                let file = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)?;
                self.file.insert(Arc::new(file)).clone()
            }
        };
        // At the place the index knows: what an append that failed half-way left is written over.
        file.write_all_at(bytes, self.index.bytes())?;
        Arc::make_mut(&mut self.index).push(bytes);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        // An empty file is a file, too.
        self.append(b"")?;
        fs::rename(self.stem.with_extension("part"), self.stem.with_extension("log"))?;
        self.complete = true;
        self.node = None;
        self.running = false;
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<()> {
        let mut file = match File::open(self.stem.with_extension("log")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Somebody tidied up: it can be fetched again.
                self.complete = false;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut index = Index::default();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => index.push(&buffer[..read]),
            }
        }
        self.file = Some(Arc::new(file));
        self.index = Arc::new(index);
        Ok(())
    }

    /// Removes the file. Whoever reads it now keeps what it sees: a new copy is a new file.
    fn remove(&mut self) {
        for ending in ["part", "log"] {
            match fs::remove_file(self.stem.with_extension(ending)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(file = %self.stem.display(), %error, "a copy of a log could not be removed");
                }
                _ => {}
            }
        }
        self.file = None;
        self.index = Arc::default();
        self.complete = false;
        (self.left_out, self.notice) = (0, 0);
        self.looked = None;
    }
}

/// What is told when the console's disk does not do it.
pub(super) fn disk(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull.into(),
        _ => Error::internal(format!("log spool: {error}")),
    }
}
