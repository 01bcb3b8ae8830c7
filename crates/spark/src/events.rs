//! What the SQL runner says of each statement, and the rows it leaves.

use serde::Deserialize;
use serde_json::Value;

/// File with the last word on each statement, in the run's results; the same lines as in the log,
/// without their mark.
pub const SUMMARY_FILE: &str = "statements.jsonl";
const MARK: &str = "penstock-event ";

/// One line of the SQL runner's progress, `penstock-event {…}` in the driver's standard output. A
/// job's own code can print such lines too: they inform, they prove nothing.
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
    /// `started`, `finished`, `failed`.
    pub state: String,
    #[serde(default)]
    pub millis: Option<i64>,
    /// Written by an INSERT, or shown of a query.
    #[serde(default)]
    pub rows: Option<i64>,
    /// Whether a query has more rows than are shown.
    #[serde(default)]
    pub truncated: bool,
    /// Name of the file with the rows.
    #[serde(default)]
    pub results: Option<String>,
    #[serde(default)]
    pub error: Option<String>,
}

/// The events in a standard output.
pub fn statement_events(out: &str) -> impl Iterator<Item = StatementEvent> {
    out.lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix(MARK)?).ok())
}

/// The events in [`SUMMARY_FILE`].
pub fn summary(text: &str) -> Vec<StatementEvent> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Column {
    pub name: String,
    /// As SQL names it, in lower case; `struct` for all of those.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The first rows of one query.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub statement: u32,
    pub columns: Vec<Column>,
    /// A value for each column; null when there is none. Decimals and 64-bit numbers are text.
    pub rows: Vec<Vec<Value>>,
    pub truncated: bool,
}

#[derive(Deserialize)]
struct Head {
    statement: u32,
    columns: Vec<Column>,
    truncated: bool,
}

/// Reads a file of rows; `None` when it is none.
pub fn rows(text: &str) -> Option<Rows> {
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next()?).ok()?;
    let rows = lines
        .map_while(|line| serde_json::from_str::<serde_json::Map<String, Value>>(line).ok())
        .map(|mut row| {
            (0..head.columns.len())
                .map(|at| row.remove(&format!("c{at}")).unwrap_or(Value::Null))
                .collect()
        })
        .collect();
    Some(Rows {
        statement: head.statement,
        columns: head.columns,
        rows,
        truncated: head.truncated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_the_order_of_columns() {
        let text = "{\"statement\":3,\"columns\":[{\"name\":\"id\",\"type\":\"int\"},{\"name\":\"id\",\"type\":\"string\"}],\"rows\":2,\"truncated\":true}\n{\"c0\":1,\"c1\":\"x\"}\n{\"c1\":\"y\"}\n";
        let rows = rows(text).unwrap();
        assert_eq!(
            (rows.statement, rows.truncated, rows.columns[1].kind.as_str()),
            (3, true, "string")
        );
        assert_eq!(
            rows.rows,
            [vec![1.into(), "x".into()], vec![Value::Null, "y".into()]]
        );
        assert_eq!(super::rows("nothing"), None);
    }

    #[test]
    fn events_are_found_between_other_lines() {
        let out = "hello\npenstock-event {\"index\":1,\"of\":2,\"line\":3,\"kind\":\"query\",\"state\":\"finished\",\"millis\":5,\"rows\":7,\"truncated\":false,\"results\":\"statement-1.jsonl\"}\npenstock-event {\n";
        let events: Vec<_> = statement_events(out).collect();
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].rows, events[0].results.as_deref()),
            (Some(7), Some("statement-1.jsonl"))
        );
    }
}
