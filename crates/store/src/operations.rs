//! Operations: the outbox.

use crate::{
    Error, Source, Tx,
    error::readable,
    row::At,
    value::{json, json_opt},
};
use domain::{
    Failure, Millis, Scope,
    id::{ClusterId, EnvironmentId, OperationId, RunId, TeamId, UserId},
    operation::{LogLine, Operation, OperationKind, OperationState, Step},
};
use serde_json::Value as Json;

/// A new intent; it begins pending, at attempt 0.
#[derive(Debug, Clone)]
pub struct NewOperation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub run: Option<RunId>,
    pub environment: Option<EnvironmentId>,
    pub cluster: Option<ClusterId>,
    /// Whose members see it; `None`: everybody.
    pub team: Option<TeamId>,
    /// Where the reconciler begins.
    pub phase: String,
    /// What the reconciler needs to know; its own format.
    pub data: Json,
    pub steps: Vec<Step>,
    pub created_by: UserId,
    pub created_at: Millis,
    /// Not before.
    pub due_at: Millis,
}

/// An operation with every column.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationRow {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    pub run: Option<RunId>,
    pub environment: Option<EnvironmentId>,
    pub cluster: Option<ClusterId>,
    pub team: Option<TeamId>,
    pub phase: String,
    pub data: Json,
    pub steps: Vec<Step>,
    pub log: Vec<LogLine>,
    pub failure: Option<Failure>,
    pub created_by: UserId,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub due_at: Millis,
    pub attempt: i64,
    pub row_version: i64,
}

impl OperationRow {
    /// What is shown of it.
    pub fn shown(self) -> Operation {
        Operation {
            id: self.id,
            kind: self.kind,
            state: self.state,
            run: self.run,
            environment: self.environment,
            steps: self.steps,
            log: self.log,
            failure: self.failure,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    kind: String,
    state: String,
    run_id: Option<String>,
    environment_id: Option<String>,
    cluster_id: Option<String>,
    team_id: Option<String>,
    phase: String,
    data: String,
    steps: String,
    log: String,
    failure: Option<String>,
    created_by: String,
    created_at: i64,
    updated_at: i64,
    due_at: i64,
    attempt: i64,
    row_version: i64,
}

impl TryFrom<Raw> for OperationRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "operations",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            kind: at.known("kind", OperationKind::from_name(&raw.kind))?,
            state: at.known("state", OperationState::from_name(&raw.state))?,
            run: at.parse_opt("run_id", raw.run_id.as_deref())?,
            environment: at.parse_opt("environment_id", raw.environment_id.as_deref())?,
            cluster: at.parse_opt("cluster_id", raw.cluster_id.as_deref())?,
            team: at.parse_opt("team_id", raw.team_id.as_deref())?,
            data: at.json("data", &raw.data)?,
            steps: at.json("steps", &raw.steps)?,
            log: at.json("log", &raw.log)?,
            failure: at.json_opt("failure", raw.failure.as_deref())?,
            created_by: at.parse("created_by", &raw.created_by)?,
            created_at: raw.created_at,
            updated_at: raw.updated_at,
            due_at: raw.due_at,
            attempt: raw.attempt,
            row_version: raw.row_version,
            phase: raw.phase,
        })
    }
}

macro_rules! columns {
    () => {
        "id, kind, state, run_id, environment_id, cluster_id, team_id, phase, data, steps, log, failure, \
         created_by, created_at, updated_at, due_at, attempt, row_version"
    };
}

statements! {
    INSERT = ("INSERT INTO operations (id, kind, state, run_id, environment_id, cluster_id, team_id, phase, data, \
        steps, log, created_by, created_at, updated_at, due_at, attempt, row_version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '[]', $11, $12, $12, $13, 0, 1)");
    ROW = ("SELECT ", columns!(), " FROM operations WHERE id = $1");
    GET = ("SELECT ", columns!(), " FROM operations WHERE id = $2 AND (CAST($1 AS TEXT) IS NULL \
        OR team_id IS NULL OR team_id IN (SELECT team_id FROM memberships WHERE user_id = $1))");
    DUE = ("SELECT ", columns!(), " FROM operations WHERE kind = $1 AND state NOT IN ('done', 'failed') \
        AND due_at <= $2 ORDER BY due_at, id LIMIT $3");
    NEXT_DUE = ("SELECT MIN(due_at) FROM operations WHERE kind = $1 AND state NOT IN ('done', 'failed')");
    OPEN_FOR_RUN = ("SELECT ", columns!(), " FROM operations \
        WHERE run_id = $1 AND kind = $2 AND state NOT IN ('done', 'failed')");
    OPEN_PLACE = ("SELECT ", columns!(), " FROM operations WHERE environment_id = $1 AND cluster_id = $2 \
        AND kind = 'place' AND state NOT IN ('done', 'failed')");
    OF_RUN = ("SELECT ", columns!(), " FROM operations WHERE run_id = $2 AND (CAST($1 AS TEXT) IS NULL \
        OR team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) ORDER BY id DESC LIMIT 50");
    SAVEPOINTS_OF_RUN = ("SELECT ", columns!(), " FROM operations \
        WHERE run_id = $1 AND kind IN ('savepoint', 'stop') ORDER BY id DESC LIMIT 50");
    UPDATE = ("UPDATE operations SET state = $3, phase = $4, data = $5, steps = $6, log = $7, failure = $8, \
        updated_at = $9, due_at = $10, attempt = $11, row_version = row_version + 1 \
        WHERE id = $1 AND row_version = $2");
}

