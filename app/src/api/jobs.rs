//! Jobs.

use super::{ApiError, codec::Text};
use crate::head::JobsHead;
use domain::{
    id::JobId,
    job::{Job, JobRow, JobUpdate, JobVersion, LaunchPreview, NewJob},
    validate::FieldFailure,
};
use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};

/// The first rows of the list as the address asks for them, and the counts of its views. A read; the writer
/// of addresses would be in the first load for this alone.
#[server(name = CallJobsHead, prefix = "/fn", endpoint = "jobs_head", input = Json, output = Text)]
pub async fn jobs_head(q: String, view: String, sort: String) -> Result<JobsHead, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(JobsHead::of(
        service.jobs(&viewer).await?,
        &q,
        &view,
        &sort,
        &viewer.name,
    ))
}

#[server(name = CallJobs, prefix = "/fn", endpoint = "jobs", input = GetUrl, output = Text)]
pub async fn jobs() -> Result<Vec<JobRow>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.jobs(&viewer).await?)
}

/// The rows of some jobs; those that are gone are left out. A read, but its list does not fit an address.
#[server(name = CallJobRows, prefix = "/fn", endpoint = "job_rows", input = Json, output = Text)]
pub async fn job_rows(ids: Vec<JobId>) -> Result<Vec<JobRow>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.job_rows(&viewer, &ids).await?)
}

/// `id` comes from the address of a page: what is no id names no job.
#[server(name = CallJob, prefix = "/fn", endpoint = "job", input = GetUrl, output = Text)]
pub async fn job(id: String) -> Result<Job, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.job(&viewer, &super::id(&id, "job")?).await?)
}

#[server(name = CallCreateJob, prefix = "/fn", endpoint = "create_job", input = Json, output = Text)]
pub async fn create_job(job: NewJob, key: String) -> Result<Job, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.create_job(&viewer, job, Some(&key)).await?)
}

#[server(name = CallUpdateJob, prefix = "/fn", endpoint = "update_job", input = Json, output = Text)]
pub async fn update_job(id: JobId, update: JobUpdate) -> Result<Job, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.update_job(&viewer, &id, update).await?)
}

#[server(name = CallDeleteJob, prefix = "/fn", endpoint = "delete_job", input = Json, output = Text)]
pub async fn delete_job(id: JobId) -> Result<(), ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.delete_job(&viewer, &id).await?)
}

#[server(name = CallCheckJob, prefix = "/fn", endpoint = "check_job", input = Json, output = Text)]
pub async fn check_job(job: NewJob) -> Result<Vec<FieldFailure>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.check_job(&viewer, job).await?)
}

#[server(name = CallJobVersions, prefix = "/fn", endpoint = "job_versions", input = GetUrl, output = Text)]
pub async fn job_versions(id: JobId) -> Result<Vec<JobVersion>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.job_versions(&viewer, &id).await?)
}

/// As [`preview_job`], of a definition that is not saved yet.
#[server(name = CallPreviewSpec, prefix = "/fn", endpoint = "preview_spec", input = Json, output = Text)]
pub async fn preview_spec(job: NewJob) -> Result<LaunchPreview, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.preview_spec(&viewer, job).await?)
}

#[server(name = CallPreviewJob, prefix = "/fn", endpoint = "preview_job", input = GetUrl, output = Text)]
pub async fn preview_job(id: JobId) -> Result<LaunchPreview, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.preview_job(&viewer, &id).await?)
}
