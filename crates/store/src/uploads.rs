//! Uploads that are under way.

use crate::{Error, Source, Tx, error::readable, row::At};
use domain::{
    Millis,
    id::{TeamId, UploadId, UserId},
};

/// An announced file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    pub id: UploadId,
    pub team: TeamId,
    /// Who sends it; nobody else may.
    pub user: UserId,
    pub name: String,
    pub size: i64,
    /// What the sender says it is.
    pub sha256: Option<String>,
    pub part_size: i64,
    pub created_at: Millis,
    /// Last part that arrived.
    pub updated_at: Millis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    team_id: String,
    user_id: String,
    name: String,
    size: i64,
    sha256: Option<String>,
    part_size: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<Raw> for UploadRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "uploads",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            team: at.parse("team_id", &raw.team_id)?,
            user: at.parse("user_id", &raw.user_id)?,
            size: raw.size,
            part_size: raw.part_size,
            created_at: raw.created_at,
            updated_at: raw.updated_at,
            name: raw.name,
            sha256: raw.sha256,
        })
    }
}

macro_rules! from {
    () => {
        "SELECT id, team_id, user_id, name, size, sha256, part_size, created_at, updated_at FROM uploads "
    };
}

statements! {
    INSERT = ("INSERT INTO uploads (id, team_id, user_id, name, size, sha256, part_size, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    GET = (from!(), "WHERE id = $1 AND user_id = $2");
    STALE = (from!(), "WHERE updated_at < $1 ORDER BY updated_at LIMIT $2");
    COUNT = ("SELECT COUNT(*) FROM uploads WHERE user_id = $1");
    PARTS = ("SELECT part FROM upload_parts WHERE upload_id = $1 ORDER BY part");
    ADD_PART = ("INSERT INTO upload_parts (upload_id, part) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    TOUCH = ("UPDATE uploads SET updated_at = $2 WHERE id = $1");
    DELETE = ("DELETE FROM uploads WHERE id = $1");
}

pub async fn insert(tx: &mut Tx, upload: &UploadRow) -> Result<(), Error> {
    let args = args![
        &upload.id,
        &upload.team,
        &upload.user,
        &upload.name,
        upload.size,
        &upload.sha256,
        upload.part_size,
        upload.created_at,
        upload.updated_at,
    ];
    tx.exec(INSERT, args).await?;
    Ok(())
}

/// An upload of that user.
pub async fn get(
    source: impl Into<Source<'_>>,
    user: &UserId,
    id: &UploadId,
) -> Result<Option<UploadRow>, Error> {
    let raw: Option<Raw> = source.into().one(GET, args![id, user]).await?;
    raw.map(UploadRow::try_from).transpose()
}

/// How many uploads a user has under way.
pub async fn count(source: impl Into<Source<'_>>, user: &UserId) -> Result<i64, Error> {
    let raw: Option<(i64,)> = source.into().one(COUNT, args![user]).await?;
    Ok(raw.map_or(0, |(count,)| count))
}

/// Numbers of the parts that arrived, in order.
pub async fn parts(source: impl Into<Source<'_>>, id: &UploadId) -> Result<Vec<i64>, Error> {
    let raw: Vec<(i64,)> = source.into().all(PARTS, args![id]).await?;
    Ok(raw.into_iter().map(|(part,)| part).collect())
}

/// Notes that a part arrived; once more changes nothing. `false` when the upload is gone.
pub async fn add_part(tx: &mut Tx, id: &UploadId, part: i64, at: Millis) -> Result<bool, Error> {
    if tx.exec(TOUCH, args![id, at]).await? == 0 {
        return Ok(false);
    }
    tx.exec(ADD_PART, args![id, part]).await?;
    Ok(true)
}

/// Uploads nothing arrived for since `before`, the longest idle first.
pub async fn stale(
    source: impl Into<Source<'_>>,
    before: Millis,
    limit: i64,
) -> Result<Vec<UploadRow>, Error> {
    let raw: Vec<Raw> = source.into().all(STALE, args![before, limit]).await?;
    Ok(readable(raw))
}

/// Ends an upload, with its parts. `false` when somebody else did.
pub async fn delete(tx: &mut Tx, id: &UploadId) -> Result<bool, Error> {
    Ok(tx.exec(DELETE, args![id]).await? == 1)
}
