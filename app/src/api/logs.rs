//! Logs of a run.

use super::{ApiError, codec::Text};
use domain::{
    id::RunId,
    logs::{LogContainer, LogPage, LogQuery},
};
use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};

#[server(name = CallLogContainers, prefix = "/fn", endpoint = "log_containers", input = GetUrl, output = Text)]
pub async fn log_containers(run: RunId) -> Result<Vec<LogContainer>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.log_containers(&viewer, &run).await?)
}

/// A read; its optional fields do not survive an address.
#[server(name = CallLogPage, prefix = "/fn", endpoint = "log_page", input = Json, output = Text)]
pub async fn log_page(
    run: RunId,
    container: String,
    file: String,
    query: LogQuery,
) -> Result<LogPage, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.log_page(&viewer, &run, &container, &file, query).await?)
}
