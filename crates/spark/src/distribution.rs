//! What a Spark distribution is: which of its files run a job, its versions, and the settings every
//! job starts from.

use crate::{Version, conf};
use domain::{Code, Failure};

/// Where settings and log settings lie in a distribution.
pub const DEFAULTS_PATH: &str = "conf/spark-defaults.conf";
pub const LOG4J_PATH: &str = "conf/log4j2.properties";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    pub version: Version,
    /// `2.12` or `2.13`; jars of jobs must be built for it.
    pub scala: String,
    /// The oldest Java the nodes need, unless the environment brings its own.
    pub java: u16,
    /// Whether Hadoop's classes are among its jars; else they come from the nodes.
    pub with_hadoop: bool,
    /// `python/lib/pyspark.zip` and Py4J beside it; empty when Python jobs cannot run.
    pub python: Vec<String>,
    /// Whether it can serve Spark Connect.
    pub with_connect: bool,
    /// Settings every job starts from, in the file's order.
    pub defaults: Vec<(String, String)>,
}

/// The name in the archive of a file that belongs there: the jars themselves, none of the
/// directories below them (clients and shells).
pub fn archived(path: &str) -> Option<&str> {
    path.strip_prefix("jars/")
        .filter(|name| name.ends_with(".jar") && !name.contains('/'))
}

/// Whether a file of a distribution is placed on the cluster as a file of its own.
pub fn is_placed(path: &str) -> bool {
    let Some(name) = path.strip_prefix("python/lib/") else {
        return false;
    };
    name == "pyspark.zip" || (name.starts_with("py4j-") && name.ends_with("-src.zip"))
}

/// One of these must be there for each part.
const PARTS: &[(&str, &str)] = &[
    ("jars/spark-yarn_….jar", "spark-yarn_"),
    ("jars/spark-sql_….jar", "spark-sql_"),
    ("jars/spark-launcher_….jar", "spark-launcher_"),
    ("jars/scala-library-….jar", "scala-library-"),
    // The ApplicationMaster does not start without it.
    ("jars/ivy-….jar", "ivy-"),
];

/// Looks at the files of a directory, by their paths below it, and at [`DEFAULTS_PATH`], if there.
///
/// # Errors
/// [`Code::EnvironmentIncomplete`] with what is missing, [`Code::VersionUnsupported`].
pub fn inspect<'a>(
    directory: &str,
    paths: impl IntoIterator<Item = &'a str>,
    defaults: Option<&str>,
) -> Result<Distribution, Failure> {
    let incomplete = |reason: String| {
        Failure::new(Code::EnvironmentIncomplete)
            .with("path", directory)
            .with("reason", reason)
    };
    let (mut jars, mut python) = (Vec::new(), Vec::new());
    for path in paths {
        jars.extend(archived(path));
        if is_placed(path) {
            python.push(path.to_owned());
        }
    }
    let core = |name: &&&str| name.starts_with("spark-core_");
    let mut cores = jars.iter().filter(core);
    let first = cores
        .next()
        .ok_or_else(|| incomplete("jars/spark-core_….jar is missing".into()))?;
    if let Some(second) = cores.next() {
        return Err(incomplete(format!(
            "jars/{first} and jars/{second} are both there"
        )));
    }
    let (scala, version) = first
        .strip_prefix("spark-core_")
        .and_then(|rest| rest.strip_suffix(".jar")?.split_once('-'))
        .and_then(|(scala, version)| Some((scala, version.parse::<Version>().ok()?)))
        .ok_or_else(|| incomplete(format!("jars/{first} does not name a version such as 4.2.1")))?;
    let features = version.features()?;
    let has = |prefix: &str| jars.iter().any(|name| name.starts_with(prefix));
    let missing: Vec<&str> = PARTS
        .iter()
        .filter(|(_, prefix)| !has(prefix))
        .map(|(part, _)| *part)
        .collect();
    if !missing.is_empty() {
        return Err(incomplete(format!("{} missing", missing.join(", "))));
    }
    let foreign = |name: &&&str| {
        name.starts_with("spark-") && name.contains("_2.") && !name.contains(&format!("_{scala}-"))
    };
    if let Some(odd) = jars.iter().find(foreign) {
        return Err(incomplete(format!("jars/{odd} is not for Scala {scala}")));
    }
    python.sort_by_key(|path| !path.ends_with("/pyspark.zip"));
    if python.len() != 2 || !python.first().is_some_and(|path| path.ends_with("/pyspark.zip")) {
        python.clear();
    }
    let defaults = conf::read_defaults(defaults.unwrap_or_default())
        .into_iter()
        .filter(|(key, _)| is_default(key))
        .collect();
    Ok(Distribution {
        version,
        scala: scala.to_owned(),
        java: features.java,
        with_hadoop: has("hadoop-client-runtime-") || has("hadoop-common-"),
        with_connect: has("spark-connect_"),
        python,
        defaults,
    })
}

