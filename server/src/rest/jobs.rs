//! Jobs and their versions.

use super::{Accepted, Answer, Created};
use crate::{
    extract::{Caller, IdempotencyKey, Json, Language, OptionalJson, PageQuery, Path, Query},
    problem::{FieldProblem, Refusal},
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    id::JobId,
    job::{Job, JobRow, JobUpdate, JobVersion, LaunchPreview, NewJob},
    page::Page,
    run::{Run, StartRequest},
};
use http::StatusCode;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(list, create))
        .api(Weight::Normal, routes!(check))
        .api(Weight::Normal, routes!(get, update, delete))
        .api(Weight::Normal, routes!(versions))
        .api(Weight::Normal, routes!(preview))
        .api(Weight::Normal, routes!(start))
}

/// The jobs of the caller's teams with their last run, the newest change first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(PageQuery), responses((status = 200, body = Page<JobRow>)))]
async fn list(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<JobRow>> {
    let rows = app.service.jobs(&viewer).await?;
    Ok(Json(page.cut(rows, |row| row.id.to_string())?))
}

/// Creates a job.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = NewJob, responses((status = 201, body = Job)))]
async fn create(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<NewJob>,
) -> Result<Created<Job>, Refusal> {
    let body = app.service.create_job(&viewer, new, key.as_deref()).await?;
    let at = format!("/api/v1/jobs/{}", body.id);
    Ok(Created { at, body })
}

/// Everything wrong with a definition; saves nothing.
#[utoipa::path(post, path = "/api/v1/jobs/check", tag = "jobs", request_body = NewJob, responses((status = 200, body = Vec<FieldProblem>)))]
async fn check(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Language(lang): Language,
    Json(new): Json<NewJob>,
) -> Answer<Vec<FieldProblem>> {
    let fields = app.service.check_job(&viewer, new).await?;
    Ok(Json(
        fields
            .iter()
            .map(|field| FieldProblem::new(field, lang))
            .collect(),
    ))
}

/// One job with its newest definition.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)), responses((status = 200, body = Job)))]
async fn get(State(app): State<AppState>, Caller(viewer): Caller, Path(id): Path<JobId>) -> Answer<Job> {
    Ok(Json(app.service.job(&viewer, &id).await?))
}

/// Saves a new version; refused when somebody else saved one since `base_version`.
#[utoipa::path(put, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)), request_body = JobUpdate, responses((status = 200, body = Job)))]
async fn update(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<JobId>,
    Json(update): Json<JobUpdate>,
) -> Answer<Job> {
    Ok(Json(app.service.update_job(&viewer, &id, update).await?))
}

/// Deletes a job that has no open run; its runs stay.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)), responses((status = 204)))]
async fn delete(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<JobId>,
) -> Result<StatusCode, Refusal> {
    app.service.delete_job(&viewer, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every saved version, newest first.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/versions", tag = "jobs", params(("id" = String, Path), PageQuery), responses((status = 200, body = Page<JobVersion>)))]
async fn versions(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<JobId>,
    Query(page): Query<PageQuery>,
) -> Answer<Page<JobVersion>> {
    let rows = app.service.job_versions(&viewer, &id).await?;
    Ok(Json(page.cut(rows, |row| row.number.to_string())?))
}

/// What a start would send to the cluster, without secrets.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/preview", tag = "jobs", params(("id" = String, Path)), responses((status = 200, body = LaunchPreview)))]
async fn preview(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<JobId>,
) -> Answer<LaunchPreview> {
    Ok(Json(app.service.preview_job(&viewer, &id).await?))
}

/// Starts a run; refused while one is open.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/runs", tag = "runs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = StartRequest,
    responses((status = 202, body = Run)))]
async fn start(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<JobId>,
    IdempotencyKey(key): IdempotencyKey,
    OptionalJson(request): OptionalJson<StartRequest>,
) -> Result<Accepted<Run>, Refusal> {
    let body = app
        .service
        .start_run(&viewer, &id, request, key.as_deref())
        .await?;
    let at = format!("/api/v1/runs/{}", body.id);
    Ok(Accepted { at, body })
}
