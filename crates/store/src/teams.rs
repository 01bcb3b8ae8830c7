//! Teams.

use crate::{Error, Source, Tx, error::readable, row::At};
use domain::{Millis, Scope, id::TeamId, identity::Team};

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    name: String,
}

impl TryFrom<Raw> for Team {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "teams",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            name: raw.name,
        })
    }
}

statements! {
    INSERT = ("INSERT INTO teams (id, name, created_at) VALUES ($1, $2, $3)");
    ROW = ("SELECT id, name FROM teams WHERE id = $1");
    BY_NAME = ("SELECT id, name FROM teams WHERE name = $1");
    LIST = ("SELECT id, name FROM teams WHERE (CAST($1 AS TEXT) IS NULL \
        OR id IN (SELECT team_id FROM memberships WHERE user_id = $1)) ORDER BY name LIMIT 10000");
}

/// Records a team. [`crate::Constraint::TeamName`] when the name is taken.
pub async fn insert(tx: &mut Tx, team: &Team, at: Millis) -> Result<(), Error> {
    tx.exec(INSERT, args![&team.id, &team.name, at]).await?;
    Ok(())
}

pub async fn row(source: impl Into<Source<'_>>, id: &TeamId) -> Result<Option<Team>, Error> {
    let raw: Option<Raw> = source.into().one(ROW, args![id]).await?;
    raw.map(Team::try_from).transpose()
}

pub async fn by_name(source: impl Into<Source<'_>>, name: &str) -> Result<Option<Team>, Error> {
    let raw: Option<Raw> = source.into().one(BY_NAME, args![name]).await?;
    raw.map(Team::try_from).transpose()
}

/// The viewer's teams, or all, by name.
pub async fn list(source: impl Into<Source<'_>>, scope: &Scope) -> Result<Vec<Team>, Error> {
    let raw: Vec<Raw> = source.into().all(LIST, args![scope]).await?;
    Ok(readable(raw))
}
