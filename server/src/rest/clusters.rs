//! Clusters.

use super::{Answer, Created};
use crate::{
    extract::{Caller, Json, PageQuery, Path, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    cluster::{Cluster, ClusterInput, Node, Probe, Queue},
    page::Page,
};
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(list, create))
        .api(Weight::Normal, routes!(get, update))
        .api(Weight::Normal, routes!(check))
        .api(Weight::Normal, routes!(queues))
        .api(Weight::Normal, routes!(nodes))
}

/// The clusters the caller's teams may use.
#[utoipa::path(get, path = "/api/v1/clusters", tag = "clusters", params(PageQuery), responses((status = 200, body = Page<Cluster>)))]
async fn list(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Cluster>> {
    let rows = app.service.clusters(&viewer).await?;
    Ok(Json(page.cut(rows, |row| row.code.clone())?))
}

/// Registers a cluster; for administrators.
#[utoipa::path(post, path = "/api/v1/clusters", tag = "clusters", request_body = ClusterInput, responses((status = 201, body = Cluster)))]
async fn create(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Json(input): Json<ClusterInput>,
) -> Result<Created<Cluster>, Refusal> {
    let body = app.service.create_cluster(&viewer, input).await?;
    let at = format!("/api/v1/clusters/{}", body.code);
    Ok(Created { at, body })
}

/// One cluster.
#[utoipa::path(get, path = "/api/v1/clusters/{code}", tag = "clusters", params(("code" = String, Path)), responses((status = 200, body = Cluster)))]
async fn get(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(code): Path<String>,
) -> Answer<Cluster> {
    Ok(Json(app.service.cluster(&viewer, &code).await?))
}

/// Changes a cluster; for administrators.
#[utoipa::path(put, path = "/api/v1/clusters/{code}", tag = "clusters", params(("code" = String, Path)), request_body = ClusterInput, responses((status = 200, body = Cluster)))]
async fn update(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(code): Path<String>,
    Json(input): Json<ClusterInput>,
) -> Answer<Cluster> {
    Ok(Json(app.service.update_cluster(&viewer, &code, input).await?))
}

/// Looks at everything a run needs of the cluster, one line each.
#[utoipa::path(post, path = "/api/v1/clusters/{code}/check", tag = "clusters", params(("code" = String, Path)), responses((status = 200, body = Vec<Probe>)))]
async fn check(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(code): Path<String>,
) -> Answer<Vec<Probe>> {
    Ok(Json(app.service.check_cluster(&viewer, &code).await?))
}

/// The queues as the scheduler reports them.
#[utoipa::path(get, path = "/api/v1/clusters/{code}/queues", tag = "clusters", params(("code" = String, Path)), responses((status = 200, body = Vec<Queue>)))]
async fn queues(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(code): Path<String>,
) -> Answer<Vec<Queue>> {
    Ok(Json(app.service.queues(&viewer, &code).await?))
}

/// The worker nodes.
#[utoipa::path(get, path = "/api/v1/clusters/{code}/nodes", tag = "clusters", params(("code" = String, Path)), responses((status = 200, body = Vec<Node>)))]
async fn nodes(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(code): Path<String>,
) -> Answer<Vec<Node>> {
    Ok(Json(app.service.nodes(&viewer, &code).await?))
}
