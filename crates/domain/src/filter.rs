//! The filter of the jobs list: words and `key:value` pairs, the same text in the address and in the field.

use crate::{
    job::{JobKind, JobRow},
    run::{Family, RunState},
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A parsed filter. Unknown keys are kept to be told, never an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    words: Vec<String>,
    states: Vec<RunState>,
    owner: Option<String>,
    queue: Option<String>,
    environment: Option<String>,
    cluster: Option<String>,
    kind: Option<JobKind>,
    /// `key:value` pairs that mean nothing here.
    pub unknown: Vec<String>,
}

/// Fixed selections with a count each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    #[default]
    All,
    /// Failed, killed, lost, restarting, or in a state that nobody confirmed lately.
    Attention,
    Running,
    Queued,
    Mine,
}

impl View {
    pub const ALL: [View; 5] = [
        View::All,
        View::Attention,
        View::Running,
        View::Queued,
        View::Mine,
    ];

    pub fn name(self) -> &'static str {
        match self {
            View::All => "all",
            View::Attention => "attention",
            View::Running => "running",
            View::Queued => "queued",
            View::Mine => "mine",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }

    pub fn holds(self, row: &JobRow, me: &str) -> bool {
        let state = row.run.as_ref().map(|run| run.state);
        match self {
            View::All => true,
            View::Attention => {
                state.is_some_and(|s| {
                    matches!(s.family(), Family::Fail | Family::Unk) || s == RunState::Restarting
                }) || row.run.as_ref().is_some_and(|run| run.in_doubt_since.is_some())
            }
            View::Running => state.is_some_and(|s| {
                matches!(
                    s,
                    RunState::Running | RunState::Starting | RunState::Restarting | RunState::Stopping
                )
            }),
            View::Queued => state
                .is_some_and(|s| matches!(s, RunState::Queued | RunState::Submitting | RunState::Preparing)),
            View::Mine => row.owner == me,
        }
    }
}

/// `a*` matches by prefix, anything else as a part.
fn matches(pattern: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => text.contains(pattern),
    }
}

impl Filter {
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for word in text.split_whitespace().take(40) {
            let lower = word.to_lowercase();
            match lower.split_once(':') {
                Some(("state", value)) => filter
                    .states
                    .extend(value.split(',').filter_map(RunState::from_name)),
                Some(("owner", value)) => filter.owner = Some(value.to_owned()),
                Some(("queue", value)) => filter.queue = Some(value.to_owned()),
                Some(("env", value)) => filter.environment = Some(value.to_owned()),
                Some(("cluster", value)) => filter.cluster = Some(value.to_owned()),
                Some(("kind", value)) => filter.kind = JobKind::from_name(value),
                Some(_) => filter.unknown.push(word.to_owned()),
                None => filter.words.push(lower),
            }
        }
        filter
    }

    /// Whether each word is part of the name, or the id.
    fn names(&self, row: &JobRow) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let name = row.name.to_lowercase();
        self.words
            .iter()
            .all(|w| name.contains(w.as_str()) || row.id.as_str() == w)
    }

    /// Whether a row passes; `me` is what `owner:me` stands for.
    pub fn holds(&self, row: &JobRow, me: &str) -> bool {
        self.names(row)
            && (self.states.is_empty()
                || row
                    .run
                    .as_ref()
                    .is_some_and(|run| self.states.contains(&run.state)))
            && self
                .owner
                .as_deref()
                .is_none_or(|o| matches(if o == "me" { me } else { o }, &row.owner))
            && self.queue.as_deref().is_none_or(|q| matches(q, &row.queue))
            && self
                .environment
                .as_deref()
                .is_none_or(|e| matches(e, &row.environment_name))
            && self
                .cluster
                .as_deref()
                .is_none_or(|c| matches(c, &row.cluster_code))
            && self.kind.is_none_or(|k| k == row.kind)
    }
}

/// Columns a list can be sorted by; `-` in front of the name turns the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SortKey {
    Name,
    State,
    Queue,
    Environment,
    Owner,
    Changed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            key: SortKey::Changed,
            descending: true,
        }
    }
}

impl Sort {
    pub fn parse(text: &str) -> Option<Self> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let key = match name {
            "name" => SortKey::Name,
            "state" => SortKey::State,
            "queue" => SortKey::Queue,
            "env" => SortKey::Environment,
            "owner" => SortKey::Owner,
            "changed" => SortKey::Changed,
            _ => return None,
        };
        Some(Self { key, descending })
    }

    pub fn text(self) -> String {
        let name = match self.key {
            SortKey::Name => "name",
            SortKey::State => "state",
            SortKey::Queue => "queue",
            SortKey::Environment => "env",
            SortKey::Owner => "owner",
            SortKey::Changed => "changed",
        };
        format!("{}{name}", if self.descending { "-" } else { "" })
    }

    /// Order of two rows; equal ones by id, so that a list never jumps.
    pub fn compare(self, a: &JobRow, b: &JobRow) -> Ordering {
        let state = |row: &JobRow| row.run.as_ref().map(|run| run.state);
        let order = match self.key {
            SortKey::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
            SortKey::State => state(a).cmp(&state(b)),
            SortKey::Queue => a.queue.cmp(&b.queue),
            SortKey::Environment => a.environment_name.cmp(&b.environment_name),
            SortKey::Owner => a.owner.cmp(&b.owner),
            SortKey::Changed => a.changed_at.cmp(&b.changed_at),
        };
        let order = if self.descending { order.reverse() } else { order };
        order.then_with(|| a.id.cmp(&b.id))
    }

    /// Sorts rows.
    pub fn apply(self, rows: &mut [JobRow]) {
        rows.sort_by(|a, b| self.compare(a, b));
    }
}
