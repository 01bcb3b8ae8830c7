//! Restore points.

use crate::{Error, Source, Tx, error::readable, row::At};
use domain::{
    Millis, Scope,
    id::{ClusterId, JobId, OperationId, RestorePointId, RunId, TeamId},
    page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
    restore::{RestoreKind, RestorePoint, RestoreState, SavepointFormat},
};

/// A restore point that was found on HDFS; it begins valid.
#[derive(Debug, Clone)]
pub struct NewRestorePoint {
    pub id: RestorePointId,
    pub job: JobId,
    pub run: RunId,
    pub team: TeamId,
    pub cluster: ClusterId,
    pub hadoop_user: String,
    pub kind: RestoreKind,
    pub path: String,
    pub format: Option<SavepointFormat>,
    pub operation: Option<OperationId>,
    pub size: Option<i64>,
    pub created_at: Millis,
    pub completed_at: Millis,
}

/// A restore point with what the console needs to act on it.
#[derive(Debug, Clone, PartialEq)]
pub struct RestorePointRow {
    pub point: RestorePoint,
    pub cluster: ClusterId,
    pub hadoop_user: String,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    job_id: String,
    run_id: String,
    team_id: String,
    cluster_id: String,
    cluster_code: String,
    hadoop_user: String,
    kind: String,
    path: String,
    format: Option<String>,
    operation_id: Option<String>,
    state: String,
    size: Option<i64>,
    created_at: i64,
    completed_at: i64,
    verified_at: i64,
    version: i64,
    environment_id: String,
    snapshot: i64,
    used_by: Option<String>,
}

impl TryFrom<Raw> for RestorePointRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "restore_points",
            id: &raw.id,
        };
        Ok(Self {
            point: RestorePoint {
                id: at.parse("id", &raw.id)?,
                job: at.parse("job_id", &raw.job_id)?,
                team: at.parse("team_id", &raw.team_id)?,
                run: at.parse("run_id", &raw.run_id)?,
                kind: at.known("kind", RestoreKind::from_name(&raw.kind))?,
                created_at: raw.created_at,
                completed_at: raw.completed_at,
                size: raw.size,
                version: raw.version,
                environment: at.parse("environment_id", &raw.environment_id)?,
                snapshot: raw.snapshot,
                format: at.name_opt("format", raw.format.as_deref(), SavepointFormat::from_name)?,
                operation: at.parse_opt("operation_id", raw.operation_id.as_deref())?,
                state: at.known("state", RestoreState::from_name(&raw.state))?,
                verified_at: raw.verified_at,
                used_by: at.parse_opt("used_by", raw.used_by.as_deref())?,
                preselected: false,
                cluster: raw.cluster_code,
                path: raw.path,
            },
            cluster: at.parse("cluster_id", &raw.cluster_id)?,
            hadoop_user: raw.hadoop_user,
        })
    }
}

macro_rules! points {
    () => {
        "SELECT p.id, p.job_id, p.run_id, p.team_id, p.cluster_id, c.code AS cluster_code, p.hadoop_user, p.kind, \
         p.path, p.format, p.operation_id, p.state, p.size, p.created_at, p.completed_at, p.verified_at, r.version, \
         r.environment_id, r.snapshot, (SELECT MIN(u.id) FROM runs u WHERE u.restore_point_id = p.id \
         AND u.ended_at IS NULL) AS used_by FROM restore_points p JOIN runs r ON r.id = p.run_id \
         JOIN clusters c ON c.id = p.cluster_id "
    };
}

macro_rules! visible {
    () => {
        "(CAST($1 AS TEXT) IS NULL OR p.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) "
    };
}

