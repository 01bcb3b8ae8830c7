//! Login links: a secret that signs one user in once.

use crate::{Error, Tx, row::At};
use domain::{Millis, id::UserId};

statements! {
    INSERT = ("INSERT INTO login_links (secret_hash, user_id, expires_at) VALUES ($1, $2, $3)");
    // One statement, so that of two clicks one finds nothing.
    CONSUME = ("UPDATE login_links SET used_at = $2 WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2 \
        RETURNING user_id");
    PURGE = ("DELETE FROM login_links WHERE expires_at <= $1");
}

/// Records a link by the hash of its secret.
pub async fn insert(tx: &mut Tx, secret_hash: &str, user: &UserId, expires_at: Millis) -> Result<(), Error> {
    tx.exec(INSERT, args![secret_hash, user, expires_at]).await?;
    Ok(())
}

/// Spends a link; `None` when it is not known, was used, or has expired.
pub async fn consume(tx: &mut Tx, secret_hash: &str, now: Millis) -> Result<Option<UserId>, Error> {
    let raw: Option<(String,)> = tx.one(CONSUME, args![secret_hash, now]).await?;
    // The hash is not named in the error: nothing of a link belongs in a log.
    let at = At {
        table: "login_links",
        id: "a link",
    };
    raw.map(|(user,)| at.parse("user_id", &user)).transpose()
}

/// Forgets links that have expired.
pub async fn purge(tx: &mut Tx, now: Millis) -> Result<u64, Error> {
    tx.exec(PURGE, args![now]).await
}
