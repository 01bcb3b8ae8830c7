//! Apache Flink on YARN without a JVM: what a distribution is, how a job becomes a submission, the
//! REST interface of a running job, and why a job failed. Version differences are data
//! ([`version::Features`]); nothing here opens a file or knows the time.

#[cfg(target_family = "wasm")]
compile_error!("flink is part of the server; a page must never link it");

pub mod archive;
pub mod cause;
pub mod config;
pub mod distribution;
pub mod launch;
pub mod memory;
pub mod redact;
pub mod rest;
pub mod stack;
pub mod version;

pub use launch::{Cluster, Launch, PlacedFile, PlanInput, PrepareInput, Prepared, Restore};
pub use version::Version;
