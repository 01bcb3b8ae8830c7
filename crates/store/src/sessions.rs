//! Sessions of browsers, as the session layer asks for them.

use crate::{Db, Error, db::Source, value::json};
use async_trait::async_trait;
use domain::Millis;
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use time::OffsetDateTime;
use tower_sessions_core::{
    SessionStore,
    session::{Id, Record},
    session_store,
};

/// What tells the time: the session layer passes none.
pub type Now = Arc<dyn Fn() -> Millis + Send + Sync>;

/// The store of the session layer. The cookie's value is hashed before it is stored, and a save only
/// ever changes a session that exists: a request still under way at the logout cannot bring it back.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    now: Now,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

statements! {
    CREATE = ("INSERT INTO sessions (id_hash, data, expires_at, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (id_hash) DO NOTHING");
    SAVE = ("UPDATE sessions SET data = $2, expires_at = $3 WHERE id_hash = $1");
    LOAD = ("SELECT data, expires_at FROM sessions WHERE id_hash = $1 AND expires_at > $2");
    DELETE = ("DELETE FROM sessions WHERE id_hash = $1");
    PURGE = ("DELETE FROM sessions WHERE expires_at <= $1");
}

fn hash(id: &Id) -> String {
    hex::encode(Sha256::digest(id.to_string()))
}

fn millis(at: OffsetDateTime) -> Millis {
    Millis::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(Millis::MAX)
}

/// The session layer takes a text only, so the cause is logged here.
fn backend(error: Error) -> session_store::Error {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "sessions cannot be read or written"
    );
    session_store::Error::Backend(error.to_string())
}

impl Sessions {
    pub fn new(db: Db, now: Now) -> Self {
        Self { db, now }
    }

    /// Forgets sessions that have ended; answers how many.
    pub async fn purge(&self) -> Result<u64, Error> {
        self.db.exec(PURGE, args![(self.now)()]).await
    }

    async fn insert(&self, record: &Record) -> Result<bool, Error> {
        let args = args![
            hash(&record.id),
            json(&record.data)?,
            millis(record.expiry_date),
            (self.now)()
        ];
        Ok(self.db.exec(CREATE, args).await? == 1)
    }

    async fn update(&self, record: &Record) -> Result<(), Error> {
        let args = args![hash(&record.id), json(&record.data)?, millis(record.expiry_date)];
        self.db.exec(SAVE, args).await?;
        Ok(())
    }

    async fn find(&self, id: &Id) -> Result<Option<(String, Millis)>, Error> {
        Source::Db(&self.db)
            .one(LOAD, args![hash(id), (self.now)()])
            .await
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // 128 random bits: a second collision is a broken random source, not bad luck.
        for _ in 0..2 {
            if self.insert(record).await.map_err(backend)? {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(session_store::Error::Backend("session ids collide".into()))
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.update(record).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let Some((data, expires_at)) = self.find(id).await.map_err(backend)? else {
            return Ok(None);
        };
        let data = serde_json::from_str(&data).map_err(|e| session_store::Error::Decode(e.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires_at) * 1_000_000)
            .map_err(|e| session_store::Error::Decode(e.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.db
            .exec(DELETE, args![hash(id)])
            .await
            .map(|_| ())
            .map_err(backend)
    }
}
