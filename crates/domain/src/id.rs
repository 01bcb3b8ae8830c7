//! Prefixed, time-ordered ids (`run_01j…`): a ULID in lower case behind the noun it names, so that
//! an id in a log or a bug report says what it is.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with {expected}_")]
pub struct IdError {
    expected: &'static str,
}

const ULID_LEN: usize = 26;

fn is_ulid(text: &str) -> bool {
    text.len() == ULID_LEN
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b.is_ascii_lowercase() && !b"ilou".contains(&b)))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// The id made of a ULID in either case; `None` when it is not 26 characters of one.
            pub fn from_ulid(ulid: &str) -> Option<Self> {
                let ulid = ulid.to_ascii_lowercase();
                is_ulid(&ulid).then(|| Self(format!("{}_{ulid}", Self::PREFIX)))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                match text.strip_prefix(concat!($prefix, "_")) {
                    Some(ulid) if is_ulid(ulid) => Ok(Self(text.to_owned())),
                    _ => Err(IdError { expected: Self::PREFIX }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    TeamId = "team";
    UserId = "usr";
    TokenId = "tok";
    ClusterId = "clu";
    EnvironmentId = "env";
    ArtifactId = "art";
    UploadId = "upl";
    JobId = "job";
    RunId = "run";
    OperationId = "op";
    RestorePointId = "rp";
    AuditId = "aud";
    /// One installation of the console; part of the tag every application of it carries.
    DeploymentId = "dep";
}

/// The id of one request, as the header `x-request-id` and the log carry it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestId(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_its_own_kind_only() {
        let id = RunId::from_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        assert_eq!(id.as_str(), "run_01arz3ndektsv4rrffq69g5fav");
        assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
        for bad in [
            "",
            "run_",
            "job_01arz3ndektsv4rrffq69g5fav",
            "run_01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "run_../../etc/passwd0000000000",
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
