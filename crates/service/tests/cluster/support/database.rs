//! A fresh database of either kind.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Db, db::Options};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

pub(crate) struct Database {
    pub(crate) url: String,
    schema: Option<String>,
    _dir: tempfile::TempDir,
}

fn postgres_url() -> String {
    std::env::var("PENSTOCK_TEST_PG")
        .expect("PENSTOCK_TEST_PG names no PostgreSQL server: run `cargo xtask test`, which starts one")
}

impl Database {
    /// An empty one; a schema stands for a database on PostgreSQL.
    pub(crate) async fn new(kind: Kind) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if kind == Kind::Sqlite {
            let url = format!("sqlite://{}", dir.path().join("penstock.db").display());
            return Self {
                url,
                schema: None,
                _dir: dir,
            };
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let base = postgres_url();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("console_{}_{number}", std::process::id());
        execute(&format!("CREATE SCHEMA {schema}")).await;
        let joint = if base.contains('?') { '&' } else { '?' };
        let url = format!("{base}{joint}options=-c%20search_path%3D{schema}");
        Self {
            url,
            schema: Some(schema),
            _dir: dir,
        }
    }

    pub(crate) async fn open(&self) -> Db {
        let options = Options {
            max_connections: 6,
            ..Options::default()
        };
        Db::connect(&self.url, &options).await.unwrap()
    }

    /// Leaves nothing behind.
    pub(crate) async fn end(self) {
        if let Some(schema) = &self.schema {
            execute(&format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

async fn execute(sql: &str) {
    let mut admin = PgConnection::connect(&postgres_url()).await.unwrap();
    admin.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    admin.close().await.unwrap();
}
