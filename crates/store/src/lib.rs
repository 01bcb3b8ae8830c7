//! SQL: one function per statement, on SQLite and PostgreSQL alike.
//!
//! A read takes `&Db` or `&mut Tx` (both become a [`Source`]); what a person may see is limited by
//! the [`domain::Scope`] in the WHERE. A write takes `&mut Tx`, so that an action, its intent and
//! its audit event are one transaction; the few that need no company take `&Db`. Times are
//! arguments: there is no clock here.
//!
//! A stored value the vocabulary does not know is [`Error::Inconsistent`] where one row is read; in
//! a list that row is left out and logged, so that one bad row does not hide the others.

#[cfg(target_family = "wasm")]
compile_error!("the store is part of the server; a page must not depend on it");

#[macro_use]
mod statement;
#[macro_use]
mod value;
mod row;

pub mod artifacts;
pub mod audit;
pub mod clusters;
pub mod db;
pub mod environments;
pub mod error;
pub mod idempotency;
pub mod jobs;
pub mod login_links;
pub mod meta;
pub mod operations;
pub mod placements;
pub mod restore_points;
pub mod runs;
pub mod sessions;
pub mod teams;
pub mod tokens;
pub mod uploads;
pub mod users;

pub use db::{Db, Source, Tx};
pub use error::{Constraint, Error};
pub use statement::Statement;

/// Every statement there is, by module: only what stands here can be run.
pub const ALL_STATEMENTS: &[&[Statement]] = &[
    artifacts::STATEMENTS,
    audit::STATEMENTS,
    clusters::STATEMENTS,
    db::STATEMENTS,
    environments::STATEMENTS,
    idempotency::STATEMENTS,
    jobs::list::STATEMENTS,
    jobs::row::STATEMENTS,
    login_links::STATEMENTS,
    meta::STATEMENTS,
    operations::STATEMENTS,
    placements::STATEMENTS,
    restore_points::STATEMENTS,
    runs::events::STATEMENTS,
    runs::list::STATEMENTS,
    runs::row::STATEMENTS,
    sessions::STATEMENTS,
    teams::STATEMENTS,
    tokens::STATEMENTS,
    uploads::STATEMENTS,
    users::STATEMENTS,
];
