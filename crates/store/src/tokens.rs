//! Tokens of the API.

use crate::{Db, Error, Source, Tx, error::readable, row::At};
use domain::{
    Millis,
    id::{TokenId, UserId},
    identity::Token,
};

/// A token to record, by the hash of its secret.
#[derive(Clone)]
pub struct NewToken {
    pub id: TokenId,
    pub user: UserId,
    pub name: String,
    pub secret_hash: String,
    pub created_at: Millis,
    pub expires_at: Millis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    user_id: String,
    name: String,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<Raw> for Token {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "tokens",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            created_at: raw.created_at,
            expires_at: raw.expires_at,
            last_used_at: raw.last_used_at,
            revoked_at: raw.revoked_at,
            name: raw.name,
        })
    }
}

/// A token as it is judged when somebody shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    pub id: TokenId,
    pub user: UserId,
    pub expires_at: Millis,
    pub last_used_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
}

impl TryFrom<Raw> for TokenRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "tokens",
            id: &raw.id,
        };
        Ok(Self {
            id: at.parse("id", &raw.id)?,
            user: at.parse("user_id", &raw.user_id)?,
            expires_at: raw.expires_at,
            last_used_at: raw.last_used_at,
            revoked_at: raw.revoked_at,
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, user_id, name, created_at, expires_at, last_used_at, revoked_at FROM tokens "
    };
}

statements! {
    INSERT = ("INSERT INTO tokens (id, user_id, name, secret_hash, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)");
    BY_HASH = (columns!(), "WHERE secret_hash = $1");
    LIST = (columns!(), "WHERE user_id = $1 ORDER BY id DESC LIMIT 500");
    TOUCH = ("UPDATE tokens SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)");
    REVOKE = ("UPDATE tokens SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL");
}

pub async fn insert(tx: &mut Tx, token: &NewToken) -> Result<(), Error> {
    let args = args![
        &token.id,
        &token.user,
        &token.name,
        &token.secret_hash,
        token.created_at,
        token.expires_at,
    ];
    tx.exec(INSERT, args).await?;
    Ok(())
}

/// The token of a secret, whether it still holds or not.
pub async fn by_hash(source: impl Into<Source<'_>>, secret_hash: &str) -> Result<Option<TokenRow>, Error> {
    let raw: Option<Raw> = source.into().one(BY_HASH, args![secret_hash]).await?;
    raw.map(TokenRow::try_from).transpose()
}

/// Notes a use. The caller sees to it that this is not written for each request.
pub async fn touch(db: &Db, id: &TokenId, now: Millis) -> Result<(), Error> {
    db.exec(TOUCH, args![id, now]).await?;
    Ok(())
}

/// A user's tokens, newest first, ended ones too.
pub async fn list(source: impl Into<Source<'_>>, user: &UserId) -> Result<Vec<Token>, Error> {
    let raw: Vec<Raw> = source.into().all(LIST, args![user]).await?;
    Ok(readable(raw))
}

/// Ends a user's token; `false` when they have none of that id that holds.
pub async fn revoke(tx: &mut Tx, user: &UserId, id: &TokenId, at: Millis) -> Result<bool, Error> {
    Ok(tx.exec(REVOKE, args![id, user, at]).await? == 1)
}
