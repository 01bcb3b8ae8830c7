use crate::path::PathError;
use net::Reply;
use serde_json::Value;

/// Longest message kept of an answer.
const MAX_MESSAGE: usize = 2 << 10;

/// Why a call brought no result, by what a caller does about it. No text holds a query string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection to any address; nothing was received there.
    #[error("not reachable: {reason}")]
    Unreachable { reason: String },
    /// This one is not the active ResourceManager or NameNode.
    #[error("{target} is standby")]
    Standby { target: String },
    /// None of the configured addresses is active.
    #[error("none of the {} addresses is active", targets.len())]
    NoActive { targets: Vec<String> },
    /// The NameNode takes no changes for now.
    #[error("the file system is in safe mode: {message}")]
    SafeMode { message: String },
    /// The service that would know it says that it does not exist.
    #[error("not found: {message}")]
    NotFound { message: String },
    #[error("not allowed: {message}")]
    Forbidden { message: String },
    #[error("quota exceeded: {message}")]
    Quota { message: String },
    #[error("no space left in the file system: {message}")]
    NoSpace { message: String },
    #[error("already exists: {message}")]
    AlreadyExists { message: String },
    /// The request itself is wrong; sending it again is useless.
    #[error("refused: {message}")]
    BadRequest { message: String },
    /// An answer that is not what the protocol says.
    #[error("unexpected answer: {what}")]
    InvalidAnswer { what: String },
    /// No answer in time; the request may have been worked on.
    #[error("no answer in time: {reason}")]
    Timeout { reason: String },
    /// The connection broke after the request had begun.
    #[error("connection broke: {reason}")]
    Broken { reason: String },
    /// What was to be sent could not be read.
    #[error("cannot read what to send: {reason}")]
    Source { reason: String },
    /// Any other error the service reports.
    #[error("{exception} (status {status}): {message}")]
    Remote {
        exception: String,
        message: String,
        status: u16,
    },
}

impl Error {
    /// Whether the call may have taken effect. `false` means it certainly had none.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::InvalidAnswer { .. } | Self::Timeout { .. } | Self::Broken { .. } | Self::Source { .. } => {
                true
            }
            // A server error can be raised after the deed, and a proxy's 502 says nothing about it.
            Self::Remote { status, .. } => *status >= 500,
            Self::Unreachable { .. }
            | Self::Standby { .. }
            | Self::NoActive { .. }
            | Self::SafeMode { .. }
            | Self::NotFound { .. }
            | Self::Forbidden { .. }
            | Self::Quota { .. }
            | Self::NoSpace { .. }
            | Self::AlreadyExists { .. }
            | Self::BadRequest { .. } => false,
        }
    }

    /// Whether the same call can succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Standby { .. }
            | Self::NoActive { .. }
            | Self::SafeMode { .. }
            | Self::Timeout { .. }
            | Self::Broken { .. } => true,
            Self::Remote { status, .. } => *status >= 500,
            Self::NotFound { .. }
            | Self::Forbidden { .. }
            | Self::Quota { .. }
            | Self::NoSpace { .. }
            | Self::AlreadyExists { .. }
            | Self::BadRequest { .. }
            | Self::Source { .. }
            | Self::InvalidAnswer { .. } => false,
        }
    }

    pub(crate) fn invalid(what: impl AsRef<str>) -> Self {
        Self::InvalidAnswer {
            what: tidy(what.as_ref()),
        }
    }

    /// What a non-success answer means.
    pub(crate) fn from_reply(reply: &Reply) -> Self {
        let status = reply.status.as_u16();
        let target = reply.target().to_owned();
        let Some((exception, message)) = remote_exception(&reply.body) else {
            if (300..400).contains(&status) || is_standby_page(reply) {
                return Self::Standby { target };
            }
            let message = tidy(&format!("{target}: {}", plain(&reply.text())));
            return match status {
                401 | 403 => Self::Forbidden { message },
                400 | 405 | 411 | 413 | 415 => Self::BadRequest { message },
                // Also a 404 proves nothing: it may be a proxy's, or the path of another version.
                _ => Self::Remote {
                    exception: "no RemoteException".into(),
                    message,
                    status,
                },
            };
        };
        Self::from_exception(target, exception, message, status)
    }

    fn from_exception(target: String, exception: String, message: String, status: u16) -> Self {
        match exception.as_str() {
            "StandbyException" => return Self::Standby { target },
            "SafeModeException" => return Self::SafeMode { message },
            "FileNotFoundException" | "NotFoundException" if status == 404 => {
                return Self::NotFound { message };
            }
            "FileAlreadyExistsException"
            | "AlreadyBeingCreatedException"
            | "PathIsNotEmptyDirectoryException" => {
                return Self::AlreadyExists { message };
            }
            "QuotaExceededException" | "NSQuotaExceededException" | "DSQuotaExceededException" => {
                return Self::Quota { message };
            }
            "DiskOutOfSpaceException" => return Self::NoSpace { message },
            "AccessControlException"
            | "AuthorizationException"
            | "SecurityException"
            | "ForbiddenException"
            | "AuthenticationException" => {
                // Wrapped like this where a stand-by is asked to check a token.
                if exception == "SecurityException" && message.contains("InvalidToken: StandbyException") {
                    return Self::Standby { target };
                }
                return Self::Forbidden { message };
            }
            _ => {}
        }
        if message.contains("StandbyException") || message.contains("is not supported in state standby") {
            return Self::Standby { target };
        }
        if message.contains("is in safe mode") {
            return Self::SafeMode { message };
        }
        if message.contains("could only be written to 0 of") || message.contains("No space left on device") {
            return Self::NoSpace { message };
        }
        // A NodeManager reports foreign logs as a server error.
        if message.contains("is not authorized") {
            return Self::Forbidden { message };
        }
        match status {
            400 => Self::BadRequest { message },
            401 => Self::Forbidden { message },
            _ => Self::Remote {
                exception,
                message,
                status,
            },
        }
    }
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::BadRequest {
            message: error.to_string(),
        }
    }
}

