//! The engines jobs run on.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    Flink,
    Spark,
}

impl Engine {
    pub const ALL: [Engine; 2] = [Engine::Flink, Engine::Spark];

    /// As it is stored and sent.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Flink => "flink",
            Engine::Spark => "spark",
        }
    }

    /// What a person reads; a proper name, the same in every language.
    pub fn label(self) -> &'static str {
        match self {
            Engine::Flink => "Flink",
            Engine::Spark => "Spark",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
