//! Clusters and who may use them.

use crate::{Db, Error, Source, Tx, error::readable, row::At, value::json};
use domain::{
    Failure, Millis, Scope,
    cluster::{Cluster, Grant, IdentityMode, XmlFile},
    id::{ClusterId, TeamId},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What the client files say, kept so that a list need not parse them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    pub fs_default: String,
    pub resource_managers: Vec<String>,
    pub name_nodes: Vec<String>,
}

/// A cluster with every column; its grants are a table of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterRow {
    pub id: ClusterId,
    pub code: String,
    pub name: String,
    /// Today always `yarn`.
    pub kind: String,
    pub identity: IdentityMode,
    pub service_user: String,
    pub hdfs_root: String,
    pub files: Vec<XmlFile>,
    pub directory: Option<String>,
    pub summary: Summary,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// Last answer of the ResourceManager.
    pub seen_at: Option<Millis>,
    /// What keeps it from answering now.
    pub trouble: Option<Failure>,
    pub trouble_since: Option<Millis>,
    /// When the ResourceManager says it was started: a change means that it may have forgotten things.
    pub rm_started_on: Option<Millis>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    code: String,
    name: String,
    kind: String,
    identity: String,
    service_user: String,
    hdfs_root: String,
    files: String,
    directory: Option<String>,
    summary: String,
    created_at: i64,
    updated_at: i64,
    seen_at: Option<i64>,
    trouble: Option<String>,
    trouble_since: Option<i64>,
    rm_started_on: Option<i64>,
    open_runs: i64,
}

impl TryFrom<Raw> for ClusterRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "clusters",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            identity: at.known("identity", IdentityMode::from_name(&raw.identity))?,
            files: at.json("files", &raw.files)?,
            summary: at.json("summary", &raw.summary)?,
            created_at: raw.created_at,
            updated_at: raw.updated_at,
            seen_at: raw.seen_at,
            trouble: at.json_opt("trouble", raw.trouble.as_deref())?,
            trouble_since: raw.trouble_since,
            rm_started_on: raw.rm_started_on,
            code: raw.code,
            name: raw.name,
            kind: raw.kind,
            service_user: raw.service_user,
            hdfs_root: raw.hdfs_root,
            directory: raw.directory,
        })
    }
}

impl TryFrom<Raw> for Cluster {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let open_runs = raw.open_runs;
        let row = ClusterRow::try_from(raw)?;
        Ok(Self {
            id: row.id,
            code: row.code,
            name: row.name,
            kind: row.kind,
            identity: row.identity,
            service_user: row.service_user,
            hdfs_root: row.hdfs_root,
            fs_default: row.summary.fs_default,
            resource_managers: row.summary.resource_managers,
            name_nodes: row.summary.name_nodes,
            grants: Vec::new(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            seen_at: row.seen_at,
            trouble: row.trouble,
            trouble_since: row.trouble_since,
            open_runs,
        })
    }
}

#[derive(sqlx::FromRow)]
struct GrantRaw {
    cluster_id: String,
    team_id: String,
    hadoop_user: String,
    queues: String,
}

impl TryFrom<GrantRaw> for (String, Grant) {
    type Error = Error;

    fn try_from(raw: GrantRaw) -> Result<Self, Error> {
        let at = At {
            table: "grants",
            id: &raw.cluster_id,
        };
        let grant = Grant {
            team: at.parse("team_id", &raw.team_id)?,
            queues: at.json("queues", &raw.queues)?,
            hadoop_user: raw.hadoop_user,
        };
        Ok((raw.cluster_id, grant))
    }
}

macro_rules! columns {
    ($files:literal) => {
        concat!(
            "c.id, c.code, c.name, c.kind, c.identity, c.service_user, c.hdfs_root, ",
            $files,
            " AS files, c.directory, c.summary, c.created_at, c.updated_at, c.seen_at, c.trouble, \
             c.trouble_since, c.rm_started_on"
        )
    };
}

/// What is shown: without the files, with the runs of the viewer's teams counted.
macro_rules! shown {
    () => {
        concat!(
            "SELECT ",
            columns!("'[]'"),
            ", (SELECT COUNT(*) FROM runs r WHERE r.cluster_id = c.id AND r.ended_at IS NULL \
              AND (CAST($1 AS TEXT) IS NULL \
              OR r.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1))) AS open_runs \
             FROM clusters c WHERE (CAST($1 AS TEXT) IS NULL OR c.id IN (SELECT g.cluster_id FROM grants g \
             JOIN memberships m ON m.team_id = g.team_id WHERE m.user_id = $1)) "
        )
    };
}

