//! Runs.

use super::{Accepted, Answer};
use crate::{
    extract::{Caller, IdempotencyKey, Json, PageQuery, Path, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    Code, Failure,
    changes::RunChanges,
    id::{JobId, RunId},
    job::LaunchPreview,
    operation::Operation,
    page::Page,
    run::{Run, RunEvent, RunQuery, RunState, StopRequest},
};
use serde::Deserialize;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(list))
        .api(Weight::Normal, routes!(get))
        .api(Weight::Normal, routes!(events))
        .api(Weight::Normal, routes!(launch))
        .api(Weight::Normal, routes!(changes))
        .api(Weight::Normal, routes!(stop))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    job: Option<JobId>,
    /// Code of the cluster.
    cluster: Option<String>,
    /// One or several states, separated by commas.
    state: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

fn states(text: &str) -> Result<Vec<RunState>, Failure> {
    text.split(',')
        .map(|name| {
            RunState::from_name(name.trim()).ok_or_else(|| {
                Failure::new(Code::FieldInvalid)
                    .with("field", "state")
                    .with("reason", name)
            })
        })
        .collect()
}

/// Runs of the caller's teams, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(ListQuery), responses((status = 200, body = Page<Run>)))]
async fn list(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(query): Query<ListQuery>,
) -> Answer<Page<Run>> {
    let page = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let query = RunQuery {
        job: query.job,
        cluster: query.cluster,
        states: query
            .state
            .as_deref()
            .map(states)
            .transpose()?
            .unwrap_or_default(),
        limit: page.limit()?,
        after: page.after,
    };
    Ok(Json(app.service.runs(&viewer, query).await?))
}

/// One run.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", params(("id" = String, Path)), responses((status = 200, body = Run)))]
async fn get(State(app): State<AppState>, Caller(viewer): Caller, Path(id): Path<RunId>) -> Answer<Run> {
    Ok(Json(app.service.run(&viewer, &id).await?))
}

/// What happened to a run, oldest first, each with the answer that proved it.
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", tag = "runs", params(("id" = String, Path)), responses((status = 200, body = Vec<RunEvent>)))]
async fn events(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RunId>,
) -> Answer<Vec<RunEvent>> {
    Ok(Json(app.service.run_events(&viewer, &id).await?))
}

/// What was sent to the cluster, without secrets.
#[utoipa::path(get, path = "/api/v1/runs/{id}/launch", tag = "runs", params(("id" = String, Path)), responses((status = 200, body = LaunchPreview)))]
async fn launch(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RunId>,
) -> Answer<LaunchPreview> {
    Ok(Json(app.service.run_launch(&viewer, &id).await?))
}

/// What differs from the last run of the job that worked.
#[utoipa::path(get, path = "/api/v1/runs/{id}/changes", tag = "runs", params(("id" = String, Path)), responses((status = 200, body = RunChanges)))]
async fn changes(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RunId>,
) -> Answer<RunChanges> {
    Ok(Json(app.service.run_changes(&viewer, &id).await?))
}

/// Asks for the end of a run.
#[utoipa::path(post, path = "/api/v1/runs/{id}/stop", tag = "runs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = StopRequest,
    responses((status = 202, body = Operation)))]
async fn stop(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RunId>,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<StopRequest>,
) -> Result<Accepted<Operation>, Refusal> {
    let body = app
        .service
        .stop_run(&viewer, &id, request, key.as_deref())
        .await?;
    let at = format!("/api/v1/operations/{}", body.id);
    Ok(Accepted { at, body })
}
