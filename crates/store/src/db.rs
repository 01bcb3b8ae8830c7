//! Connections and transactions on either database.

use crate::{Error, Statement, value::Value};
use sqlx::{
    Connection, FromRow, PgConnection, PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::{str::FromStr, time::Duration};

statements! {
    PING = ("SELECT CAST(1 AS BIGINT)");
}

/// Limits of the connections. The defaults suit one console process.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to PostgreSQL, or readers of SQLite (which has one writer).
    pub max_connections: u32,
    /// How long a caller waits for a connection before [`Error::Busy`].
    pub acquire_timeout: Duration,
    /// How long one statement may take on PostgreSQL.
    pub statement_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 16,
            // A disk that is busy with something else may take seconds to confirm the writes ahead.
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(15),
        }
    }
}

/// How long a start waits for another one that migrates the same database.
const MIGRATE_TIMEOUT_MS: &str = "300000";
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A database; cheap to clone.
#[derive(Debug, Clone)]
pub enum Db {
    /// One writer, since SQLite has one anyway and a queue in the process is fair and never deadlocks.
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// A write transaction. Dropped without [`Tx::commit`], nothing was written. Between its
/// statements nothing but the database may be awaited. After an error it is to be dropped: on
/// PostgreSQL it is void, on SQLite it may have ended.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Where a read takes place: made of `&Db`, or of `&mut Tx` to see what the transaction wrote.
#[derive(Debug)]
pub enum Source<'a> {
    Db(&'a Db),
    Tx(&'a mut Tx),
}

impl<'a> From<&'a Db> for Source<'a> {
    fn from(db: &'a Db) -> Self {
        Source::Db(db)
    }
}

impl<'a> From<&'a mut Tx> for Source<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        Source::Tx(tx)
    }
}

/// A row that can be read from either database.
pub(crate) trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

macro_rules! bound {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for value in $args {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Int(number) => query.bind(number),
            };
        }
        query
    }};
}

/// Runs the same query on whichever database it is for.
macro_rules! on_source {
    ($source:expr, $query:ident :: <$($of:ty),*>, $statement:expr, $args:expr, $fetch:ident) => {
        match $source {
            Source::Db(Db::Sqlite { read, .. }) => {
                bound!(sqlx::$query::<Sqlite, $($of),*>($statement.sql()), $args).$fetch(read).await
            }
            Source::Db(Db::Postgres(pool)) => {
                bound!(sqlx::$query::<Postgres, $($of),*>($statement.sql()), $args).$fetch(pool).await
            }
            Source::Tx(Tx::Sqlite(tx)) => {
                bound!(sqlx::$query::<Sqlite, $($of),*>($statement.sql()), $args).$fetch(&mut **tx).await
            }
            Source::Tx(Tx::Postgres(tx)) => {
                bound!(sqlx::$query::<Postgres, $($of),*>($statement.sql()), $args).$fetch(&mut **tx).await
            }
        }
    };
}

fn check(args: &[Value]) -> Result<(), Error> {
    if args.iter().all(Value::is_storable) {
        Ok(())
    } else {
        Err(Error::Invalid {
            what: "text with U+0000",
        })
    }
}

impl Source<'_> {
    /// The same source for one more statement.
    pub(crate) fn again(&mut self) -> Source<'_> {
        match self {
            Source::Db(db) => Source::Db(db),
            Source::Tx(tx) => Source::Tx(tx),
        }
    }

    pub(crate) async fn all<T: Record>(
        self,
        statement: Statement,
        args: Vec<Value>,
    ) -> Result<Vec<T>, Error> {
        check(&args)?;
        Ok(on_source!(self, query_as::<T>, statement, args, fetch_all)?)
    }

    pub(crate) async fn one<T: Record>(
        self,
        statement: Statement,
        args: Vec<Value>,
    ) -> Result<Option<T>, Error> {
        check(&args)?;
        Ok(on_source!(self, query_as::<T>, statement, args, fetch_optional)?)
    }
}

