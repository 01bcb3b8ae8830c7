//! Ids that end up in request paths, checked on the way in so that they can never be anything else.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Text that is not an id of YARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a YARN {0} id")]
pub struct IdError(&'static str);

/// `application_<RM start>_<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApplicationId {
    /// Milliseconds of the ResourceManager's start that issued it.
    pub cluster_timestamp: u64,
    pub number: u32,
}

impl FromStr for ApplicationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parse = || {
            let (stamp, number) = text.strip_prefix("application_")?.split_once('_')?;
            let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
            (digits(stamp) && digits(number)).then(|| {
                Some(Self {
                    cluster_timestamp: stamp.parse().ok()?,
                    number: number.parse().ok()?,
                })
            })?
        };
        // Only the spelling YARN itself uses: the text is compared with tags and paths elsewhere.
        parse()
            .filter(|id| id.to_string() == text)
            .ok_or(IdError("application"))
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "application_{}_{:04}", self.cluster_timestamp, self.number)
    }
}

impl TryFrom<String> for ApplicationId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ApplicationId> for String {
    fn from(id: ApplicationId) -> String {
        id.to_string()
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let ok = text.len() <= 100
                    && text.strip_prefix($prefix).is_some_and(|rest| {
                        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                    });
                if ok { Ok(Self(text.to_owned())) } else { Err(IdError($what)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
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
    };
}

text_id!(
    /// `container_[e<epoch>_]<RM start>_<application>_<attempt>_<number>`.
    ContainerId, "container_", "container"
);
text_id!(
    /// `appattempt_<RM start>_<application>_<attempt>`.
    AttemptId, "appattempt_", "attempt"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling() {
        let id: ApplicationId = "application_1795207336844_0016".parse().unwrap();
        assert_eq!((id.cluster_timestamp, id.number), (1795207336844, 16));
        assert_eq!(id.to_string(), "application_1795207336844_0016");
        assert!("application_1795207336844_12345".parse::<ApplicationId>().is_ok());
        for bad in [
            "",
            "application_1_16",
            "application_1_+0016",
            "application_1_0016/state",
            "job_1_0016",
            "application__0016",
        ] {
            assert!(bad.parse::<ApplicationId>().is_err(), "{bad}");
        }
        assert!(
            "container_e17_1795207336844_0016_01_000001"
                .parse::<ContainerId>()
                .is_ok()
        );
        for bad in ["container_", "container_../x", "container_1%2f", "container_1?a"] {
            assert!(bad.parse::<ContainerId>().is_err(), "{bad}");
        }
    }
}
