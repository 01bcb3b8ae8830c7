//! Environments, their snapshots, and how far they are on each cluster.

use crate::{
    Error, Source, Tx,
    error::readable,
    row::At,
    value::{json, json_opt},
};
use domain::{
    Engine, Failure, Millis, Scope,
    environment::{ClusterPlacement, Environment, ManifestFile, Snapshot},
    id::{ClusterId, EnvironmentId, OperationId, TeamId, UserId},
};
use std::collections::HashMap;

/// An environment with every column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRow {
    pub id: EnvironmentId,
    pub name: String,
    /// `None`: shared by all teams.
    pub team: Option<TeamId>,
    pub engine: Engine,
    pub version: String,
    pub directory: String,
    /// Number of the newest snapshot, 0 before the first.
    pub snapshot: i64,
    pub created_at: Millis,
}

/// A snapshot to record.
#[derive(Debug, Clone)]
pub struct NewSnapshot {
    pub environment: EnvironmentId,
    pub number: i64,
    pub files: Vec<ManifestFile>,
    pub defaults: Vec<(String, String)>,
    pub created_by: UserId,
    pub created_at: Millis,
    pub reason: Option<String>,
}

/// How far an environment is on a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentPlacementRow {
    pub environment: EnvironmentId,
    pub cluster: ClusterId,
    /// Snapshot whose every file was verified there.
    pub snapshot: Option<i64>,
    pub files_done: i64,
    pub files_total: i64,
    pub bytes_done: i64,
    pub bytes_total: i64,
    pub operation: Option<OperationId>,
    pub failure: Option<Failure>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    name: String,
    team_id: Option<String>,
    engine: String,
    version: String,
    directory: String,
    snapshot: i64,
    created_at: i64,
    file_count: i64,
    byte_count: i64,
}

impl TryFrom<Raw> for EnvironmentRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "environments",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            team: at.parse_opt("team_id", raw.team_id.as_deref())?,
            snapshot: raw.snapshot,
            created_at: raw.created_at,
            name: raw.name,
            engine: at.known("engine", Engine::from_name(&raw.engine))?,
            version: raw.version,
            directory: raw.directory,
        })
    }
}

