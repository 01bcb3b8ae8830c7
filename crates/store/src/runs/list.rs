//! Runs as they are shown, with the names around them.

use crate::{Error, Source, error::readable, row::At};
use domain::{
    Scope,
    id::RunId,
    job::JobKind,
    page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
    run::{Requested, Run, RunQuery, RunState},
};

#[derive(sqlx::FromRow)]
pub(crate) struct RunRaw {
    id: String,
    job_id: String,
    job_name: String,
    kind: String,
    version: i64,
    team_id: String,
    team_name: String,
    cluster_id: String,
    cluster_code: String,
    environment_id: String,
    environment_name: String,
    snapshot: i64,
    queue: String,
    state: String,
    state_since: i64,
    requested: Option<String>,
    requested_at: Option<i64>,
    in_doubt_since: Option<i64>,
    observed_at: Option<i64>,
    observed_by: Option<String>,
    tick_ms: i64,
    external_id: Option<String>,
    engine_job_id: Option<String>,
    final_status: Option<String>,
    failure: Option<String>,
    tracking_url: Option<String>,
    tasks_running: Option<i64>,
    tasks_total: Option<i64>,
    attempts: i64,
    created_by: String,
    created_by_name: String,
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    usage: String,
    restored_from: Option<String>,
    row_version: i64,
    operation_id: Option<String>,
}

impl TryFrom<RunRaw> for Run {
    type Error = Error;

    fn try_from(raw: RunRaw) -> Result<Self, Error> {
        let at = At {
            table: "runs",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            job: at.parse("job_id", &raw.job_id)?,
            kind: at.known("kind", JobKind::from_name(&raw.kind))?,
            version: raw.version,
            team: at.parse("team_id", &raw.team_id)?,
            cluster: at.parse("cluster_id", &raw.cluster_id)?,
            environment: at.parse("environment_id", &raw.environment_id)?,
            snapshot: raw.snapshot,
            state: at.known("state", RunState::from_name(&raw.state))?,
            state_since: raw.state_since,
            requested: at.name_opt("requested", raw.requested.as_deref(), Requested::from_name)?,
            requested_at: raw.requested_at,
            in_doubt_since: raw.in_doubt_since,
            observed_at: raw.observed_at,
            tick_ms: raw.tick_ms,
            failure: at.json_opt("failure", raw.failure.as_deref())?,
            tasks_running: raw.tasks_running,
            tasks_total: raw.tasks_total,
            attempts: raw.attempts,
            created_by: at.parse("created_by", &raw.created_by)?,
            created_at: raw.created_at,
            started_at: raw.started_at,
            ended_at: raw.ended_at,
            usage: at.json("usage", &raw.usage)?,
            restored_from: at.json_opt("restored_from", raw.restored_from.as_deref())?,
            row_version: raw.row_version,
            operation: at.parse_opt("operation_id", raw.operation_id.as_deref())?,
            job_name: raw.job_name,
            team_name: raw.team_name,
            cluster_code: raw.cluster_code,
            environment_name: raw.environment_name,
            queue: raw.queue,
            observed_by: raw.observed_by,
            external_id: raw.external_id,
            engine_job_id: raw.engine_job_id,
            final_status: raw.final_status,
            tracking_url: raw.tracking_url,
            created_by_name: raw.created_by_name,
        })
    }
}

/// Columns of [`RunRaw`]; `r` is the run.
macro_rules! run_columns {
    () => {
        "r.id, r.job_id, j.name AS job_name, j.kind, r.version, r.team_id, t.name AS team_name, r.cluster_id, \
         c.code AS cluster_code, r.environment_id, e.name AS environment_name, r.snapshot, r.queue, r.state, \
         r.state_since, r.requested, r.requested_at, r.in_doubt_since, r.observed_at, r.observed_by, r.tick_ms, \
         r.external_id, r.engine_job_id, r.final_status, r.failure, r.tracking_url, r.tasks_running, \
         r.tasks_total, r.attempts, r.created_by, COALESCE(u.name, 'console') AS created_by_name, r.created_at, \
         r.started_at, r.ended_at, r.usage, r.restored_from, r.row_version, r.operation_id"
    };
}

/// The tables behind the names; stands after `runs r` and `jobs j`.
macro_rules! run_joins {
    () => {
        " JOIN teams t ON t.id = r.team_id JOIN clusters c ON c.id = r.cluster_id \
         JOIN environments e ON e.id = r.environment_id LEFT JOIN users u ON u.id = r.created_by "
    };
}

pub(crate) use {run_columns, run_joins};

statements! {
    GET = ("SELECT ", run_columns!(), " FROM runs r JOIN jobs j ON j.id = r.job_id", run_joins!(),
        "WHERE r.id = $2 AND (CAST($1 AS TEXT) IS NULL \
        OR r.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1))");
    // A list cannot be bound; a text of the names, each between commas, can. No name is part of another that way.
    LIST = ("SELECT ", run_columns!(), " FROM runs r JOIN jobs j ON j.id = r.job_id", run_joins!(),
        "WHERE (CAST($1 AS TEXT) IS NULL OR r.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) \
        AND (CAST($2 AS TEXT) IS NULL OR r.job_id = $2) \
        AND (CAST($3 AS TEXT) IS NULL OR c.code = $3) \
        AND (CAST($4 AS TEXT) IS NULL OR REPLACE($4, ',' || r.state || ',', '') <> $4) \
        AND (CAST($5 AS TEXT) IS NULL OR r.id < $5) \
        ORDER BY r.id DESC LIMIT $6");
}

/// A run, if the viewer may see it.
pub async fn get(source: impl Into<Source<'_>>, scope: &Scope, id: &RunId) -> Result<Option<Run>, Error> {
    let raw: Option<RunRaw> = source.into().one(GET, args![scope, id]).await?;
    raw.map(Run::try_from).transpose()
}

/// The newest runs first. `query.after` is the `next` of the page before; anything else is [`Error::Invalid`].
pub async fn list(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    query: &RunQuery,
) -> Result<Page<Run>, Error> {
    let limit = match query.limit {
        0 => DEFAULT_LIMIT,
        limit => limit.min(MAX_LIMIT),
    };
    let after: Option<RunId> = query
        .after
        .as_deref()
        .map(|after| after.parse().map_err(|_| Error::Invalid { what: "after" }))
        .transpose()?;
    let states = (!query.states.is_empty()).then(|| {
        query
            .states
            .iter()
            .fold(",".to_owned(), |list, state| list + state.name() + ",")
    });
    let args = args![
        scope,
        &query.job,
        &query.cluster,
        states,
        &after,
        i64::from(limit) + 1
    ];
    let mut raw: Vec<RunRaw> = source.into().all(LIST, args).await?;
    // The cursor is taken from the raw row: one that cannot be read must not end the list.
    let more = raw.len() > limit as usize;
    raw.truncate(limit as usize);
    let next = raw.last().filter(|_| more).map(|run| run.id.clone());
    Ok(Page {
        items: readable(raw),
        next,
    })
}
