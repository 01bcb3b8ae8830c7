use std::{error::Error as _, fmt, time::Duration};

/// Why a request brought no answer. No variant holds a query string: `target` is
/// `METHOD scheme://host:port/path`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection: refused, unknown host, connect time-out. The server saw nothing.
    #[error("{target}: no connection: {reason}")]
    Connect { target: String, reason: String },
    /// The TLS handshake failed. The server saw no request.
    #[error("{target}: TLS: {reason}")]
    Tls { target: String, reason: String },
    /// The deadline passed; the request may have been worked on.
    #[error("{target}: no answer within {} ms", after.as_millis())]
    Timeout { target: String, after: Duration },
    /// The connection broke after the request was begun, or the answer ended early.
    #[error("{target}: connection broke: {reason}")]
    Broken { target: String, reason: String },
    /// The answer is longer than the caller takes.
    #[error("{target}: answer is longer than {limit} bytes")]
    BodyTooLarge { target: String, limit: u64 },
    /// What came back is not HTTP, or not the format the caller asked for.
    #[error("{target}: unreadable answer: {reason}")]
    Protocol { target: String, reason: String },
    /// The body to send could not be read to its end.
    #[error("{target}: reading what to send: {reason}")]
    Source { target: String, reason: String },
    /// The request cannot be made (address, header, client set-up). Nothing was sent.
    #[error("{target}: not a request: {reason}")]
    Invalid { target: String, reason: String },
}

impl Error {
    /// Whether the server may have worked on the request although no usable answer came. `false`
    /// means it certainly did not.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Tls { .. } | Self::Invalid { .. } => false,
            Self::Timeout { .. }
            | Self::Broken { .. }
            | Self::BodyTooLarge { .. }
            | Self::Protocol { .. }
            | Self::Source { .. } => true,
        }
    }

    /// Whether the same request, sent again at once, can succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Broken { .. })
    }

    pub(crate) fn setup(error: reqwest::Error) -> Self {
        Self::Invalid {
            target: "HTTP client".into(),
            reason: chain(&error.without_url()),
        }
    }

    pub(crate) fn from_reqwest(target: &str, error: reqwest::Error, after: Duration) -> Self {
        let error = error.without_url();
        let target = target.to_owned();
        let reason = chain(&error);
        if error.is_connect() {
            return if is_tls(&reason) {
                Self::Tls { target, reason }
            } else {
                Self::Connect { target, reason }
            };
        }
        if error.is_timeout() {
            return Self::Timeout { target, after };
        }
        if error.is_builder() {
            return Self::Invalid { target, reason };
        }
        if reason.contains("invalid HTTP") || reason.contains("message head is too large") {
            return Self::Protocol { target, reason };
        }
        Self::Broken { target, reason }
    }
}

/// The TLS library's error type is not public through reqwest; its words are.
fn is_tls(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["certificate", "handshake", "tls", "corrupt message"]
        .iter()
        .any(|word| reason.contains(word))
}

fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = error.source();
    if next.is_none() {
        text = error.to_string();
    }
    // The outer layers say only "error sending request"; the last causes say why.
    while let Some(error) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{error}"));
        next = error.source();
    }
    redact(&text)
}

/// `text` without the query part of any URL in it.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        out.push_str(before);
        let end = url
            .find(|c: char| c.is_whitespace() || "\"'<>()".contains(c))
            .unwrap_or(url.len());
        let (url, after) = url.split_at(end);
        match url.find('?') {
            Some(query) => out.push_str(&url[..query]),
            None => out.push_str(url),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redact_cuts_queries_and_nothing_else() {
        let secret =
            "PUT http://nn:9870/webhdfs/v1/a?op=OPEN&delegation=SECRET failed (http://dn/x?y=SECRET), why?";
        assert_eq!(
            redact(secret),
            "PUT http://nn:9870/webhdfs/v1/a failed (http://dn/x), why?"
        );
        assert_eq!(redact("no url? yes"), "no url? yes");
    }
}
