//! Tokens of the caller.

use super::{ApiError, codec::Text};
use domain::{
    id::TokenId,
    identity::{CreatedToken, NewToken, Token},
};
use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};

#[server(name = CallTokens, prefix = "/fn", endpoint = "tokens", input = GetUrl, output = Text)]
pub async fn tokens() -> Result<Vec<Token>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.tokens(&viewer).await?)
}

#[server(name = CallCreateToken, prefix = "/fn", endpoint = "create_token", input = Json, output = Text)]
pub async fn create_token(token: NewToken) -> Result<CreatedToken, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.create_token(&viewer, token).await?)
}

#[server(name = CallRevokeToken, prefix = "/fn", endpoint = "revoke_token", input = Json, output = Text)]
pub async fn revoke_token(id: TokenId) -> Result<(), ApiError> {
    let (service, viewer) = super::caller()?;
    service.revoke_token(&viewer, &id).await?;
    Ok(())
}
