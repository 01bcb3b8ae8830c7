//! What is learnt by asking the REST interface of something that runs, and may be gone, or be
//! somebody else by now.

const MAX_REASON: usize = 500;

/// What was learnt by asking.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation<T> {
    Known(T),
    /// Whoever answers at this address does not know it (any more).
    Gone,
    /// Nothing was learnt.
    Inconclusive(Error),
}

/// Why nothing was learnt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not reachable: {reason}")]
    Unreachable { reason: String },
    #[error("no answer in time: {reason}")]
    Timeout { reason: String },
    #[error("{target} answered {status}: {reason}")]
    Refused {
        target: String,
        status: u16,
        reason: String,
    },
    #[error("{target} answered something that is not understood: {reason}")]
    NotUnderstood { target: String, reason: String },
}

impl<T> Observation<T> {
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Observation<U> {
        match self {
            Self::Known(value) => Observation::Known(with(value)),
            Self::Gone => Observation::Gone,
            Self::Inconclusive(error) => Observation::Inconclusive(error),
        }
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        let reason = error.to_string();
        match error {
            crate::Error::Timeout { .. } => Self::Timeout { reason },
            crate::Error::BodyTooLarge { target, .. } | crate::Error::Protocol { target, .. } => {
                Self::NotUnderstood { target, reason }
            }
            crate::Error::Connect { .. }
            | crate::Error::Tls { .. }
            | crate::Error::Broken { .. }
            | crate::Error::Source { .. }
            | crate::Error::Invalid { .. } => Self::Unreachable { reason },
        }
    }
}

/// The first line of a refusal that says anything, bounded.
pub fn first_line(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    line.chars()
        .filter(|c| !c.is_control())
        .take(MAX_REASON)
        .collect()
}
