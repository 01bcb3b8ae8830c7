//! Users and their memberships.

use crate::{Error, Source, Tx, error::readable, row::At};
use domain::{
    Millis, Role,
    access::Membership,
    id::{TeamId, UserId},
    identity::User,
};
use std::collections::HashMap;

/// A user with every column.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    pub id: UserId,
    /// In lower case: the caller's task, since the databases disagree about it.
    pub name: String,
    /// `None`: signs in by a login link only.
    pub password_hash: Option<String>,
    pub admin: bool,
    /// Sessions that carry another one have ended.
    pub epoch: i64,
    pub disabled: bool,
    pub created_at: Millis,
}

// By hand: a password hash does not belong in a log.
impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("admin", &self.admin)
            .field("epoch", &self.epoch)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    name: String,
    password_hash: Option<String>,
    admin: i64,
    epoch: i64,
    disabled: i64,
    created_at: i64,
}

impl TryFrom<Raw> for UserRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "users",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            admin: raw.admin != 0,
            epoch: raw.epoch,
            disabled: raw.disabled != 0,
            created_at: raw.created_at,
            name: raw.name,
            password_hash: raw.password_hash,
        })
    }
}

#[derive(sqlx::FromRow)]
struct MembershipRaw {
    user_id: String,
    team_id: String,
    team_name: String,
    role: String,
}

impl TryFrom<MembershipRaw> for (String, Membership) {
    type Error = Error;

    fn try_from(raw: MembershipRaw) -> Result<Self, Error> {
        let at = At {
            table: "memberships",
            id: &raw.user_id,
        };
        let membership = Membership {
            team: at.parse("team_id", &raw.team_id)?,
            role: at.known("role", Role::from_name(&raw.role))?,
            team_name: raw.team_name,
        };
        Ok((raw.user_id, membership))
    }
}

macro_rules! columns {
    () => {
        "SELECT id, name, password_hash, admin, epoch, disabled, created_at FROM users "
    };
}

macro_rules! memberships_from {
    () => {
        "SELECT m.user_id, m.team_id, t.name AS team_name, m.role FROM memberships m \
         JOIN teams t ON t.id = m.team_id "
    };
}

statements! {
    INSERT = ("INSERT INTO users (id, name, password_hash, admin, epoch, disabled, created_at) \
        VALUES ($1, $2, $3, $4, 0, $5, $6)");
    ROW = (columns!(), "WHERE id = $1");
    BY_NAME = (columns!(), "WHERE name = $1");
    LIST = (columns!(), "ORDER BY name LIMIT 10000");
    ANY = ("SELECT id FROM users LIMIT 1");
    MEMBERSHIPS = (memberships_from!(), "WHERE m.user_id = $1 ORDER BY t.name");
    ALL_MEMBERSHIPS = (memberships_from!(), "ORDER BY t.name LIMIT 1000000");
    SET_PASSWORD = ("UPDATE users SET password_hash = $2, epoch = epoch + 1 WHERE id = $1 RETURNING epoch");
    SET_DISABLED = ("UPDATE users SET disabled = $2, epoch = epoch + 1 WHERE id = $1 RETURNING epoch");
    SET_ADMIN = ("UPDATE users SET admin = $2, epoch = epoch + 1 WHERE id = $1 RETURNING epoch");
    BUMP_EPOCH = ("UPDATE users SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch");
    REMOVE_MEMBERSHIP = ("DELETE FROM memberships WHERE team_id = $1 AND user_id = $2");
    SET_MEMBERSHIP = ("INSERT INTO memberships (team_id, user_id, role) VALUES ($1, $2, $3) \
        ON CONFLICT (user_id, team_id) DO UPDATE SET role = excluded.role");
}

/// Records a user without memberships, at epoch 0. [`crate::Constraint::UserName`] when the name is taken.
pub async fn insert(tx: &mut Tx, user: &User, password_hash: Option<&str>) -> Result<(), Error> {
    let args = args![
        &user.id,
        &user.name,
        password_hash,
        user.admin,
        user.disabled,
        user.created_at,
    ];
    tx.exec(INSERT, args).await?;
    Ok(())
}

