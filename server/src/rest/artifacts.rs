//! Artifacts.

use super::{Answer, Created};
use crate::{
    extract::{Caller, Json, PageQuery, Path, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::{body::Body, extract::State};
use bytes::Bytes;
use domain::{
    artifact::{Artifact, MAX_ARTIFACT_BYTES},
    id::{ArtifactId, TeamId},
    page::Page,
};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use std::{io, time::Duration};
use utoipa_axum::routes;

const ARTIFACT_LIMIT: usize = MAX_ARTIFACT_BYTES as usize;

/// How long a body may pause.
const PAUSE: Duration = Duration::from_secs(60);

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(list))
        .api(Weight::Upload(ARTIFACT_LIMIT), routes!(store))
        .api(Weight::Normal, routes!(get))
}

/// A body as the service takes it: a sender that stalls or breaks off is an error of the stream.
pub(super) fn body_stream(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static {
    let chunks = tokio_stream::StreamExt::timeout(body.into_data_stream(), PAUSE);
    Box::pin(chunks.map(|chunk| match chunk {
        Ok(chunk) => chunk.map_err(io::Error::other),
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
    }))
}

/// The artifacts of the caller's teams.
#[utoipa::path(get, path = "/api/v1/artifacts", tag = "artifacts", params(PageQuery), responses((status = 200, body = Page<Artifact>)))]
async fn list(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Artifact>> {
    let rows = app.service.artifacts(&viewer).await?;
    Ok(Json(page.cut(rows, |row| row.id.to_string())?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct NameQuery {
    /// Name of the file.
    name: String,
    /// May be left out by members of one team only.
    team: Option<TeamId>,
}

/// Stores a file in one request.
#[utoipa::path(post, path = "/api/v1/artifacts", tag = "artifacts", params(NameQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = Artifact)))]
async fn store(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(query): Query<NameQuery>,
    body: Body,
) -> Result<Created<Artifact>, Refusal> {
    let body = app
        .service
        .store_artifact(&viewer, query.team, &query.name, body_stream(body))
        .await?;
    let at = format!("/api/v1/artifacts/{}", body.id);
    Ok(Created { at, body })
}

/// One artifact.
#[utoipa::path(get, path = "/api/v1/artifacts/{id}", tag = "artifacts", params(("id" = String, Path)), responses((status = 200, body = Artifact)))]
async fn get(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<ArtifactId>,
) -> Answer<Artifact> {
    Ok(Json(app.service.artifact(&viewer, &id).await?))
}
