//! Every test runs on SQLite and on PostgreSQL.

mod databases;
mod isolation;
mod lists;
mod schema;
mod sessions;
mod world;
mod writes;
