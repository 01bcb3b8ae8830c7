//! The whole row of a run, as reconcilers read and change it.

use crate::{
    Constraint, Db, Error, Source, Tx,
    error::readable,
    row::At,
    value::{json, json_opt},
};
use domain::{
    Failure, Millis, Scope,
    id::{ClusterId, EnvironmentId, JobId, OperationId, RunId, TeamId, UserId},
    job::JobKind,
    restore::RestoredFrom,
    run::{Requested, RunState, Usage},
};
use serde_json::Value as Json;

/// What is known of a run when it is asked for. It begins as [`RunState::Preparing`].
#[derive(Debug, Clone)]
pub struct NewRunRow {
    pub id: RunId,
    pub job: JobId,
    pub version: i64,
    pub team: TeamId,
    pub cluster: ClusterId,
    pub environment: EnvironmentId,
    pub snapshot: i64,
    pub queue: String,
    pub hadoop_user: String,
    /// How often the cluster is asked, in milliseconds.
    pub tick_ms: Millis,
    /// The engine's job id, where it is fixed in advance.
    pub engine_job_id: Option<String>,
    pub restored_from: Option<RestoredFrom>,
    pub created_by: UserId,
    pub created_at: Millis,
    /// The operation that submits it.
    pub operation: Option<OperationId>,
}

/// A run with every column.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    pub id: RunId,
    pub job: JobId,
    /// Of the job, whose kind never changes.
    pub kind: JobKind,
    pub version: i64,
    pub team: TeamId,
    pub cluster: ClusterId,
    pub environment: EnvironmentId,
    pub snapshot: i64,
    pub queue: String,
    pub hadoop_user: String,
    pub state: RunState,
    pub state_since: Millis,
    pub requested: Option<Requested>,
    pub requested_at: Option<Millis>,
    pub in_doubt_since: Option<Millis>,
    pub observed_at: Option<Millis>,
    pub observed_by: Option<String>,
    pub tick_ms: Millis,
    pub external_id: Option<String>,
    pub engine_job_id: Option<String>,
    pub final_status: Option<String>,
    pub failure: Option<Failure>,
    pub tracking_url: Option<String>,
    /// Address of the engine's own API, behind the tracking address.
    pub rest_url: Option<String>,
    pub tasks_running: Option<i64>,
    pub tasks_total: Option<i64>,
    pub attempts: i64,
    /// The redacted launch. `None` in rows of [`open_rows`], which leaves it out for its size;
    /// [`update`] keeps the stored one when this is `None`.
    pub launch: Option<Json>,
    /// What was prepared for the submission; read and kept as `launch` is.
    pub prepared: Option<Json>,
    /// Directory of the run's own files on HDFS.
    pub staging: Option<String>,
    /// The state it starts from; decided with the run.
    pub restored_from: Option<RestoredFrom>,
    /// Directory of its checkpoints, once the engine has told it. Written by [`set_checkpoint_dir`] alone.
    pub checkpoint_dir: Option<String>,
    pub usage: Usage,
    pub created_by: UserId,
    pub created_at: Millis,
    pub started_at: Option<Millis>,
    pub ended_at: Option<Millis>,
    pub row_version: i64,
    pub operation: Option<OperationId>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    job_id: String,
    kind: String,
    version: i64,
    team_id: String,
    cluster_id: String,
    environment_id: String,
    snapshot: i64,
    queue: String,
    hadoop_user: String,
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
    rest_url: Option<String>,
    tasks_running: Option<i64>,
    tasks_total: Option<i64>,
    attempts: i64,
    launch: Option<String>,
    prepared: Option<String>,
    staging: Option<String>,
    restored_from: Option<String>,
    checkpoint_dir: Option<String>,
    usage: String,
    created_by: String,
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    row_version: i64,
    operation_id: Option<String>,
}

impl TryFrom<Raw> for RunRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
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
            launch: at.json_opt("launch", raw.launch.as_deref())?,
            prepared: at.json_opt("prepared", raw.prepared.as_deref())?,
            restored_from: at.json_opt("restored_from", raw.restored_from.as_deref())?,
            checkpoint_dir: raw.checkpoint_dir,
            usage: at.json("usage", &raw.usage)?,
            created_by: at.parse("created_by", &raw.created_by)?,
            created_at: raw.created_at,
            started_at: raw.started_at,
            ended_at: raw.ended_at,
            row_version: raw.row_version,
            operation: at.parse_opt("operation_id", raw.operation_id.as_deref())?,
            queue: raw.queue,
            hadoop_user: raw.hadoop_user,
            observed_by: raw.observed_by,
            external_id: raw.external_id,
            engine_job_id: raw.engine_job_id,
            final_status: raw.final_status,
            tracking_url: raw.tracking_url,
            rest_url: raw.rest_url,
            staging: raw.staging,
        })
    }
}

