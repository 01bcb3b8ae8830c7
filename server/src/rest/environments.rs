//! Environments, their snapshots, and placing them on clusters.

use super::{Accepted, Answer, Created};
use crate::{
    extract::{Caller, IdempotencyKey, Json, PageQuery, Path, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    environment::{Environment, EnvironmentInput, Snapshot},
    id::EnvironmentId,
    operation::Operation,
    page::Page,
};
use serde::Deserialize;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(list, create))
        .api(Weight::Normal, routes!(get))
        .api(Weight::Normal, routes!(snapshot))
        .api(Weight::Normal, routes!(place))
}

/// Shared environments and those of the caller's teams.
#[utoipa::path(get, path = "/api/v1/environments", tag = "environments", params(PageQuery), responses((status = 200, body = Page<Environment>)))]
async fn list(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Environment>> {
    let rows = app.service.environments(&viewer).await?;
    Ok(Json(page.cut(rows, |row| row.id.to_string())?))
}

/// Registers an environment from a directory on the console host; for administrators.
#[utoipa::path(post, path = "/api/v1/environments", tag = "environments", request_body = EnvironmentInput, responses((status = 201, body = Environment)))]
async fn create(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Json(input): Json<EnvironmentInput>,
) -> Result<Created<Environment>, Refusal> {
    let body = app.service.create_environment(&viewer, input).await?;
    let at = format!("/api/v1/environments/{}", body.id);
    Ok(Created { at, body })
}

/// One environment.
#[utoipa::path(get, path = "/api/v1/environments/{id}", tag = "environments", params(("id" = String, Path)), responses((status = 200, body = Environment)))]
async fn get(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<EnvironmentId>,
) -> Answer<Environment> {
    Ok(Json(app.service.environment(&viewer, &id).await?))
}

/// The files of one snapshot.
#[utoipa::path(get, path = "/api/v1/environments/{id}/snapshots/{number}", tag = "environments", params(("id" = String, Path), ("number" = i64, Path)), responses((status = 200, body = Snapshot)))]
async fn snapshot(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path((id, number)): Path<(EnvironmentId, i64)>,
) -> Answer<Snapshot> {
    Ok(Json(app.service.snapshot(&viewer, &id, number).await?))
}

/// Body that places an environment.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Placing {
    /// Code of the cluster.
    cluster: String,
}

/// Puts the newest snapshot on a cluster.
#[utoipa::path(post, path = "/api/v1/environments/{id}/place", tag = "environments",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Placing,
    responses((status = 202, body = Operation)))]
async fn place(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<EnvironmentId>,
    IdempotencyKey(key): IdempotencyKey,
    Json(placing): Json<Placing>,
) -> Result<Accepted<Operation>, Refusal> {
    let body = app
        .service
        .place_environment(&viewer, &id, &placing.cluster, key.as_deref())
        .await?;
    let at = format!("/api/v1/operations/{}", body.id);
    Ok(Accepted { at, body })
}
