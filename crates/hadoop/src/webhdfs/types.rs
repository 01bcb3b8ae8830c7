use crate::lenient::{Listing, int, opt_int, text};
use serde::{Deserialize, Serialize};

/// Permission bits such as `0o750`.
pub type Mode = u16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FileKind {
    File,
    Directory,
    Symlink,
}

/// What the NameNode knows about a file or directory. Times are epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileStatus {
    /// Name below the listed directory; empty for the thing asked for itself.
    #[serde(default, deserialize_with = "text")]
    pub path_suffix: String,
    #[serde(rename = "type")]
    pub kind: FileKind,
    #[serde(deserialize_with = "int")]
    pub length: u64,
    #[serde(deserialize_with = "int")]
    pub modification_time: i64,
    #[serde(default, deserialize_with = "int")]
    pub access_time: i64,
    #[serde(default, deserialize_with = "text")]
    pub owner: String,
    #[serde(default, deserialize_with = "text")]
    pub group: String,
    /// Octal, as text.
    #[serde(default, deserialize_with = "text")]
    pub permission: String,
    #[serde(default, deserialize_with = "opt_int")]
    pub children_num: Option<u64>,
}

impl FileStatus {
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    pub fn mode(&self) -> Mode {
        Mode::from_str_radix(&self.permission, 8).unwrap_or(0)
    }
}

/// One page of a large directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub entries: Listing<FileStatus>,
    /// Give the last entry's name as `after` to read on.
    pub more: bool,
}

/// Comparable only between files written with the same block and chunk sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    pub algorithm: String,
    /// Hex.
    pub bytes: String,
    #[serde(default, deserialize_with = "int")]
    pub length: u64,
}

/// Size of a directory with everything below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentSummary {
    #[serde(deserialize_with = "int")]
    pub length: u64,
    #[serde(deserialize_with = "int")]
    pub file_count: u64,
    #[serde(deserialize_with = "int")]
    pub directory_count: u64,
    /// With replicas.
    #[serde(default, deserialize_with = "int")]
    pub space_consumed: u64,
    /// -1: none.
    #[serde(default, deserialize_with = "int")]
    pub quota: i64,
    #[serde(default, deserialize_with = "int")]
    pub space_quota: i64,
}

/// How a new file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateOptions {
    pub permission: Mode,
    /// Replaces an existing file; otherwise that is [`Error::AlreadyExists`].
    pub overwrite: bool,
}
