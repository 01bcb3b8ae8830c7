//! Reads an engine distribution on the console host: which files it has, and their hashes.

use domain::{Code, Engine, Failure, environment::ManifestFile};
use flink::distribution::CONFIGURATION_PATHS;
use sha2::{Digest, Sha256};
use spark::{distribution, zip::Crc32};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// Directories of a distribution that jobs need.
const FLINK_PARTS: [&str; 3] = ["lib", "plugins", "conf"];
const SPARK_PARTS: [&str; 2] = ["jars", "python/lib"];
/// Files of Flink's `conf` that go with a job; the rest is the distribution's own.
const CONF_FILES: [&str; 1] = ["log4j.properties"];
/// Limits of one distribution.
const MAX_FILES: usize = 2_000;
const MAX_DEPTH: usize = 6;
const MAX_CONF: usize = 1024 * 1024;
const MAX_BYTES: u64 = 8 * 1024 * 1024 * 1024;

/// A distribution as found.
pub(crate) struct Found {
    pub engine: Engine,
    pub files: Vec<ManifestFile>,
    /// Path and text of the configuration file that the engine would read.
    pub conf: Option<(String, String)>,
}

/// Whose distribution it is, by the jar that makes it one.
fn engine(home: &Path) -> Result<Engine, Failure> {
    let holds = |dir: &str, prefix: &str| {
        let entries = fs::read_dir(home.join(dir)).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with(prefix))
    };
    match (holds("lib", "flink-dist"), holds("jars", "spark-core_")) {
        (true, false) => Ok(Engine::Flink),
        (false, true) => Ok(Engine::Spark),
        (true, true) => Err(incomplete(
            home,
            "lib/flink-dist-….jar and jars/spark-core_….jar are both there",
        )),
        (false, false) => Err(incomplete(
            home,
            "neither lib/flink-dist-….jar nor jars/spark-core_….jar is there",
        )),
    }
}

/// The canonical form of `path` when it lies below one of `allowed`.
///
/// # Errors
/// [`Code::DirectoryUnreadable`] when it does not exist, [`Code::DirectoryNotAllowed`] when it lies elsewhere.
pub(crate) fn allowed(path: &str, allowed: &[PathBuf]) -> Result<PathBuf, Failure> {
    let refused = || {
        let list: Vec<_> = allowed.iter().map(|dir| dir.display().to_string()).collect();
        let list = if list.is_empty() {
            "-".to_owned()
        } else {
            list.join(", ")
        };
        Failure::new(Code::DirectoryNotAllowed)
            .with("path", path)
            .with("allowed", list)
    };
    if !Path::new(path).is_absolute() {
        return Err(refused());
    }
    // Compared before the disk is asked, so that nobody learns what exists elsewhere.
    let lexical = Path::new(path)
        .components()
        .all(|part| !matches!(part, std::path::Component::ParentDir));
    let roots: Vec<PathBuf> = allowed.iter().filter_map(|dir| dir.canonicalize().ok()).collect();
    if !lexical
        || !allowed
            .iter()
            .chain(&roots)
            .any(|root| Path::new(path).starts_with(root))
    {
        return Err(refused());
    }
    let real = Path::new(path).canonicalize().map_err(|e| unreadable(path, &e))?;
    if roots.iter().any(|root| real.starts_with(root)) {
        Ok(real)
    } else {
        Err(refused())
    }
}

fn unreadable(path: impl std::fmt::Display, error: &std::io::Error) -> Failure {
    Failure::new(Code::DirectoryUnreadable)
        .with("path", path)
        .with("reason", error.kind())
}

/// Lists and hashes a distribution. Blocks; call it where blocking is allowed.
///
/// # Errors
/// A file that cannot be read, that a link leads out of the directory, or that has an unusable name.
pub(crate) fn scan(home: &Path) -> Result<Found, Failure> {
    let engine = engine(home)?;
    let (parts, configurations): (&[&str], &[&str]) = match engine {
        Engine::Flink => (&FLINK_PARTS, &CONFIGURATION_PATHS),
        Engine::Spark => (&SPARK_PARTS, &[distribution::DEFAULTS_PATH]),
    };
    let mut files = BTreeMap::new();
    for part in parts {
        let dir = home.join(part);
        if dir.is_dir() {
            walk(home, &dir, part, 0, &mut files)?;
        }
    }
    if engine == Engine::Spark {
        // Clients and shells stay at home.
        files.retain(|path, _| distribution::archived(path).is_some() || distribution::is_placed(path));
    }
    let mut bytes = 0;
    let mut manifest = Vec::with_capacity(files.len());
    for (path, real) in files {
        let (sha256, size, crc32) = sums(&real)?;
        bytes += size;
        if bytes > MAX_BYTES {
            return Err(incomplete(home, "it is larger than 8 GiB"));
        }
        manifest.push(ManifestFile {
            sha256,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            crc32: (engine == Engine::Spark && distribution::archived(&path).is_some()).then_some(crc32),
            path,
        });
    }
    let conf = configurations.iter().find_map(|path| {
        let text = fs::read(home.join(path)).ok()?;
        (text.len() <= MAX_CONF).then(|| ((*path).to_owned(), String::from_utf8_lossy(&text).into_owned()))
    });
    Ok(Found {
        engine,
        files: manifest,
        conf,
    })
}

