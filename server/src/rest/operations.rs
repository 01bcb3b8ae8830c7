//! Operations.

use super::Answer;
use crate::{
    extract::{Caller, Json, Path},
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{id::OperationId, operation::Operation};
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Weight::Normal, routes!(get))
}

/// What was begun, how far it is, and what keeps it.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = String, Path)), responses((status = 200, body = Operation)))]
async fn get(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<OperationId>,
) -> Answer<Operation> {
    Ok(Json(app.service.operation(&viewer, &id).await?))
}
