//! The live stream: what changed, never the data itself. A reader fetches anew what it shows, so
//! that rights are checked in one place and a lost event costs nothing.

use crate::id::TeamId;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    Job,
    Run,
    Operation,
    Environment,
    Cluster,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub topic: Topic,
    pub id: String,
    /// `None`: for everybody who is signed in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team: Option<TeamId>,
    /// Job of a changed run, so that a list knows its row.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
    pub version: i64,
}