fn incomplete(home: &Path, reason: &str) -> Failure {
    Failure::new(Code::EnvironmentIncomplete)
        .with("path", home.display())
        .with("reason", reason)
}

fn walk(
    home: &Path,
    dir: &Path,
    below: &str,
    depth: usize,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(incomplete(home, "its directories are nested too deep"));
    }
    for entry in fs::read_dir(dir).map_err(|e| unreadable(dir.display(), &e))? {
        let entry = entry.map_err(|e| unreadable(dir.display(), &e))?;
        let name = entry.file_name();
        let usable = name.to_str().filter(|n| {
            n.len() <= 200
                && n.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b))
        });
        let Some(name) = usable else {
            return Err(incomplete(
                home,
                &format!("{:?} is not a usable file name", name.to_string_lossy()),
            ));
        };
        if name.starts_with('.') || (below == "conf" && !CONF_FILES.contains(&name)) {
            continue;
        }
        let real = entry
            .path()
            .canonicalize()
            .map_err(|e| unreadable(entry.path().display(), &e))?;
        if !real.starts_with(home) {
            return Err(incomplete(
                home,
                &format!("{below}/{name} is a link that leads out of it"),
            ));
        }
        let path = format!("{below}/{name}");
        if real.is_dir() {
            walk(home, &real, &path, depth + 1, files)?;
        } else {
            files.insert(path, real);
        }
        if files.len() > MAX_FILES {
            return Err(incomplete(home, "it has more than 2000 files"));
        }
    }
    Ok(())
}

/// SHA-256 in hex, the length, and the CRC-32 of a file.
fn sums(path: &Path) -> Result<(String, u64, u32), Failure> {
    let mut file = File::open(path).map_err(|e| unreadable(path.display(), &e))?;
    let mut hasher = Sha256::new();
    let mut crc = Crc32::new();
    let mut buffer = vec![0; 1024 * 1024];
    let mut size = 0;
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(|e| unreadable(path.display(), &e))?;
        if read == 0 {
            return Ok((hex::encode(hasher.finalize()), size, crc.sum()));
        }
        hasher.update(&buffer[..read]);
        crc.update(&buffer[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_jobs_need_and_nothing_from_outside() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap().join("flink");
        for part in ["lib", "plugins/metrics", "conf", "opt", "bin"] {
            fs::create_dir_all(home.join(part)).unwrap();
        }
        for file in [
            "lib/flink-dist-2.3.0.jar",
            "plugins/metrics/m.jar",
            "conf/log4j.properties",
            "conf/config.yaml",
            "opt/x.jar",
            "bin/flink",
        ] {
            fs::write(home.join(file), file).unwrap();
        }
        let found = scan(&home).unwrap();
        let paths: Vec<_> = found.files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "conf/log4j.properties",
                "lib/flink-dist-2.3.0.jar",
                "plugins/metrics/m.jar"
            ]
        );
        assert_eq!(found.conf.unwrap().0, "conf/config.yaml");
        fs::write(dir.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), home.join("lib/a.jar")).unwrap();
        assert!(scan(&home).err().unwrap().to_string().contains("leads out"));
    }

    #[test]
    fn a_spark_distribution_is_told_by_its_jars() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let told = |home: &Path| scan(home).err().unwrap().to_string();
        assert!(told(&home).contains("neither"));
        for part in ["jars/connect-repl", "python/lib", "conf"] {
            fs::create_dir_all(home.join(part)).unwrap();
        }
        for file in [
            "jars/spark-core_2.13-4.3.0.jar",
            "jars/connect-repl/x.jar",
            "python/lib/pyspark.zip",
            "python/lib/other.txt",
            "conf/spark-defaults.conf",
        ] {
            fs::write(home.join(file), "hello").unwrap();
        }
        let found = scan(&home).unwrap();
        let files: Vec<_> = found.files.iter().map(|f| (f.path.as_str(), f.crc32)).collect();
        assert_eq!(
            files,
            [
                ("jars/spark-core_2.13-4.3.0.jar", Some(0x3610_a686)),
                ("python/lib/pyspark.zip", None)
            ]
        );
        assert_eq!(
            (found.engine, found.conf.unwrap().0.as_str()),
            (Engine::Spark, "conf/spark-defaults.conf")
        );
        fs::create_dir(home.join("lib")).unwrap();
        fs::write(home.join("lib/flink-dist-2.3.0.jar"), "x").unwrap();
        assert!(told(&home).contains("both"));
    }

    #[test]
    fn directories_elsewhere_are_refused_without_a_word_on_them() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("ok/flink")).unwrap();
        let list = vec![root.join("ok")];
        assert!(allowed(root.join("ok/flink").to_str().unwrap(), &list).is_ok());
        for bad in [
            "/etc",
            "/nonexistent",
            "relative",
            &format!("{}/ok/../", root.display()),
            &format!("{}/okay", root.display()),
        ] {
            assert_eq!(
                allowed(bad, &list).unwrap_err().code,
                Code::DirectoryNotAllowed,
                "{bad}"
            );
        }
        std::os::unix::fs::symlink("/etc", root.join("ok/link")).unwrap();
        assert_eq!(
            allowed(&format!("{}/ok/link", root.display()), &list)
                .unwrap_err()
                .code,
            Code::DirectoryNotAllowed
        );
    }
}
