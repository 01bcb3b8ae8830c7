//! Leaves secrets out of what is shown and stored of a launch: of settings and arguments as
//! everywhere, of scripts by the names of their options.

pub use net::secrets::{MASK, args, assignments, is_secret, value};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
