//! Idempotency keys: a request that is sent again gets the answer of the first time.

use crate::{
    Error, Source, Tx,
    row::At,
    value::{json, json_opt},
};
use domain::{Millis, id::UserId};
use serde_json::Value as Json;

/// A key a user gave, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRow {
    pub user: UserId,
    pub key: String,
    pub route: String,
    /// Another hash under the same key is another request: refused.
    pub request_hash: String,
    pub answer: Option<Json>,
    /// Id of what the request made.
    pub object_id: String,
    pub created_at: Millis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    user_id: String,
    key: String,
    route: String,
    request_hash: String,
    answer: Option<String>,
    object_id: String,
    created_at: i64,
}

impl TryFrom<Raw> for IdempotencyRow {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let at = At {
            table: "idempotency",
            id: &raw.object_id,
        };
        Ok(Self {
            user: at.parse("user_id", &raw.user_id)?,
            answer: at.json_opt("answer", raw.answer.as_deref())?,
            created_at: raw.created_at,
            key: raw.key,
            route: raw.route,
            request_hash: raw.request_hash,
            object_id: raw.object_id,
        })
    }
}

statements! {
    GET = ("SELECT user_id, key, route, request_hash, answer, object_id, created_at FROM idempotency \
        WHERE user_id = $1 AND key = $2");
    CLAIM = ("INSERT INTO idempotency (user_id, key, route, request_hash, answer, object_id, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (user_id, key) DO NOTHING");
    SET_ANSWER = ("UPDATE idempotency SET answer = $3 WHERE user_id = $1 AND key = $2");
    PURGE = ("DELETE FROM idempotency WHERE created_at < $1");
}

pub async fn get(
    source: impl Into<Source<'_>>,
    user: &UserId,
    key: &str,
) -> Result<Option<IdempotencyRow>, Error> {
    let raw: Option<Raw> = source.into().one(GET, args![user, key]).await?;
    raw.map(IdempotencyRow::try_from).transpose()
}

/// Takes a key within the transaction that does the work; `false` when it is taken (waits for a
/// transaction that is taking it): drop this one and answer what [`get`] finds.
pub async fn claim(tx: &mut Tx, row: &IdempotencyRow) -> Result<bool, Error> {
    let args = args![
        &row.user,
        &row.key,
        &row.route,
        &row.request_hash,
        json_opt(&row.answer)?,
        &row.object_id,
        row.created_at,
    ];
    Ok(tx.exec(CLAIM, args).await? == 1)
}

pub async fn set_answer(tx: &mut Tx, user: &UserId, key: &str, answer: &Json) -> Result<(), Error> {
    tx.exec(SET_ANSWER, args![user, key, json(answer)?]).await?;
    Ok(())
}

/// Forgets keys given before `before`.
pub async fn purge(tx: &mut Tx, before: Millis) -> Result<u64, Error> {
    tx.exec(PURGE, args![before]).await
}
