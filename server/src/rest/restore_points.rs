//! Restore points: savepoints and retained checkpoints.

use super::{Accepted, Answer};
use crate::{
    extract::{Caller, IdempotencyKey, Json, OptionalJson, PageQuery, Path, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    id::{JobId, RestorePointId, RunId},
    operation::Operation,
    page::Page,
    restore::{RestorePoint, SavepointRequest},
};
use http::StatusCode;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(list))
        .api(Weight::Normal, routes!(take))
        .api(Weight::Normal, routes!(dispose))
}

/// What a job can start from, the newest first, as HDFS has it now. The newest valid one is marked.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/restore-points", tag = "restore points",
    params(("id" = String, Path), PageQuery), responses((status = 200, body = Page<RestorePoint>)))]
async fn list(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<JobId>,
    Query(page): Query<PageQuery>,
) -> Answer<Page<RestorePoint>> {
    let limit = page.limit()?;
    Ok(Json(
        app.service
            .restore_points(&viewer, &id, limit, page.after.as_deref())
            .await?,
    ))
}

/// Takes a savepoint of a run that goes on.
#[utoipa::path(post, path = "/api/v1/runs/{id}/savepoints", tag = "restore points",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = SavepointRequest,
    responses((status = 202, body = Operation)))]
async fn take(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RunId>,
    IdempotencyKey(key): IdempotencyKey,
    OptionalJson(request): OptionalJson<SavepointRequest>,
) -> Result<Accepted<Operation>, Refusal> {
    let body = app
        .service
        .take_savepoint(&viewer, &id, request, key.as_deref())
        .await?;
    let at = format!("/api/v1/operations/{}", body.id);
    Ok(Accepted { at, body })
}

/// Deletes a savepoint from HDFS; refused while a run that was started from it lasts.
#[utoipa::path(delete, path = "/api/v1/restore-points/{id}", tag = "restore points",
    params(("id" = String, Path)), responses((status = 204)))]
async fn dispose(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RestorePointId>,
) -> Result<StatusCode, Refusal> {
    app.service.dispose_restore_point(&viewer, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
