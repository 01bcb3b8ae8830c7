//! Savepoints, and what else a job can start from.

use super::{ApiError, codec::Text};
use domain::{
    id::{JobId, RestorePointId, RunId},
    operation::Operation,
    page::Page,
    restore::RestorePoint,
};
use leptos::{prelude::*, server_fn::codec::Json};

/// The newest first. A read, but an absent `after` does not fit an address.
#[server(name = CallRestorePoints, prefix = "/fn", endpoint = "restore_points", input = Json, output = Text)]
pub async fn restore_points(job: JobId, after: Option<String>) -> Result<Page<RestorePoint>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service
        .restore_points(&viewer, &job, domain::page::DEFAULT_LIMIT, after.as_deref())
        .await?)
}

#[server(name = CallTakeSavepoint, prefix = "/fn", endpoint = "take_savepoint", input = Json, output = Text)]
pub async fn take_savepoint(run: RunId, key: String) -> Result<Operation, ApiError> {
    let (service, viewer) = super::caller()?;
    let request = domain::restore::SavepointRequest::default();
    Ok(service.take_savepoint(&viewer, &run, request, Some(&key)).await?)
}

#[server(name = CallDisposeRestorePoint, prefix = "/fn", endpoint = "dispose_restore_point", input = Json, output = Text)]
pub async fn dispose_restore_point(point: RestorePointId) -> Result<(), ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.dispose_restore_point(&viewer, &point).await?)
}