impl TryFrom<Raw> for Environment {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let (files, bytes) = (raw.file_count, raw.byte_count);
        let row = EnvironmentRow::try_from(raw)?;
        Ok(Self {
            id: row.id,
            name: row.name,
            team: row.team,
            engine: row.engine,
            version: row.version,
            directory: row.directory,
            snapshot: row.snapshot,
            files,
            bytes,
            placements: Vec::new(),
            created_at: row.created_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SnapshotRaw {
    environment_id: String,
    number: i64,
    files: String,
    defaults: String,
    created_by_name: String,
    created_at: i64,
    reason: Option<String>,
}

impl TryFrom<SnapshotRaw> for Snapshot {
    type Error = Error;

    fn try_from(raw: SnapshotRaw) -> Result<Self, Error> {
        let at = At {
            table: "snapshots",
            id: &raw.environment_id,
        };
        Ok(Self {
            environment: at.parse("environment_id", &raw.environment_id)?,
            number: raw.number,
            files: at.json("files", &raw.files)?,
            defaults: at.json("defaults", &raw.defaults)?,
            created_at: raw.created_at,
            created_by_name: raw.created_by_name,
            reason: raw.reason,
        })
    }
}

#[derive(sqlx::FromRow)]
struct PlacementRaw {
    environment_id: String,
    cluster_id: String,
    cluster_code: String,
    snapshot: Option<i64>,
    files_done: i64,
    files_total: i64,
    bytes_done: i64,
    bytes_total: i64,
    operation_id: Option<String>,
    failure: Option<String>,
}

impl TryFrom<PlacementRaw> for EnvironmentPlacementRow {
    type Error = Error;

    fn try_from(raw: PlacementRaw) -> Result<Self, Error> {
        let at = At {
            table: "environment_placements",
            id: &raw.environment_id,
        };
        Ok(Self {
            environment: at.parse("environment_id", &raw.environment_id)?,
            cluster: at.parse("cluster_id", &raw.cluster_id)?,
            snapshot: raw.snapshot,
            files_done: raw.files_done,
            files_total: raw.files_total,
            bytes_done: raw.bytes_done,
            bytes_total: raw.bytes_total,
            operation: at.parse_opt("operation_id", raw.operation_id.as_deref())?,
            failure: at.json_opt("failure", raw.failure.as_deref())?,
        })
    }
}

impl TryFrom<PlacementRaw> for (EnvironmentId, ClusterPlacement) {
    type Error = Error;

    fn try_from(raw: PlacementRaw) -> Result<Self, Error> {
        let cluster_code = raw.cluster_code.clone();
        let row = EnvironmentPlacementRow::try_from(raw)?;
        let shown = ClusterPlacement {
            cluster_code,
            snapshot: row.snapshot,
            files_done: row.files_done,
            files_total: row.files_total,
            bytes_done: row.bytes_done,
            bytes_total: row.bytes_total,
            operation: row.operation,
            failure: row.failure,
        };
        Ok((row.environment, shown))
    }
}

macro_rules! from {
    () => {
        "SELECT e.id, e.name, e.team_id, e.engine, e.version, e.directory, e.snapshot, e.created_at, \
         COALESCE(s.file_count, 0) AS file_count, COALESCE(s.byte_count, 0) AS byte_count FROM environments e \
         LEFT JOIN snapshots s ON s.environment_id = e.id AND s.number = e.snapshot "
    };
}

macro_rules! visible {
    () => {
        "WHERE (CAST($1 AS TEXT) IS NULL OR e.team_id IS NULL \
         OR e.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) "
    };
}

macro_rules! placements_from {
    () => {
        "SELECT p.environment_id, p.cluster_id, c.code AS cluster_code, p.snapshot, p.files_done, p.files_total, \
         p.bytes_done, p.bytes_total, p.operation_id, p.failure FROM environment_placements p \
         JOIN clusters c ON c.id = p.cluster_id JOIN environments e ON e.id = p.environment_id "
    };
}

/// Placements on clusters the viewer does not see stay hidden too.
macro_rules! placements_seen {
    () => {
        concat!(
            placements_from!(),
            visible!(),
            "AND (CAST($1 AS TEXT) IS NULL OR p.cluster_id IN (SELECT g.cluster_id FROM grants g \
             JOIN memberships m ON m.team_id = g.team_id WHERE m.user_id = $1)) "
        )
    };
}

macro_rules! snapshot_from {
    () => {
        "SELECT s.environment_id, s.number, s.files, s.defaults, COALESCE(u.name, 'console') AS created_by_name, \
         s.created_at, s.reason FROM snapshots s JOIN environments e ON e.id = s.environment_id \
         LEFT JOIN users u ON u.id = s.created_by "
    };
}

statements! {
    INSERT = ("INSERT INTO environments (id, name, team_id, engine, version, directory, snapshot, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    SET_SNAPSHOT = ("UPDATE environments SET snapshot = $3, version = $4 WHERE id = $1 AND snapshot = $2");
    ROW = (from!(), "WHERE e.id = $1");
    ROWS = (from!(), "ORDER BY e.name LIMIT 1000");
    GET = (from!(), visible!(), "AND e.id = $2");
    LIST = (from!(), visible!(), "ORDER BY e.name LIMIT 1000");
    INSERT_SNAPSHOT = ("INSERT INTO snapshots (environment_id, number, files, defaults, file_count, byte_count, \
        created_by, created_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    SNAPSHOT_ROW = (snapshot_from!(), "WHERE s.environment_id = $1 AND s.number = $2");
    SNAPSHOT = (snapshot_from!(), visible!(), "AND s.environment_id = $2 AND s.number = $3");
    PUT_PLACEMENT = ("INSERT INTO environment_placements (environment_id, cluster_id, snapshot, files_done, \
        files_total, bytes_done, bytes_total, operation_id, failure) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (environment_id, cluster_id) DO UPDATE SET snapshot = excluded.snapshot, \
        files_done = excluded.files_done, files_total = excluded.files_total, bytes_done = excluded.bytes_done, \
        bytes_total = excluded.bytes_total, operation_id = excluded.operation_id, failure = excluded.failure");
    PLACEMENT = (placements_from!(), "WHERE p.environment_id = $1 AND p.cluster_id = $2");
    PLACEMENTS_OF_CLUSTER = (placements_from!(), "WHERE p.cluster_id = $1 ORDER BY p.environment_id LIMIT 1000");
    PLACEMENTS_SEEN = (placements_seen!(), "ORDER BY c.code LIMIT 100000");
    PLACEMENTS_SEEN_OF = (placements_seen!(), "AND p.environment_id = $2 ORDER BY c.code LIMIT 1000");
}

/// Records an environment. [`crate::Constraint::EnvironmentName`] when the name is taken.
pub async fn insert(tx: &mut Tx, environment: &EnvironmentRow) -> Result<(), Error> {
    let args = args![
        &environment.id,
        &environment.name,
        &environment.team,
        environment.engine.name(),
        &environment.version,
        &environment.directory,
        environment.snapshot,
        environment.created_at,
    ];
    tx.exec(INSERT, args).await?;
    Ok(())
}

/// Makes `next` the newest snapshot if `base` is it now; `version` is the engine's in that snapshot.
pub async fn set_snapshot(
    tx: &mut Tx,
    id: &EnvironmentId,
    base: i64,
    next: i64,
    version: &str,
) -> Result<bool, Error> {
    Ok(tx.exec(SET_SNAPSHOT, args![id, base, next, version]).await? == 1)
}

/// An environment whoever asks: for the console itself.
pub async fn row(source: impl Into<Source<'_>>, id: &EnvironmentId) -> Result<Option<EnvironmentRow>, Error> {
    let raw: Option<Raw> = source.into().one(ROW, args![id]).await?;
    raw.map(EnvironmentRow::try_from).transpose()
}

/// Every environment, by name: for the console itself.
pub async fn rows(source: impl Into<Source<'_>>) -> Result<Vec<EnvironmentRow>, Error> {
    let raw: Vec<Raw> = source.into().all(ROWS, args![]).await?;
    Ok(readable(raw))
}

/// An environment with its placements, if it is shared or of a team of the viewer.
pub async fn get(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    id: &EnvironmentId,
) -> Result<Option<Environment>, Error> {
    let mut source = source.into();
    let raw: Option<Raw> = source.again().one(GET, args![scope, id]).await?;
    let Some(raw) = raw else { return Ok(None) };
    let mut environment = Environment::try_from(raw)?;
    let raw: Vec<PlacementRaw> = source.all(PLACEMENTS_SEEN_OF, args![scope, id]).await?;
    environment.placements = readable::<_, (EnvironmentId, ClusterPlacement)>(raw)
        .into_iter()
        .map(|(_, placement)| placement)
        .collect();
    Ok(Some(environment))
}

/// The environments a viewer sees, by name, each with its placements.
pub async fn list(source: impl Into<Source<'_>>, scope: &Scope) -> Result<Vec<Environment>, Error> {
    let mut source = source.into();
    let raw: Vec<Raw> = source.again().all(LIST, args![scope]).await?;
    let mut environments: Vec<Environment> = readable(raw);
    let raw: Vec<PlacementRaw> = source.all(PLACEMENTS_SEEN, args![scope]).await?;
    let mut placements: HashMap<EnvironmentId, Vec<ClusterPlacement>> = HashMap::new();
    for (environment, placement) in readable::<_, (EnvironmentId, ClusterPlacement)>(raw) {
        placements.entry(environment).or_default().push(placement);
    }
    for environment in &mut environments {
        environment.placements = placements.remove(&environment.id).unwrap_or_default();
    }
    Ok(environments)
}

/// Records a snapshot. [`crate::Constraint::SnapshotNumber`] when there is one of that number.
pub async fn insert_snapshot(tx: &mut Tx, snapshot: &NewSnapshot) -> Result<(), Error> {
    let args = args![
        &snapshot.environment,
        snapshot.number,
        json(&snapshot.files)?,
        json(&snapshot.defaults)?,
        i64::try_from(snapshot.files.len()).unwrap_or(i64::MAX),
        snapshot
            .files
            .iter()
            .fold(0_i64, |sum, file| sum.saturating_add(file.size)),
        &snapshot.created_by,
        snapshot.created_at,
        &snapshot.reason,
    ];
    tx.exec(INSERT_SNAPSHOT, args).await?;
    Ok(())
}

/// A snapshot of an environment the viewer sees.
pub async fn snapshot(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    id: &EnvironmentId,
    number: i64,
) -> Result<Option<Snapshot>, Error> {
    let raw: Option<SnapshotRaw> = source.into().one(SNAPSHOT, args![scope, id, number]).await?;
    raw.map(Snapshot::try_from).transpose()
}

/// A snapshot whoever asks: for the console itself.
pub async fn snapshot_row(
    source: impl Into<Source<'_>>,
    id: &EnvironmentId,
    number: i64,
) -> Result<Option<Snapshot>, Error> {
    let raw: Option<SnapshotRaw> = source.into().one(SNAPSHOT_ROW, args![id, number]).await?;
    raw.map(Snapshot::try_from).transpose()
}

/// Writes how far an environment is on a cluster.
pub async fn put_placement(tx: &mut Tx, placement: &EnvironmentPlacementRow) -> Result<(), Error> {
    let args = args![
        &placement.environment,
        &placement.cluster,
        placement.snapshot,
        placement.files_done,
        placement.files_total,
        placement.bytes_done,
        placement.bytes_total,
        &placement.operation,
        json_opt(&placement.failure)?,
    ];
    tx.exec(PUT_PLACEMENT, args).await?;
    Ok(())
}

pub async fn placement(
    source: impl Into<Source<'_>>,
    environment: &EnvironmentId,
    cluster: &ClusterId,
) -> Result<Option<EnvironmentPlacementRow>, Error> {
    let raw: Option<PlacementRaw> = source.into().one(PLACEMENT, args![environment, cluster]).await?;
    raw.map(EnvironmentPlacementRow::try_from).transpose()
}

/// Every environment that is, or was to be, on a cluster.
pub async fn placements_of_cluster(
    source: impl Into<Source<'_>>,
    cluster: &ClusterId,
) -> Result<Vec<EnvironmentPlacementRow>, Error> {
    let raw: Vec<PlacementRaw> = source.into().all(PLACEMENTS_OF_CLUSTER, args![cluster]).await?;
    Ok(readable(raw))
}
