//! Where things are: the cache outside the checkout, and the checkout itself.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::{Res, run};

/// `$PENSTOCK_CACHE`, or `~/.cache/penstock`.
pub(crate) fn root() -> Res<PathBuf> {
    if let Some(dir) = std::env::var_os("PENSTOCK_CACHE").filter(|dir| !dir.is_empty()) {
        return Ok(PathBuf::from(dir));
    }
    let home = std::env::var_os("HOME").ok_or("neither PENSTOCK_CACHE nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache/penstock"))
}

/// A directory of the cache, created if need be.
pub(crate) fn dir(name: &str) -> Res<PathBuf> {
    let dir = root()?.join(name);
    fs::create_dir_all(&dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))?;
    Ok(dir)
}

/// The top of the checkout this tool was started in; cargo says which, since the program itself
/// may have been built in another checkout with the same target directory.
pub(crate) fn checkout() -> &'static Path {
    static CHECKOUT: OnceLock<PathBuf> = OnceLock::new();
    CHECKOUT.get_or_init(|| {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR");
        let manifest = manifest.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        manifest.parent().map(Path::to_path_buf).unwrap_or(manifest)
    })
}

/// Holds `<cache>/locks/<name>` until dropped; a second xtask waits here instead of doing the same work.
pub(crate) fn lock(name: &str) -> Res<File> {
    let path = dir("locks")?.join(name);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|e| format!("cannot open {}: {e}", path.display()))?;
    if file.try_lock().is_err() {
        run::say(&format!("another xtask is busy with \"{name}\"; waiting for it"));
        file.lock()
            .map_err(|e| format!("cannot lock {}: {e}", path.display()))?;
    }
    Ok(file)
}

pub(crate) fn read(path: &Path) -> Res<String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// Writes only when the content differs, so that time stamps tell when something changed.
pub(crate) fn write(path: &Path, content: &str) -> Res<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| format!("cannot create {}: {e}", parent.display()))?;
    }
    fs::write(path, content).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

pub(crate) fn remove_dir(path: &Path) -> Res<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {e}", path.display()))
        }
        _ => Ok(()),
    }
}