/// Whether a distribution's own setting holds on a cluster too.
fn is_default(key: &str) -> bool {
    let local = ["spark.local.dir", "spark.driver.bindAddress", "spark.history."];
    conf::is_key(key) && !conf::is_owned_key(key) && !local.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[&str] = &[
        "jars/spark-core_2.13-4.3.0.jar",
        "jars/spark-yarn_2.13-4.3.0.jar",
        "jars/spark-sql_2.13-4.3.0.jar",
        "jars/spark-launcher_2.13-4.3.0.jar",
        "jars/spark-connect_2.13-4.3.0.jar",
        "jars/scala-library-2.13.18.jar",
        "jars/ivy-2.5.3.jar",
        "jars/hadoop-client-runtime-3.5.0.jar",
        "jars/connect-repl/ammonite_2.13.18-3.0.8.jar",
        "python/lib/py4j-0.10.9.9-src.zip",
        "python/lib/pyspark.zip",
        "bin/spark-submit",
    ];

    #[test]
    fn a_distribution_says_what_it_is() {
        let text = "spark.sql.shuffle.partitions 8\nspark.master local\nspark.local.dir /data\nhive.x 1\n";
        let found = inspect("/opt/spark", FILES.iter().copied(), Some(text)).unwrap();
        assert_eq!(
            (found.version, found.scala.as_str(), found.java),
            (Version::new(4, 3, 0), "2.13", 17)
        );
        assert!(found.with_hadoop && found.with_connect);
        assert_eq!(
            found.python,
            ["python/lib/pyspark.zip", "python/lib/py4j-0.10.9.9-src.zip"]
        );
        assert_eq!(
            found.defaults,
            [("spark.sql.shuffle.partitions".to_owned(), "8".to_owned())]
        );
        assert_eq!(FILES.iter().filter_map(|path| archived(path)).count(), 8);
        assert_eq!(archived(FILES[8]), None);
    }

    #[test]
    fn says_what_is_missing() {
        let reason = |paths: &[&str]| {
            let failure = inspect("/opt/spark", paths.iter().copied(), None).unwrap_err();
            (
                failure.code,
                failure.args.get("reason").cloned().unwrap_or_default(),
            )
        };
        assert_eq!(
            reason(&[]),
            (
                Code::EnvironmentIncomplete,
                "jars/spark-core_….jar is missing".into()
            )
        );
        assert_eq!(
            reason(&FILES[..5]).1,
            "jars/scala-library-….jar, jars/ivy-….jar missing"
        );
        let with = |more: &'static str| [FILES, &[more]].concat();
        assert!(reason(&with("jars/spark-core_2.12-3.5.9.jar")).1.contains("both"));
        assert!(
            reason(&with("jars/spark-avro_2.12-3.5.9.jar"))
                .1
                .contains("is not for Scala 2.13")
        );
        assert_eq!(
            reason(&["jars/spark-core_2.12-3.4.4.jar"]).0,
            Code::VersionUnsupported
        );
        assert!(
            reason(&["jars/spark-core_2.13.jar"])
                .1
                .contains("does not name a version")
        );
        let without = inspect("/opt/spark", FILES[..7].iter().copied(), None).unwrap();
        assert!(!without.with_hadoop && without.python.is_empty());
    }
}
