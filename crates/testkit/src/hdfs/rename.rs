//! The two renames: the old one that only says yes or no, and rename2 that says why not.

use super::{
    HdfsError,
    tree::{Kind, Tree, name, parent},
};
use domain::Millis;

impl Tree {
    /// With `strict` a failure is an error; without, it is `Ok(false)`, and an existing directory
    /// takes the source inside.
    pub(crate) fn rename(
        &mut self,
        user: &str,
        from: &str,
        to: &str,
        strict: bool,
        overwrite: bool,
        now: Millis,
    ) -> Result<bool, HdfsError> {
        let outcome = self.try_rename(user, from, to, strict, overwrite, now);
        match outcome {
            Ok(()) => Ok(true),
            // A refusal for lack of rights is told by both.
            Err(error) if strict || error.class.contains("AccessControl") => Err(error),
            Err(_) => Ok(false),
        }
    }

    fn try_rename(
        &mut self,
        user: &str,
        from: &str,
        to: &str,
        strict: bool,
        overwrite: bool,
        now: Millis,
    ) -> Result<(), HdfsError> {
        let missing = || HdfsError::not_found(format!("rename source {from} is not found."));
        let source = self.find(user, from)?.ok_or_else(missing)?;
        let source_is_dir = source.is_dir();
        let mut to = to.trim_end_matches('/').to_owned();
        let target = self.find(user, &to)?;
        if !strict && target.is_some_and(|target| target.is_dir()) {
            to = format!("{to}/{}", name(from));
        }
        if from == to {
            return Err(HdfsError::exists(format!(
                "The source {from} and destination {to} are the same"
            )));
        }
        if to.starts_with(&format!("{from}/")) {
            return Err(HdfsError::io(format!(
                "Rename destination {to} is a directory or file under source {from}"
            )));
        }
        if let Some(target) = self.find(user, &to)? {
            if !overwrite {
                return Err(HdfsError::exists(format!(
                    "rename destination {to} already exists"
                )));
            }
            if target.is_dir() != source_is_dir {
                return Err(HdfsError::io(format!(
                    "Source {from} and destination {to} must both be directories or files"
                )));
            }
            if matches!(&target.kind, Kind::Dir(children) if !children.is_empty()) {
                return Err(HdfsError::io(format!(
                    "rename destination directory is not empty: {to}"
                )));
            }
        }
        match self.get(parent(&to)) {
            Some(directory) if directory.is_dir() => {}
            Some(_) => {
                return Err(HdfsError::not_a_directory(format!(
                    "rename destination parent {to} is a file."
                )));
            }
            None => {
                return Err(HdfsError::not_found(format!(
                    "rename destination parent {to} not found."
                )));
            }
        }
        self.require_change(user, from)?;
        self.require_change(user, &to)?;
        let inode = self.remove(from, now).ok_or_else(missing)?;
        if let Some(directory) = self.get_mut(parent(&to)) {
            directory.modified = now;
            if let Kind::Dir(children) = &mut directory.kind {
                children.insert(name(&to).to_owned(), inode);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_two_kinds_differ_in_how_they_fail() {
        let mut tree = Tree::new("hadoop", 1);
        tree.mkdirs("hadoop", "/a", 0o755, 1).unwrap();
        tree.mkdirs("hadoop", "/b", 0o755, 1).unwrap();
        tree.insert("hadoop", "/a/f", 0o644, Kind::Dir(BTreeMap::new()), 1);
        let strict = tree.rename("hadoop", "/a", "/b", true, false, 2);
        assert!(strict.unwrap_err().class.ends_with("FileAlreadyExistsException"));
        assert_eq!(tree.rename("hadoop", "/none", "/c", false, false, 2), Ok(false));
        assert_eq!(tree.rename("hadoop", "/a", "/b", false, false, 2), Ok(true));
        assert!(tree.get("/b/a/f").is_some(), "the old rename nests");
        assert!(tree.rename("hadoop", "/b", "/b/a/x", true, false, 2).is_err());
        let denied = tree.rename("team_a", "/b/a/f", "/b/a/g", false, false, 2);
        assert_eq!(denied.unwrap_err().status, 403);
    }
}