macro_rules! whole {
    () => {
        concat!(
            "SELECT ",
            columns!("c.files"),
            ", CAST(0 AS BIGINT) AS open_runs FROM clusters c "
        )
    };
}

macro_rules! visible_grants {
    () => {
        "SELECT cluster_id, team_id, hadoop_user, queues FROM grants WHERE (CAST($1 AS TEXT) IS NULL \
         OR team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) "
    };
}

statements! {
    INSERT = ("INSERT INTO clusters (id, code, name, kind, identity, service_user, hdfs_root, files, directory, \
        summary, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    UPDATE = ("UPDATE clusters SET code = $2, name = $3, identity = $4, service_user = $5, hdfs_root = $6, \
        files = $7, directory = $8, summary = $9, updated_at = $10 WHERE id = $1");
    SET_SEEN = ("UPDATE clusters SET seen_at = $2, trouble = NULL, trouble_since = NULL WHERE id = $1");
    // The first moment of a trouble stays while it only changes its reason.
    SET_TROUBLE = ("UPDATE clusters SET trouble = $2, trouble_since = COALESCE(trouble_since, $3) WHERE id = $1");
    SET_RM_STARTED_ON = ("UPDATE clusters SET rm_started_on = $2 WHERE id = $1");
    IDS = ("SELECT id FROM clusters ORDER BY id LIMIT 1000");
    ROW = (whole!(), "WHERE c.id = $1");
    ROW_BY_CODE = (whole!(), "WHERE c.code = $1");
    ROWS = (whole!(), "ORDER BY c.code LIMIT 1000");
    BY_CODE = (shown!(), "AND c.code = $2");
    LIST = (shown!(), "ORDER BY c.code LIMIT 1000");
    GRANTS_SEEN = (visible_grants!(), "ORDER BY team_id LIMIT 100000");
    GRANTS_SEEN_OF = (visible_grants!(), "AND cluster_id = $2 ORDER BY team_id");
    GRANTS = ("SELECT cluster_id, team_id, hadoop_user, queues FROM grants WHERE cluster_id = $1 ORDER BY team_id");
    GRANT = ("SELECT cluster_id, team_id, hadoop_user, queues FROM grants WHERE cluster_id = $1 AND team_id = $2");
    DELETE_GRANTS = ("DELETE FROM grants WHERE cluster_id = $1");
    INSERT_GRANT = ("INSERT INTO grants (cluster_id, team_id, hadoop_user, queues) VALUES ($1, $2, $3, $4)");
}

/// Records a cluster without grants. [`crate::Constraint::ClusterCode`] when the code is taken.
pub async fn insert(tx: &mut Tx, cluster: &ClusterRow) -> Result<(), Error> {
    let args = args![
        &cluster.id,
        &cluster.code,
        &cluster.name,
        &cluster.kind,
        cluster.identity.name(),
        &cluster.service_user,
        &cluster.hdfs_root,
        json(&cluster.files)?,
        &cluster.directory,
        json(&cluster.summary)?,
        cluster.created_at,
        cluster.updated_at,
    ];
    tx.exec(INSERT, args).await?;
    Ok(())
}

/// Writes what an administrator may change; health stays. `false` when there is no such cluster.
pub async fn update(tx: &mut Tx, cluster: &ClusterRow) -> Result<bool, Error> {
    let args = args![
        &cluster.id,
        &cluster.code,
        &cluster.name,
        cluster.identity.name(),
        &cluster.service_user,
        &cluster.hdfs_root,
        json(&cluster.files)?,
        &cluster.directory,
        json(&cluster.summary)?,
        cluster.updated_at,
    ];
    Ok(tx.exec(UPDATE, args).await? == 1)
}

/// Notes that the ResourceManager answered; what kept it from answering is over.
pub async fn set_seen(db: &Db, id: &ClusterId, at: Millis) -> Result<(), Error> {
    db.exec(SET_SEEN, args![id, at]).await?;
    Ok(())
}

/// Notes what keeps the ResourceManager from answering.
pub async fn set_trouble(db: &Db, id: &ClusterId, trouble: &Failure, at: Millis) -> Result<(), Error> {
    db.exec(SET_TROUBLE, args![id, json(trouble)?, at]).await?;
    Ok(())
}

/// Notes since when the ResourceManager runs.
pub async fn set_rm_started_on(db: &Db, id: &ClusterId, started_on: Millis) -> Result<(), Error> {
    db.exec(SET_RM_STARTED_ON, args![id, started_on]).await?;
    Ok(())
}

/// Every cluster's id.
pub async fn ids(source: impl Into<Source<'_>>) -> Result<Vec<ClusterId>, Error> {
    let raw: Vec<(String,)> = source.into().all(IDS, args![]).await?;
    raw.into_iter()
        .map(|(id,)| {
            let at = At {
                table: "clusters",
                id: &id,
            };
            at.parse("id", &id)
        })
        .collect()
}

/// A cluster whoever asks: for the console itself.
pub async fn row(source: impl Into<Source<'_>>, id: &ClusterId) -> Result<Option<ClusterRow>, Error> {
    let raw: Option<Raw> = source.into().one(ROW, args![id]).await?;
    raw.map(ClusterRow::try_from).transpose()
}

/// As [`row`], by code.
pub async fn row_by_code(source: impl Into<Source<'_>>, code: &str) -> Result<Option<ClusterRow>, Error> {
    let raw: Option<Raw> = source.into().one(ROW_BY_CODE, args![code]).await?;
    raw.map(ClusterRow::try_from).transpose()
}

/// Every cluster, by code: for the console itself.
pub async fn rows(source: impl Into<Source<'_>>) -> Result<Vec<ClusterRow>, Error> {
    let raw: Vec<Raw> = source.into().all(ROWS, args![]).await?;
    Ok(readable(raw))
}

/// A cluster by code, with the grants and open runs of the viewer's teams; seen by teams with a grant.
pub async fn by_code(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    code: &str,
) -> Result<Option<Cluster>, Error> {
    let mut source = source.into();
    let raw: Option<Raw> = source.again().one(BY_CODE, args![scope, code]).await?;
    let Some(raw) = raw else { return Ok(None) };
    let mut cluster = Cluster::try_from(raw)?;
    let raw: Vec<GrantRaw> = source.all(GRANTS_SEEN_OF, args![scope, &cluster.id]).await?;
    cluster.grants = shown(raw);
    Ok(Some(cluster))
}

/// The clusters a viewer sees, by code.
pub async fn list(source: impl Into<Source<'_>>, scope: &Scope) -> Result<Vec<Cluster>, Error> {
    let mut source = source.into();
    let raw: Vec<Raw> = source.again().all(LIST, args![scope]).await?;
    let mut clusters: Vec<Cluster> = readable(raw);
    let raw: Vec<GrantRaw> = source.all(GRANTS_SEEN, args![scope]).await?;
    let mut grants: HashMap<String, Vec<Grant>> = HashMap::new();
    for (cluster, grant) in readable::<_, (String, Grant)>(raw) {
        grants.entry(cluster).or_default().push(grant);
    }
    for cluster in &mut clusters {
        cluster.grants = grants.remove(cluster.id.as_str()).unwrap_or_default();
    }
    Ok(clusters)
}

fn shown(raw: Vec<GrantRaw>) -> Vec<Grant> {
    readable::<_, (String, Grant)>(raw)
        .into_iter()
        .map(|(_, grant)| grant)
        .collect()
}

/// Every grant of a cluster: for the console itself.
pub async fn grants(source: impl Into<Source<'_>>, cluster: &ClusterId) -> Result<Vec<Grant>, Error> {
    let raw: Vec<GrantRaw> = source.into().all(GRANTS, args![cluster]).await?;
    Ok(shown(raw))
}

/// What a team may use of a cluster.
pub async fn grant(
    source: impl Into<Source<'_>>,
    cluster: &ClusterId,
    team: &TeamId,
) -> Result<Option<Grant>, Error> {
    let raw: Option<GrantRaw> = source.into().one(GRANT, args![cluster, team]).await?;
    let grant = raw.map(<(String, Grant)>::try_from).transpose()?;
    Ok(grant.map(|(_, grant)| grant))
}

/// Replaces all grants of a cluster. [`crate::Constraint::Reference`] when a team is not known.
pub async fn set_grants(tx: &mut Tx, cluster: &ClusterId, grants: &[Grant]) -> Result<(), Error> {
    tx.exec(DELETE_GRANTS, args![cluster]).await?;
    for grant in grants {
        let args = args![cluster, &grant.team, &grant.hadoop_user, json(&grant.queues)?];
        tx.exec(INSERT_GRANT, args).await?;
    }
    Ok(())
}
