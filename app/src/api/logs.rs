//! Logs of a run.

use super::{ApiError, codec::Text};
use domain::{
    Failure,
    id::RunId,
    logs::{LogContainer, LogPage, LogQuery},
};
use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};

/// Asks for the containers of a run.
pub async fn log_containers(run: RunId) -> Result<Vec<LogContainer>, ApiError> {
    told(log_containers_so_far(run).await)
}

/// Asks for a window of one file.
pub async fn log_page(
    run: RunId,
    container: String,
    file: String,
    query: LogQuery,
) -> Result<LogPage, ApiError> {
    told(log_page_so_far(run, container, file, query).await)
}

/// What there is, or why there is nothing yet: while a cluster collects a log, waiting is no error.
type SoFar<T> = Result<T, Failure>;

fn told<T>(answer: Result<SoFar<T>, ApiError>) -> Result<T, ApiError> {
    answer?.map_err(ApiError::found)
}

#[cfg(feature = "ssr")]
fn so_far<T>(answer: Result<T, service::Error>) -> Result<SoFar<T>, ApiError> {
    match answer {
        Err(error) if error.failure.code == domain::Code::LogsNotReady => Ok(Err(error.failure)),
        answer => Ok(Ok(answer?)),
    }
}

#[server(name = CallLogContainers, prefix = "/fn", endpoint = "log_containers", input = GetUrl, output = Text)]
async fn log_containers_so_far(run: RunId) -> Result<SoFar<Vec<LogContainer>>, ApiError> {
    let (service, viewer) = super::caller()?;
    so_far(service.log_containers(&viewer, &run).await)
}

/// A read; its optional fields do not survive an address.
#[server(name = CallLogPage, prefix = "/fn", endpoint = "log_page", input = Json, output = Text)]
async fn log_page_so_far(
    run: RunId,
    container: String,
    file: String,
    query: LogQuery,
) -> Result<SoFar<LogPage>, ApiError> {
    let (service, viewer) = super::caller()?;
    so_far(service.log_page(&viewer, &run, &container, &file, query).await)
}
