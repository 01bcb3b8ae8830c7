//! What a request may cost and where it may come from.

use crate::{problem::Refusal, routes::Weight, state::AppState};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Code, Failure};
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt, Limited};
use std::{any::Any, time::Duration};

/// How much of a body that is too large is read before its refusal is sent, and for how long.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// The answer of a request that panicked; the cause goes to the log with the request id.
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown panic");
    Refusal::internal(format!("panic: {text}")).into_response()
}

/// Bounds the number of requests at work and the time of each.
pub async fn bounded(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Ok(_slot) = state.slots.clone().try_acquire_owned() else {
        return Refusal::from(Failure::new(Code::TooMany).with("seconds", 1)).into_response();
    };
    let timeout = weight(&state, &request).timeout();
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal {
            cause: Some(format!("no answer within {} s", timeout.as_secs())),
            ..Code::Busy.into()
        }
        .into_response(),
    }
}

/// Refuses posts that another site made a browser send. A request with a token is no browser's, so
/// its cookies are dropped: it is judged by the token alone.
pub async fn same_site(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        request.headers_mut().remove(header::COOKIE);
    } else if !is_safe(request.method()) && !from_here(request.headers(), &state) {
        return Refusal::from(Code::CrossSite).into_response();
    }
    next.run(request).await
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn from_here(headers: &HeaderMap, state: &AppState) -> bool {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let origin_fits = text("origin").map(|origin| is_our_origin(origin, headers, state));
    match (text("sec-fetch-site"), origin_fits) {
        // What the browser itself says cannot be forged by a page; an origin beside it must agree.
        (Some("same-origin"), fits) => fits.unwrap_or(true),
        (Some("none"), fits) => fits.unwrap_or(true),
        (Some(_), _) => false,
        (None, Some(fits)) => fits,
        // No browser: all send one of the two with a post. Without a cookie there is nothing to ride on.
        (None, None) => !headers.contains_key(header::COOKIE),
    }
}

/// The public address, or the address of a loopback console as it was typed.
fn is_our_origin(origin: &str, headers: &HeaderMap, state: &AppState) -> bool {
    let public = &state.config.server.public_url;
    if origin == public.origin() {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let loopback = |authority: &str| {
        let name = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    };
    !public.is_https()
        && host.is_some_and(|host| loopback(host) && origin.strip_prefix("http://") == Some(host))
}

/// Refuses bodies that are announced larger than the route takes, and cuts off those that turn out so.
pub async fn body_limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let max = weight(&state, &request).body();
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > max) {
        if !request.headers().contains_key(header::EXPECT) {
            discard(request.into_body()).await;
        }
        return too_large(max).into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, max))))
        .await
}

/// Reads on for a while. A connection closed under a caller that still writes is reset, and takes the
/// answer with it.
async fn discard(body: Body) {
    let mut body = Limited::new(body, DISCARD_BYTES);
    let _ = tokio::time::timeout(DISCARD_TIME, async {
        while let Some(Ok(_)) = body.frame().await {}
    })
    .await;
}

fn weight(state: &AppState, request: &Request) -> Weight {
    request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|path| state.table.rule(request.method(), path.as_str()))
        .map_or(Weight::Normal, |rule| rule.weight)
}

/// The refusal of a body larger than `max` bytes.
pub fn too_large(max: usize) -> Refusal {
    Failure::new(Code::BodyTooLarge).with("limit", size(max)).into()
}

/// A number of bytes as a person reads it.
fn size(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if bytes >= MIB {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} B")
    }
}
