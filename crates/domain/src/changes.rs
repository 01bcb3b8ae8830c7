//! What differs between two definitions or launches, as a list a person reads.

use crate::{
    Millis,
    id::RunId,
    job::{JobSpec, LaunchPreview},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest text of one side, in characters; more is cut and ends in `…`.
const MAX_SIDE: usize = 4000;

/// One thing that differs. A side without it is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Where it stands: `resources.parallelism`, `conf.state.backend.type`, `args[2]`.
    pub path: String,
    /// Line of `after` from which a text of several lines differs, counted from 1; both sides are
    /// then the lines from there to the last that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What differs between a run and the last of its job that worked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunChanges {
    /// The run it is compared with; `null`: none before it worked.
    pub since: Option<WorkedRun>,
    /// What people changed: the job's definition, the environment and its snapshot.
    pub definition: Vec<Change>,
    /// What was sent to the cluster differently; without what differs in every run.
    pub launch: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkedRun {
    pub id: RunId,
    pub version: i64,
    pub created_at: Millis,
}

/// What differs between two definitions.
pub fn of_specs(before: &JobSpec, after: &JobSpec) -> Vec<Change> {
    between(serde_json::to_value(before), serde_json::to_value(after))
}

/// What differs between two launches.
pub fn of_launches(before: &LaunchPreview, after: &LaunchPreview) -> Vec<Change> {
    between(serde_json::to_value(before), serde_json::to_value(after))
}

fn between(before: serde_json::Result<Value>, after: serde_json::Result<Value>) -> Vec<Change> {
    let flat = |value: serde_json::Result<Value>| {
        let mut found = BTreeMap::new();
        flatten(String::new(), &value.unwrap_or_default(), &mut found);
        found
    };
    let (before, after) = (flat(before), flat(after));
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path));
    changed
        .map(|path| Change::of(path, before.get(path), after.get(path)))
        .collect()
}

impl Change {
    /// One value that differs.
    pub fn of(path: &str, before: Option<&String>, after: Option<&String>) -> Self {
        let (line, before, after) = match (before, after) {
            (Some(before), Some(after)) if before.contains('\n') || after.contains('\n') => {
                let (line, before, after) = lines(before, after);
                (Some(line), Some(before), Some(after))
            }
            (before, after) => (None, before.cloned(), after.cloned()),
        };
        Self {
            path: path.to_owned(),
            line,
            before: before.map(cut),
            after: after.map(cut),
        }
    }
}

/// The lines between the first and the last that differ, and the number of the first.
fn lines(before: &str, after: &str) -> (usize, String, String) {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = |pairs: usize, equal: &dyn Fn(usize) -> bool| (0..pairs).take_while(|at| equal(*at)).count();
    let shorter = before.len().min(after.len());
    let head = same(shorter, &|at| before[at] == after[at]);
    let tail = same(shorter - head, &|at| {
        before[before.len() - 1 - at] == after[after.len() - 1 - at]
    });
    (
        head + 1,
        before[head..before.len() - tail].join("\n"),
        after[head..after.len() - tail].join("\n"),
    )
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_SIDE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Every value by its place. Pairs and things with a name stand under it, so that one more in
/// between does not move all behind it.
fn flatten(path: String, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(below(key), value, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                match (item, item.get("name").and_then(Value::as_str)) {
                    (_, Some(name)) => flatten(below(name), item, found),
                    (Value::Array(pair), None) if pair.len() == 2 && pair[0].is_string() => {
                        flatten(below(pair[0].as_str().unwrap_or_default()), &pair[1], found);
                    }
                    _ => flatten(format!("{path}[{index}]"), item, found),
                }
            }
        }
        Value::String(text) => {
            found.insert(path, text.clone());
        }
        Value::Bool(_) | Value::Number(_) => {
            found.insert(path, value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changes(before: Value, after: Value) -> Vec<Change> {
        between(Ok(before), Ok(after))
    }

    fn change(path: &str, line: Option<usize>, before: Option<&str>, after: Option<&str>) -> Change {
        Change {
            path: path.to_owned(),
            line,
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_the_same_is_not_told() {
        let spec = json!({ "a": 1, "conf": { "x.y": "z" }, "args": ["", "two"], "none": null });
        assert_eq!(changes(spec.clone(), spec), []);
    }

    #[test]
    fn values_are_found_by_their_place() {
        let before = json!({ "r": { "parallelism": 1 }, "conf": { "a.b": "c", "gone": "x" }, "args": ["1"] });
        let after =
            json!({ "r": { "parallelism": 2 }, "conf": { "a.b": "c", "new": "" }, "args": ["1", "2"] });
        assert_eq!(
            changes(before, after),
            [
                change("args[1]", None, None, Some("2")),
                change("conf.gone", None, Some("x"), None),
                change("conf.new", None, None, Some("")),
                change("r.parallelism", None, Some("1"), Some("2")),
            ]
        );
    }

    #[test]
    fn one_more_pair_or_file_moves_no_other() {
        let before = json!({ "conf": [["b", "1"]], "files": [{ "name": "b.jar", "bytes": 1 }] });
        let after = json!({ "conf": [["a", "0"], ["b", "1"]],
            "files": [{ "name": "a.jar", "bytes": 2 }, { "name": "b.jar", "bytes": 1 }] });
        let paths: Vec<String> = changes(before, after).into_iter().map(|c| c.path).collect();
        assert_eq!(paths, ["conf.a", "files.a.jar.bytes", "files.a.jar.name"]);
    }

    #[test]
    fn of_a_script_the_lines_that_differ_are_told() {
        let before = json!({ "sql": "a\nb\nc\nd" });
        let after = json!({ "sql": "a\nB\nbb\nc\nd" });
        assert_eq!(
            changes(before, after),
            [change("sql", Some(2), Some("b"), Some("B\nbb"))]
        );
        // Lines that repeat are not counted from both ends.
        let (line, before, after) = lines("x\nx", "x\nx\nx");
        assert_eq!((line, before.as_str(), after.as_str()), (3, "", "x"));
    }

    #[test]
    fn long_sides_are_cut_between_characters() {
        let long = "ü".repeat(MAX_SIDE + 1);
        let found = changes(json!({ "a": "" }), json!({ "a": long }));
        assert_eq!(found[0].after.as_ref().unwrap().chars().count(), MAX_SIDE + 1);
    }
}
