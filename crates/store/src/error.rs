//! What can go wrong with the database, as callers act on it.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::{postgres::PgDatabaseError, sqlite::SqliteError};
use std::fmt;

/// A rule of the schema that a write would break. One word for what the two databases name differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constraint {
    TeamName,
    UserName,
    ClusterCode,
    EnvironmentName,
    /// A snapshot of this number exists.
    SnapshotNumber,
    /// An artifact of this team, name and version exists.
    ArtifactVersion,
    /// A job of this name exists in the team.
    JobName,
    /// Somebody saved this version of the job already.
    JobVersion,
    /// The job has a run that has not ended.
    OpenRun,
    /// Another run has this application id.
    ExternalId,
    /// An operation of this kind is open for the run, or for the environment on the cluster.
    OpenOperation,
    /// The row refers to one that does not exist, or the job was deleted.
    Reference,
    /// History is only ever added to.
    AppendOnly,
    /// An id or key that exists.
    Key,
}

/// Name of the index in PostgreSQL, columns as SQLite reports them, and the rule.
const UNIQUE: &[(&str, &str, Constraint)] = &[
    ("teams_name", "teams.name", Constraint::TeamName),
    ("users_name", "users.name", Constraint::UserName),
    ("clusters_code", "clusters.code", Constraint::ClusterCode),
    (
        "environments_name",
        "environments.name",
        Constraint::EnvironmentName,
    ),
    (
        "snapshots_pkey",
        "snapshots.environment_id, snapshots.number",
        Constraint::SnapshotNumber,
    ),
    (
        "artifacts_version",
        "artifacts.team_id, artifacts.name, artifacts.version",
        Constraint::ArtifactVersion,
    ),
    ("jobs_name", "jobs.team_id, jobs.name", Constraint::JobName),
    (
        "job_versions_pkey",
        "job_versions.job_id, job_versions.number",
        Constraint::JobVersion,
    ),
    ("runs_open_job", "runs.job_id", Constraint::OpenRun),
    ("runs_external_id", "runs.external_id", Constraint::ExternalId),
    (
        "operations_open_run",
        "operations.run_id, operations.kind",
        Constraint::OpenOperation,
    ),
    (
        "operations_open_place",
        "operations.environment_id, operations.cluster_id",
        Constraint::OpenOperation,
    ),
];

/// Failures of the store. The source is for the log, never for a person.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The write would break a rule; nothing was written, and the transaction can only be dropped.
    #[error("the write breaks a rule of the schema: {constraint:?}")]
    Conflict { constraint: Constraint },
    /// The database did not answer in time, refused the connection, or gave up a lock. Trying again may work.
    #[error("the database is busy or away")]
    Busy(#[source] sqlx::Error),
    /// No room on the disk of the database.
    #[error("the disk of the database is full")]
    Full(#[source] sqlx::Error),
    /// An argument that cannot be stored or looked up; nothing was sent.
    #[error("{what} cannot be stored")]
    Invalid { what: &'static str },
    /// A stored value outside the vocabulary.
    #[error("{table}.{column} of {id} holds a value that is not known")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        id: String,
    },
    /// The tables could not be brought to this version.
    #[error("the tables could not be brought to this version")]
    Migrate(#[source] Box<sqlx::migrate::MigrateError>),
    #[error("the database refused a statement")]
    Other(#[source] sqlx::Error),
}

impl Error {
    /// The broken rule, when it is one.
    pub fn constraint(&self) -> Option<Constraint> {
        match self {
            Error::Conflict { constraint } => Some(*constraint),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Busy(_))
    }
}

/// A row's column that does not hold what its type asks for.
pub(crate) fn inconsistent(table: &'static str, column: &'static str, id: impl fmt::Display) -> Error {
    Error::Inconsistent {
        table,
        column,
        id: id.to_string(),
    }
}

enum Trouble {
    Rule(Constraint),
    Busy,
    Full,
    Other,
}

fn unique(error: &dyn DatabaseError) -> Constraint {
    let columns = error.message().rsplit(": ").next().unwrap_or_default();
    UNIQUE
        .iter()
        .find(|(name, listed, _)| error.constraint() == Some(name) || columns == *listed)
        .map_or(Constraint::Key, |(_, _, constraint)| *constraint)
}

fn database(error: &dyn DatabaseError) -> Trouble {
    match error.kind() {
        ErrorKind::UniqueViolation => return Trouble::Rule(unique(error)),
        ErrorKind::ForeignKeyViolation => return Trouble::Rule(Constraint::Reference),
        _ => {}
    }
    if error.message().ends_with("is append-only") {
        return Trouble::Rule(Constraint::AppendOnly);
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<SqliteError>().is_some() {
        // The low byte is the class: 5 busy, 6 locked, 13 full.
        return match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(5 | 6) => Trouble::Busy,
            Ok(13) => Trouble::Full,
            _ => Trouble::Other,
        };
    }
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return match code.as_ref() {
            "53100" => Trouble::Full,
            // Serialisation, deadlock, lock and statement time-outs, shutting down.
            "40001" | "40P01" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" => Trouble::Busy,
            // Connection trouble and lack of connections or memory.
            other if other.starts_with("08") || other.starts_with("53") => Trouble::Busy,
            _ => Trouble::Other,
        };
    }
    Trouble::Other
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let trouble = match &error {
            sqlx::Error::Database(inner) => database(inner.as_ref()),
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_) => Trouble::Busy,
            _ => Trouble::Other,
        };
        match trouble {
            Trouble::Rule(constraint) => Error::Conflict { constraint },
            Trouble::Busy => Error::Busy(error),
            Trouble::Full => Error::Full(error),
            Trouble::Other => Error::Other(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Error::Migrate(Box::new(error))
    }
}

/// The rows of a list that can be read; one that cannot is logged and left out.
pub(crate) fn readable<R, T: TryFrom<R, Error = Error>>(rows: Vec<R>) -> Vec<T> {
    rows.into_iter()
        .filter_map(|row| match T::try_from(row) {
            Ok(row) => Some(row),
            Err(error) => {
                tracing::error!(%error, "left out a row that cannot be read");
                None
            }
        })
        .collect()
}