impl Tx {
    /// Writes; answers how many rows.
    pub(crate) async fn exec(&mut self, statement: Statement, args: Vec<Value>) -> Result<u64, Error> {
        check(&args)?;
        Ok(match self {
            Tx::Sqlite(tx) => bound!(sqlx::query::<Sqlite>(statement.sql()), args)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
            Tx::Postgres(tx) => bound!(sqlx::query::<Postgres>(statement.sql()), args)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    /// Writes and reads what RETURNING answers.
    pub(crate) async fn one<T: Record>(
        &mut self,
        statement: Statement,
        args: Vec<Value>,
    ) -> Result<Option<T>, Error> {
        Source::Tx(self).one(statement, args).await
    }

    pub async fn commit(self) -> Result<(), Error> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await?,
            Tx::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// As dropping it, but the connection is free when this returns.
    pub async fn rollback(self) -> Result<(), Error> {
        match self {
            Tx::Sqlite(tx) => tx.rollback().await?,
            Tx::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

impl Db {
    /// Opens `sqlite:///path/to/file.db` (made when absent) or `postgres://…`. A database in memory is
    /// refused: its readers would not see what its writer wrote.
    pub async fn connect(url: &str, options: &Options) -> Result<Self, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return postgres(PgConnectOptions::from_str(url)?, options).await;
        }
        if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
            return Err(Error::Invalid {
                what: "a database address other than sqlite:// with a file, or postgres://",
            });
        }
        sqlite(SqliteConnectOptions::from_str(url)?, options).await
    }

    /// Brings the tables to this version. Several processes may do it at once: they take turns.
    pub async fn migrate(&self) -> Result<(), Error> {
        match self {
            Db::Sqlite { write, .. } => {
                sqlx::migrate!("../../migrations/sqlite").run(write).await?;
            }
            Db::Postgres(pool) => {
                // Waiting for the advisory lock counts as a statement; later options win.
                let options = (*pool.connect_options()).clone().options([
                    ("statement_timeout", MIGRATE_TIMEOUT_MS),
                    ("lock_timeout", MIGRATE_TIMEOUT_MS),
                ]);
                let mut connection = PgConnection::connect_with(&options).await?;
                sqlx::migrate!("../../migrations/postgres")
                    .run(&mut connection)
                    .await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        Source::Db(self).one::<(i64,)>(PING, args![]).await?;
        Ok(())
    }

    /// Begins a write transaction: on SQLite `BEGIN IMMEDIATE` on the only writer, so that it never
    /// has to be given up half-way.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(match self {
            Db::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// One write that needs no company.
    pub(crate) async fn exec(&self, statement: Statement, args: Vec<Value>) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let rows = tx.exec(statement, args).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self {
            Db::Sqlite { .. } => "sqlite",
            Db::Postgres(_) => "postgres",
        }
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

async fn sqlite(connect: SqliteConnectOptions, options: &Options) -> Result<Db, Error> {
    let connect = connect
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    // An intent must survive a power cut: it is what keeps a job from starting twice.
    let writer = connect
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        // On a full disk or an I/O error SQLite ends the transaction by itself. The driver's own roll-back then
        // fails, and it believes to be within one for good: without a new connection, nothing would ever be
        // written again.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .acquire_timeout(options.acquire_timeout)
        .connect_with(writer)
        .await?;
    let read = SqlitePoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect.pragma("query_only", "1"))
        .await?;
    Ok(Db::Sqlite { write, read })
}

async fn postgres(connect: PgConnectOptions, options: &Options) -> Result<Db, Error> {
    let timeout = options.statement_timeout.as_millis().to_string();
    let connect = connect.options([
        ("statement_timeout", timeout.as_str()),
        ("lock_timeout", "5000"),
        ("idle_in_transaction_session_timeout", "30000"),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect)
        .await?;
    Ok(Db::Postgres(pool))
}