pub async fn row(source: impl Into<Source<'_>>, id: &UserId) -> Result<Option<UserRow>, Error> {
    let raw: Option<Raw> = source.into().one(ROW, args![id]).await?;
    raw.map(UserRow::try_from).transpose()
}

/// A user by name, which must be given in lower case.
pub async fn by_name(source: impl Into<Source<'_>>, name: &str) -> Result<Option<UserRow>, Error> {
    let raw: Option<Raw> = source.into().one(BY_NAME, args![name]).await?;
    raw.map(UserRow::try_from).transpose()
}

/// Every user with their teams, by name.
pub async fn list(source: impl Into<Source<'_>>) -> Result<Vec<User>, Error> {
    let mut source = source.into();
    let raw: Vec<Raw> = source.again().all(LIST, args![]).await?;
    let users: Vec<UserRow> = readable(raw);
    let raw: Vec<MembershipRaw> = source.all(ALL_MEMBERSHIPS, args![]).await?;
    let mut memberships: HashMap<String, Vec<Membership>> = HashMap::new();
    for (user, membership) in readable::<_, (String, Membership)>(raw) {
        memberships.entry(user).or_default().push(membership);
    }
    Ok(users
        .into_iter()
        .map(|user| User {
            teams: memberships.remove(user.id.as_str()).unwrap_or_default(),
            id: user.id,
            name: user.name,
            admin: user.admin,
            disabled: user.disabled,
            created_at: user.created_at,
        })
        .collect())
}

/// Whether there is a user at all.
pub async fn any(source: impl Into<Source<'_>>) -> Result<bool, Error> {
    let raw: Option<(String,)> = source.into().one(ANY, args![]).await?;
    Ok(raw.is_some())
}

/// The teams of a user, by name.
pub async fn memberships(source: impl Into<Source<'_>>, user: &UserId) -> Result<Vec<Membership>, Error> {
    let raw: Vec<MembershipRaw> = source.into().all(MEMBERSHIPS, args![user]).await?;
    Ok(readable::<_, (String, Membership)>(raw)
        .into_iter()
        .map(|(_, membership)| membership)
        .collect())
}

/// Adds a user to a team, or changes their role in it.
pub async fn set_membership(tx: &mut Tx, user: &UserId, team: &TeamId, role: Role) -> Result<(), Error> {
    tx.exec(SET_MEMBERSHIP, args![team, user, role.name()]).await?;
    Ok(())
}

/// Takes a user out of a team; `false` when they were not in it.
pub async fn remove_membership(tx: &mut Tx, user: &UserId, team: &TeamId) -> Result<bool, Error> {
    Ok(tx.exec(REMOVE_MEMBERSHIP, args![team, user]).await? == 1)
}

/// Sets the hash and ends every session; answers the new epoch, `None` when there is no such user.
pub async fn set_password(
    tx: &mut Tx,
    user: &UserId,
    password_hash: Option<&str>,
) -> Result<Option<i64>, Error> {
    epoch(tx.one(SET_PASSWORD, args![user, password_hash]).await)
}

/// Locks a user out or lets them in again, and ends every session.
pub async fn set_disabled(tx: &mut Tx, user: &UserId, disabled: bool) -> Result<Option<i64>, Error> {
    epoch(tx.one(SET_DISABLED, args![user, disabled]).await)
}

/// Makes a user an administrator or not, and ends every session.
pub async fn set_admin(tx: &mut Tx, user: &UserId, admin: bool) -> Result<Option<i64>, Error> {
    epoch(tx.one(SET_ADMIN, args![user, admin]).await)
}

/// Ends every session of a user.
pub async fn bump_epoch(tx: &mut Tx, user: &UserId) -> Result<Option<i64>, Error> {
    epoch(tx.one(BUMP_EPOCH, args![user]).await)
}

fn epoch(raw: Result<Option<(i64,)>, Error>) -> Result<Option<i64>, Error> {
    Ok(raw?.map(|(epoch,)| epoch))
}
