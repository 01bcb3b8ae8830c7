//! How a server function fails: the same [`Failure`] REST answers, or that the server was not reached.

use super::codec::TextEncoding;
use domain::{Code, Failure, validate::FieldFailure};
use leptos::{prelude::FromServerFnError, server_fn::error::ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// A failure with what a form needs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub failure: Failure,
    pub fields: Vec<FieldFailure>,
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiError {
    Failed(Box<Told>),
    /// The server was not reached or did not answer as expected.
    Transport(String),
}

impl ApiError {
    pub fn code(&self) -> Option<Code> {
        match self {
            ApiError::Failed(told) => Some(told.failure.code),
            ApiError::Transport(_) => None,
        }
    }
}

impl ApiError {
    /// A failure a page finds by itself; on the server it also sets the status of the page.
    pub fn found(failure: Failure) -> Self {
        #[cfg(feature = "ssr")]
        let _ = ApiError::from(failure.clone());
        // Without the request id: the browser draws the same page again and knows none.
        ApiError::Failed(Box::new(Told {
            failure,
            fields: Vec::new(),
            request_id: None,
        }))
    }
}

impl FromServerFnError for ApiError {
    type Encoder = TextEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        ApiError::Transport(error.to_string())
    }
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use super::{ApiError, Told};
    use domain::{Code, Failure, Kind};
    use http::StatusCode;
    use leptos::prelude::use_context;

    fn status(kind: Kind) -> StatusCode {
        match kind {
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
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

    fn request_id() -> Option<String> {
        Some(use_context::<domain::id::RequestId>()?.0)
    }

    /// The one place a status is set, so that it always fits the code.
    fn told(failure: Failure, fields: Vec<domain::validate::FieldFailure>) -> ApiError {
        if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
            response.set_status(status(failure.kind()));
        }
        ApiError::Failed(Box::new(Told {
            failure,
            fields,
            request_id: request_id(),
        }))
    }

    impl From<Code> for ApiError {
        fn from(code: Code) -> Self {
            Failure::new(code).into()
        }
    }

    impl From<Failure> for ApiError {
        fn from(failure: Failure) -> Self {
            told(failure, Vec::new())
        }
    }

    impl From<service::Error> for ApiError {
        fn from(error: service::Error) -> Self {
            if let Some(cause) = error.cause() {
                tracing::warn!(code = error.failure.code.as_str(), request_id = ?request_id(), cause, "a page's request failed");
            }
            told(error.failure, error.fields)
        }
    }
}