/// Records an intent. [`crate::Constraint::OpenOperation`] when one of the kind is open for the run,
/// or one that places for the environment on the cluster.
pub async fn insert(tx: &mut Tx, operation: &NewOperation) -> Result<(), Error> {
    let args = args![
        &operation.id,
        operation.kind.name(),
        OperationState::Pending.name(),
        &operation.run,
        &operation.environment,
        &operation.cluster,
        &operation.team,
        &operation.phase,
        json(&operation.data)?,
        json(&operation.steps)?,
        &operation.created_by,
        operation.created_at,
        operation.due_at,
    ];
    tx.exec(INSERT, args).await?;
    Ok(())
}

/// An operation, if the viewer may see it.
pub async fn get(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    id: &OperationId,
) -> Result<Option<Operation>, Error> {
    let raw: Option<Raw> = source.into().one(GET, args![scope, id]).await?;
    raw.map(|raw| OperationRow::try_from(raw).map(OperationRow::shown))
        .transpose()
}

/// The operations of a run, newest first.
pub async fn of_run(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    run: &RunId,
) -> Result<Vec<Operation>, Error> {
    let raw: Vec<Raw> = source.into().all(OF_RUN, args![scope, run]).await?;
    Ok(readable::<_, OperationRow>(raw)
        .into_iter()
        .map(OperationRow::shown)
        .collect())
}

/// An operation whoever asks: for the console itself.
pub async fn row(source: impl Into<Source<'_>>, id: &OperationId) -> Result<Option<OperationRow>, Error> {
    let raw: Option<Raw> = source.into().one(ROW, args![id]).await?;
    raw.map(OperationRow::try_from).transpose()
}

/// Open operations of a kind whose time has come, the longest due first.
pub async fn due(
    source: impl Into<Source<'_>>,
    kind: OperationKind,
    now: Millis,
    limit: i64,
) -> Result<Vec<OperationRow>, Error> {
    let raw: Vec<Raw> = source.into().all(DUE, args![kind.name(), now, limit]).await?;
    Ok(readable(raw))
}

/// When the next open operation of a kind is due; `None` when none is open.
pub async fn next_due(source: impl Into<Source<'_>>, kind: OperationKind) -> Result<Option<Millis>, Error> {
    let raw: Option<(Option<i64>,)> = source.into().one(NEXT_DUE, args![kind.name()]).await?;
    Ok(raw.and_then(|(due,)| due))
}

pub async fn open_for_run(
    source: impl Into<Source<'_>>,
    run: &RunId,
    kind: OperationKind,
) -> Result<Option<OperationRow>, Error> {
    let raw: Option<Raw> = source.into().one(OPEN_FOR_RUN, args![run, kind.name()]).await?;
    raw.map(OperationRow::try_from).transpose()
}

/// The operation that places an environment on a cluster now.
pub async fn open_place(
    source: impl Into<Source<'_>>,
    environment: &EnvironmentId,
    cluster: &ClusterId,
) -> Result<Option<OperationRow>, Error> {
    let raw: Option<Raw> = source.into().one(OPEN_PLACE, args![environment, cluster]).await?;
    raw.map(OperationRow::try_from).transpose()
}

/// The operations of a run that may have left savepoints, newest first: for the console itself.
pub async fn savepoints_of_run(
    source: impl Into<Source<'_>>,
    run: &RunId,
) -> Result<Vec<OperationRow>, Error> {
    let raw: Vec<Raw> = source.into().all(SAVEPOINTS_OF_RUN, args![run]).await?;
    Ok(readable(raw))
}

/// Writes every column that may change, if nobody else did since the row had
/// `expected_row_version`; `false` otherwise, and nothing was written.
pub async fn update(tx: &mut Tx, operation: &OperationRow, expected_row_version: i64) -> Result<bool, Error> {
    let args = args![
        &operation.id,
        expected_row_version,
        operation.state.name(),
        &operation.phase,
        json(&operation.data)?,
        json(&operation.steps)?,
        json(&operation.log)?,
        json_opt(&operation.failure)?,
        operation.updated_at,
        operation.due_at,
        operation.attempt,
    ];
    Ok(tx.exec(UPDATE, args).await? == 1)
}