impl From<net::Error> for Error {
    fn from(error: net::Error) -> Self {
        let reason = tidy(&error.to_string());
        match error {
            net::Error::Connect { .. } | net::Error::Tls { .. } => Self::Unreachable { reason },
            net::Error::Timeout { .. } => Self::Timeout { reason },
            net::Error::Broken { .. } => Self::Broken { reason },
            net::Error::BodyTooLarge { .. } | net::Error::Protocol { .. } => {
                Self::InvalidAnswer { what: reason }
            }
            net::Error::Source { .. } => Self::Source { reason },
            net::Error::Invalid { .. } => Self::BadRequest { message: reason },
        }
    }
}

fn remote_exception(body: &[u8]) -> Option<(String, String)> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let remote = value.get("RemoteException")?;
    let field = |name| remote.get(name).and_then(Value::as_str).unwrap_or_default();
    // The NameNode's stack says nothing to whoever reads the message.
    let message = field("message").split("\n\tat ").next().unwrap_or_default();
    Some((tidy(field("exception")), tidy(message)))
}

/// A standby ResourceManager without a known active one answers with a page of text.
pub(crate) fn is_standby_page(reply: &Reply) -> bool {
    let head = &reply.body[..reply.body.len().min(1024)];
    // Names that users choose stand in JSON, and must not pass for this page.
    if head.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    let head = String::from_utf8_lossy(head);
    head.contains("This is standby RM") || head.contains("There is no active RM")
}

/// The words of an HTML page, or the text itself.
fn plain(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut skip = 0usize;
    for c in text.chars() {
        match c {
            '<' => skip += 1,
            '>' => {
                skip = skip.saturating_sub(1);
                out.push(' ');
            }
            c if skip == 0 => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` without query strings and control characters other than line ends, at most 2 KiB.
fn tidy(text: &str) -> String {
    let text = net::redact(text);
    let mut out: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    if out.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE)
            .rev()
            .find(|&at| out.is_char_boundary(at))
            .unwrap_or(0);
        out.truncate(end);
        out.push('…');
    }
    out
}
