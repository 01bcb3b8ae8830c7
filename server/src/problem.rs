//! How a refusal is told: `application/problem+json` to programs, the same failure as the pages'
//! functions encode it, a short page to people. Handlers answer a [`Refusal`]; the text is made
//! here, where the reader's language and the request id are known.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use domain::{Code, Failure, Kind, Lang, validate::FieldFailure};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::collections::BTreeMap;

/// The body of every error answer of the API (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:penstock:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    status: u16,
    code: Code,
    /// What the text was made of; programs read these, not the text.
    args: BTreeMap<String, String>,
    /// What is wrong and what to do, in the reader's language.
    detail: String,
    request_id: String,
    /// Every refused field, when the body was a form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldProblem>,
}

/// One refused field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    field: String,
    code: Code,
    args: BTreeMap<String, String>,
    detail: String,
}

/// An error answer that is not written yet.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub failure: Failure,
    pub fields: Vec<FieldFailure>,
    /// For the log alone.
    pub cause: Option<String>,
}

impl Refusal {
    pub fn status(&self) -> StatusCode {
        status(self.failure.code)
    }

    /// A fault of the console, with what the log is told.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self {
            failure: Code::Internal.into(),
            fields: Vec::new(),
            cause: Some(cause.to_string()),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            fields: Vec::new(),
            cause: None,
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Failure::new(code).into()
    }
}

impl From<service::Error> for Refusal {
    fn from(error: service::Error) -> Self {
        Self {
            cause: error.cause().map(str::to_owned),
            failure: error.failure,
            fields: error.fields,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}

/// The one place where a failure gets its status.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::UnsupportedMediaType => return StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::MethodNotAllowed => return StatusCode::METHOD_NOT_ALLOWED,
        _ => {}
    }
    match code.kind() {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A client of the REST API.
    Program,
    /// A server function's caller, which decodes a failure as the functions encode it.
    Function,
    Person,
}

impl Reader {
    /// By the first part of the path.
    pub fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("fn") => Reader::Function,
            Some("api" | "events" | "pkg" | "vendor" | "fonts" | "favicon.svg") => Reader::Program,
            _ => Reader::Person,
        }
    }
}

/// Writes the answer of a refusal; headers a handler or middleware set stay.
pub fn write(
    refusal: &Refusal,
    mut response: Response,
    reader: Reader,
    lang: Lang,
    request_id: &str,
) -> Response {
    let (content_type, body) = match reader {
        Reader::Program => (
            "application/problem+json",
            serde_json::to_vec(&problem(refusal, lang, request_id)).unwrap_or_default(),
        ),
        Reader::Function => {
            let failed = Failed {
                failed: Told {
                    failure: &refusal.failure,
                    fields: &refusal.fields,
                    request_id,
                },
            };
            (
                "application/json",
                serde_json::to_vec(&failed).unwrap_or_default(),
            )
        }
        Reader::Person => (
            "text/html; charset=utf-8",
            page(refusal, lang, request_id).into_bytes(),
        ),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.remove(header::CONTENT_LENGTH);
    if refusal.status() == StatusCode::UNAUTHORIZED && reader == Reader::Program {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = refusal
        .failure
        .args
        .get("seconds")
        .and_then(|s| HeaderValue::from_str(s).ok())
    {
        headers.insert(header::RETRY_AFTER, seconds);
    }
    *response.body_mut() = Body::from(body);
    response
}

/// As the pages' functions encode their own failures.
#[derive(Serialize)]
struct Failed<'a> {
    #[serde(rename = "Failed")]
    failed: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    failure: &'a Failure,
    fields: &'a [FieldFailure],
    request_id: &'a str,
}

fn problem(refusal: &Refusal, lang: Lang, request_id: &str) -> Problem {
    let status = refusal.status();
    let failure = &refusal.failure;
    Problem {
        kind: format!("urn:penstock:{}", failure.code.as_str()),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        code: failure.code,
        args: failure.args.clone(),
        detail: failure.text(lang),
        request_id: request_id.to_owned(),
        fields: refusal
            .fields
            .iter()
            .map(|field| FieldProblem::new(field, lang))
            .collect(),
    }
}

impl FieldProblem {
    pub fn new(refused: &FieldFailure, lang: Lang) -> Self {
        Self {
            field: refused.field.clone(),
            code: refused.failure.code,
            args: refused.failure.args.clone(),
            detail: refused.failure.text(lang),
        }
    }
}

/// For the moments in which the real pages cannot be rendered.
fn page(refusal: &Refusal, lang: Lang, request_id: &str) -> String {
    let text = escape(&refusal.failure.text(lang));
    let status = refusal.status();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{} - Penstock</title></head>\
         <body><h1>{}</h1><p>{text}</p><p><code>{}</code></p><p><a href=\"/\">Penstock</a></p></body></html>\n",
        lang.tag(),
        status.as_u16(),
        status.canonical_reason().unwrap_or("Error"),
        escape(request_id),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_its_class() {
        for &code in Code::ALL {
            let status = status(code);
            assert!(status.is_client_error() || status.is_server_error());
            assert_eq!(
                status.is_server_error(),
                matches!(code.kind(), Kind::Unavailable | Kind::Internal),
                "{}",
                code.as_str()
            );
        }
    }

    #[test]
    fn a_page_shows_text_from_outside_as_text() {
        let refusal =
            Refusal::from(Failure::new(Code::AppFailed).with("reason", "<script>alert(1)</script>"));
        let html = page(&refusal, Lang::En, "x");
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;"));
    }

    #[test]
    fn the_reader_is_told_by_the_path() {
        for (path, reader) in [
            ("/api/v1/jobs", Reader::Program),
            ("/events", Reader::Program),
            ("/fn/jobs123", Reader::Function),
            ("/", Reader::Person),
            ("/jobs/job_1", Reader::Person),
        ] {
            assert_eq!(Reader::of(path), reader, "{path}");
        }
    }
}
