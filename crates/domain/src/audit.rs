//! Audit events: who did what, when. Appended in the action's own transaction, never changed.

use crate::{Millis, id::AuditId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEvent {
    pub id: AuditId,
    pub at: Millis,
    /// Name of the user, or `console`.
    pub actor: String,
    /// Name of the action, as in [`crate::Action::name`], or `auth.login` and the like.
    pub action: String,
    /// Id of the object.
    pub object: Option<String>,
    pub team: Option<String>,
    pub request_id: Option<String>,
    pub detail: serde_json::Value,
}
