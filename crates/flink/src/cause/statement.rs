//! What the SQL runner says of its statements.

use super::{between, from, short};
use domain::{Code, Failure};
use serde::Deserialize;

/// The SQL runner names the statement: `statement 2 of 3 (line 7: INSERT …) failed: <reason>`, or
/// `… (line 7): <reason>` for what it refuses.
pub(super) fn statement(text: &str) -> Option<Failure> {
    let mut rest = text;
    while let Some(at) = rest.find("statement ") {
        rest = &rest[at + "statement ".len()..];
        if let Some(failure) = named_statement(rest) {
            return Some(failure);
        }
    }
    let line = between(text, "ScriptException: line ", ", column ")?;
    let reason = from(text, "ScriptException: line ")?.strip_prefix("ScriptException: ")?;
    line.parse::<u32>().ok()?;
    Some(sql_failed("?", line, reason))
}

pub(super) fn named_statement(text: &str) -> Option<Failure> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (index, rest) = text.split_at(digits(text));
    let rest = match rest.strip_prefix(" of ") {
        Some(rest) => &rest[digits(rest)..],
        None => rest,
    };
    let rest = rest.strip_prefix(" (line ")?;
    let (line, rest) = rest.split_at(digits(rest));
    if index.is_empty() || line.is_empty() {
        return None;
    }
    let first = rest.lines().next()?;
    let marks = [") failed: ", "): "];
    let mark = marks.iter().find(|mark| first.contains(**mark))?;
    let after = &rest[rest.find(mark)? + mark.len()..];
    // The reason may have several lines, up to the frames of the trace.
    let reason: Vec<&str> = after
        .lines()
        .take_while(|line| {
            !line.starts_with("\tat ") && !line.starts_with("\t... ") && !line.starts_with("Caused by: ")
        })
        .take(12)
        .collect();
    Some(sql_failed(index, line, &reason.join("\n")))
}

pub(super) fn sql_failed(statement: &str, line: &str, reason: &str) -> Failure {
    Failure::new(Code::SqlFailed)
        .with("statement", statement)
        .with("line", line)
        .with("reason", short(reason))
}

/// One line of the SQL runner's progress, `penstock-event {…}`. A job's own code can print such
/// lines too: they inform, they prove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StatementEvent {
    /// Number of the statement, from 1, and how many there are.
    pub index: u32,
    pub of: u32,
    pub line: u32,
    #[serde(default)]
    pub end_line: Option<u32>,
    #[serde(default)]
    pub kind: String,
    /// `started`, `submitted`, `finished`, `failed`, `cancelled`.
    pub state: String,
    #[serde(default)]
    pub millis: Option<i64>,
    #[serde(default)]
    pub rows: Option<i64>,
    #[serde(default)]
    pub job: Option<String>,
    #[serde(default)]
    pub error: Option<String>,
}

/// The events in a standard output.
pub fn statement_events(out: &str) -> impl Iterator<Item = StatementEvent> {
    out.lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("penstock-event ")?).ok())
}

pub(super) fn last_event(out: &str) -> Option<Failure> {
    let event = statement_events(out)
        .filter(|event| event.state == "failed")
        .last()?;
    let reason = event.error.unwrap_or_default();
    Some(sql_failed(
        &event.index.to_string(),
        &event.line.to_string(),
        &reason,
    ))
}
