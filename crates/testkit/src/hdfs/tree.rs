//! Inodes with owners and permissions.

use super::HdfsError;
use bytes::Bytes;
use domain::Millis;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) enum Kind {
    Dir(BTreeMap<String, Inode>),
    File(Content),
}

#[derive(Clone)]
pub(crate) struct Content {
    pub(crate) length: u64,
    pub(crate) sha256: String,
    /// Absent when the file was too long to keep.
    pub(crate) bytes: Option<Bytes>,
}

pub(crate) struct Inode {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) group: String,
    pub(crate) mode: u16,
    pub(crate) modified: Millis,
    pub(crate) accessed: Millis,
    pub(crate) kind: Kind,
}

impl Inode {
    pub(crate) fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir(_))
    }

    pub(crate) fn length(&self) -> u64 {
        match &self.kind {
            Kind::File(content) => content.length,
            Kind::Dir(_) => 0,
        }
    }

    /// (bytes, files, directories) of everything from here down.
    pub(crate) fn summary(&self) -> (u64, u64, u64) {
        match &self.kind {
            Kind::File(content) => (content.length, 1, 0),
            Kind::Dir(children) => children.values().fold((0, 0, 1), |sum, child| {
                let (bytes, files, dirs) = child.summary();
                (sum.0 + bytes, sum.1 + files, sum.2 + dirs)
            }),
        }
    }

    pub(crate) fn status(&self, suffix: &str) -> Value {
        let (kind, children, block, replication) = match &self.kind {
            Kind::Dir(children) => ("DIRECTORY", children.len(), 0, 0),
            Kind::File(_) => ("FILE", 0, 134_217_728, 1),
        };
        json!({
            "accessTime": self.accessed, "blockSize": block, "childrenNum": children, "fileId": self.id,
            "group": self.group, "length": self.length(), "modificationTime": self.modified,
            "owner": self.owner, "pathSuffix": suffix, "permission": format!("{:o}", self.mode),
            "replication": replication, "storagePolicy": 0, "type": kind,
        })
    }

    /// The line a refusal shows, such as `penstock:hadoop:drwxr-xr-x`.
    fn describe(&self) -> String {
        let mut bits = String::new();
        for shift in [6, 3, 0] {
            for (bit, c) in [(4, 'r'), (2, 'w'), (1, 'x')] {
                bits.push(if self.mode >> shift & bit != 0 { c } else { '-' });
            }
        }
        if self.mode & 0o1000 != 0 {
            bits.pop();
            bits.push(if self.mode & 1 != 0 { 't' } else { 'T' });
        }
        let kind = if self.is_dir() { 'd' } else { '-' };
        format!("{}:{}:{kind}{bits}", self.owner, self.group)
    }

    fn allows(&self, user: &str, want: u16) -> bool {
        let shift = if self.owner == user {
            6
        } else if self.group == user {
            3
        } else {
            0
        };
        self.mode >> shift & want == want
    }
}

/// A path's names; refuses what is not an absolute path.
pub(crate) fn parts(path: &str) -> Result<Vec<&str>, HdfsError> {
    let bad = || HdfsError::argument(format!("Invalid path name {path}"));
    let inside = path.strip_prefix('/').ok_or_else(bad)?;
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    if inside.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<_> = inside.split('/').collect();
    if parts
        .iter()
        .any(|part| matches!(*part, "" | "." | "..") || part.contains([':', '\0']))
    {
        return Err(bad());
    }
    Ok(parts)
}

pub(crate) struct Tree {
    pub(crate) root: Inode,
    pub(crate) superuser: String,
    next_id: u64,
}

pub(crate) const READ: u16 = 4;
pub(crate) const WRITE: u16 = 2;
pub(crate) const EXECUTE: u16 = 1;

impl Tree {
    pub(crate) fn new(superuser: &str, now: Millis) -> Self {
        let root = Inode {
            id: 16_385,
            owner: superuser.to_owned(),
            group: superuser.to_owned(),
            mode: 0o755,
            modified: now,
            accessed: 0,
            kind: Kind::Dir(BTreeMap::new()),
        };
        Self {
            root,
            superuser: superuser.to_owned(),
            next_id: 16_386,
        }
    }

    /// The inode, without looking at permissions.
    pub(crate) fn get(&self, path: &str) -> Option<&Inode> {
        let mut at = &self.root;
        for part in parts(path).ok()? {
            match &at.kind {
                Kind::Dir(children) => at = children.get(part)?,
                Kind::File(_) => return None,
            }
        }
        Some(at)
    }

    pub(crate) fn get_mut(&mut self, path: &str) -> Option<&mut Inode> {
        let mut at = &mut self.root;
        for part in parts(path).ok()? {
            match &mut at.kind {
                Kind::Dir(children) => at = children.get_mut(part)?,
                Kind::File(_) => return None,
            }
        }
        Some(at)
    }

