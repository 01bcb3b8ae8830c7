//! The production router in process, over a temporary SQLite database.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod access;
mod app;
mod headers;
mod limits;
mod live;
mod matrix;
mod openapi;
mod origin;
mod problems;
mod sessions;
mod sign_in;
mod statics;
mod world;
