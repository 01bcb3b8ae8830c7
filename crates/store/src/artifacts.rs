//! Artifacts: uploaded files by content.

use crate::{Error, Source, Tx, error::readable, row::At, value::json};
use domain::{
    Millis, Scope,
    artifact::Artifact,
    id::{ArtifactId, TeamId, UserId},
};

/// An artifact to record; its version is counted by [`insert`].
#[derive(Debug, Clone)]
pub struct NewArtifact {
    pub id: ArtifactId,
    pub team: TeamId,
    pub name: String,
    pub sha256: String,
    pub size: i64,
    pub main_classes: Vec<String>,
    pub manifest_class: Option<String>,
    pub created_by: UserId,
    pub created_at: Millis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    team_id: String,
    name: String,
    version: i64,
    sha256: String,
    size: i64,
    main_classes: String,
    manifest_class: Option<String>,
    created_by_name: String,
    created_at: i64,
}

impl TryFrom<Raw> for Artifact {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "artifacts",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            team: at.parse("team_id", &raw.team_id)?,
            version: raw.version,
            size: raw.size,
            main_classes: at.json("main_classes", &raw.main_classes)?,
            created_at: raw.created_at,
            name: raw.name,
            sha256: raw.sha256,
            manifest_class: raw.manifest_class,
            created_by_name: raw.created_by_name,
        })
    }
}

macro_rules! from {
    () => {
        "SELECT a.id, a.team_id, a.name, a.version, a.sha256, a.size, a.main_classes, a.manifest_class, \
         COALESCE(u.name, 'console') AS created_by_name, a.created_at FROM artifacts a \
         LEFT JOIN users u ON u.id = a.created_by "
    };
}

macro_rules! visible {
    () => {
        "WHERE (CAST($1 AS TEXT) IS NULL OR a.team_id IN (SELECT team_id FROM memberships WHERE user_id = $1)) "
    };
}

statements! {
    INSERT = ("INSERT INTO artifacts (id, team_id, name, version, sha256, size, main_classes, manifest_class, \
        created_by, created_at) VALUES ($1, $2, $3, \
        (SELECT COALESCE(MAX(o.version), 0) + 1 FROM artifacts o WHERE o.team_id = $2 AND o.name = $3), \
        $4, $5, $6, $7, $8, $9) RETURNING version");
    ROW = (from!(), "WHERE a.id = $1");
    GET = (from!(), visible!(), "AND a.id = $2");
    LIST = (from!(), visible!(), "ORDER BY a.id DESC LIMIT 2000");
    FIND = (from!(), "WHERE a.team_id = $1 AND a.name = $2 AND a.sha256 = $3 ORDER BY a.version DESC LIMIT 1");
    FIND_CONTENT = (from!(), "WHERE a.team_id = $1 AND a.sha256 = $2 ORDER BY a.id DESC LIMIT 1");
}

/// Records an artifact and answers its version. [`crate::Constraint::ArtifactVersion`] when another
/// one of the name was recorded at the same time: begin anew.
pub async fn insert(tx: &mut Tx, artifact: &NewArtifact) -> Result<i64, Error> {
    let args = args![
        &artifact.id,
        &artifact.team,
        &artifact.name,
        &artifact.sha256,
        artifact.size,
        json(&artifact.main_classes)?,
        &artifact.manifest_class,
        &artifact.created_by,
        artifact.created_at,
    ];
    let raw: Option<(i64,)> = tx.one(INSERT, args).await?;
    raw.map(|(version,)| version)
        .ok_or(Error::Other(sqlx::Error::RowNotFound))
}

/// An artifact whoever asks: for the console itself.
pub async fn row(source: impl Into<Source<'_>>, id: &ArtifactId) -> Result<Option<Artifact>, Error> {
    let raw: Option<Raw> = source.into().one(ROW, args![id]).await?;
    raw.map(Artifact::try_from).transpose()
}

pub async fn get(
    source: impl Into<Source<'_>>,
    scope: &Scope,
    id: &ArtifactId,
) -> Result<Option<Artifact>, Error> {
    let raw: Option<Raw> = source.into().one(GET, args![scope, id]).await?;
    raw.map(Artifact::try_from).transpose()
}

/// The newest 2000 artifacts a viewer sees, newest first.
pub async fn list(source: impl Into<Source<'_>>, scope: &Scope) -> Result<Vec<Artifact>, Error> {
    let raw: Vec<Raw> = source.into().all(LIST, args![scope]).await?;
    Ok(readable(raw))
}

/// The team's artifact of that name and content. Never another team's: knowing a hash gives no right to the file.
pub async fn find(
    source: impl Into<Source<'_>>,
    team: &TeamId,
    name: &str,
    sha256: &str,
) -> Result<Option<Artifact>, Error> {
    let raw: Option<Raw> = source.into().one(FIND, args![team, name, sha256]).await?;
    raw.map(Artifact::try_from).transpose()
}

/// As [`find`], whatever its name.
pub async fn find_content(
    source: impl Into<Source<'_>>,
    team: &TeamId,
    sha256: &str,
) -> Result<Option<Artifact>, Error> {
    let raw: Option<Raw> = source.into().one(FIND_CONTENT, args![team, sha256]).await?;
    raw.map(Artifact::try_from).transpose()
}
