//! Addresses of the pages. Links and routes are made here alone, so they cannot drift apart.

use domain::{
    id::{ArtifactId, JobId},
    job::JobKind,
};

pub const LOGIN: &str = "/login";
/// Plain routes of the server that sessions begin and end at.
pub const LOGIN_LINK: &str = "/login/link";
pub const LOGOUT: &str = "/logout";
pub const JOBS: &str = "/jobs";
pub const NEW_JOB: &str = "/jobs/new";
pub const ARTIFACTS: &str = "/artifacts";
pub const CLUSTERS: &str = "/clusters";
pub const NEW_CLUSTER: &str = "/clusters/new";
pub const ENVIRONMENTS: &str = "/environments";
pub const TOKENS: &str = "/tokens";

pub fn new_job(kind: JobKind) -> String {
    format!("{NEW_JOB}?kind={}", kind.name())
}

/// A form for a job whose program is that file.
pub fn new_job_of(kind: JobKind, artifact: &ArtifactId) -> String {
    format!("{NEW_JOB}?kind={}&artifact={artifact}", kind.name())
}

pub fn clone_job(id: &JobId, kind: JobKind) -> String {
    format!("{NEW_JOB}?kind={}&from={id}", kind.name())
}

pub fn job(id: &JobId) -> String {
    format!("{JOBS}/{id}")
}

pub fn job_tab(id: &JobId, tab: &str) -> String {
    format!("{JOBS}/{id}/{tab}")
}

/// The page of a job, with the question what its start begins from.
pub fn start_job(id: &JobId) -> String {
    format!("{JOBS}/{id}?start")
}

pub fn edit_job(id: &JobId) -> String {
    format!("{JOBS}/{id}/edit")
}

pub fn cluster(code: &str) -> String {
    format!("{CLUSTERS}/{}", part(code))
}

/// Percent-encodes one part of a path or one value of a query.
pub fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

/// Puts `name=value` into a query string of `pairs`, leaving out what is empty.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let joined: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", part(value)))
        .collect();
    if joined.is_empty() {
        String::new()
    } else {
        format!("?{}", joined.join("&"))
    }
}

/// An address a person may be sent to: a link to http or https, nothing that runs.
pub fn safe_url(url: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    (lower.starts_with("http://") || lower.starts_with("https://")).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped_and_empty_ones_left_out() {
        assert_eq!(query(&[("q", "a&b=c d"), ("view", "")]), "?q=a%26b%3Dc%20d");
        assert_eq!(query(&[("q", "")]), "");
    }

    #[test]
    fn scripts_are_no_addresses() {
        assert_eq!(safe_url("javascript:alert(1)"), None);
        assert!(safe_url("HTTPS://rm:8088/proxy/").is_some());
    }
}
