//! What a person enters for a Spark job.

use crate::{Resources, conf, resources::invalid};
use domain::{Code, Failure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Program {
    /// A class of the artifact.
    Jar { main_class: String },
    /// The artifact is the script.
    Python,
    /// Statement after statement in one session.
    Sql { script: String },
}

/// A job's definition, as far as the planner needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub name: String,
    pub queue: String,
    pub program: Program,
    /// Any characters but U+0000. Not for SQL scripts.
    #[serde(default)]
    pub args: Vec<String>,
    /// Settings that pass through, minus the console's own.
    #[serde(default)]
    pub conf: BTreeMap<String, String>,
    #[serde(default)]
    pub resources: Resources,
    /// YARN tags beside the console's own.
    #[serde(default)]
    pub tags: Vec<String>,
    /// `spark.sql.session.timeZone`; absent: the node's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Label of the nodes driver and executors run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_label: Option<String>,
    /// Attempts of the ApplicationMaster. A second attempt runs everything twice.
    #[serde(default = "one")]
    pub am_attempts: u32,
    /// How many rows of each query of a SQL script are kept.
    #[serde(default = "preview_rows")]
    pub preview_rows: u32,
}

fn one() -> u32 {
    1
}

fn preview_rows() -> u32 {
    1000
}

impl Spec {
    /// # Errors
    /// The first field that cannot be used, by name.
    pub fn check(&self) -> Result<(), Failure> {
        if self.args.iter().any(|arg| arg.contains('\0')) {
            return Err(Failure::new(Code::FieldCharacters)
                .with("field", "args")
                .with("character", "U+0000"));
        }
        match &self.program {
            Program::Jar { main_class } if main_class.trim().is_empty() => {
                return Err(Failure::new(Code::FieldRequired).with("field", "main_class"));
            }
            Program::Sql { script } if script.trim().is_empty() => return Err(Code::SqlEmpty.into()),
            Program::Sql { .. } if !self.args.is_empty() => {
                return Err(invalid("args", "a script has none"));
            }
            _ => {}
        }
        for key in self.conf.keys() {
            if conf::is_owned_key(key) {
                return Err(Failure::new(Code::ConfKeyOwned).with("key", key));
            }
            if !conf::is_key(key) {
                return Err(Failure::new(Code::ConfKeyInvalid).with("key", key));
            }
        }
        self.resources.check()
    }
}
