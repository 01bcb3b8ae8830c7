//! Changes of a run: the row, the event with its proof, and the word to whoever watches, always
//! together.

use crate::{Result, Service};
use domain::{
    Millis,
    event::{Event, Topic},
    run::RunState,
};
use serde_json::Value;
use store::{
    Tx,
    runs::{NewRunEvent, RunRow},
};

/// Why something is believed.
pub(crate) struct Proof<'a> {
    /// `rm`, `flink`, `archive`, `console` or the name of a user.
    pub source: &'a str,
    /// Key of a fixed text.
    pub note: Option<&'a str>,
    /// The answer behind it, without secrets.
    pub evidence: Option<Value>,
}

/// A change that is to be written.
pub(crate) struct Change {
    kind: &'static str,
    from: Option<RunState>,
    to: Option<RunState>,
}

impl Change {
    /// An entry of the history that changes no state.
    pub(crate) fn note(kind: &'static str) -> Self {
        Self {
            kind,
            from: None,
            to: None,
        }
    }

    /// Moves the row to `to`; ends it when the state is terminal.
    pub(crate) fn state(row: &mut RunRow, to: RunState, now: Millis) -> Self {
        let from = row.state;
        if from != to {
            row.state = to;
            row.state_since = now;
        }
        if to.is_terminal() {
            row.ended_at.get_or_insert(now);
            row.in_doubt_since = None;
        }
        Self {
            kind: "state",
            from: Some(from),
            to: Some(to),
        }
    }
}

impl Service {
    /// Writes the row and its history in the caller's transaction. `false`: somebody else changed
    /// the row in between; drop the transaction and look again.
    pub(crate) async fn save_run(
        &self,
        tx: &mut Tx,
        row: &mut RunRow,
        change: Change,
        proof: Proof<'_>,
    ) -> Result<bool> {
        let expected = row.row_version;
        if !store::runs::update(tx, row, expected).await? {
            return Ok(false);
        }
        row.row_version = expected + 1;
        let event = NewRunEvent {
            at: self.now(),
            kind: change.kind.to_owned(),
            from: change.from,
            to: change.to,
            source: proof.source.to_owned(),
            note: proof.note.map(str::to_owned),
            evidence: proof.evidence,
        };
        store::runs::append_event(tx, &row.id, &event).await?;
        Ok(true)
    }

    /// Tells whoever watches that a run changed; after the commit.
    pub(crate) fn announce_run(&self, row: &RunRow) {
        self.inner.bus.send(Event {
            topic: Topic::Run,
            id: row.id.to_string(),
            team: Some(row.team.clone()),
            job: Some(row.job.to_string()),
            version: row.row_version,
        });
    }
}
