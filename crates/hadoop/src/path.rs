//! Absolute HDFS paths that are safe to put into a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Everything but what RFC 3986 allows unescaped in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b'@');

const WHOLE: &AsciiSet = &SEGMENT.remove(b'/');

/// Longest path and longest name of a path that HDFS takes by default.
const MAX_PATH: usize = 8000;
const MAX_NAME: usize = 255;

/// Why a text is not an [`HdfsPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the path must start with /")]
    Relative,
    #[error("the path must not contain . or .. as a name")]
    Dots,
    #[error("the path must not contain an empty name")]
    EmptyName,
    #[error("the path contains a character that is not allowed")]
    Character,
    #[error("the path is too long")]
    TooLong,
}

/// An absolute path: no empty, `.` or `..` names, no control characters, and none of `:` (HDFS
/// refuses it), `%` and `\` (somebody would decode them once more).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HdfsPath(String);

impl HdfsPath {
    pub fn new(text: &str) -> Result<Self, PathError> {
        let rest = text.strip_prefix('/').ok_or(PathError::Relative)?;
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong);
        }
        if rest.is_empty() {
            return Ok(Self("/".into()));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        for name in rest.split('/') {
            check_name(name)?;
        }
        Ok(Self(format!("/{rest}")))
    }

    pub fn root() -> Self {
        Self("/".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// This path with more names behind it; `below` is relative and may hold `/`.
    pub fn join(&self, below: &str) -> Result<Self, PathError> {
        if below.is_empty() || below.starts_with('/') {
            return Err(PathError::EmptyName);
        }
        let base = if self.is_root() { "" } else { &self.0 };
        Self::new(&format!("{base}/{below}"))
    }

    /// The directory it lies in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let at = self.0.rfind('/').filter(|_| !self.is_root())?;
        Some(if at == 0 {
            Self::root()
        } else {
            Self(self.0[..at].to_owned())
        })
    }

    /// The last name; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is `dir` or lies below it.
    pub fn starts_with(&self, dir: &HdfsPath) -> bool {
        dir.is_root()
            || self
                .0
                .strip_prefix(&dir.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path percent-encoded name by name.
    pub fn encoded(&self) -> String {
        utf8_percent_encode(&self.0, WHOLE).to_string()
    }

    /// The path on a file system such as `hdfs://ns1`, as Java's `URI` reads it.
    pub fn to_uri(&self, file_system: &str) -> String {
        format!("{}{}", file_system.trim_end_matches('/'), self.encoded())
    }

    /// The path, not encoded, on a file system, as Hadoop's `Path(String)` reads it.
    pub fn to_hadoop(&self, file_system: &str) -> String {
        format!("{}{}", file_system.trim_end_matches('/'), self.0)
    }
}

/// Whether `name` can be one name of a path.
pub fn check_name(name: &str) -> Result<(), PathError> {
    if name.is_empty() {
        return Err(PathError::EmptyName);
    }
    if name == "." || name == ".." {
        return Err(PathError::Dots);
    }
    if name.len() > MAX_NAME {
        return Err(PathError::TooLong);
    }
    if name
        .chars()
        .any(|c| c.is_control() || matches!(c, ':' | '%' | '\\' | '/' | '\u{2028}' | '\u{2029}'))
    {
        return Err(PathError::Character);
    }
    Ok(())
}

/// Encodes one name of a URL path that is not a path of HDFS (log files, settings).
pub(crate) fn encode_segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

impl fmt::Display for HdfsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HdfsPath {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl TryFrom<String> for HdfsPath {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(&text)
    }
}

impl From<HdfsPath> for String {
    fn from(path: HdfsPath) -> String {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_leave_a_directory() {
        for bad in [
            "",
            "a",
            "../a",
            "/..",
            "/a/../b",
            "/a/./b",
            "//a",
            "/a//b",
            "/a\0b",
            "/a\nb",
            "/a\u{7f}",
            "/a%2e%2e/b",
            "/%2e%2e%2fetc",
            "hdfs://nn/a",
            "file:///etc/passwd",
            "/a:b",
            "/a\\..\\b",
            "/a\u{85}b",
            "/..//",
            "/a/..",
        ] {
            assert!(HdfsPath::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            HdfsPath::new(&format!("/{}", "n".repeat(256))),
            Err(PathError::TooLong)
        );
        assert!(HdfsPath::new(&format!("/{}", "n".repeat(255))).is_ok());
    }

    #[test]
    fn joins_and_splits() {
        let root = HdfsPath::root();
        let a = root.join("a").unwrap();
        assert_eq!(a.as_str(), "/a");
        assert_eq!(a.parent(), Some(root.clone()));
        assert_eq!(root.parent(), None);
        let b = a.join("b c/d+e").unwrap();
        assert_eq!(b.encoded(), "/a/b%20c/d+e");
        assert_eq!(b.to_uri("hdfs://ns1/"), "hdfs://ns1/a/b%20c/d+e");
        assert_eq!(b.name(), "d+e");
        assert!(b.starts_with(&a) && b.starts_with(&root) && !b.starts_with(&root.join("a/b").unwrap()));
        assert!(a.join("/etc").is_err() && a.join("../x").is_err() && a.join("").is_err());
        assert_eq!(HdfsPath::new("/a/").unwrap(), a);
        assert_eq!(HdfsPath::new("/ä/…?").unwrap().encoded(), "/%C3%A4/%E2%80%A6%3F");
    }
}
