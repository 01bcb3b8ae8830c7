//! Apache Spark on YARN in cluster mode without a JVM: what a distribution is, how a job becomes a
//! submission, the REST interface of a running driver, and why an application failed. Version
//! differences are data ([`version::Features`]); nothing here opens a file or knows the time.

#[cfg(target_family = "wasm")]
compile_error!("spark is part of the server; a page must never link it");

pub mod cause;
pub mod conf;
pub mod distribution;
pub mod events;
pub mod launch;
pub mod resources;
pub mod rest;
pub mod spec;
pub mod stack;
pub mod version;
pub mod zip;

pub(crate) use net::secrets as redact;

pub use distribution::Distribution;
pub use launch::{Cluster, Dependency, Launch, PlacedFile, PlanInput, PrepareInput, Prepared, Role};
pub use resources::{DynamicAllocation, Resources};
pub use spec::{Program, Spec};
pub use version::Version;
