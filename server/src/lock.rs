//! One process per data directory, by a lock the operating system drops when the process dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The held lock; dropping it frees the directory.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "another penstock (process {pid}) uses {dir}; stop it first, or give this one another server.data_dir"
    )]
    Held { pid: String, dir: PathBuf },
    #[error("cannot use {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}

impl Lock {
    /// Takes the lock of a data directory, which is made when it is missing.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it.
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| LockError::Io { path, source }
        };
        make_private_dir(data_dir).map_err(io(data_dir))?;
        let path = data_dir.join("penstock.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let known = (&file).take(20).read_to_string(&mut pid).is_ok();
                let pid = pid.trim();
                return Err(LockError::Held {
                    pid: if known && !pid.is_empty() { pid } else { "?" }.to_owned(),
                    dir: data_dir.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(LockError::Io { path, source }),
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()))
            .map_err(io(&path))?;
        Ok(Self { _file: file })
    }
}

/// Makes a directory that only its owner can enter; an existing one stays as it is.
fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("new");
        let lock = Lock::take(&data).unwrap();
        let error = Lock::take(&data).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(lock);
        Lock::take(&data).unwrap();
    }
}
