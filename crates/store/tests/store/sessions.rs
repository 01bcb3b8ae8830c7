//! Sessions: what is gone stays gone, and what is stored opens nothing.

use crate::{databases::on_both, world::NOW};
use sqlx::Row;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use store::{Db, sessions::Sessions};
use time::OffsetDateTime;
use tower_sessions_core::{
    SessionStore,
    session::{Id, Record},
};

fn record(expires_at: i64) -> Record {
    Record {
        id: Id::default(),
        data: [("penstock".to_owned(), serde_json::json!({ "n": 0 }))].into(),
        expiry_date: OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires_at) * 1_000_000).unwrap(),
    }
}

fn sessions(db: &Db) -> (Sessions, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(NOW));
    let now = clock.clone();
    let sessions = Sessions::new(db.clone(), Arc::new(move || now.load(Ordering::Relaxed)));
    (sessions, clock)
}

#[tokio::test]
async fn a_session_is_read_back_until_it_expires() {
    on_both(|db| async move {
        let (sessions, clock) = sessions(&db);
        let mut session = record(NOW + 1000);
        sessions.create(&mut session).await.unwrap();
        assert_eq!(sessions.load(&session.id).await.unwrap().as_ref(), Some(&session));
        session.data.insert("more".into(), "订单".into());
        session.expiry_date += time::Duration::seconds(1);
        sessions.save(&session).await.unwrap();
        clock.store(NOW + 1500, Ordering::Relaxed);
        assert_eq!(sessions.load(&session.id).await.unwrap().as_ref(), Some(&session));
        assert_eq!(sessions.purge().await.unwrap(), 0);
        clock.store(NOW + 2000, Ordering::Relaxed);
        assert_eq!(sessions.load(&session.id).await.unwrap(), None);
        assert_eq!(sessions.purge().await.unwrap(), 1);
        assert_eq!(sessions.load(&Id::default()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_logout_is_not_undone_by_requests_under_way() {
    on_both(|db| async move {
        let (sessions, _) = sessions(&db);
        let mut session = record(NOW + 1000);
        sessions.create(&mut session).await.unwrap();
        let saves = (0..50).map(|n| {
            let (sessions, mut session) = (sessions.clone(), session.clone());
            session.data.insert("n".into(), n.into());
            async move { sessions.save(&session).await.unwrap() }
        });
        let (_, deleted) = tokio::join!(futures::future::join_all(saves), sessions.delete(&session.id));
        deleted.unwrap();
        sessions.save(&session).await.unwrap();
        assert_eq!(sessions.load(&session.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_id_that_is_taken_is_replaced() {
    on_both(|db| async move {
        let (sessions, _) = sessions(&db);
        let mut first = record(NOW + 1000);
        sessions.create(&mut first).await.unwrap();
        let mut second = record(NOW + 1000);
        second.id = first.id;
        second.data.clear();
        sessions.create(&mut second).await.unwrap();
        assert_ne!(second.id, first.id);
        assert_eq!(sessions.load(&first.id).await.unwrap(), Some(first));
        assert_eq!(sessions.load(&second.id).await.unwrap(), Some(second));
    })
    .await;
}

#[tokio::test]
async fn the_stored_id_is_not_the_cookie() {
    on_both(|db| async move {
        let (sessions, _) = sessions(&db);
        let mut session = record(NOW + 1000);
        sessions.create(&mut session).await.unwrap();
        let sql = "SELECT id_hash, data FROM sessions";
        let stored: (String, String) = match &db {
            Db::Sqlite { read, .. } => {
                let row = sqlx::query(sql).fetch_one(read).await.unwrap();
                (row.get(0), row.get(1))
            }
            Db::Postgres(pool) => {
                let row = sqlx::query(sql).fetch_one(pool).await.unwrap();
                (row.get(0), row.get(1))
            }
        };
        let cookie = session.id.to_string();
        assert_eq!(stored.0.len(), 64);
        assert!(!stored.0.contains(&cookie) && !stored.1.contains(&cookie));
        assert!(!format!("{sessions:?}").contains(&cookie));
    })
    .await;
}
