//! The caller and its tokens.

use super::{Answer, Created};
use crate::{
    extract::{Caller, Json, PageQuery, Path, Query},
    problem::Refusal,
    routes::{Routes, Weight},
    state::AppState,
};
use axum::extract::State;
use domain::{
    id::TokenId,
    identity::{CreatedToken, Me, NewToken, Token},
    page::Page,
};
use http::StatusCode;
use utoipa_axum::routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Weight::Normal, routes!(me))
        .api(Weight::Normal, routes!(tokens, create_token))
        .api(Weight::Normal, routes!(revoke_token))
}

/// Who is calling, and what they may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses((status = 200, body = Me)))]
async fn me(State(app): State<AppState>, Caller(viewer): Caller) -> Answer<Me> {
    Ok(Json(app.service.me(&viewer).await?))
}

/// The caller's tokens, without their secrets.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "me", params(PageQuery), responses((status = 200, body = Page<Token>)))]
async fn tokens(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Token>> {
    let rows = app.service.tokens(&viewer).await?;
    Ok(Json(page.cut(rows, |row| row.id.to_string())?))
}

/// Makes a token with the caller's rights. Its secret is in this answer and nowhere else. Tokens
/// cannot make tokens: sign in.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "me", request_body = NewToken, responses((status = 201, body = CreatedToken)))]
async fn create_token(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Json(new): Json<NewToken>,
) -> Result<Created<CreatedToken>, Refusal> {
    let body = app.service.create_token(&viewer, new).await?;
    let at = format!("/api/v1/tokens/{}", body.token.id);
    Ok(Created { at, body })
}

/// Ends a token of the caller for good.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "me", params(("id" = String, Path)), responses((status = 204)))]
async fn revoke_token(
    State(app): State<AppState>,
    Caller(viewer): Caller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Refusal> {
    app.service.revoke_token(&viewer, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
