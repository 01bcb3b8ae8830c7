//! Statements of a run's script.

use super::Answer;
use crate::{
    extract::{Caller, Json, Path},
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    id::RunId,
    statement::{StatementResult, StatementRows},
};
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(list))
        .api(Weight::Normal, routes!(rows))
}

/// The statements of a Spark SQL script as far as they have come; empty for other kinds of jobs.
#[utoipa::path(get, path = "/api/v1/runs/{id}/statements", tag = "runs", params(("id" = String, Path)), responses((status = 200, body = Vec<StatementResult>)))]
async fn list(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<RunId>,
) -> Answer<Vec<StatementResult>> {
    Ok(Json(app.service.run_statements(&viewer, &id).await?))
}

/// The first rows a query of the script gave.
#[utoipa::path(get, path = "/api/v1/runs/{id}/statements/{number}/rows", tag = "runs",
    params(("id" = String, Path), ("number" = u32, Path)), responses((status = 200, body = StatementRows)))]
async fn rows(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path((id, number)): Path<(RunId, u32)>,
) -> Answer<StatementRows> {
    Ok(Json(app.service.statement_rows(&viewer, &id, number).await?))
}
