//! The words of the product as types: what a job, a run, a cluster is, what may be done with it
//! and by whom, and how a failure is told. No I/O, no clock; compiles to WASM, so that pages and
//! the server validate with the same code.

#[macro_use]
mod schema;

pub mod access;
pub mod artifact;
pub mod audit;
pub mod changes;
pub mod cluster;
pub mod engine;
pub mod environment;
pub mod event;
pub mod failure;
pub mod filter;
pub mod id;
pub mod identity;
pub mod job;
pub mod lang;
pub mod logs;
pub mod operation;
pub mod page;
pub mod restore;
pub mod run;
pub mod sql;
pub mod statement;
pub mod validate;

pub use access::{Action, Role, Scope, Viewer};
pub use engine::Engine;
pub use failure::{Code, Failure, Kind};
pub use lang::Lang;

/// Milliseconds since the Unix epoch, UTC. The only way time is stored and sent.
pub type Millis = i64;
