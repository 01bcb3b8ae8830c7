//! Artifacts. Their bytes go by REST, in parts.

use super::{ApiError, codec::Text};
use domain::artifact::Artifact;
use leptos::{prelude::*, server_fn::codec::GetUrl};

#[server(name = CallArtifacts, prefix = "/fn", endpoint = "artifacts", input = GetUrl, output = Text)]
pub async fn artifacts() -> Result<Vec<Artifact>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.artifacts(&viewer).await?)
}
