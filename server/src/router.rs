//! Puts routes and middleware together.

use crate::{
    assets, live, login,
    middleware::{caller, guard, headers, observe},
    pages, rest,
    routes::{Policy, Routes, Weight},
    state::AppState,
};
use axum::{Router, middleware::from_fn_with_state};
use http::Method;
use std::sync::Arc;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, CompressionLevel,
        predicate::{DefaultPredicate, NotForContentType, Predicate},
    },
};
use tower_sessions::{SessionManagerLayer, cookie::SameSite};

/// The whole console as one router. `state` is given back with the table of routes filled in.
pub fn build(state: AppState) -> (Router, AppState) {
    let routes = Routes::new(rest::openapi::base());
    let routes = login::routes(routes);
    let routes = rest::routes(routes);
    let routes = routes
        .add(
            &Method::GET,
            "/events",
            Policy::Session,
            Weight::Stream,
            live::events,
        )
        .add(
            &Method::GET,
            "/pkg/{*path}",
            Policy::Public,
            Weight::Normal,
            assets::serve,
        )
        .add(
            &Method::GET,
            "/vendor/{*path}",
            Policy::Public,
            Weight::Normal,
            assets::serve,
        )
        .add(
            &Method::GET,
            "/fonts/{*path}",
            Policy::Public,
            Weight::Normal,
            assets::serve,
        )
        .add(
            &Method::GET,
            "/favicon.svg",
            Policy::Public,
            Weight::Normal,
            assets::serve,
        );
    let (router, table, openapi) = pages::routes(routes, &state).finish();
    let openapi = rest::openapi::complete(openapi)
        .to_json()
        .unwrap_or_else(|error| {
            tracing::error!(%error, "the description of the API cannot be written");
            "{}".to_owned()
        });
    let state = AppState {
        table,
        openapi: Arc::from(openapi),
        ..state
    };
    let (cookie, secure) = login::cookie_name(&state);
    let sessions = SessionManagerLayer::new(state.sessions.clone())
        .with_name(cookie)
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/");
    let state_of = || state.clone();
    // From the inside out: the last is the first a request meets.
    let router = router
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(from_fn_with_state(state_of(), caller::authenticate))
        .layer(sessions)
        .layer(from_fn_with_state(state_of(), guard::body_limit))
        .layer(from_fn_with_state(state_of(), guard::same_site))
        .layer(from_fn_with_state(state_of(), guard::bounded))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn_with_state(state_of(), observe::observe))
        .layer(compression())
        .layer(from_fn_with_state(state_of(), headers::security_headers))
        .with_state(state.clone());
    (router, state)
}

/// Text is packed on the way out unless it is already. The live stream is not: an event must leave
/// at once.
fn compression() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .gzip(true)
        .br(true)
        .quality(CompressionLevel::Fastest)
        .compress_when(
            DefaultPredicate::new()
                .and(NotForContentType::const_new("application/octet-stream"))
                .and(NotForContentType::const_new("application/zip"))
                .and(NotForContentType::const_new("font/")),
        )
}
