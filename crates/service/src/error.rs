//! What a use case answers when it does not work: a failure for the caller, and a cause for the log.

use domain::{Code, Failure, validate::FieldFailure};

/// A failure of a use case.
#[derive(Debug)]
pub struct Error {
    /// What the caller is told.
    pub failure: Failure,
    /// Every refused field, when the request was a form.
    pub fields: Vec<FieldFailure>,
    cause: Option<String>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What happened inside; for the log alone.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self {
            failure: Code::Internal.into(),
            fields: Vec::new(),
            cause: Some(cause.to_string()),
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Failure::new(Code::NotFound).with("what", what).into()
    }

    pub(crate) fn forbidden(action: domain::Action) -> Self {
        Failure::new(Code::Forbidden).with("action", action.name()).into()
    }

    /// Fails with the first of the refused fields; passes when there is none.
    pub(crate) fn check(fields: Vec<FieldFailure>) -> Result<()> {
        match fields.first() {
            None => Ok(()),
            Some(first) => Err(Self {
                failure: first.failure.clone(),
                fields,
                cause: None,
            }),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.failure.code.as_str()),
            None => write!(f, "{}", self.failure),
        }
    }
}

impl std::error::Error for Error {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            fields: Vec::new(),
            cause: None,
        }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Failure::new(code).into()
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        let failure = match &error {
            store::Error::Busy(_) => Code::DatabaseBusy.into(),
            store::Error::Full(_) => Code::DiskFull.into(),
            store::Error::Invalid { what } => Failure::new(Code::FieldInvalid)
                .with("field", what)
                .with("reason", "—"),
            store::Error::Conflict { .. }
            | store::Error::Inconsistent { .. }
            | store::Error::Migrate(_)
            | store::Error::Other(_) => Code::Internal.into(),
        };
        // The message of the driver is one level down.
        let mut cause = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            cause.push_str(": ");
            cause.push_str(&inner.to_string());
            source = inner.source();
        }
        Self {
            failure,
            fields: Vec::new(),
            cause: Some(cause),
        }
    }
}
