//! Files on HDFS a job names.

use crate::{Code, Failure, validate};

/// A file on the cluster, and what it is called where the job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedFile<'a> {
    /// Absolute, `/data/a.csv`, or with the file system, `hdfs://nn:8020/data/a.csv`.
    pub path: &'a str,
    pub name: &'a str,
}

impl<'a> NamedFile<'a> {
    /// Reads `<path>` or `<path>#<name>`; without a name it is the path's last part.
    ///
    /// # Errors
    /// [`Code::FieldInvalid`], [`Code::FieldCharacters`], [`Code::FieldTooLong`].
    pub fn parse(text: &'a str) -> Result<Self, Failure> {
        validate::line("path", text, 1000)?;
        let unusable = || Failure::new(Code::FieldInvalid).with("reason", "/data/a.csv#a.csv");
        let (path, name) = match text.split_once('#') {
            Some((path, name)) => (path, name),
            None => (text, text.rsplit('/').next().unwrap_or_default()),
        };
        let below = match path.strip_prefix("hdfs://") {
            Some(rest) => &rest[rest.find('/').ok_or_else(unusable)?..],
            None => path,
        };
        if let Some(bad) = text.chars().find(|c| is_harmful(*c)) {
            return Err(Failure::new(Code::FieldCharacters).with("character", bad));
        }
        let parts = || below.split('/').skip(1);
        let dotted = |part: &str| part == "." || part == "..";
        if !below.starts_with('/') || below.ends_with('/') || parts().any(dotted) {
            return Err(unusable());
        }
        if name.is_empty() || name.len() > 200 || name.contains(['/', '#']) || name.starts_with('.') {
            return Err(unusable());
        }
        Ok(Self { path, name })
    }
}

/// Characters that end a field in a class path, a list of files or the node's script.
fn is_harmful(c: char) -> bool {
    c.is_whitespace() || "'\"`$\\;{}<>*?|&,%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_its_link() {
        let parse = |text| NamedFile::parse(text).map(|file| (file.path, file.name));
        assert_eq!(parse("/data/a.csv"), Ok(("/data/a.csv", "a.csv")));
        assert_eq!(parse("/data/a.csv#b"), Ok(("/data/a.csv", "b")));
        assert_eq!(
            parse("hdfs://nn:8020/d/x.zip#env"),
            Ok(("hdfs://nn:8020/d/x.zip", "env"))
        );
        for bad in [
            "",
            "a.csv",
            "/",
            "/data/",
            "/a#",
            "/a#b/c",
            "/a#.b",
            "/../a",
            "/a b",
            "/a,b",
            "hdfs://nn",
            "file:///a",
            "/a\n",
            "/$(x)",
            "/a#b#c",
        ] {
            assert!(NamedFile::parse(bad).is_err(), "{bad:?}");
        }
    }
}
