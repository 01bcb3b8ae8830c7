//! Every test runs on SQLite and on PostgreSQL.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test program, helpers included"
)]

mod databases;
mod isolation;
mod lists;
mod restore_points;
mod schema;
mod sessions;
mod world;
mod writes;
