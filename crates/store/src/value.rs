//! Arguments of statements: text and whole numbers are all the tables hold.

use crate::Error;
use domain::id::{
    ArtifactId, AuditId, ClusterId, EnvironmentId, JobId, OperationId, RestorePointId, RunId, TeamId,
    TokenId, UploadId, UserId,
};
use serde::Serialize;

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
}

impl Value {
    /// PostgreSQL cannot store U+0000 in text; refused on both, so that neither differs.
    pub(crate) fn is_storable(&self) -> bool {
        match self {
            Value::Text(Some(text)) => !text.contains('\0'),
            Value::Text(None) | Value::Int(_) => true,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(Some(text.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::Text(Some(text.clone()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(Some(text))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Value::Text(text.map(str::to_owned))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Value::Text(text)
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Value::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Value::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Int(Some(i64::from(truth)))
    }
}

macro_rules! ids {
    ($($id:ident),*) => {$(
        impl From<&$id> for Value {
            fn from(id: &$id) -> Self {
                Value::Text(Some(id.as_str().to_owned()))
            }
        }
        impl From<&Option<$id>> for Value {
            fn from(id: &Option<$id>) -> Self {
                Value::Text(id.as_ref().map(|id| id.as_str().to_owned()))
            }
        }
        impl From<Option<&$id>> for Value {
            fn from(id: Option<&$id>) -> Self {
                Value::Text(id.map(|id| id.as_str().to_owned()))
            }
        }
    )*};
}

ids!(
    ArtifactId,
    AuditId,
    ClusterId,
    EnvironmentId,
    JobId,
    OperationId,
    RestorePointId,
    RunId,
    TeamId,
    TokenId,
    UploadId,
    UserId
);

/// What stands for `$1` in a scoped statement: the viewer, or nothing for the whole table.
impl From<&domain::Scope> for Value {
    fn from(scope: &domain::Scope) -> Self {
        match scope {
            domain::Scope::All => Value::Text(None),
            domain::Scope::User(user) => user.into(),
        }
    }
}

/// The arguments of a statement, in the order of `$1`, `$2`, ….
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}

/// A value as the text of a JSON column.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|_| Error::Invalid { what: "json" })
}

/// As [`json`], with nothing as NULL.
pub(crate) fn json_opt<T: Serialize>(value: &Option<T>) -> Result<Option<String>, Error> {
    value.as_ref().map(json).transpose()
}
