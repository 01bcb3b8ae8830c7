//! Leaves secrets out of what is shown and stored of a launch. Names decide: nobody can tell a
//! password from another word.

/// What a secret's value becomes.
pub const MASK: &str = "******";

const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
];
const WORDS: &[&str] = &["pwd", "token", "jaas", "auth"];

/// Whether a setting of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let compact: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if PARTS.iter().any(|part| compact.contains(part)) {
        return true;
    }
    let words: Vec<&str> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    // `key.format` and its like are options of a message's key, not keys themselves.
    let key = words.iter().skip(1).any(|word| *word == "key") && words.first() != Some(&"key");
    key || words == ["key"] || words.iter().any(|word| WORDS.contains(word))
}

/// A setting's value as it may be shown.
pub fn value(name: &str, value: &str) -> String {
    if is_secret(name) {
        MASK.to_owned()
    } else {
        assignments(value)
    }
}

/// Arguments of a program: the values of `--password x`, `--token=x` and of assignments inside them.
pub fn args(args: &[String]) -> Vec<String> {
    let mut secret = false;
    args.iter()
        .map(|arg| {
            if std::mem::take(&mut secret) && !arg.starts_with("--") {
                return MASK.to_owned();
            }
            secret = arg.starts_with('-') && !arg.contains('=') && is_secret(arg);
            assignments(arg)
        })
        .collect()
}

/// Masks the value of each `name=value` and `name: value` whose name is secret, and the user part of
/// URLs.
pub fn assignments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        out.push_str(&tail[..1]);
        rest = &tail[1..];
        if tail.starts_with("://") {
            out.push_str("//");
            rest = &rest[2..];
            let end = rest
                .find(|c: char| c == '/' || c.is_whitespace() || "'\"".contains(c))
                .unwrap_or(rest.len());
            if let Some(user) = rest[..end].rfind('@') {
                out.push_str(MASK);
                rest = &rest[user..];
            }
            continue;
        }
        let name = before
            .rsplit(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)))
            .find(|word| !word.is_empty())
            .unwrap_or_default();
        // The name must stand at the sign, perhaps in quotes.
        let near = before
            .trim_end_matches(|c: char| c.is_whitespace() || "'\"`".contains(c))
            .ends_with(name);
        if !name.is_empty() && near && is_secret(name) {
            let start = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let end = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    out.push(quote);
                    rest = &rest[1..];
                    rest.find(quote).unwrap_or(rest.len())
                }
                _ => rest
                    .find(|c: char| c.is_whitespace() || "&;,'\"`)}".contains(c))
                    .unwrap_or(rest.len()),
            };
            if end > 0 {
                out.push_str(MASK);
            }
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in [
            "spark.hadoop.fs.s3a.secret.key",
            "spark.hadoop.fs.azure.account.key.x",
            "spark.ssl.keyPassword",
            "spark.connect.authenticate.token",
            "spark.yarn.appMasterEnv.DB_PASSWORD",
            "spark.executorEnv.AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "spark.sql.shuffle.partitions",
            "spark.serializer",
            "spark.acls.enable",
            "spark.sql.sources.partitionOverwriteMode",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn values_lose_their_secrets_and_nothing_else() {
        let given = [
            "--password",
            "hunter2",
            "--token=hunter2",
            "-Djdbc=jdbc:x?password=hunter2&a=b",
            "https://u:hunter2@host/p",
            "--name",
            "orders",
        ]
        .map(str::to_owned);
        let shown = args(&given);
        assert!(shown.iter().all(|arg| !arg.contains("hunter2")), "{shown:?}");
        assert_eq!(shown[3], "-Djdbc=jdbc:x?password=******&a=b");
        assert_eq!(shown[4..], ["https://******@host/p", "--name", "orders"]);
        assert_eq!(
            value("spark.driver.extraJavaOptions", "-Dx.secret=1 -Dy=2"),
            "-Dx.secret=****** -Dy=2"
        );
    }

    #[test]
    fn names_of_options_tell_secrets() {
        for name in [
            "password",
            "s3.secret-key",
            "s3.access-key",
            "fs.azure.account.key.x.y",
            "properties.sasl.jaas.config",
            "apiKey",
            "--db-password",
            "my.token",
            "key",
            "MYSQL_PWD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "key.format",
            "key.fields",
            "table.exec.sink.keyed-shuffle",
            "parallelism.default",
            "monkey",
            "connector",
            "pipeline.object-reuse",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn arguments_lose_their_secrets() {
        let given = [
            "--password",
            "hunter2",
            "--token=hunter2",
            "jdbc:x?password=hunter2",
            "https://u:hunter2@host/p",
            "--name",
            "orders",
            "--secret",
            "--other",
        ]
        .map(str::to_owned);
        let shown = args(&given);
        assert!(shown.iter().all(|arg| !arg.contains("hunter2")), "{shown:?}");
        assert_eq!(shown[5..7], given[5..7]);
        assert_eq!(shown[8], "--other");
        assert_eq!(shown[4], "https://******@host/p");
    }
}
