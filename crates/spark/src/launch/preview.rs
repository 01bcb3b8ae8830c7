//! A launch as it may be shown and stored: without secrets.

use super::{
    Launch,
    plan::{APPLICATION_TYPE, with_id},
};
use crate::redact;
use domain::job::{LaunchFile, LaunchPreview};
use hadoop::{ApplicationId, xml::AclKind};

/// Stands for the application id as long as there is none.
const NO_ID: &str = "application_…";

impl Launch {
    /// What is sent, for people; without an id, what would be.
    pub fn redacted(&self, id: Option<ApplicationId>) -> LaunchPreview {
        let id = id.map_or_else(|| NO_ID.to_owned(), |id| id.to_string());
        LaunchPreview {
            application_name: self.name.clone(),
            application_type: APPLICATION_TYPE.into(),
            hadoop_user: self.hadoop_user.clone(),
            queue: self.queue.clone(),
            tags: self.tags.clone(),
            memory_mb: i64::try_from(self.resource.memory_mb).unwrap_or(i64::MAX),
            vcores: self.resource.vcores.into(),
            max_attempts: self.attempts.into(),
            command: redact::assignments(&with_id(&self.shown_command, &id)),
            environment: self
                .environment
                .iter()
                .map(|(name, value)| (name.clone(), redact::value(name, value)))
                .collect(),
            files: self
                .resources
                .iter()
                .map(|resource| LaunchFile {
                    name: resource.key.clone(),
                    uri: resource.uri.clone(),
                    bytes: i64::try_from(resource.size).unwrap_or(i64::MAX),
                })
                .collect(),
            conf: self.shown_settings.clone(),
            acls: self
                .acls
                .iter()
                .map(|(kind, who)| {
                    let kind = match kind {
                        AclKind::View => "VIEW_APP",
                        AclKind::Modify => "MODIFY_APP",
                    };
                    (kind.to_owned(), who.clone())
                })
                .collect(),
        }
    }
}
