//! Audit events: appended in the action's transaction, never changed.

use crate::{Error, Source, Tx, error::readable, row::At, value::json};
use domain::{
    Millis,
    audit::AuditEvent,
    id::{AuditId, TeamId, UserId},
    page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
};
use serde_json::Value as Json;

/// An event to append; the fields mean what they mean in [`AuditEvent`].
#[derive(Debug, Clone, PartialEq)]
pub struct NewAuditEvent {
    pub id: AuditId,
    pub at: Millis,
    pub actor: String,
    pub user: Option<UserId>,
    pub action: String,
    pub object: Option<String>,
    pub team: Option<TeamId>,
    pub request_id: Option<String>,
    pub detail: Json,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    at: i64,
    actor: String,
    action: String,
    object: Option<String>,
    team: Option<String>,
    request_id: Option<String>,
    detail: String,
}

impl TryFrom<Raw> for AuditEvent {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "audit_events",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            at: raw.at,
            detail: at.json("detail", &raw.detail)?,
            actor: raw.actor,
            action: raw.action,
            object: raw.object,
            team: raw.team,
            request_id: raw.request_id,
        })
    }
}

statements! {
    APPEND = ("INSERT INTO audit_events (id, at, actor, user_id, action, object, team_id, request_id, detail) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    LIST = ("SELECT a.id, a.at, a.actor, a.action, a.object, t.name AS team, a.request_id, a.detail \
        FROM audit_events a LEFT JOIN teams t ON t.id = a.team_id \
        WHERE CAST($1 AS TEXT) IS NULL OR a.id < $1 ORDER BY a.id DESC LIMIT $2");
}

pub async fn append(tx: &mut Tx, event: &NewAuditEvent) -> Result<(), Error> {
    let args = args![
        &event.id,
        event.at,
        &event.actor,
        &event.user,
        &event.action,
        &event.object,
        &event.team,
        &event.request_id,
        json(&event.detail)?,
    ];
    tx.exec(APPEND, args).await?;
    Ok(())
}

/// The whole log, newest first; for administrators. `after` is the `next` of the page before. A limit of 0 is the usual one.
pub async fn list(
    source: impl Into<Source<'_>>,
    limit: u32,
    after: Option<&str>,
) -> Result<Page<AuditEvent>, Error> {
    let limit = match limit {
        0 => DEFAULT_LIMIT,
        limit => limit.min(MAX_LIMIT),
    };
    let after: Option<AuditId> = after
        .map(|after| after.parse().map_err(|_| Error::Invalid { what: "after" }))
        .transpose()?;
    let mut raw: Vec<Raw> = source
        .into()
        .all(LIST, args![&after, i64::from(limit) + 1])
        .await?;
    let more = raw.len() > limit as usize;
    raw.truncate(limit as usize);
    let next = raw.last().filter(|_| more).map(|event| event.id.clone());
    Ok(Page {
        items: readable(raw),
        next,
    })
}
