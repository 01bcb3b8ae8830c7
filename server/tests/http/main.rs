//! The production router in process, over a temporary SQLite database.

mod app;
mod headers;
mod limits;
mod live;
mod matrix;
mod openapi;
mod origin;
mod problems;
mod sign_in;
mod statics;
