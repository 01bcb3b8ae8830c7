//! The `penstock` binary as a library, so that tests drive the same router in process: boot,
//! configuration, routes, middleware, REST, the live stream and the subcommands. No SQL and no
//! business rule lives here.

#[cfg(target_family = "wasm")]
compile_error!("server is not part of a page");

pub mod assets;
pub mod boot;
pub mod cli;
pub mod config;
pub mod extract;
pub mod host;
mod listener;
mod live;
pub mod lock;
mod login;
pub mod management;
pub mod metrics;
pub mod middleware;
pub mod next;
mod pages;
pub mod problem;
pub mod rest;
pub mod router;
pub mod routes;
pub mod state;
