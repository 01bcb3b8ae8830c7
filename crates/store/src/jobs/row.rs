//! Saving a job, and the versions it had.

use crate::{Error, Source, Tx, error::readable, row::At, value::json};
use domain::{
    Millis, Scope,
    id::{ClusterId, EnvironmentId, JobId, TeamId, UserId},
    job::{JobKind, JobSpec, JobVersion},
};

/// A job and its first version.
#[derive(Debug, Clone)]
pub struct NewJobRow {
    pub id: JobId,
    pub team: TeamId,
    /// The cluster that `spec.cluster` names.
    pub cluster: ClusterId,
    pub spec: JobSpec,
    pub created_by: UserId,
    pub created_at: Millis,
}

/// A save: the next version of a job.
#[derive(Debug, Clone)]
pub struct JobChange {
    /// The cluster that `spec.cluster` names.
    pub cluster: ClusterId,
    pub spec: JobSpec,
    pub by: UserId,
    pub at: Millis,
}

/// A job without its definition: what deciding about it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobHead {
    pub id: JobId,
    pub team: TeamId,
    pub name: String,
    pub kind: JobKind,
    pub cluster: ClusterId,
    pub environment: EnvironmentId,
    pub queue: String,
    /// The newest version.
    pub version: i64,
    pub created_by: UserId,
    pub deleted_at: Option<Millis>,
}

#[derive(sqlx::FromRow)]
struct HeadRaw {
    id: String,
    team_id: String,
    name: String,
    kind: String,
    cluster_id: String,
    environment_id: String,
    queue: String,
    version: i64,
    created_by: String,
    deleted_at: Option<i64>,
}

impl TryFrom<HeadRaw> for JobHead {
    type Error = Error;

    fn try_from(raw: HeadRaw) -> Result<Self, Error> {
        let at = At {
            table: "jobs",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            team: at.parse("team_id", &raw.team_id)?,
            kind: at.known("kind", JobKind::from_name(&raw.kind))?,
            cluster: at.parse("cluster_id", &raw.cluster_id)?,
            environment: at.parse("environment_id", &raw.environment_id)?,
            version: raw.version,
            created_by: at.parse("created_by", &raw.created_by)?,
            deleted_at: raw.deleted_at,
            name: raw.name,
            queue: raw.queue,
        })
    }
}

#[derive(sqlx::FromRow)]
struct VersionRaw {
    job_id: String,
    number: i64,
    spec: String,
    created_by_name: String,
    created_at: i64,
}

impl TryFrom<VersionRaw> for JobVersion {
    type Error = Error;

    fn try_from(raw: VersionRaw) -> Result<Self, Error> {
        let at = At {
            table: "job_versions",
            id: &raw.job_id,
        };
        Ok(Self {
            number: raw.number,
            spec: at.json("spec", &raw.spec)?,
            created_by_name: raw.created_by_name,
            created_at: raw.created_at,
        })
    }
}

macro_rules! version_columns {
    () => {
        "v.job_id, v.number, v.spec, COALESCE(u.name, 'console') AS created_by_name, v.created_at \
         FROM job_versions v LEFT JOIN users u ON u.id = v.created_by "
    };
}

statements! {
    INSERT = ("INSERT INTO jobs (id, team_id, name, kind, cluster_id, environment_id, queue, version, created_by, \
        created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $9)");
    INSERT_VERSION = ("INSERT INTO job_versions (job_id, number, spec, artifact_id, created_by, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6)");
    UPDATE = ("UPDATE jobs SET name = $3, kind = $4, cluster_id = $5, environment_id = $6, queue = $7, \
        version = version + 1, updated_at = $8 WHERE id = $1 AND version = $2 AND deleted_at IS NULL");
    // A start takes the same lock; whoever comes second sees what the first one did.
    LOCK = ("UPDATE jobs SET version = version WHERE id = $1 AND deleted_at IS NULL");
    DELETE = ("UPDATE jobs SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM runs WHERE job_id = $1 AND ended_at IS NULL)");
    HEAD = ("SELECT id, team_id, name, kind, cluster_id, environment_id, queue, version, created_by, deleted_at \
        FROM jobs WHERE id = $1");
    VERSION = ("SELECT ", version_columns!(), "WHERE v.job_id = $1 AND v.number = $2");
    VERSIONS = ("SELECT ", version_columns!(), "JOIN jobs j ON j.id = v.job_id \
        WHERE v.job_id = $2 AND (CAST($1 AS TEXT) IS NULL \
        OR j.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) \
        ORDER BY v.number DESC LIMIT 200");
}

async fn insert_version(
    tx: &mut Tx,
    job: &JobId,
    number: i64,
    spec: &JobSpec,
    by: &UserId,
    at: Millis,
) -> Result<(), Error> {
    let args = args![job, number, json(spec)?, &spec.artifact, by, at];
    tx.exec(INSERT_VERSION, args).await?;
    Ok(())
}

/// Records a job as version 1. [`crate::Constraint::JobName`] when the team has one of that name.
pub async fn insert(tx: &mut Tx, job: &NewJobRow) -> Result<(), Error> {
    let spec = &job.spec;
    let args = args![
        &job.id,
        &job.team,
        &spec.name,
        spec.kind.name(),
        &job.cluster,
        &spec.environment,
        &spec.queue,
        &job.created_by,
        job.created_at,
    ];
    tx.exec(INSERT, args).await?;
    insert_version(tx, &job.id, 1, spec, &job.created_by, job.created_at).await
}

/// Saves version `base_version + 1`, if `base_version` is the newest; `false` otherwise, and nothing
/// was written. [`crate::Constraint::JobName`] as for [`insert`].
pub async fn update(tx: &mut Tx, id: &JobId, base_version: i64, change: &JobChange) -> Result<bool, Error> {
    let spec = &change.spec;
    let args = args![
        id,
        base_version,
        &spec.name,
        spec.kind.name(),
        &change.cluster,
        &spec.environment,
        &spec.queue,
        change.at,
    ];
    if tx.exec(UPDATE, args).await? == 0 {
        return Ok(false);
    }
    insert_version(tx, id, base_version + 1, spec, &change.by, change.at).await?;
    Ok(true)
}

/// Hides a job; its runs stay. `false` when there is none of that id or it has a run that has not ended.
pub async fn delete(tx: &mut Tx, id: &JobId, at: Millis) -> Result<bool, Error> {
    if tx.exec(LOCK, args![id]).await? == 0 {
        return Ok(false);
    }
    Ok(tx.exec(DELETE, args![id, at]).await? == 1)
}

/// A job whoever asks, deleted ones too: for the console itself.
pub async fn head(source: impl Into<Source<'_>>, id: &JobId) -> Result<Option<JobHead>, Error> {
    let raw: Option<HeadRaw> = source.into().one(HEAD, args![id]).await?;
    raw.map(JobHead::try_from).transpose()
}

/// One version whoever asks: for the console itself.
pub async fn version(
    source: impl Into<Source<'_>>,
    id: &JobId,
    number: i64,
) -> Result<Option<JobVersion>, Error> {
    let raw: Option<VersionRaw> = source.into().one(VERSION, args![id, number]).await?;
    raw.map(JobVersion::try_from).transpose()
}

/// The newest 200 versions, newest first.
pub async fn versions(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    id: &JobId,
) -> Result<Vec<JobVersion>, Error> {
    let raw: Vec<VersionRaw> = source.into().all(VERSIONS, args![scope, id]).await?;
    Ok(readable(raw))
}
