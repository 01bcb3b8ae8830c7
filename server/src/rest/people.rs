//! Users, teams and the audit log.

use super::{Answer, Created};
use crate::{
    extract::{Caller, Json, PageQuery, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    audit::AuditEvent,
    identity::{NewUser, Team, User},
    page::Page,
};
use serde::Deserialize;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(users, create_user))
        .api(Weight::Normal, routes!(teams, create_team))
        .api(Weight::Normal, routes!(audit))
}

/// All users; for administrators.
#[utoipa::path(get, path = "/api/v1/users", tag = "people", params(PageQuery), responses((status = 200, body = Page<User>)))]
async fn users(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<User>> {
    let rows = app.service.users(&viewer).await?;
    Ok(Json(page.cut(rows, |row| row.id.to_string())?))
}

/// Creates a user; for administrators.
#[utoipa::path(post, path = "/api/v1/users", tag = "people", request_body = NewUser, responses((status = 201, body = User)))]
async fn create_user(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Json(new): Json<NewUser>,
) -> Result<Created<User>, Refusal> {
    let body = app.service.create_user(&viewer, new).await?;
    let at = format!("/api/v1/users/{}", body.id);
    Ok(Created { at, body })
}

/// The caller's teams; all of them for administrators.
#[utoipa::path(get, path = "/api/v1/teams", tag = "people", params(PageQuery), responses((status = 200, body = Page<Team>)))]
async fn teams(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Team>> {
    let rows = app.service.teams(&viewer).await?;
    Ok(Json(page.cut(rows, |row| row.id.to_string())?))
}

/// Body that creates a team.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTeam {
    name: String,
}

/// Creates a team; for administrators.
#[utoipa::path(post, path = "/api/v1/teams", tag = "people", request_body = NewTeam, responses((status = 201, body = Team)))]
async fn create_team(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Json(new): Json<NewTeam>,
) -> Result<Created<Team>, Refusal> {
    let body = app.service.create_team(&viewer, &new.name).await?;
    let at = format!("/api/v1/teams/{}", body.id);
    Ok(Created { at, body })
}

/// Who did what, newest first; for administrators.
#[utoipa::path(get, path = "/api/v1/audit", tag = "people", params(PageQuery), responses((status = 200, body = Page<AuditEvent>)))]
async fn audit(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<AuditEvent>> {
    let limit = page.limit()?;
    Ok(Json(
        app.service.audit(&viewer, limit, page.after.as_deref()).await?,
    ))
}
