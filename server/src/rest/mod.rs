//! The REST API, one file per noun. A handler extracts, calls one method of the service, and wraps.

mod artifacts;
mod clusters;
mod environments;
mod jobs;
mod logs;
mod me;
pub mod openapi;
mod operations;
mod people;
mod restore_points;
mod runs;
mod statements;
mod stream;
mod uploads;

use crate::{extract::Json, problem::Refusal, routes::Routes};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// What most handlers answer.
type Answer<T> = Result<Json<T>, Refusal>;

pub(crate) fn routes(routes: Routes) -> Routes {
    let nouns = [
        me::routes,
        people::routes,
        clusters::routes,
        environments::routes,
        uploads::routes,
        artifacts::routes,
        jobs::routes,
        runs::routes,
        statements::routes,
        restore_points::routes,
        logs::routes,
        operations::routes,
        stream::routes,
        openapi::routes,
    ];
    nouns.into_iter().fold(routes, |routes, noun| noun(routes))
}

/// 201 with the address of what was made.
struct Created<T> {
    at: String,
    body: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.body)).into_response();
        if let Ok(value) = HeaderValue::from_str(&self.at) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        response
    }
}

/// 202 with what was begun and the address to watch it at.
struct Accepted<T> {
    at: String,
    body: T,
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        let created = Created {
            at: self.at,
            body: self.body,
        };
        let mut response = created.into_response();
        *response.status_mut() = StatusCode::ACCEPTED;
        response
    }
}
