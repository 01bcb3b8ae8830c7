//! Leaves secrets out of what is shown and stored of a launch. Names decide: nobody can tell a
//! password from another word.

/// What a secret's value becomes.
pub const MASK: &str = "******";

const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "credentials",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "jaas",
    "auth",
];

/// Whether a setting of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let compact: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "credential",
        "apikey",
        "accesskey",
    ]
    .iter()
    .any(|word| compact.contains(word))
    {
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

/// A SQL text in which the values of secret options (`'password' = '…'`) are masked, and assignments
/// inside other quoted values.
pub fn sql(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // The last quoted text, while only blanks and one `=` follow it.
    let mut name: Option<String> = None;
    let mut equals = false;
    while let Some(c) = rest.chars().next() {
        let (token, after) = rest.split_at(token_len(rest));
        match c {
            '\'' => {
                let inner = token.strip_prefix('\'').unwrap_or(token);
                let inner = inner.strip_suffix('\'').unwrap_or(inner);
                match name.take().filter(|_| equals) {
                    Some(name) => {
                        out.push('\'');
                        out.push_str(&value(&name, inner));
                        out.push('\'');
                    }
                    None => {
                        out.push_str(&assignments(token));
                        name = Some(inner.to_owned());
                    }
                }
                equals = false;
            }
            '=' => {
                equals = name.is_some();
                out.push_str(token);
            }
            c if c.is_whitespace() => out.push_str(token),
            _ => {
                (name, equals) = (None, false);
                // Comments may hold a statement that was switched off.
                if token.len() > 1 && !token.starts_with(['"', '`']) && c.is_ascii_punctuation() {
                    out.push_str(&comment(token));
                } else {
                    out.push_str(token);
                }
            }
        }
        rest = after;
    }
    out
}

fn comment(text: &str) -> String {
    let (open, body) = text.split_at(2.min(text.len()));
    format!("{open}{}", assignments(&sql_options(body)))
}

/// As [`sql`] for text without comments inside; quotes need not be paired there.
fn sql_options(body: &str) -> String {
    if body.matches('\'').count().is_multiple_of(2) && !body.contains("--") && !body.contains("/*") {
        sql(body)
    } else {
        body.to_owned()
    }
}

/// Bytes of the quoted text, comment or character that `text` begins with.
fn token_len(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    match text.as_bytes().first() {
        Some(&quote @ (b'\'' | b'"' | b'`')) => {
            let quote = char::from(quote);
            let mut at = 1;
            while let Some(end) = text[at..].find(quote) {
                at += end + 1;
                if !text[at..].starts_with(quote) {
                    return at;
                }
                at += 1;
            }
            text.len()
        }
        Some(b'-') if text.starts_with("--") => text.find('\n').unwrap_or(text.len()),
        Some(b'/') if text.starts_with("/*") => text[2..].find("*/").map_or(text.len(), |end| end + 4),
        _ => first,
    }
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
    fn options_of_tables_lose_their_secrets_and_nothing_else() {
        let text = "CREATE TABLE t (a INT) WITH (\n 'connector' = 'jdbc',\n 'url'='jdbc:mysql://h/d?user=u&password=hunter2&x=1',\n 'username'='u', 'password' = 'hun''ter2',\n 'properties.sasl.jaas.config'='x password=\"hunter2\";'\n);\n-- 'password'='hunter2'\n/* password: hunter2 */\nINSERT INTO t SELECT 'a=b', \"c'd\" FROM s WHERE x = 'y'";
        let masked = sql(text);
        assert!(
            !masked.contains("hunter2") && !masked.contains("ter2"),
            "{masked}"
        );
        assert_eq!(masked.matches(MASK).count(), 5);
        assert_eq!(masked.lines().count(), text.lines().count());
        for kept in [
            "'connector' = 'jdbc'",
            "?user=u&password=******&x=1",
            "'username'='u'",
            "INSERT INTO t SELECT 'a=b', \"c'd\" FROM s WHERE x = 'y'",
        ] {
            assert!(masked.contains(kept), "{kept}\n{masked}");
        }
        for odd in ["'", "'a", "'a'=", "'password'='x", "--", "/*", "-", "/", "ü'é'=`"] {
            assert!(!sql(odd).contains("='x"), "{odd}");
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
