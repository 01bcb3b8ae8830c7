//! What can be told of a Spark SQL script without Spark: that it has something to run, and that what
//! is opened is closed. Spark reads text differently from Flink: a backslash escapes in strings, and
//! comments nest.

use crate::{Code, Failure};

/// # Errors
/// [`Code::SqlEmpty`], [`Code::SqlUnterminated`].
pub(super) fn check(text: &str) -> Result<(), Failure> {
    let (mut at, mut has_statement) = (0, false);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let closed = if rest.starts_with("--") {
            Ok(rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") && !rest.starts_with("/*+") {
            comment(rest).ok_or("comment /*")
        } else {
            has_statement |= !c.is_whitespace() && c != ';';
            match c {
                '\'' => quoted(rest, '\'', !is_raw(text, at)).ok_or("string '…'"),
                '"' => quoted(rest, '"', !is_raw(text, at)).ok_or("string \"…\""),
                '`' => quoted(rest, '`', false).ok_or("name `…`"),
                _ => Ok(c.len_utf8()),
            }
        };
        at += closed.map_err(|what| {
            Failure::new(Code::SqlUnterminated)
                .with("what", what)
                .with("line", text[..at].matches('\n').count() + 1)
        })?;
    }
    if has_statement {
        Ok(())
    } else {
        Err(Code::SqlEmpty.into())
    }
}

/// Length of a comment in brackets, which may hold others.
fn comment(text: &str) -> Option<usize> {
    let (mut open, mut at) = (0u32, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            open += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            open -= 1;
            at += 2;
        } else {
            at += rest.chars().next()?.len_utf8();
        }
        if open == 0 {
            return Some(at);
        }
    }
}

/// Length of a quoted text. A doubled quote closes and opens again, which comes to the same.
fn quoted(text: &str, quote: char, backslash: bool) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some(at + 1);
        }
        if backslash && c == '\\' {
            chars.next();
        }
    }
    None
}

/// Whether the quote at `at` begins a raw string, `r'…'`.
fn is_raw(text: &str, at: usize) -> bool {
    let mut before = text[..at].chars().rev();
    let marked = matches!(before.next(), Some('r' | 'R'));
    marked && !before.next().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_run_is_refused() {
        for good in [
            "SELECT 1",
            "-- it's\nSELECT 'a;\\'b' /* x /* y */ ' */, \"it\\\"s\", `a``b`;",
            "SELECT r'\\' FROM t",
            "SELECT /*+ BROADCAST(t) */ 1",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for empty in ["", " ;\n; ", "-- nothing", "/* a /* b */ */"] {
            assert_eq!(check(empty).unwrap_err().code, Code::SqlEmpty, "{empty}");
        }
        for (open, line) in [
            ("SELECT 1;\nSELECT 'a", "2"),
            ("SELECT 'a\\'", "1"),
            ("\n\n/* /* */", "3"),
            ("SELECT `a", "1"),
        ] {
            let failure = check(open).unwrap_err();
            assert_eq!(
                (failure.code, failure.args["line"].as_str()),
                (Code::SqlUnterminated, line),
                "{open}"
            );
        }
    }
}
