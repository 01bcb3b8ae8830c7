//! Spark's settings: which are the console's own, and the file format they travel in.

use std::fmt::Write;

/// Settings the console sets itself; a job may not give them. Entries that end in `.` are prefixes.
pub const OWNED_KEYS: &[&str] = &[
    "spark.master",
    "spark.submit.",
    "spark.app.name",
    "spark.app.id",
    "spark.app.attempt.id",
    "spark.acls.enable",
    "spark.admin.acls",
    "spark.modify.acls",
    "spark.ui.view.acls",
    "spark.archives",
    "spark.files",
    "spark.jars",
    "spark.jars.",
    "spark.driver.memory",
    "spark.driver.cores",
    "spark.driver.memoryOverhead",
    "spark.driver.host",
    "spark.executor.memory",
    "spark.executor.cores",
    "spark.executor.memoryOverhead",
    "spark.executor.instances",
    "spark.executor.id",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.maxExecutors",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.executorIdleTimeout",
    "spark.dynamicAllocation.cachedExecutorIdleTimeout",
    "spark.dynamicAllocation.shuffleTracking.enabled",
    "spark.dynamicAllocation.shuffleTracking.timeout",
    "spark.shuffle.service.enabled",
    "spark.executorEnv.HADOOP_USER_NAME",
    "spark.executorEnv.PYTHONPATH",
    "spark.kerberos.",
    "spark.sql.session.timeZone",
    "spark.yarn.am.nodeLabelExpression",
    "spark.yarn.app.",
    "spark.yarn.appMasterEnv.CLASSPATH",
    "spark.yarn.appMasterEnv.HADOOP_USER_NAME",
    "spark.yarn.appMasterEnv.PYTHONPATH",
    "spark.yarn.appMasterEnv.SPARK_USER",
    "spark.yarn.appMasterEnv.SPARK_YARN_STAGING_DIR",
    "spark.yarn.applicationType",
    "spark.yarn.archive",
    "spark.yarn.cache.",
    "spark.yarn.config.",
    "spark.yarn.dist.",
    "spark.yarn.executor.nodeLabelExpression",
    "spark.yarn.isPython",
    "spark.yarn.jars",
    "spark.yarn.keytab",
    "spark.yarn.maxAppAttempts",
    "spark.yarn.populateHadoopClasspath",
    "spark.yarn.preserve.staging.files",
    "spark.yarn.principal",
    "spark.yarn.priority",
    "spark.yarn.queue",
    "spark.yarn.secondary.jars",
    "spark.yarn.stagingDir",
    "spark.yarn.submit.",
    "spark.yarn.tags",
    "spark.yarn.unmanagedAM.",
];

/// Whether a job may not give `key`. Compared without case and outer blanks, since a key that only
/// looks different would be one more trap.
pub fn is_owned_key(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    OWNED_KEYS.iter().any(|owned| {
        let owned = owned.to_ascii_lowercase();
        if owned.ends_with('.') {
            key.starts_with(&owned)
        } else {
            key == owned
        }
    })
}

/// Whether it can be a setting of Spark at all: its clients leave out everything else.
pub fn is_key(key: &str) -> bool {
    key.len() <= 200
        && key.strip_prefix("spark.").is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.$/".contains(&b))
        })
}

/// Lines of `key value`, `key=value` or `key: value`, as `spark-defaults.conf` has them. Of a key
/// that is there twice the last counts.
pub fn read_defaults(text: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let end = line
            .find(|c: char| c.is_whitespace() || c == '=' || c == ':')
            .unwrap_or(line.len());
        let (key, rest) = line.split_at(end);
        let rest = rest.trim_start();
        let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
        all.retain(|(have, _)| have != key);
        all.push((key.to_owned(), value.to_owned()));
    }
    all
}

/// A file as `java.util.Properties` reads it, in ASCII whatever the content.
pub fn write_properties<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (key, value) in entries {
        escape(&mut out, key, true);
        out.push('=');
        escape(&mut out, value, false);
        out.push('\n');
    }
    out
}

fn escape(out: &mut String, text: &str, key: bool) {
    for (at, c) in text.char_indices() {
        match c {
            ' ' if key || at == 0 => out.push_str("\\ "),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\\' | '=' | ':' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_keys_are_recognised_in_any_spelling() {
        for key in [
            "spark.master",
            " Spark.Yarn.Dist.Files ",
            "spark.yarn.cache.filenames",
            "spark.jars.packages",
            "spark.driver.memory",
            "spark.kerberos.keytab",
        ] {
            assert!(is_owned_key(key), "{key}");
        }
        for key in [
            "spark.driver.memoryOverheadFactor",
            "spark.driver.extraJavaOptions",
            "spark.executor.memoryOverheadFactor",
            "spark.sql.shuffle.partitions",
            "spark.yarn.appMasterEnv.JAVA_HOME",
            "spark.dynamicAllocation.schedulerBacklogTimeout",
        ] {
            assert!(!is_owned_key(key), "{key}");
        }
        assert!(is_key("spark.hadoop.fs.s3a.endpoint") && !is_key("hive.x") && !is_key("spark."));
        assert!(!is_key("spark.a b") && !is_key("spark.ü"));
    }

    #[test]
    fn properties_are_escaped() {
        let written = write_properties([
            ("a b:c", " x = y:#!\\ \n\t"),
            ("spark.uri", "hdfs://nn:1/p#link,ü🦀"),
        ]);
        assert_eq!(
            written,
            "a\\ b\\:c=\\ x \\= y\\:\\#\\!\\\\ \\n\\t\nspark.uri=hdfs\\://nn\\:1/p\\#link,\\u00FC\\uD83E\\uDD80\n"
        );
    }

    #[test]
    fn defaults_are_read() {
        let text = "# c\n\nspark.a   1 2 \nspark.b=3\nspark.c : 4\n!x\nspark.a 5\nspark.empty\n";
        let all = read_defaults(text);
        let want = [
            ("spark.b", "3"),
            ("spark.c", "4"),
            ("spark.a", "5"),
            ("spark.empty", ""),
        ];
        assert_eq!(all, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
