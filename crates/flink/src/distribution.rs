//! What a Flink distribution is: which of its files run a job, its version, and the settings every
//! job starts from.

use crate::{Version, config};
use domain::{Code, Engine, Failure, job::is_owned_key};

/// Options the JVM needs for Flink on Java 17, for distributions that come without a `conf`.
pub const JAVA_OPTIONS: &str = "--add-exports=java.base/sun.net.util=ALL-UNNAMED \
    --add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED \
    --add-exports=jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED \
    --add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED \
    --add-exports=jdk.compiler/com.sun.tools.javac.parser=ALL-UNNAMED \
    --add-exports=jdk.compiler/com.sun.tools.javac.tree=ALL-UNNAMED \
    --add-exports=jdk.compiler/com.sun.tools.javac.util=ALL-UNNAMED \
    --add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED \
    --add-opens=java.base/java.lang=ALL-UNNAMED \
    --add-opens=java.base/java.net=ALL-UNNAMED \
    --add-opens=java.base/java.io=ALL-UNNAMED \
    --add-opens=java.base/java.nio=ALL-UNNAMED \
    --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
    --add-opens=java.base/java.lang.reflect=ALL-UNNAMED \
    --add-opens=java.base/java.text=ALL-UNNAMED \
    --add-opens=java.base/java.time=ALL-UNNAMED \
    --add-opens=java.base/java.util=ALL-UNNAMED \
    --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
    --add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED \
    --add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED";

/// Where log4j's settings lie in a distribution, and what stands in when it has none.
pub const LOG4J_PATH: &str = "conf/log4j.properties";
pub const LOG4J_DEFAULT: &str = "\
monitorInterval=30
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = MainAppender
logger.pekko.name = org.apache.pekko
logger.pekko.level = INFO
logger.kafka.name= org.apache.kafka
logger.kafka.level = INFO
logger.hadoop.name = org.apache.hadoop
logger.hadoop.level = INFO
logger.zookeeper.name = org.apache.zookeeper
logger.zookeeper.level = INFO
appender.main.name = MainAppender
appender.main.type = RollingFile
appender.main.append = true
appender.main.fileName = ${sys:log.file}
appender.main.filePattern = ${sys:log.file}.%i
appender.main.layout.type = PatternLayout
appender.main.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
appender.main.policies.type = Policies
appender.main.policies.size.type = SizeBasedTriggeringPolicy
appender.main.policies.size.size = 100MB
appender.main.strategy.type = DefaultRolloverStrategy
appender.main.strategy.max = 10
logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline
logger.netty.level = OFF
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    pub version: Version,
    /// Settings every job starts from, in the file's order.
    pub defaults: Vec<(String, String)>,
}

/// Whether a file of a distribution goes to the nodes. The rest of it serves command lines only.
pub fn is_shipped(path: &str) -> bool {
    path.starts_with("lib/") || path.starts_with("plugins/")
}

/// Where a distribution's configuration may lie; the first that exists is the one Flink reads.
pub const CONFIGURATION_PATHS: [&str; 2] = ["conf/flink-conf.yaml", "conf/config.yaml"];

/// One of these must be there for each part.
const PARTS: &[(&str, &[&str])] = &[
    (
        "lib/flink-table-api-java-….jar",
        &["flink-table-api-java-", "flink-table_", "flink-table-uber"],
    ),
    (
        "lib/flink-table-planner-….jar",
        &["flink-table-planner-loader-", "flink-table-planner_"],
    ),
    ("lib/flink-table-runtime-….jar", &["flink-table-runtime-"]),
    ("lib/log4j-core-….jar", &["log4j-core-", "logback-classic-"]),
];

/// Looks at the files of a directory, by their paths below it, and at its configuration file (path and
/// text), if it has one.
///
/// # Errors
/// [`Code::EnvironmentIncomplete`] with what is missing, [`Code::VersionUnsupported`].
pub fn inspect<'a>(
    directory: &str,
    paths: impl IntoIterator<Item = &'a str>,
    configuration: Option<(&str, &str)>,
) -> Result<Distribution, Failure> {
    let incomplete = |reason: String| {
        Failure::new(Code::EnvironmentIncomplete)
            .with("path", directory)
            .with("reason", reason)
    };
    let libraries: Vec<&str> = paths
        .into_iter()
        .filter_map(|path| path.strip_prefix("lib/"))
        .collect();
    let mut dists = libraries
        .iter()
        .filter(|name| name.starts_with("flink-dist") && name.ends_with(".jar"));
    let dist = dists
        .next()
        .ok_or_else(|| incomplete("lib/flink-dist-….jar is missing".into()))?;
    if let Some(second) = dists.next() {
        return Err(incomplete(format!("lib/{dist} and lib/{second} are both there")));
    }
    let version = Version::of_dist(dist)
        .ok_or_else(|| incomplete(format!("lib/{dist} does not name a version such as 2.3.0")))?;
    version.features()?;
    let missing: Vec<&str> = PARTS
        .iter()
        .filter(|(_, names)| {
            !libraries
                .iter()
                .any(|library| names.iter().any(|name| library.starts_with(name)))
        })
        .map(|(part, _)| *part)
        .collect();
    if !missing.is_empty() {
        return Err(incomplete(format!("{} missing", missing.join(", "))));
    }
    let settings = match configuration {
        None => Vec::new(),
        Some((path, text)) if path.ends_with("config.yaml") => {
            config::read_yaml(text).map_err(|reason| incomplete(format!("{path}: {reason}")))?
        }
        Some((_, text)) => config::read_lines(text),
    };
    let mut defaults: Vec<_> = settings.into_iter().filter(|(key, _)| is_default(key)).collect();
    if !defaults.iter().any(|(key, _)| key == "env.java.opts.all") {
        defaults.push(("env.java.opts.all".into(), JAVA_OPTIONS.into()));
    }
    Ok(Distribution { version, defaults })
}

