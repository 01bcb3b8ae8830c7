//! Sessions of browsers, as the session layer asks for them.

use crate::{Db, Error, Tx, db::Source, value::json};
use async_trait::async_trait;
use domain::{Millis, id::UserId};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use time::OffsetDateTime;
use tower_sessions_core::{
    SessionStore,
    session::{Id, Record},
    session_store,
};

/// Key of the session's data that holds the id of the user, for [`delete_for_user`].
pub const USER_KEY: &str = "user";

/// How often the last use is written at most.
pub const TOUCH_EVERY_MS: Millis = 60_000;

/// How long a session lives, beside the expiry of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without a request.
    pub idle_ms: Millis,
    /// Since it was made.
    pub absolute_ms: Millis,
}

/// What tells the time: the session layer gives none.
pub type Now = Arc<dyn Fn() -> Millis + Send + Sync>;

/// The store of the session layer. The cookie's value is hashed before it is stored, and a save only
/// ever changes a session that exists: a request still under way at the logout cannot bring it back.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    now: Now,
    limits: Limits,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

statements! {
    CREATE = ("INSERT INTO sessions (id_hash, user_id, data, expires_at, last_seen, created_at) \
        VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (id_hash) DO NOTHING");
    SAVE = ("UPDATE sessions SET user_id = $2, data = $3, expires_at = $4, last_seen = $5 WHERE id_hash = $1");
    LOAD = ("SELECT data, expires_at, last_seen FROM sessions \
        WHERE id_hash = $1 AND expires_at > $2 AND last_seen > $3 AND created_at > $4");
    TOUCH = ("UPDATE sessions SET last_seen = $2 WHERE id_hash = $1 AND last_seen < $3");
    DELETE = ("DELETE FROM sessions WHERE id_hash = $1");
    DELETE_FOR_USER = ("DELETE FROM sessions WHERE user_id = $1");
    PURGE = ("DELETE FROM sessions WHERE expires_at <= $1 OR last_seen <= $2 OR created_at <= $3");
}

/// Ends every session of a user.
pub async fn delete_for_user(tx: &mut Tx, user: &UserId) -> Result<u64, Error> {
    tx.exec(DELETE_FOR_USER, args![user]).await
}

fn hash(id: &Id) -> String {
    hex::encode(Sha256::digest(id.to_string()))
}

fn millis(at: OffsetDateTime) -> Millis {
    let millis = at.unix_timestamp_nanos() / 1_000_000;
    Millis::try_from(millis).unwrap_or(Millis::MAX)
}

fn user(record: &Record) -> Option<&str> {
    record.data.get(USER_KEY).and_then(|user| user.as_str())
}

/// The cause stays in the chain of the log; the session layer only takes a text.
fn backend(error: Error) -> session_store::Error {
    tracing::error!(error = &error as &dyn std::error::Error, "sessions");
    session_store::Error::Backend(error.to_string())
}

impl Sessions {
    pub fn new(db: Db, limits: Limits, now: Now) -> Self {
        Self { db, now, limits }
    }

    /// Forgets sessions that have ended; answers how many.
    pub async fn purge(&self) -> Result<u64, Error> {
        let now = (self.now)();
        let args = args![now, self.idle_since(now), now - self.limits.absolute_ms];
        self.db.exec(PURGE, args).await
    }

    /// Sessions last seen then or before are over. What is written may lag behind the real last use.
    fn idle_since(&self, now: Millis) -> Millis {
        now - self.limits.idle_ms - TOUCH_EVERY_MS
    }

    async fn insert(&self, record: &Record) -> Result<bool, Error> {
        let args = args![
            hash(&record.id),
            user(record),
            json(&record.data)?,
            millis(record.expiry_date),
            (self.now)(),
        ];
        Ok(self.db.exec(CREATE, args).await? == 1)
    }

    async fn update(&self, record: &Record) -> Result<(), Error> {
        let args = args![
            hash(&record.id),
            user(record),
            json(&record.data)?,
            millis(record.expiry_date),
            (self.now)(),
        ];
        self.db.exec(SAVE, args).await?;
        Ok(())
    }

    async fn find(&self, id: &Id) -> Result<Option<(String, Millis)>, Error> {
        let now = (self.now)();
        let id_hash = hash(id);
        let args = args![&id_hash, now, self.idle_since(now), now - self.limits.absolute_ms];
        let raw: Option<(String, i64, i64)> = Source::Db(&self.db).one(LOAD, args).await?;
        let Some((data, expires_at, last_seen)) = raw else {
            return Ok(None);
        };
        let since = now - TOUCH_EVERY_MS;
        if last_seen < since {
            // Reading goes on while the writer is busy; the next request notes the use.
            if let Err(error) = self.db.exec(TOUCH, args![&id_hash, now, since]).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the use of a session was not noted"
                );
            }
        }
        Ok(Some((data, expires_at)))
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
