//! Clients for the HTTP side of Hadoop: ResourceManager, NodeManager and WebHDFS, the client's XML
//! files, aggregated logs, and the body of an application submission. Answers are read leniently,
//! since their JSON differs between Hadoop versions; failures are told by what a caller acts on.

#[cfg(target_family = "wasm")]
compile_error!("hadoop is part of the server; a page must never link it");

pub mod conf;
mod error;
mod ha;
mod identity;
pub mod ids;
pub mod lenient;
pub mod nm;
pub mod path;
pub mod rm;
pub mod shell;
pub mod tfile;
pub mod types;
pub mod webhdfs;
pub mod xml;

pub use error::Error;
pub use ha::Endpoints;
pub use identity::{Identity, Mode};
pub use ids::{ApplicationId, ContainerId};
pub use path::HdfsPath;

/// What is known about a thing of the cluster after asking for it. Only [`Observation::Known`] and
/// [`Observation::Gone`] may change anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation<T> {
    Known(T),
    /// The service that would know it answered that it does not.
    Gone,
    /// Nothing was learnt: time-out, standby, an answer that cannot be read.
    Inconclusive(Error),
}
