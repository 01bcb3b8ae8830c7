//! Logs of a run's containers.

use super::Answer;
use crate::{
    extract::{Caller, Json, Path, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    id::RunId,
    logs::{LogContainer, LogPage, LogQuery, MAX_LINES},
    validate,
};
use http::header;
use serde::Deserialize;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(containers))
        .api(Weight::Normal, routes!(page))
        .api(Weight::Stream, routes!(download))
}

/// The containers of a run and the files each wrote.
#[utoipa::path(get, path = "/api/v1/runs/{id}/logs", tag = "logs", params(("id" = String, Path)), responses((status = 200, body = Vec<LogContainer>)))]
async fn containers(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RunId>,
) -> Answer<Vec<LogContainer>> {
    Ok(Json(app.service.log_containers(&viewer, &id).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct WindowQuery {
    /// First line, from 1; absent: the last `limit` lines.
    from_line: Option<i64>,
    /// Lines, 1 to 2000.
    limit: Option<u32>,
    /// Text whose lines are told in `hits`.
    search: Option<String>,
}

/// A window of one file.
#[utoipa::path(get, path = "/api/v1/runs/{id}/logs/{container}/{file}", tag = "logs",
    params(("id" = String, Path), ("container" = String, Path), ("file" = String, Path), WindowQuery),
    responses((status = 200, body = LogPage)))]
async fn page(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path((id, container, file)): Path<(RunId, String, String)>,
    Query(window): Query<WindowQuery>,
) -> Answer<LogPage> {
    if let Some(limit) = window.limit {
        validate::range("limit", limit.into(), 1, MAX_LINES.into())?;
    }
    let query = LogQuery {
        from_line: window.from_line,
        limit: window.limit,
        search: window.search,
    };
    Ok(Json(
        app.service
            .log_page(&viewer, &id, &container, &file, query)
            .await?,
    ))
}

/// One file as a whole.
#[utoipa::path(get, path = "/api/v1/runs/{id}/logs/{container}/{file}/download", tag = "logs",
    params(("id" = String, Path), ("container" = String, Path), ("file" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn download(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path((id, container, file)): Path<(RunId, String, String)>,
) -> Result<Response, Refusal> {
    let download = app.service.log_download(&viewer, &id, &container, &file).await?;
    let name: String = file
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_LENGTH, download.length.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{id}-{name}.txt\""),
        ),
    ];
    Ok((headers, Body::from_stream(download)).into_response())
}
