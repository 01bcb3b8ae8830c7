//! Idempotency keys: a request that is sent again gets the answer of the first time.

use crate::{Error, Source, Tx};
use domain::{Millis, id::UserId};

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    /// The request it was given with; the key is refused for another one.
    pub route: String,
    /// Id of what that request made.
    pub object: String,
}

statements! {
    FIND = ("SELECT route, object_id AS object FROM idempotency WHERE user_id = $1 AND key = $2");
    CLAIM = ("INSERT INTO idempotency (user_id, key, route, object_id, created_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, key) DO NOTHING");
    PURGE = ("DELETE FROM idempotency WHERE created_at < $1");
}

/// What a user's key was used for.
pub async fn find(source: impl Into<Source<'_>>, user: &UserId, key: &str) -> Result<Option<Known>, Error> {
    source.into().one(FIND, args![user, key]).await
}

/// Takes a key within the transaction that does the work; `false` when it is taken (waits for a
/// transaction that is taking it): drop this one and answer what [`find`] finds.
pub async fn claim(
    tx: &mut Tx,
    user: &UserId,
    key: &str,
    route: &str,
    object: &str,
    at: Millis,
) -> Result<bool, Error> {
    Ok(tx.exec(CLAIM, args![user, key, route, object, at]).await? == 1)
}

/// Forgets keys given before `before`.
pub async fn purge(tx: &mut Tx, before: Millis) -> Result<u64, Error> {
    tx.exec(PURGE, args![before]).await
}
