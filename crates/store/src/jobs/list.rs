//! Jobs as they are shown, each with its newest run.

use crate::{
    Error, Source,
    db::Record,
    error::readable,
    row::At,
    runs::list::{RunRaw, run_columns, run_joins},
    value::Value,
};
use domain::{
    Millis, Scope,
    id::JobId,
    job::{Job, JobKind, JobRow},
    run::Run,
};
use std::collections::HashMap;

/// The most lines a list of jobs has.
pub const MAX_ROWS: usize = 10_000;
/// The most ids [`rows`] takes; more are left out.
pub const MAX_IDS: usize = 200;
/// Ids one statement takes.
const CHUNK: usize = 50;

#[derive(sqlx::FromRow)]
struct RowRaw {
    id: String,
    name: String,
    kind: String,
    team_name: String,
    cluster_code: String,
    environment_name: String,
    queue: String,
    owner: String,
    version: i64,
    updated_at: Millis,
}

impl TryFrom<RowRaw> for JobRow {
    type Error = Error;

    fn try_from(raw: RowRaw) -> Result<Self, Error> {
        let at = At {
            table: "jobs",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            kind: at.known("kind", JobKind::from_name(&raw.kind))?,
            version: raw.version,
            changed_at: raw.updated_at,
            run: None,
            name: raw.name,
            team_name: raw.team_name,
            cluster_code: raw.cluster_code,
            environment_name: raw.environment_name,
            queue: raw.queue,
            owner: raw.owner,
        })
    }
}

#[derive(sqlx::FromRow)]
struct JobRaw {
    id: String,
    team_id: String,
    team_name: String,
    spec: String,
    environment_name: String,
    artifact_name: Option<String>,
    artifact_version: Option<i64>,
    version: i64,
    created_by: String,
    created_by_name: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<JobRaw> for Job {
    type Error = Error;

    fn try_from(raw: JobRaw) -> Result<Self, Error> {
        let at = At {
            table: "jobs",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            team: at.parse("team_id", &raw.team_id)?,
            spec: at.json("spec", &raw.spec)?,
            artifact_name: raw
                .artifact_name
                .zip(raw.artifact_version)
                .map(|(name, version)| format!("{name} (v{version})")),
            version: raw.version,
            created_by: at.parse("created_by", &raw.created_by)?,
            created_at: raw.created_at,
            updated_at: raw.updated_at,
            run: None,
            team_name: raw.team_name,
            environment_name: raw.environment_name,
            created_by_name: raw.created_by_name,
        })
    }
}

macro_rules! rows_from {
    () => {
        "SELECT j.id, j.name, j.kind, t.name AS team_name, c.code AS cluster_code, e.name AS environment_name, \
         j.queue, COALESCE(u.name, 'console') AS owner, j.version, j.updated_at FROM jobs j \
         JOIN teams t ON t.id = j.team_id JOIN clusters c ON c.id = j.cluster_id \
         JOIN environments e ON e.id = j.environment_id LEFT JOIN users u ON u.id = j.created_by "
    };
}

/// The newest runs of jobs.
macro_rules! runs_from {
    () => {
        concat!("FROM jobs j JOIN runs r ON r.id = j.last_run_id", run_joins!())
    };
}

macro_rules! visible {
    () => {
        "WHERE (CAST($1 AS TEXT) IS NULL OR j.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) \
         AND j.deleted_at IS NULL "
    };
}

macro_rules! ids {
    () => {
        "AND j.id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
         $43, $44, $45, $46, $47, $48, $49, $50, $51)"
    };
}

statements! {
    GET = ("SELECT j.id, j.team_id, t.name AS team_name, v.spec, e.name AS environment_name, \
        a.name AS artifact_name, a.version AS artifact_version, j.version, j.created_by, \
        COALESCE(u.name, 'console') AS created_by_name, j.created_at, j.updated_at FROM jobs j \
        JOIN job_versions v ON v.job_id = j.id AND v.number = j.version \
        JOIN teams t ON t.id = j.team_id JOIN environments e ON e.id = j.environment_id \
        LEFT JOIN artifacts a ON a.id = v.artifact_id LEFT JOIN users u ON u.id = j.created_by ",
        visible!(), "AND j.id = $2");
    LAST_RUN = ("SELECT ", run_columns!(), " ", runs_from!(), visible!(), "AND j.id = $2");
    // Newest first, should there be more than a list holds.
    ROWS = (rows_from!(), visible!(), "ORDER BY j.id DESC LIMIT $2");
    RUNS = ("SELECT ", run_columns!(), " ", runs_from!(), visible!(), "ORDER BY j.id DESC LIMIT $2");
    ROWS_BY_ID = (rows_from!(), visible!(), ids!());
    RUNS_BY_ID = ("SELECT ", run_columns!(), " ", runs_from!(), visible!(), ids!());
}

/// A job with its newest definition and run, if the viewer may see it.
pub async fn get(source: impl Into<Source<'_>>, scope: &Scope, id: &JobId) -> Result<Option<Job>, Error> {
    let mut source = source.into();
    let raw: Option<JobRaw> = source.again().one(GET, args![scope, id]).await?;
    let Some(raw) = raw else { return Ok(None) };
    let mut job = Job::try_from(raw)?;
    let run: Option<RunRaw> = source.one(LAST_RUN, args![scope, id]).await?;
    job.run = run.map(Run::try_from).transpose()?;
    Ok(Some(job))
}

async fn by_id<T: Record>(
    source: &mut Source<'_>,
    statement: crate::Statement,
    scope: &Scope,
    ids: &[JobId],
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut args = args![scope];
        args.extend((0..CHUNK).map(|i| Value::from(chunk.get(i))));
        found.append(&mut source.again().all(statement, args).await?);
    }
    Ok(found)
}

/// The jobs a viewer may see, or those of them that `ids` names (the first [`MAX_IDS`]); at most
/// [`MAX_ROWS`], the last changed first.
pub async fn rows(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    ids: Option<&[JobId]>,
) -> Result<Vec<JobRow>, Error> {
    let mut source = source.into();
    let limit = MAX_ROWS as i64;
    let (jobs, runs): (Vec<RowRaw>, Vec<RunRaw>) = match ids {
        None => (
            source.again().all(ROWS, args![scope, limit]).await?,
            source.again().all(RUNS, args![scope, limit]).await?,
        ),
        Some(ids) => {
            let ids = &ids[..ids.len().min(MAX_IDS)];
            (
                by_id(&mut source, ROWS_BY_ID, scope, ids).await?,
                by_id(&mut source, RUNS_BY_ID, scope, ids).await?,
            )
        }
    };
    let mut runs: HashMap<JobId, Run> = readable::<_, Run>(runs)
        .into_iter()
        .map(|run| (run.job.clone(), run))
        .collect();
    let mut jobs: Vec<JobRow> = readable(jobs);
    for job in &mut jobs {
        job.run = runs.remove(&job.id);
        if let Some(run) = &job.run {
            job.changed_at = job.changed_at.max(run.state_since);
        }
    }
    jobs.sort_by(|a, b| b.changed_at.cmp(&a.changed_at).then_with(|| a.id.cmp(&b.id)));
    jobs.dedup_by(|a, b| a.id == b.id);
    Ok(jobs)
}
