//! Uploads in parts, which can be sent in parallel and again.

use super::{Answer, Created};
use crate::{
    extract::{Caller, Json, Path},
    problem::Refusal,
    rest::artifacts::body_stream,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::{body::Body, extract::State};
use domain::{
    artifact::{Artifact, NewUpload, PART_BYTES, UploadTicket},
    id::UploadId,
};
use http::StatusCode;
use utoipa_axum::routes;

/// A part and a little, so that a part that is too long is told by its own rule.
const PART_LIMIT: usize = PART_BYTES as usize + 64 * 1024;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(start))
        .api(Weight::Normal, routes!(status))
        .api(Weight::Upload(PART_LIMIT), routes!(put_part))
        .api(Weight::Normal, routes!(complete))
}

/// Announces a file. Content the console has already needs no sending.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "artifacts", request_body = NewUpload, responses((status = 200, body = UploadTicket)))]
async fn start(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Json(new): Json<NewUpload>,
) -> Answer<UploadTicket> {
    Ok(Json(app.service.start_upload(&viewer, new).await?))
}

/// Which parts have arrived.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "artifacts", params(("id" = String, Path)), responses((status = 200, body = UploadTicket)))]
async fn status(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<UploadId>,
) -> Answer<UploadTicket> {
    Ok(Json(app.service.upload_status(&viewer, &id).await?))
}

/// Sends one part; parts count from 0 and all but the last have `part_size` bytes.
#[utoipa::path(put, path = "/api/v1/uploads/{id}/parts/{number}", tag = "artifacts",
    params(("id" = String, Path), ("number" = i64, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 204)))]
async fn put_part(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path((id, number)): Path<(UploadId, i64)>,
    body: Body,
) -> Result<StatusCode, Refusal> {
    app.service
        .put_part(&viewer, &id, number, body_stream(body))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts the parts together and looks into the file.
#[utoipa::path(post, path = "/api/v1/uploads/{id}/complete", tag = "artifacts", params(("id" = String, Path)), responses((status = 201, body = Artifact)))]
async fn complete(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<UploadId>,
) -> Result<Created<Artifact>, Refusal> {
    let body = app.service.complete_upload(&viewer, &id).await?;
    let at = format!("/api/v1/artifacts/{}", body.id);
    Ok(Created { at, body })
}