macro_rules! light_columns {
    () => {
        "id, job_id, version, team_id, cluster_id, environment_id, snapshot, queue, hadoop_user, state, \
         state_since, requested, requested_at, in_doubt_since, observed_at, observed_by, tick_ms, external_id, \
         engine_job_id, final_status, failure, tracking_url, rest_url, tasks_running, tasks_total, attempts, \
         staging, restored_from, checkpoint_dir, usage, created_by, created_at, started_at, ended_at, row_version, \
         operation_id, (SELECT jobs.kind FROM jobs WHERE jobs.id = runs.job_id) AS kind"
    };
}

statements! {
    INSERT = ("INSERT INTO runs (id, job_id, version, team_id, cluster_id, environment_id, snapshot, queue, \
        hadoop_user, state, state_since, requested, requested_at, tick_ms, engine_job_id, attempts, usage, \
        created_by, created_at, row_version, operation_id, restored_from, restore_point_id, \
        collect) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11, $13, $14, 0, $15, $16, $11, 1, $17, $18, \
        $19, 1)");
    // Also takes the lock that a deletion of the job takes, so that one of the two loses.
    SET_LAST_RUN = ("UPDATE jobs SET last_run_id = $1 WHERE id = $2 AND deleted_at IS NULL");
    ROW = ("SELECT ", light_columns!(), ", launch, prepared FROM runs WHERE id = $1");
    OPEN_OF_JOB = ("SELECT ", light_columns!(), ", launch, prepared FROM runs \
        WHERE job_id = $1 AND ended_at IS NULL");
    OPEN = ("SELECT ", light_columns!(), ", CAST(NULL AS TEXT) AS launch, CAST(NULL AS TEXT) AS prepared \
        FROM runs WHERE cluster_id = $1 AND ended_at IS NULL ORDER BY id");
    UPDATE = ("UPDATE runs SET state = $3, state_since = $4, requested = $5, requested_at = $6, \
        in_doubt_since = $7, observed_at = $8, observed_by = $9, tick_ms = $10, external_id = $11, \
        engine_job_id = $12, final_status = $13, failure = $14, tracking_url = $15, rest_url = $16, \
        tasks_running = $17, tasks_total = $18, attempts = $19, launch = COALESCE($20, launch), \
        prepared = COALESCE($21, prepared), staging = $22, usage = $23, started_at = $24, ended_at = $25, \
        operation_id = $26, row_version = row_version + 1 WHERE id = $1 AND row_version = $2");
    SET_CHECKPOINT_DIR = ("UPDATE runs SET checkpoint_dir = $2, collect = 1 WHERE id = $1 AND ended_at IS NULL");
    SET_COLLECT = ("UPDATE runs SET collect = 1 WHERE id = $1");
    SET_COLLECTED = ("UPDATE runs SET collect = 2 WHERE id = $1");
    TO_COLLECT = ("SELECT ", light_columns!(), ", CAST(NULL AS TEXT) AS launch, CAST(NULL AS TEXT) AS prepared \
        FROM runs WHERE collect = 1 AND ended_at IS NOT NULL ORDER BY id LIMIT $1");
    TO_COLLECT_OF_JOB = ("SELECT ", light_columns!(), ", CAST(NULL AS TEXT) AS launch, CAST(NULL AS TEXT) AS prepared \
        FROM runs WHERE collect = 1 AND ended_at IS NOT NULL AND job_id = $1 ORDER BY id DESC LIMIT 10");
    // Never backwards: a slow answer must not make a run look older than a newer one did.
    TOUCH = ("UPDATE runs SET observed_at = $2, observed_by = $3 WHERE cluster_id = $1 AND ended_at IS NULL \
        AND (observed_at IS NULL OR observed_at < $2) \
        AND id IN ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
        $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
        $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53)");
    LAUNCH = ("SELECT launch FROM runs WHERE id = $2 \
        AND (CAST($1 AS TEXT) IS NULL OR team_id IN (SELECT team_id FROM memberships WHERE user_id = $1))");
}

/// Ids one [`TOUCH`] takes.
const TOUCH_IDS: usize = 50;

/// Records a new run as the job's newest. [`Constraint::OpenRun`] when another one is open,
/// [`Constraint::Reference`] when the job was deleted.
pub async fn insert(tx: &mut Tx, run: &NewRunRow) -> Result<(), Error> {
    if tx.exec(SET_LAST_RUN, args![&run.id, &run.job]).await? == 0 {
        return Err(Error::Conflict {
            constraint: Constraint::Reference,
        });
    }
    let args = args![
        &run.id,
        &run.job,
        run.version,
        &run.team,
        &run.cluster,
        &run.environment,
        run.snapshot,
        &run.queue,
        &run.hadoop_user,
        RunState::Preparing.name(),
        run.created_at,
        Requested::Start.name(),
        run.tick_ms,
        &run.engine_job_id,
        json(&Usage::default())?,
        &run.created_by,
        &run.operation,
        json_opt(&run.restored_from)?,
        run.restored_from.as_ref().and_then(|from| from.point.as_ref()),
    ];
    tx.exec(INSERT, args).await?;
    Ok(())
}

