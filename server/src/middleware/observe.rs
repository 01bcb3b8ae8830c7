//! Gives a request its id and language, writes its log line and metrics, and puts refusals into words.

use crate::{
    problem::{self, Reader, Refusal},
    state::AppState,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use domain::{Lang, id::RequestId};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::{sync::Arc, time::Instant};
use tracing::Instrument;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Name of the cookie that holds the chosen language.
pub const LANG_COOKIE: &str = "lang";

pub async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = new_id(&state);
    let lang = lang(request.headers());
    let reader = Reader::of(request.uri().path());
    let method = request.method().clone();
    // The pattern, not the path: it holds no ids and its number is limited. Never the query.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |p| p.as_str().to_owned());
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(lang);
    let span = tracing::info_span!("request", id = %id, method = %method, route = %route);
    let started = Instant::now();
    let mut response = service::request::scope(id.clone(), next.run(request))
        .instrument(span.clone())
        .await;
    let _in = span.enter();
    if let Some(refusal) = response.extensions_mut().remove::<Arc<Refusal>>() {
        response = problem::write(&refusal, response, reader, lang, &id);
        if let Some(cause) = &refusal.cause {
            let code = refusal.failure.code.as_str();
            // What a caller did wrong is no fault of the console.
            if response.status().is_server_error() {
                tracing::error!(code, cause, "request failed inside");
            } else {
                tracing::info!(code, cause, "request refused");
            }
        }
    }
    let took = started.elapsed();
    let status = response.status().as_u16();
    state.metrics.request(&route, method.as_str(), status, took);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if is_static(&route) {
        tracing::debug!(status, ms, "answered");
    } else {
        tracing::info!(status, ms, "answered");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn is_static(route: &str) -> bool {
    ["/pkg/", "/vendor/", "/fonts/", "/favicon"]
        .iter()
        .any(|prefix| route.starts_with(prefix))
}

fn new_id(state: &AppState) -> String {
    let now = u64::try_from(state.service.now()).unwrap_or(0);
    ulid::Ulid::from_parts(now, rand::random::<u128>())
        .to_string()
        .to_ascii_lowercase()
}

/// The chosen language, else the one the client prefers.
fn lang(headers: &HeaderMap) -> Lang {
    cookie(headers, LANG_COOKIE)
        .and_then(Lang::from_tag)
        .or_else(|| {
            let accept = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            Some(Lang::negotiate(accept))
        })
        .unwrap_or_default()
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_wins_over_the_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(lang(&headers), Lang::En);
        headers.insert(
            header::ACCEPT_LANGUAGE,
            HeaderValue::from_static("zh-TW,en;q=0.5"),
        );
        assert_eq!(lang(&headers), Lang::ZhCn);
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; lang=en"));
        assert_eq!(lang(&headers), Lang::En);
    }
}
