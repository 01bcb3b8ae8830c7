//! Spark distributions, fetched when something asks for one: most work does without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{self, Need};
use crate::{Res, cache, fetch, run};

/// The versions jobs are tried on; the newest first.
pub(crate) const VERSIONS: [&str; 2] = ["4.3.0", "3.5.9"];

/// Where a version lies, or will.
pub(crate) fn place(version: &str) -> Res<PathBuf> {
    Ok(cache::dir("sandbox")?.join(format!("spark-{version}")))
}

/// A Spark home as the binary release has it: `jars/`, `python/lib/`, `conf/`.
pub(crate) fn spark(version: &str) -> Res<PathBuf> {
    if !VERSIONS.contains(&version) {
        return Err(format!("Spark {version} is not one of {}", VERSIONS.join(", ")));
    }
    let home = place(version)?;
    let manifest = cache::checkout().join(format!("sandbox/spark-{version}.sha256"));
    let stamp = home.join("verified.sha256");
    let wanted = cache::read(&manifest)?;
    let fetched = || fs::read_to_string(&stamp).is_ok_and(|seen| seen == wanted);
    if !fetched() {
        let _lock = cache::lock("fetch-spark")?;
        if !fetched() {
            unpack(&home, version, &manifest)?;
            cache::write(&stamp, &wanted)?;
        }
    }
    // The sandbox has one small node.
    cache::write(
        &home.join("conf/spark-defaults.conf"),
        "# Memory that fits the sandbox; jobs may ask for more.\n\
         spark.sql.shuffle.partitions 2\n",
    )?;
    Ok(home)
}

fn unpack(home: &Path, version: &str, manifest: &Path) -> Res<()> {
    let downloads = cache::dir("downloads")?;
    let archive = downloads.join(format!("pyspark-{version}.tar.gz"));
    if fetch::verify(&downloads, manifest).is_err() {
        tools::system(&[Need::Pip])?;
        let mut pip = fetch::pip(&downloads);
        pip.args(["--no-binary", ":all:"])
            .arg(format!("pyspark=={version}"));
        run::quiet(
            &format!("fetching Spark {version} (up to 460 MB)"),
            "fetch-spark",
            &mut pip,
        )?;
        fetch::verify(&downloads, manifest)?;
    }
    let unpacked = home.with_extension("partial");
    cache::remove_dir(&unpacked)?;
    fs::create_dir_all(&unpacked).map_err(|e| format!("cannot create {}: {e}", unpacked.display()))?;
    let top = format!("pyspark-{version}");
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(&unpacked);
    tar.args(["--no-wildcards-match-slash", "--wildcards"]);
    // The package has the parts of a release in other places.
    for rule in [
        format!("s,^{top}/deps/jars,jars,"),
        format!("s,^{top}/lib,python/lib,"),
    ] {
        tar.arg(format!("--transform={rule}"));
    }
    tar.arg(format!("{top}/deps/jars/*.jar"))
        .arg(format!("{top}/lib/*.zip"));
    run::quiet("unpacking Spark", "unpack-spark", &mut tar)?;
    cache::remove_dir(home)?;
    fs::rename(&unpacked, home).map_err(|e| format!("cannot move Spark into place: {e}"))?;
    let _ = fs::remove_file(archive);
    Ok(())
}