statements! {
    // Found twice, for example by an operation and behind the run's end: once is enough.
    INSERT = ("INSERT INTO restore_points (id, job_id, run_id, team_id, cluster_id, hadoop_user, kind, path, format, \
        operation_id, state, size, created_at, completed_at, verified_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'valid', $11, $12, $13, $12) \
        ON CONFLICT (cluster_id, path) DO NOTHING");
    GET = (points!(), "WHERE p.id = $2 AND ", visible!());
    BY_PATH = (points!(), "WHERE p.cluster_id = $2 AND p.path = $3 AND ", visible!());
    LIST = (points!(), "WHERE p.job_id = $2 AND ", visible!(), "AND (CAST($3 AS BIGINT) IS NULL \
        OR p.completed_at < $3 OR (p.completed_at = $3 AND p.id < $4)) \
        ORDER BY p.completed_at DESC, p.id DESC LIMIT $5");
    NEWEST_VALID = (points!(), "WHERE p.job_id = $2 AND p.state = 'valid' AND ", visible!(),
        "ORDER BY p.completed_at DESC, p.id DESC LIMIT 1");
    // The lock that a start and a disposal of the same point both take.
    LOCK = ("UPDATE restore_points SET state = state WHERE id = $1");
    SET_STATE = ("UPDATE restore_points SET state = $2, verified_at = $3, size = COALESCE($4, size) \
        WHERE id = $1 AND state <> 'disposed'");
}

/// Records a restore point; `false` when one of this path is known already.
pub async fn insert(tx: &mut Tx, point: &NewRestorePoint) -> Result<bool, Error> {
    let args = args![
        &point.id,
        &point.job,
        &point.run,
        &point.team,
        &point.cluster,
        &point.hadoop_user,
        point.kind.name(),
        &point.path,
        point.format.map(SavepointFormat::name),
        &point.operation,
        point.size,
        point.created_at,
        point.completed_at,
    ];
    Ok(tx.exec(INSERT, args).await? == 1)
}

/// A restore point, if the viewer may see it.
pub async fn get(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    id: &RestorePointId,
) -> Result<Option<RestorePointRow>, Error> {
    let raw: Option<Raw> = source.into().one(GET, args![scope, id]).await?;
    raw.map(RestorePointRow::try_from).transpose()
}

/// The restore point in a directory of a cluster, if the viewer may see it.
pub async fn by_path(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    cluster: &ClusterId,
    path: &str,
) -> Result<Option<RestorePointRow>, Error> {
    let raw: Option<Raw> = source.into().one(BY_PATH, args![scope, cluster, path]).await?;
    raw.map(RestorePointRow::try_from).transpose()
}

/// Restore points of a job, the newest first. `after` is the `next` of the page before; anything else
/// is [`Error::Invalid`].
pub async fn list(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    job: &JobId,
    limit: u32,
    after: Option<&str>,
) -> Result<Page<RestorePointRow>, Error> {
    let limit = match limit {
        0 => DEFAULT_LIMIT,
        limit => limit.min(MAX_LIMIT),
    };
    let after: Option<(Millis, RestorePointId)> = after
        .map(|after| cursor(after).ok_or(Error::Invalid { what: "after" }))
        .transpose()?;
    let (at, id) = after.unzip();
    let args = args![scope, job, at, &id, i64::from(limit) + 1];
    let mut raw: Vec<Raw> = source.into().all(LIST, args).await?;
    let more = raw.len() > limit as usize;
    raw.truncate(limit as usize);
    let next = raw.last().filter(|_| more);
    let next = next.map(|point| format!("{}-{}", point.completed_at, point.id));
    Ok(Page {
        items: readable(raw),
        next,
    })
}

fn cursor(text: &str) -> Option<(Millis, RestorePointId)> {
    let (at, id) = text.split_once('-')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

/// The newest restore point of a job that was valid when it was looked at last.
pub async fn newest_valid(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    job: &JobId,
) -> Result<Option<RestorePointRow>, Error> {
    let raw: Option<Raw> = source.into().one(NEWEST_VALID, args![scope, job]).await?;
    raw.map(RestorePointRow::try_from).transpose()
}

/// Keeps others from using or disposing of a restore point until the transaction ends. What was read
/// of it before may have changed: read it again behind this.
pub async fn lock(tx: &mut Tx, id: &RestorePointId) -> Result<(), Error> {
    tx.exec(LOCK, args![id]).await?;
    Ok(())
}

/// Notes what was found; a disposed one stays so. A size of `None` keeps the one that is known.
pub async fn set_state(
    tx: &mut Tx,
    id: &RestorePointId,
    state: RestoreState,
    at: Millis,
    size: Option<i64>,
) -> Result<bool, Error> {
    Ok(tx.exec(SET_STATE, args![id, state.name(), at, size]).await? == 1)
}
