//! The live stream for programs.

use crate::{
    extract::Caller,
    live,
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use tower_sessions::Session;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Weight::Stream, routes!(events))
}

/// What changes, as server-sent events: `change` names an object, `resync` says that events may
/// have been missed, `end` that the caller may no longer read. Read the object anew after each.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn events(
    state: State<AppState>,
    caller: Caller,
    session: Option<Extension<Session>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(live::events(state, caller, session, headers)
        .await?
        .into_response())
}
