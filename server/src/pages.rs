//! The Leptos app behind the router: each page and each server function gets the service, the
//! caller, the nonce, the request id and the language as context.

use crate::{
    middleware::caller::login_address,
    problem::Refusal,
    routes::{Policy, Routes, Weight},
    state::AppState,
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{Code, Lang, Viewer, id::RequestId};
use http::{Method, StatusCode};
use leptos::{nonce::Nonce, prelude::provide_context, server_fn::axum::get_server_fn_service};
use leptos_axum::{
    AxumRouteListing, generate_route_list, handle_server_fns_with_context, render_app_async_with_context,
    render_app_to_stream_in_order_with_context, render_app_to_stream_with_context,
    render_app_to_stream_with_context_and_replace_blocks,
};
use leptos_router::SsrMode;
use std::{future::Future, pin::Pin, sync::OnceLock};

/// Pages that need no session.
const PUBLIC_PAGES: [&str; 1] = ["/login"];

pub(crate) fn routes(mut routes: Routes, state: &AppState) -> Routes {
    for listing in listings() {
        let path = listing.path().to_owned();
        let policy = if PUBLIC_PAGES.contains(&path.as_str()) {
            Policy::Public
        } else {
            Policy::Session
        };
        let render = renderer(listing, state);
        let handler =
            move |State(state): State<AppState>, request: Request| page(state, request, render.clone());
        routes = routes.add(&Method::GET, &path, policy, Weight::Normal, handler);
    }
    for method in [Method::GET, Method::POST] {
        routes = routes.add(
            &method,
            "/fn/{*function}",
            Policy::Session,
            Weight::Normal,
            function,
        );
    }
    routes
}

/// The pages the app knows; asked for once in the life of the process, before anything is drawn.
///
/// While the list is made, every resource of the process that is first polled waits for ever
/// (leptos-rs/leptos#4773), so a second router must not make it again beside pages of the first.
fn listings() -> &'static [AxumRouteListing] {
    static LISTINGS: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();
    LISTINGS.get_or_init(|| generate_route_list(app::App))
}

/// What pages and server functions find in their context.
fn provide(state: &AppState, parts: &http::Extensions) {
    provide_context(state.service.clone());
    provide_context(parts.get::<Viewer>().cloned());
    provide_context(parts.get::<Lang>().copied().unwrap_or_default());
    if let Some(nonce) = parts.get::<Nonce>() {
        provide_context(nonce.clone());
    }
    if let Some(id) = parts.get::<RequestId>() {
        provide_context(id.clone());
    }
}

type Rendered = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
type Render = std::sync::Arc<dyn Fn(Request) -> Rendered + Send + Sync>;

/// Renders a page in the mode its route asks for.
fn renderer(listing: &AxumRouteListing, state: &AppState) -> Render {
    let (state, mode) = (state.clone(), listing.mode().clone());
    std::sync::Arc::new(move |request: Request| {
        let (context_state, extensions) = (state.clone(), request.extensions().clone());
        let context = move || provide(&context_state, &extensions);
        let options = state.leptos.clone();
        let app = move || app::document(options.clone());
        match mode {
            SsrMode::Async | SsrMode::Static(_) => render_app_async_with_context(context, app)(request),
            SsrMode::InOrder => render_app_to_stream_in_order_with_context(context, app)(request),
            SsrMode::PartiallyBlocked => {
                render_app_to_stream_with_context_and_replace_blocks(context, app, true)(request)
            }
            SsrMode::OutOfOrder => render_app_to_stream_with_context(context, app)(request),
        }
    })
}

async fn page(state: AppState, request: Request, render: Render) -> Response {
    let signed_in = request.extensions().get::<Viewer>().is_some();
    if signed_in && request.uri().path() == "/login" {
        return Redirect::to(&next_of(&request)).into_response();
    }
    let _ = state;
    render(request).await
}

/// The page a signed-in visitor of the sign-in page wanted.
fn next_of(request: &Request) -> String {
    let query = request.uri().query().unwrap_or("");
    url::form_urlencoded::parse(query.as_bytes())
        .find_map(|(key, value)| (key == "next").then(|| crate::next::safe(&value)))
        .unwrap_or_else(|| "/".to_owned())
}

/// Calls a server function.
async fn function(State(state): State<AppState>, request: Request) -> Response {
    if get_server_fn_service(request.uri().path(), request.method().clone()).is_none() {
        return Refusal::from(Code::NoRoute).into_response();
    }
    let extensions = request.extensions().clone();
    handle_server_fns_with_context(move || provide(&state, &extensions), request)
        .await
        .into_response()
}

/// Everything that is no route: the app's own "not found" view for people who are signed in, the
/// sign-in page for those who are not, a problem for programs.
pub(crate) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let person = crate::problem::Reader::of(&path) == crate::problem::Reader::Person;
    if !person || request.method() != Method::GET || !accepts_html(&request) {
        return Refusal::from(Code::NoRoute).into_response();
    }
    if request.extensions().get::<Viewer>().is_none() {
        return Redirect::to(&login_address(&path)).into_response();
    }
    let (context_state, extensions) = (state.clone(), request.extensions().clone());
    let options = state.leptos.clone();
    let mut response = render_app_async_with_context(
        move || provide(&context_state, &extensions),
        move || app::document(options.clone()),
    )(request)
    .await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

fn accepts_html(request: &Request) -> bool {
    request
        .headers()
        .get(http::header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("text/html"))
}

/// A known path under a method it does not take.
pub(crate) async fn wrong_method() -> Refusal {
    Code::MethodNotAllowed.into()
}
