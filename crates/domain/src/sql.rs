//! What the console reads of a SQL script without an engine: its statements, their lines, and
//! whether it would start a job. It never plans or runs one.

use crate::{Code, Failure};

/// What a statement does, as far as its first words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// `SET 'key' = 'value'`, `RESET`.
    Setting,
    Insert,
    /// `EXECUTE STATEMENT SET BEGIN … END` and its older spelling.
    StatementSet,
    /// `SELECT`, `WITH`, `VALUES`: rows to look at.
    Query,
    /// `EXECUTE PLAN`, `COMPILE AND EXECUTE`, `CREATE TABLE … AS`, `UPDATE`, `DELETE`, `CALL`: starts a job.
    OtherJob,
    /// Everything that only defines or shows.
    Definition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    pub text: &'a str,
    /// Line of its first word, from 1.
    pub line: usize,
    pub kind: StatementKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script<'a> {
    pub statements: Vec<Statement<'a>>,
}

/// Skips one quoted text, comment or character that begins at `at`; the error is the name of what is not closed.
fn token_end(text: &str, at: usize) -> Result<usize, &'static str> {
    let rest = &text[at..];
    let first = rest.chars().next().map_or(1, char::len_utf8);
    match rest.as_bytes().first() {
        Some(&quote @ (b'\'' | b'"' | b'`')) => {
            let name = match quote {
                b'\'' => "string '…'",
                b'"' => "name \"…\"",
                _ => "name `…`",
            };
            // A doubled quote closes and opens again, which comes to the same.
            rest[1..]
                .find(char::from(quote))
                .map(|end| at + end + 2)
                .ok_or(name)
        }
        Some(b'-') if rest.starts_with("--") => Ok(rest.find('\n').map_or(text.len(), |end| at + end + 1)),
        Some(b'/') if rest.starts_with("/*") => {
            rest[2..].find("*/").map(|end| at + end + 4).ok_or("comment /*")
        }
        _ => Ok(at + first),
    }
}

/// The upper-case words of a statement, without comments, quoted text as `?`.
fn words(text: &str, max: usize) -> Vec<String> {
    let (mut words, mut word, mut at) = (Vec::new(), String::new(), 0);
    while at < text.len() && words.len() < max {
        let end = token_end(text, at).unwrap_or(text.len());
        let token = &text[at..end];
        let mut chars = token.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_alphanumeric() || c == '_' => word.extend(c.to_uppercase()),
            _ => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if token.starts_with(['\'', '"', '`']) {
                    words.push("?".to_owned());
                }
            }
        }
        at = end;
    }
    if !word.is_empty() && words.len() < max {
        words.push(word);
    }
    words
}

fn kind_of(text: &str) -> StatementKind {
    let words = words(text, 400);
    let word = |i: usize| words.get(i).map_or("", String::as_str);
    match (word(0), word(1)) {
        ("SET" | "RESET", _) => StatementKind::Setting,
        ("INSERT", _) => StatementKind::Insert,
        ("EXECUTE" | "BEGIN", "STATEMENT") => StatementKind::StatementSet,
        ("SELECT" | "WITH" | "VALUES", _) => StatementKind::Query,
        ("EXECUTE", _) | ("UPDATE" | "DELETE" | "CALL", _) => StatementKind::OtherJob,
        ("COMPILE", "AND") => StatementKind::OtherJob,
        ("CREATE" | "REPLACE", _) if creates_by_query(&words) => StatementKind::OtherJob,
        _ => StatementKind::Definition,
    }
}

/// `CREATE TABLE … AS SELECT` runs a job; `CREATE VIEW … AS SELECT` does not.
fn creates_by_query(words: &[String]) -> bool {
    let table = words.iter().take(4).any(|w| w == "TABLE")
        && !words.iter().take(4).any(|w| w == "VIEW" || w == "FUNCTION");
    table
        && words
            .windows(2)
            .any(|pair| pair[0] == "AS" && (pair[1] == "SELECT" || pair[1] == "WITH"))
}

fn opens_block(text: &str) -> bool {
    let words = words(text, 400);
    let opened = matches!(words.as_slice(), [first, second, third, ..] if (first == "EXECUTE" || first == "BEGIN") && second == "STATEMENT" && third == "SET");
    opened && words.last().is_none_or(|last| last != "END")
}

/// Where the first word of `text` begins, behind blanks and comments.
fn start_of(text: &str) -> usize {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let comment = rest.starts_with("--") || (rest.starts_with("/*") && !rest.starts_with("/*+"));
        if !comment && !rest.starts_with(char::is_whitespace) {
            break;
        }
        at = token_end(text, at).unwrap_or(text.len());
    }
    at
}

