//! Spark's settings and the file format they travel in.

use domain::Engine;
use std::fmt::Write;

/// Whether a job may not give `key`.
pub fn is_owned_key(key: &str) -> bool {
    domain::job::is_owned_key(Engine::Spark, key)
}

/// Whether it can be a setting of Spark at all.
pub fn is_key(key: &str) -> bool {
    domain::job::is_key(Engine::Spark, key)
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
