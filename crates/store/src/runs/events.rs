//! The history of a run; added to, never rewritten.

use crate::{Error, Source, Tx, error::readable, row::At, value::json_opt};
use domain::{
    Millis, Scope,
    id::RunId,
    run::{RunEvent, RunState},
};
use serde_json::Value as Json;

/// The most events of a run that are read: the newest ones.
pub const MAX_EVENTS: i64 = 1000;

/// An entry to add; the fields mean what they mean in [`RunEvent`].
#[derive(Debug, Clone, PartialEq)]
pub struct NewRunEvent {
    pub at: Millis,
    pub kind: String,
    pub from: Option<RunState>,
    pub to: Option<RunState>,
    pub source: String,
    pub note: Option<String>,
    pub evidence: Option<Json>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    seq: i64,
    run_id: String,
    at: i64,
    kind: String,
    from_state: Option<String>,
    to_state: Option<String>,
    source: String,
    note: Option<String>,
    evidence: Option<String>,
}

impl TryFrom<Raw> for RunEvent {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "run_events",
            id: &raw.run_id,
        };
        Ok(Self {
            seq: raw.seq,
            at: raw.at,
            from: at.name_opt("from_state", raw.from_state.as_deref(), RunState::from_name)?,
            to: at.name_opt("to_state", raw.to_state.as_deref(), RunState::from_name)?,
            evidence: at.json_opt("evidence", raw.evidence.as_deref())?,
            kind: raw.kind,
            source: raw.source,
            note: raw.note,
        })
    }
}

statements! {
    APPEND = ("INSERT INTO run_events (run_id, at, kind, from_state, to_state, source, note, evidence) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    EVENTS = ("SELECT v.seq, v.run_id, v.at, v.kind, v.from_state, v.to_state, v.source, v.note, v.evidence \
        FROM run_events v JOIN runs r ON r.id = v.run_id \
        WHERE v.run_id = $2 AND (CAST($1 AS TEXT) IS NULL \
        OR r.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) \
        ORDER BY v.seq DESC LIMIT $3");
}

pub async fn append_event(tx: &mut Tx, run: &RunId, event: &NewRunEvent) -> Result<(), Error> {
    let args = args![
        run,
        event.at,
        &event.kind,
        event.from.map(RunState::name),
        event.to.map(RunState::name),
        &event.source,
        &event.note,
        json_opt(&event.evidence)?,
    ];
    tx.exec(APPEND, args).await?;
    Ok(())
}

/// The history, oldest first; of a very long one its newest [`MAX_EVENTS`].
pub async fn events(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    run: &RunId,
) -> Result<Vec<RunEvent>, Error> {
    let mut raw: Vec<Raw> = source.into().all(EVENTS, args![scope, run, MAX_EVENTS]).await?;
    raw.reverse();
    Ok(readable(raw))
}