impl<'a> Script<'a> {
    /// Splits a script at its semicolons.
    ///
    /// # Errors
    /// [`Code::SqlUnterminated`] with the line where a string, name or comment begins and never ends.
    pub fn parse(text: &'a str) -> Result<Self, Failure> {
        let mut statements = Vec::new();
        let (mut from, mut at) = (0, 0);
        // Counted on from the last statement: counting from the top each time is quadratic.
        let (mut line, mut counted) = (1, 0);
        let mut push = |from: usize, to: usize| {
            let start = from + start_of(&text[from..to]);
            let body = text[start..to].trim_end();
            if !body.is_empty() {
                line += text[counted..start].matches('\n').count();
                counted = start;
                statements.push(Statement {
                    text: body,
                    line,
                    kind: kind_of(body),
                });
            }
        };
        while at < text.len() {
            let end = token_end(text, at).map_err(|what| {
                let line = text[..at].matches('\n').count() + 1;
                Failure::new(Code::SqlUnterminated)
                    .with("what", what)
                    .with("line", line)
            })?;
            if &text[at..end] == ";" && !opens_block(&text[from..at]) {
                push(from, at);
                from = end;
            }
            at = end;
        }
        push(from, text.len());
        Ok(Self { statements })
    }

    /// Whether the script asks for batch execution.
    pub fn is_batch(&self) -> bool {
        let mode = self
            .statements
            .iter()
            .filter(|s| s.kind == StatementKind::Setting)
            .rev()
            .find_map(|s| {
                let flat: String = s
                    .text
                    .chars()
                    .filter(|c| !c.is_whitespace() && *c != '\'')
                    .collect::<String>()
                    .to_ascii_lowercase();
                flat.strip_prefix("setexecution.runtime-mode=")
                    .map(|mode| mode == "batch")
            });
        mode.unwrap_or(false)
    }

    /// Jobs a batch script starts one after the other; a streaming script starts one.
    pub fn job_statements(&self) -> usize {
        self.statements
            .iter()
            .filter(|s| {
                matches!(
                    s.kind,
                    StatementKind::Insert | StatementKind::StatementSet | StatementKind::OtherJob
                )
            })
            .count()
    }

    /// # Errors
    /// [`Code::SqlEmpty`] and [`Code::SqlNoInsert`].
    pub fn check_runnable(&self) -> Result<(), Failure> {
        if self.statements.is_empty() {
            Err(Code::SqlEmpty.into())
        } else if self.job_statements() == 0 {
            Err(Code::SqlNoInsert.into())
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_where_an_engine_would() {
        let text = "-- first; not a statement\nSET 'execution.runtime-mode' = 'batch';\n\nCREATE TABLE a (x STRING) WITH ('p'='a;b''c');\n/* ; */ INSERT INTO a VALUES ('--;');\nEXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;\nCREATE VIEW v AS SELECT `a;b` FROM a;";
        let script = Script::parse(text).unwrap();
        let kinds: Vec<_> = script.statements.iter().map(|s| s.kind).collect();
        use StatementKind::*;
        assert_eq!(kinds, [Setting, Definition, Insert, StatementSet, Definition]);
        assert_eq!(
            script.statements.iter().map(|s| s.line).collect::<Vec<_>>(),
            [2, 4, 5, 6, 7]
        );
        assert!(script.is_batch());
        assert_eq!(script.job_statements(), 2);
        assert!(script.check_runnable().is_ok());
    }

    #[test]
    fn says_what_is_not_closed_and_where() {
        let failure = Script::parse("SELECT 1;\nINSERT INTO a VALUES ('x").unwrap_err();
        assert_eq!(
            (failure.code, failure.args["line"].as_str()),
            (Code::SqlUnterminated, "2")
        );
    }

    #[test]
    fn scripts_that_start_nothing_are_refused() {
        for (text, code) in [
            ("", Code::SqlEmpty),
            ("-- only\n/* comments */ ;;", Code::SqlEmpty),
            ("CREATE TABLE t (a INT) WITH ('connector'='x')", Code::SqlNoInsert),
            ("SHOW TABLES; SELECT 1", Code::SqlNoInsert),
        ] {
            assert_eq!(
                Script::parse(text).unwrap().check_runnable().unwrap_err().code,
                code,
                "{text}"
            );
        }
        assert!(
            Script::parse("CREATE TABLE t AS SELECT 1")
                .unwrap()
                .check_runnable()
                .is_ok()
        );
    }

    #[test]
    fn time_grows_with_the_text_and_no_faster() {
        let text = "INSERT INTO a VALUES ('x');\n".repeat(40_000);
        let started = std::time::Instant::now();
        assert_eq!(Script::parse(&text).unwrap().statements.len(), 40_000);
        assert!(
            started.elapsed() < std::time::Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
    }
}