/// Whether a distribution's own setting holds on a cluster too. Addresses and directories are those
/// of the host it was unpacked on.
fn is_default(key: &str) -> bool {
    if key.starts_with("env.java.opts.") || key.starts_with("env.java.default-opts.") {
        return true;
    }
    let local = [
        "jobmanager.rpc.",
        "jobmanager.host",
        "jobmanager.bind-host",
        "taskmanager.bind-host",
        "rest.",
        "web.",
        "env.",
        "io.tmp.dirs",
        "historyserver.",
        "kubernetes.",
        "process.",
    ];
    !is_owned_key(Engine::Flink, key) && !local.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARIES: &[&str] = &[
        "lib/flink-dist-2.3.0.jar",
        "lib/flink-table-api-java-uber-2.3.0.jar",
        "lib/flink-table-planner-loader-2.3.0.jar",
        "lib/flink-table-runtime-2.3.0.jar",
        "lib/log4j-core-2.25.3.jar",
        "plugins/metrics-jmx/flink-metrics-jmx-2.3.0.jar",
        "opt/flink-python-2.3.0.jar",
    ];

    #[test]
    fn without_a_configuration_the_jvm_still_gets_its_options() {
        let found = inspect("/opt/flink", LIBRARIES.iter().copied(), None).unwrap();
        assert_eq!(found.version, Version::new(2, 3, 0));
        assert_eq!(found.defaults.len(), 1);
        let options = &found.defaults[0].1;
        assert_eq!(options.split(' ').count(), 20);
        assert!(
            options
                .split(' ')
                .all(|o| o.starts_with("--add-") && o.ends_with("=ALL-UNNAMED"))
        );
        assert!(is_shipped(LIBRARIES[5]) && !is_shipped(LIBRARIES[6]));
    }

    #[test]
    fn settings_of_the_host_are_left_behind() {
        let text = "env:\n  java:\n    opts:\n      all: --add-exports=a\n  log:\n    dir: /var/log\njobmanager:\n  bind-host: localhost\n  rpc:\n    address: localhost\n  memory:\n    process:\n      size: 1600m\n  execution:\n    failover-strategy: region\nrest:\n  address: localhost\nio.tmp.dirs: /data\nstate.backend.type: rocksdb\nparallelism.default: 4\n";
        let found = inspect(
            "/opt/flink",
            LIBRARIES.iter().copied(),
            Some(("conf/config.yaml", text)),
        )
        .unwrap();
        assert_eq!(
            found.defaults,
            [
                ("env.java.opts.all", "--add-exports=a"),
                ("jobmanager.execution.failover-strategy", "region"),
                ("state.backend.type", "rocksdb"),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
    }

    #[test]
    fn says_what_is_missing() {
        let reason = |paths: &[&str], conf: Option<(&str, &str)>| {
            let failure = inspect("/opt/flink", paths.iter().copied(), conf).unwrap_err();
            (
                failure.code,
                failure.args.get("reason").cloned().unwrap_or_default(),
            )
        };
        assert_eq!(
            reason(&[], None),
            (
                Code::EnvironmentIncomplete,
                "lib/flink-dist-….jar is missing".into()
            )
        );
        let (_, text) = reason(&LIBRARIES[..3], None);
        assert_eq!(
            text,
            "lib/flink-table-runtime-….jar, lib/log4j-core-….jar missing"
        );
        let mut two = LIBRARIES.to_vec();
        two.push("lib/flink-dist-2.2.0.jar");
        assert!(reason(&two, None).1.contains("both"));
        assert!(
            reason(LIBRARIES, Some(("conf/config.yaml", "a: [")))
                .1
                .starts_with("conf/config.yaml: ")
        );
        assert_eq!(
            reason(&["lib/flink-dist-1.17.2.jar"], None).0,
            Code::VersionUnsupported
        );
        assert!(
            reason(&["lib/flink-dist.jar"], None)
                .1
                .contains("does not name a version")
        );
    }
}
