//! Runs and operations.

use super::{ApiError, codec::Text};
use domain::{
    changes::RunChanges,
    id::{JobId, OperationId, RunId},
    job::LaunchPreview,
    operation::Operation,
    page::Page,
    run::{Run, RunEvent, StartRequest, StopRequest},
};
use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};

#[server(name = CallStartRun, prefix = "/fn", endpoint = "start_run", input = Json, output = Text)]
pub async fn start_run(job: JobId, key: String) -> Result<Run, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service
        .start_run(&viewer, &job, domain::run::StartRequest::default(), Some(&key))
        .await?)
}

/// As [`start_run`], with a choice of the state to begin from.
#[server(name = CallStartRunFrom, prefix = "/fn", endpoint = "start_run_from", input = Json, output = Text)]
pub async fn start_run_from(job: JobId, request: StartRequest, key: String) -> Result<Run, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.start_run(&viewer, &job, request, Some(&key)).await?)
}

#[server(name = CallStopRun, prefix = "/fn", endpoint = "stop_run", input = Json, output = Text)]
pub async fn stop_run(run: RunId, request: StopRequest, key: String) -> Result<Operation, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.stop_run(&viewer, &run, request, Some(&key)).await?)
}

#[server(name = CallRunEvents, prefix = "/fn", endpoint = "run_events", input = GetUrl, output = Text)]
pub async fn run_events(run: RunId) -> Result<Vec<RunEvent>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.run_events(&viewer, &run).await?)
}

#[server(name = CallRunLaunch, prefix = "/fn", endpoint = "run_launch", input = GetUrl, output = Text)]
pub async fn run_launch(run: RunId) -> Result<LaunchPreview, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.run_launch(&viewer, &run).await?)
}

/// What differs from the last run of the job that worked.
#[server(name = CallRunChanges, prefix = "/fn", endpoint = "run_changes", input = GetUrl, output = Text)]
pub async fn run_changes(run: RunId) -> Result<RunChanges, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.run_changes(&viewer, &run).await?)
}

#[server(name = CallRuns, prefix = "/fn", endpoint = "runs", input = Json, output = Text)]
pub async fn runs(job: JobId, after: Option<String>) -> Result<Page<Run>, ApiError> {
    let (service, viewer) = super::caller()?;
    let query = domain::run::RunQuery {
        job: Some(job),
        limit: domain::page::DEFAULT_LIMIT,
        after,
        ..Default::default()
    };
    Ok(service.runs(&viewer, query).await?)
}

#[server(name = CallOperation, prefix = "/fn", endpoint = "operation", input = GetUrl, output = Text)]
pub async fn operation(id: OperationId) -> Result<Operation, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.operation(&viewer, &id).await?)
}
