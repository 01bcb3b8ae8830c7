//! A launch as it may be shown and stored: without secrets.

use super::{Launch, Prepared, plan::APPLICATION_TYPE};
use crate::{
    config::{PROGRAM_ARGS, Value},
    redact,
};
use domain::job::{LaunchFile, LaunchPreview};
use hadoop::{ApplicationId, xml::AclKind};

/// Stands for the application id as long as there is none.
const NO_ID: &str = "application_…";

/// The settings of the configuration file, key by key.
pub(super) fn settings(prepared: &Prepared) -> Vec<(String, String)> {
    let list = |items: &[String]| format!("[{}]", items.join(", "));
    prepared
        .settings
        .iter()
        .map(|(key, value)| {
            let shown = match value {
                _ if key == PROGRAM_ARGS => list(&prepared.shown_args),
                Value::Text(text) => redact::value(key, text),
                Value::List(items) => redact::value(key, &list(items)),
            };
            (key.clone(), shown)
        })
        .collect()
}

impl Launch {
    /// What is sent, for people; without an id, what would be.
    pub fn redacted(&self, id: Option<ApplicationId>) -> LaunchPreview {
        let id = id.map_or_else(|| NO_ID.to_owned(), |id| id.to_string());
        let environment = self
            .environment(&id)
            .into_iter()
            .map(|(name, value)| {
                // Its content is the list of files, which is shown as such.
                let value = if name == "_CLIENT_SHIP_FILES" {
                    format!("({} files, {} bytes)", self.resources.len(), value.len())
                } else {
                    redact::value("", &value)
                };
                (name.to_owned(), value)
            })
            .collect();
        LaunchPreview {
            application_name: self.name.clone(),
            application_type: APPLICATION_TYPE.into(),
            hadoop_user: self.hadoop_user.clone(),
            queue: self.queue.clone(),
            tags: self.tags.clone(),
            memory_mb: i64::try_from(self.resource.memory_mb).unwrap_or(i64::MAX),
            vcores: self.resource.vcores.into(),
            max_attempts: self.attempts.into(),
            command: redact::assignments(&self.command(&id)),
            environment,
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
