//! What of a snapshot lies on a cluster: most files by themselves, a Spark distribution's jars as one
//! archive, since a node would fetch hundreds of files for every container.

use super::put::{Content, Piece};
use crate::{Error, Result, clusters::Connection};
use domain::environment::{ManifestFile, Snapshot};
use hadoop::HdfsPath;
use spark::zip::{self, Layout};
use std::{
    path::Path,
    sync::{Arc, atomic::AtomicI64},
};

/// Something that is sent as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Name of the file on the cluster; it follows from the content.
    pub name: String,
    pub size: u64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    File(ManifestFile),
    Archive(Layout, Vec<ManifestFile>),
}

impl Part {
    pub(crate) fn file(file: &ManifestFile) -> Self {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        Self {
            name: format!("{}-{name}", &file.sha256[..16]),
            size: file.size.unsigned_abs(),
            what: What::File(file.clone()),
        }
    }

    fn archive(files: Vec<ManifestFile>) -> Result<Self> {
        let entries: Vec<zip::Entry> = files
            .iter()
            .map(|file| zip::Entry {
                name: file.path.rsplit('/').next().unwrap_or(&file.path).to_owned(),
                size: file.size.unsigned_abs(),
                crc32: file.crc32.unwrap_or_default(),
                sha256: file.sha256.clone(),
            })
            .collect();
        let layout = Layout::new(&entries)?;
        Ok(Self {
            name: format!("{}-jars.zip", &layout.id[..32]),
            size: layout.length,
            what: What::Archive(layout, files),
        })
    }

    /// Path below the distribution, of a file; an archive has none.
    pub(crate) fn path(&self) -> Option<&str> {
        match &self.what {
            What::File(file) => Some(&file.path),
            What::Archive(..) => None,
        }
    }

    /// Where it lies below the cluster's root.
    pub(crate) fn place(&self, connection: &Connection, environment: &str) -> Result<HdfsPath> {
        connection
            .root
            .join(&format!("environments/{environment}/files/{}", self.name))
            .map_err(Error::internal)
    }

    /// Its bytes, read from the distribution; `sent` counts along.
    pub(super) fn content(&self, directory: &str, sent: Arc<AtomicI64>) -> Content {
        let local = |file: &ManifestFile| Piece::File {
            path: Path::new(directory).join(&file.path),
            sha256: file.sha256.clone(),
        };
        let pieces = match &self.what {
            What::File(file) => vec![local(file)],
            What::Archive(layout, files) => layout
                .pieces
                .iter()
                .filter_map(|piece| match piece {
                    zip::Piece::Bytes(bytes) => Some(Piece::Bytes(bytes.clone().into())),
                    zip::Piece::Entry(at) => files.get(*at).map(local),
                })
                .collect(),
        };
        Content::Pieces(pieces, sent)
    }
}

/// What of a snapshot lies on a cluster, each once.
pub(crate) fn parts(snapshot: &Snapshot) -> Result<Vec<Part>> {
    let (archived, plain): (Vec<_>, Vec<_>) = snapshot.files.iter().partition(|file| file.crc32.is_some());
    let mut parts: Vec<Part> = plain.into_iter().map(Part::file).collect();
    // Two paths with one content lie at one place.
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    parts.dedup_by(|a, b| a.name == b.name);
    if !archived.is_empty() {
        parts.push(Part::archive(archived.into_iter().cloned().collect())?);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, byte: char, crc32: Option<u32>) -> ManifestFile {
        ManifestFile {
            path: path.into(),
            sha256: byte.to_string().repeat(64),
            size: 3,
            crc32,
        }
    }

    #[test]
    fn jars_of_spark_are_one_archive_named_by_what_is_in_it() {
        let snapshot = |byte| Snapshot {
            environment: domain::id::EnvironmentId::from_ulid("00000000000000000000000001").unwrap(),
            number: 1,
            files: vec![
                file("jars/a.jar", byte, Some(1)),
                file("jars/b.jar", 'b', Some(2)),
                file("python/lib/pyspark.zip", 'c', None),
            ],
            defaults: vec![],
            created_by_name: String::new(),
            created_at: 0,
            reason: None,
        };
        let all = parts(&snapshot('a')).unwrap();
        let names: Vec<_> = all.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names[0], "cccccccccccccccc-pyspark.zip");
        assert!(all[1].path().is_none() && all.len() == 2 && all[1].size > 6);
        assert_ne!(parts(&snapshot('d')).unwrap()[1].name, names[1]);
        let Content::Pieces(pieces, _) = all[1].content("/opt", Arc::default()) else {
            panic!("an archive is sent in pieces");
        };
        assert_eq!(pieces.len(), 5);
    }

    #[test]
    fn one_content_under_two_paths_lies_at_one_place() {
        let mut snapshot = Snapshot {
            environment: domain::id::EnvironmentId::from_ulid("00000000000000000000000001").unwrap(),
            number: 1,
            files: vec![file("lib/a.jar", 'a', None), file("plugins/x/a.jar", 'a', None)],
            defaults: vec![],
            created_by_name: String::new(),
            created_at: 0,
            reason: None,
        };
        assert_eq!(parts(&snapshot).unwrap().len(), 1);
        snapshot.files.push(file("plugins/x/b.jar", 'a', None));
        assert_eq!(parts(&snapshot).unwrap().len(), 2);
    }
}