/// A run whoever asks: for the console itself.
pub async fn row(source: impl Into<Source<'_>>, id: &RunId) -> Result<Option<RunRow>, Error> {
    let raw: Option<Raw> = source.into().one(ROW, args![id]).await?;
    raw.map(RunRow::try_from).transpose()
}

/// The run of a job that has not ended.
pub async fn open_row_of_job(source: impl Into<Source<'_>>, job: &JobId) -> Result<Option<RunRow>, Error> {
    let raw: Option<Raw> = source.into().one(OPEN_OF_JOB, args![job]).await?;
    raw.map(RunRow::try_from).transpose()
}

/// Every run of a cluster that has not ended, oldest first, without `launch` and `prepared`.
pub async fn open_rows(source: impl Into<Source<'_>>, cluster: &ClusterId) -> Result<Vec<RunRow>, Error> {
    let raw: Vec<Raw> = source.into().all(OPEN, args![cluster]).await?;
    Ok(readable(raw))
}

/// Writes every column that may change, if nobody else did since the row had
/// `expected_row_version`; `false` otherwise, and nothing was written.
pub async fn update(tx: &mut Tx, run: &RunRow, expected_row_version: i64) -> Result<bool, Error> {
    let args = args![
        &run.id,
        expected_row_version,
        run.state.name(),
        run.state_since,
        run.requested.map(Requested::name),
        run.requested_at,
        run.in_doubt_since,
        run.observed_at,
        &run.observed_by,
        run.tick_ms,
        &run.external_id,
        &run.engine_job_id,
        &run.final_status,
        json_opt(&run.failure)?,
        &run.tracking_url,
        &run.rest_url,
        run.tasks_running,
        run.tasks_total,
        run.attempts,
        json_opt(&run.launch)?,
        json_opt(&run.prepared)?,
        &run.staging,
        json(&run.usage)?,
        run.started_at,
        run.ended_at,
        &run.operation,
    ];
    Ok(tx.exec(UPDATE, args).await? == 1)
}

/// Notes where the checkpoints of an open run lie, and that they are to be looked for when it has
/// ended. The row version stays: nothing that is shown has changed.
pub async fn set_checkpoint_dir(db: &Db, run: &RunId, dir: &str) -> Result<(), Error> {
    db.exec(SET_CHECKPOINT_DIR, args![run, dir]).await?;
    Ok(())
}

/// Has the run's restore points looked for on HDFS when it has ended.
pub async fn set_to_collect(tx: &mut Tx, run: &RunId) -> Result<(), Error> {
    tx.exec(SET_COLLECT, args![run]).await?;
    Ok(())
}

/// Runs that have ended and whose restore points are to be looked for, without `launch` and `prepared`.
pub async fn to_collect(source: impl Into<Source<'_>>, limit: i64) -> Result<Vec<RunRow>, Error> {
    let raw: Vec<Raw> = source.into().all(TO_COLLECT, args![limit]).await?;
    Ok(readable(raw))
}

/// As [`to_collect`], of one job.
pub async fn to_collect_of_job(source: impl Into<Source<'_>>, job: &JobId) -> Result<Vec<RunRow>, Error> {
    let raw: Vec<Raw> = source.into().all(TO_COLLECT_OF_JOB, args![job]).await?;
    Ok(readable(raw))
}

/// Nothing more is to be looked for.
pub async fn set_collected(tx: &mut Tx, run: &RunId) -> Result<(), Error> {
    tx.exec(SET_COLLECTED, args![run]).await?;
    Ok(())
}

/// Notes that the open ones of these runs were confirmed at `at` without a change. The row version stays: nothing
/// that is shown as an event has happened.
pub async fn touch_observed(
    db: &Db,
    cluster: &ClusterId,
    runs: &[RunId],
    at: Millis,
    by: &str,
) -> Result<(), Error> {
    for ids in runs.chunks(TOUCH_IDS) {
        let mut args = args![cluster, at, by];
        args.extend((0..TOUCH_IDS).map(|i| ids.get(i).into()));
        db.exec(TOUCH, args).await?;
    }
    Ok(())
}

/// The redacted launch of a run, once there is one.
pub async fn launch(source: impl Into<Source<'_>>, scope: &Scope, id: &RunId) -> Result<Option<Json>, Error> {
    let raw: Option<(Option<String>,)> = source.into().one(LAUNCH, args![scope, id]).await?;
    At {
        table: "runs",
        id: id.as_str(),
    }
    .json_opt("launch", raw.and_then(|(launch,)| launch).as_deref())
}
