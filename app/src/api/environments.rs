//! Environments.

use super::{ApiError, codec::Text};
use domain::{
    environment::{Environment, EnvironmentInput},
    id::EnvironmentId,
    operation::Operation,
};
use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};

#[server(name = CallEnvironments, prefix = "/fn", endpoint = "environments", input = GetUrl, output = Text)]
pub async fn environments() -> Result<Vec<Environment>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.environments(&viewer).await?)
}

#[server(name = CallCreateEnvironment, prefix = "/fn", endpoint = "create_environment", input = Json, output = Text)]
pub async fn create_environment(input: EnvironmentInput) -> Result<Environment, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.create_environment(&viewer, input).await?)
}

#[server(name = CallPlaceEnvironment, prefix = "/fn", endpoint = "place_environment", input = Json, output = Text)]
pub async fn place_environment(
    id: EnvironmentId,
    cluster: String,
    key: String,
) -> Result<Operation, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service
        .place_environment(&viewer, &id, &cluster, Some(&key))
        .await?)
}
