//! Copies of files that a cluster has.

use crate::{Error, Source, Tx, error::readable, row::At};
use domain::{Millis, id::ClusterId};

/// A file that was verified on a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementRow {
    pub cluster: ClusterId,
    /// Path on the cluster's file system.
    pub path: String,
    /// Who owns it there.
    pub hadoop_user: String,
    pub sha256: String,
    pub size: i64,
    pub verified_at: Millis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    cluster_id: String,
    path: String,
    hadoop_user: String,
    sha256: String,
    size: i64,
    verified_at: i64,
}

impl TryFrom<Raw> for PlacementRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "placements",
            id: &raw.path,
        };
        Ok(Self {
            cluster: at.parse("cluster_id", &raw.cluster_id)?,
            size: raw.size,
            verified_at: raw.verified_at,
            path: raw.path,
            hadoop_user: raw.hadoop_user,
            sha256: raw.sha256,
        })
    }
}

macro_rules! from {
    () => {
        "SELECT cluster_id, path, hadoop_user, sha256, size, verified_at FROM placements \
         WHERE state = 'present' AND cluster_id = $1 "
    };
}

statements! {
    PUT = ("INSERT INTO placements (cluster_id, path, hadoop_user, sha256, size, state, verified_at) \
        VALUES ($1, $2, $3, $4, $5, 'present', $6) ON CONFLICT (cluster_id, path) DO UPDATE \
        SET hadoop_user = excluded.hadoop_user, sha256 = excluded.sha256, size = excluded.size, \
        state = excluded.state, verified_at = excluded.verified_at");
    AT = (from!(), "AND path = $2");
    OF_CONTENT = (from!(), "AND sha256 = $2 ORDER BY path LIMIT 1000");
    FORGET = ("DELETE FROM placements WHERE cluster_id = $1 AND path = $2");
}

/// Notes that a file was verified.
pub async fn put(tx: &mut Tx, placement: &PlacementRow) -> Result<(), Error> {
    let args = args![
        &placement.cluster,
        &placement.path,
        &placement.hadoop_user,
        &placement.sha256,
        placement.size,
        placement.verified_at,
    ];
    tx.exec(PUT, args).await?;
    Ok(())
}

/// What is known to be at a path.
pub async fn at(
    source: impl Into<Source<'_>>,
    cluster: &ClusterId,
    path: &str,
) -> Result<Option<PlacementRow>, Error> {
    let raw: Option<Raw> = source.into().one(AT, args![cluster, path]).await?;
    raw.map(PlacementRow::try_from).transpose()
}

/// Where a content is.
pub async fn of_content(
    source: impl Into<Source<'_>>,
    cluster: &ClusterId,
    sha256: &str,
) -> Result<Vec<PlacementRow>, Error> {
    let raw: Vec<Raw> = source.into().all(OF_CONTENT, args![cluster, sha256]).await?;
    Ok(readable(raw))
}

/// A file was found to be gone.
pub async fn forget(tx: &mut Tx, cluster: &ClusterId, path: &str) -> Result<(), Error> {
    tx.exec(FORGET, args![cluster, path]).await?;
    Ok(())
}
