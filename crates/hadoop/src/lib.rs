//! Clients for the HTTP side of Hadoop: ResourceManager, NodeManager and WebHDFS, the client's XML
//! files, aggregated logs, and the body of an application submission. Answers are read leniently,
//! since their JSON differs between Hadoop versions; failures are told by what a caller acts on.

#[cfg(target_family = "wasm")]
compile_error!("hadoop is part of the server; a page must never link it");

pub mod checksum;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Handlers need futures that can move between threads; async closures easily lose that.
    #[test]
    fn futures_are_send() {
        fn send<T: Send>(_: impl FnOnce() -> T) {}
        fn all(
            rm: &rm::ResourceManager,
            hdfs: &webhdfs::WebHdfs,
            nm: &nm::NodeManager,
            path: &HdfsPath,
            id: ApplicationId,
        ) {
            let log = tfile::HdfsFile {
                hdfs: hdfs.clone(),
                path: path.clone(),
            };
            send(|| rm.cluster_info());
            send(|| rm.submit("x"));
            send(|| rm.observe(id));
            send(|| rm.kill(id));
            send(|| rm.proxy(id, "/"));
            send(|| hdfs.list(path));
            send(|| hdfs.read(path, 0, 1));
            send(|| hdfs.rename(path, path));
            send(|| hdfs.delete(path, true));
            send(|| {
                hdfs.write(
                    path,
                    "x",
                    webhdfs::CreateOptions {
                        permission: 0o600,
                        overwrite: false,
                    },
                )
            });
            send(|| nm.containers());
            send(async || {
                let log = tfile::AggregatedLog::open(log, 1).await?;
                let files = log.files().await?;
                log.read(&files[0], 0, 1).await
            });
        }
        let _ = all;
    }
}