    /// Walks to `path` as `user`; every directory on the way needs its x bit.
    pub(crate) fn find(&self, user: &str, path: &str) -> Result<Option<&Inode>, HdfsError> {
        let mut at = &self.root;
        let mut walked = String::new();
        for part in parts(path)? {
            let Kind::Dir(children) = &at.kind else {
                return Err(HdfsError::not_a_directory(format!(
                    "{walked} (is not a directory)"
                )));
            };
            self.require(user, at, or_root(&walked), EXECUTE)?;
            match children.get(part) {
                Some(child) => at = child,
                None => return Ok(None),
            }
            walked = format!("{walked}/{part}");
        }
        Ok(Some(at))
    }

    pub(crate) fn require(&self, user: &str, inode: &Inode, path: &str, want: u16) -> Result<(), HdfsError> {
        if user == self.superuser || inode.allows(user, want) {
            return Ok(());
        }
        let word = [
            "",
            "EXECUTE",
            "WRITE",
            "WRITE_EXECUTE",
            "READ",
            "READ_EXECUTE",
            "READ_WRITE",
            "ALL",
        ];
        let what = inode.describe();
        Err(HdfsError::denied(format!(
            "Permission denied: user={user}, access={}, inode=\"{path}\":{what}",
            word[usize::from(want & 7)]
        )))
    }

    /// Entering or leaving a directory: write on it, and the sticky bit for what leaves.
    pub(crate) fn require_change(&self, user: &str, path: &str) -> Result<(), HdfsError> {
        let parent = parent(path);
        let (Some(directory), child) = (self.get(parent), self.get(path)) else {
            return Ok(());
        };
        self.require(user, directory, parent, WRITE)?;
        let Some(child) = child else { return Ok(()) };
        let sticky = directory.mode & 0o1000 != 0;
        if sticky && user != self.superuser && user != child.owner && user != directory.owner {
            let (what, inside) = (child.describe(), directory.describe());
            return Err(HdfsError::denied(format!(
                "Permission denied by sticky bit: user={user}, path=\"{path}\":{what}, parent=\"{parent}\":{inside}"
            )));
        }
        Ok(())
    }

    /// Creates missing directories, every one of them with `mode`, as the NameNode does.
    pub(crate) fn mkdirs(&mut self, user: &str, path: &str, mode: u16, now: Millis) -> Result<(), HdfsError> {
        match self.find(user, path)? {
            Some(inode) if inode.is_dir() => return Ok(()),
            Some(_) => return Err(HdfsError::exists(format!("Path is not a directory: {path}"))),
            None => {}
        }
        let names: Vec<String> = parts(path)?.into_iter().map(str::to_owned).collect();
        let mut walked = String::new();
        for name in names {
            let next = format!("{walked}/{name}");
            if self.get(&next).is_none() {
                self.require_change(user, &next)?;
                self.insert(user, &next, mode & 0o1777, Kind::Dir(BTreeMap::new()), now);
            }
            walked = next;
        }
        Ok(())
    }

    /// Puts a new inode at a path whose parent exists; gives its id. The group is the parent's.
    pub(crate) fn insert(&mut self, owner: &str, path: &str, mode: u16, kind: Kind, now: Millis) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let Some(directory) = self.get_mut(parent(path)) else {
            return id;
        };
        let inode = Inode {
            id,
            owner: owner.to_owned(),
            group: directory.group.clone(),
            mode,
            modified: now,
            accessed: if matches!(kind, Kind::Dir(_)) { 0 } else { now },
            kind,
        };
        directory.modified = now;
        if let Kind::Dir(children) = &mut directory.kind {
            children.insert(name(path).to_owned(), inode);
        }
        id
    }

    /// Takes what is at `path` out of the tree, without looking at permissions.
    pub(crate) fn remove(&mut self, path: &str, now: Millis) -> Option<Inode> {
        let directory = self.get_mut(parent(path))?;
        let Kind::Dir(children) = &mut directory.kind else {
            return None;
        };
        let removed = children.remove(name(path));
        if removed.is_some() {
            directory.modified = now;
        }
        removed
    }

    /// Every file and directory below `path` with its full path.
    pub(crate) fn below<'t>(&'t self, path: &str) -> Vec<(String, &'t Inode)> {
        fn collect<'t>(path: &str, inode: &'t Inode, out: &mut Vec<(String, &'t Inode)>) {
            if let Kind::Dir(children) = &inode.kind {
                for (name, child) in children {
                    let path = format!("{}/{name}", path.trim_end_matches('/'));
                    collect(&path, child, out);
                    out.push((path, child));
                }
            }
        }
        let mut out = Vec::new();
        if let Some(inode) = self.get(path) {
            collect(path, inode, &mut out);
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        out
    }
}

/// The directory a path lies in; the root's is itself.
pub(crate) fn parent(path: &str) -> &str {
    or_root(
        path.trim_end_matches('/')
            .rsplit_once('/')
            .map_or("", |(parent, _)| parent),
    )
}

pub(crate) fn name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}
