//! Statements of a SQL script that ran one after the other, and the first rows each left.

use serde::{Deserialize, Serialize};

/// How far one statement came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementResult {
    /// Number in the script, from 1, and how many there are.
    pub index: u32,
    pub of: u32,
    /// First and last line in the script, from 1.
    pub line: u32,
    pub end_line: Option<u32>,
    /// `set`, `ddl`, `insert`, `query`, `show`, `block`.
    pub kind: String,
    /// `started`, `finished`, `failed`.
    pub state: String,
    /// How long it took, in milliseconds.
    pub millis: Option<i64>,
    /// Written by an INSERT, or kept of a query.
    pub rows: Option<i64>,
    /// Whether a query has more rows than were kept.
    pub truncated: bool,
    /// Whether rows were kept that can be looked at.
    pub has_rows: bool,
    pub error: Option<String>,
}

/// The first rows of a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementRows {
    pub statement: u32,
    pub columns: Vec<Column>,
    /// A value for each column; null when there is none. Decimals and 64-bit numbers are text.
    pub rows: Vec<Vec<serde_json::Value>>,
    pub truncated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Column {
    pub name: String,
    /// As SQL names it, in lower case.
    #[serde(rename = "type")]
    pub kind: String,
}
