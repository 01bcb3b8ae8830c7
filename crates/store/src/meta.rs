//! Facts of the installation, such as its deployment id.

use crate::{Error, Source, Tx};

statements! {
    GET = ("SELECT value FROM meta WHERE key = $1");
    PUT = ("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    // The update that changes nothing makes RETURNING answer the row that was there.
    GET_OR_INSERT = ("INSERT INTO meta (key, value) VALUES ($1, $2) \
        ON CONFLICT (key) DO UPDATE SET value = meta.value RETURNING value");
}

pub async fn get(source: impl Into<Source<'_>>, key: &str) -> Result<Option<String>, Error> {
    let raw: Option<(String,)> = source.into().one(GET, args![key]).await?;
    Ok(raw.map(|(value,)| value))
}

pub async fn put(tx: &mut Tx, key: &str, value: &str) -> Result<(), Error> {
    tx.exec(PUT, args![key, value]).await?;
    Ok(())
}

/// Stores a value unless one is there; answers the one that holds.
pub async fn get_or_insert(tx: &mut Tx, key: &str, value: &str) -> Result<String, Error> {
    let raw: Option<(String,)> = tx.one(GET_OR_INSERT, args![key, value]).await?;
    Ok(raw.map_or_else(|| value.to_owned(), |(value,)| value))
}
