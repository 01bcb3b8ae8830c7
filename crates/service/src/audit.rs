//! Who did what: one event in the transaction of the action.

use crate::{Error, Result, Service, clock::new_id, request};
use domain::{
    Action, Viewer,
    audit::AuditEvent,
    id::{AuditId, TeamId, UserId},
    page::{MAX_LIMIT, Page},
};
use serde_json::Value;
use store::Tx;

/// An audit event about to be written.
pub(crate) struct Entry<'a> {
    pub actor: &'a str,
    pub user: Option<&'a UserId>,
    pub action: &'a str,
    pub object: Option<&'a str>,
    pub team: Option<&'a TeamId>,
    pub detail: Value,
}

impl<'a> Entry<'a> {
    pub(crate) fn by(
        viewer: &'a Viewer,
        action: Action,
        object: &'a str,
        team: Option<&'a TeamId>,
        detail: Value,
    ) -> Self {
        Self {
            actor: &viewer.name,
            user: Some(&viewer.user),
            action: action.name(),
            object: Some(object),
            team,
            detail,
        }
    }
}

impl Service {
    pub(crate) async fn record(&self, tx: &mut Tx, entry: Entry<'_>) -> Result<()> {
        let now = self.now();
        let event = store::audit::NewAuditEvent {
            id: new_id!(AuditId, now),
            at: now,
            actor: entry.actor.to_owned(),
            user: entry.user.cloned(),
            action: entry.action.to_owned(),
            object: entry.object.map(str::to_owned),
            team: entry.team.cloned(),
            request_id: request::current(),
            detail: entry.detail,
        };
        Ok(store::audit::append(tx, &event).await?)
    }

    /// The audit log, newest first.
    pub async fn audit(&self, viewer: &Viewer, limit: u32, after: Option<&str>) -> Result<Page<AuditEvent>> {
        if !viewer.admin {
            return Err(Error::forbidden(Action::AuditRead));
        }
        Ok(store::audit::list(self.db(), limit.clamp(1, MAX_LIMIT), after).await?)
    }
}
