//! A fresh database of each kind for every test.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
};
use store::{Db, db::Options};

fn postgres_url() -> String {
    std::env::var("PENSTOCK_TEST_PG")
        .expect("PENSTOCK_TEST_PG names no PostgreSQL server: run `cargo xtask test`, which starts one")
}

/// Where one database is, before anything is in it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
}

impl Place {
    pub(crate) async fn open(&self) -> Db {
        Db::connect(&self.url, &Options::default()).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
}

/// Runs the test on an empty database of each kind. A schema stands for a database on PostgreSQL.
pub(crate) async fn on_both_empty<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("test.db").display());
    test(Place { url }).await;

    static NEXT: AtomicU64 = AtomicU64::new(0);
    let base = postgres_url();
    let schema = format!(
        "test_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let mut admin = PgConnection::connect(&base).await.unwrap();
    admin
        .execute(AssertSqlSafe(format!("CREATE SCHEMA {schema}")))
        .await
        .unwrap();
    let joint = if base.contains('?') { '&' } else { '?' };
    let url = format!("{base}{joint}options=-c%20search_path%3D{schema}");
    test(Place { url }).await;
    admin
        .execute(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE")))
        .await
        .unwrap();
}

/// Runs the test on a database of each kind that has its tables.
pub(crate) async fn on_both<F: Future<Output = ()>>(test: impl Fn(Db) -> F) {
    on_both_empty(|place| {
        let test = &test;
        async move {
            let db = place.open().await;
            db.migrate().await.unwrap();
            println!("on {}", db.kind());
            test(db.clone()).await;
            db.close().await;
        }
    })
    .await;
}
