//! Answers as the handlers make them, before the wire.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use serde_json::{Value, json};

/// Status, content type, `Location` and body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
    /// DataNodes serve one request per connection.
    pub(crate) close: bool,
    pub(crate) body: Bytes,
}

pub(crate) const JSON: &str = "application/json;charset=utf-8";

impl Answer {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type,
            location: None,
            close: false,
            body: body.into(),
        }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(200, JSON, value.to_string())
    }

    /// A success without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, "application/octet-stream", Bytes::new())
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain;charset=utf-8", text.into())
    }

    pub(crate) fn html(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/html;charset=utf-8", text.into())
    }

    pub(crate) fn at(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(location) = self.location.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::LOCATION, location);
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Hadoop's error body; `class` is the full Java name.
pub(crate) fn remote_exception(status: u16, class: &str, message: &str) -> Answer {
    let exception = class.rsplit('.').next().unwrap_or(class);
    let body = json!({"RemoteException": {
        "exception": exception, "message": message, "javaClassName": class,
    }});
    Answer {
        status,
        ..Answer::json(&body)
    }
}
