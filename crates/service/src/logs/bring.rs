//! Finds where a log file is and brings the copy of it up to date.

use super::{
    Target,
    fetch::{NodeFile, Stale},
    spool::{Held, Spool},
};
use crate::{
    Error, Result, Service,
    clusters::{Connection, hdfs_failure, nm_failure},
};
use domain::{Code, Failure, Millis};
use hadoop::{ContainerId, nm::NodeManager};
use std::time::{Duration, Instant};
use store::runs::RunRow;

/// How long a container is taken to be where it was found, and running.
const PLACED: Duration = Duration::from_secs(10);
/// Logs that nodes leave in parts are complete this long after the end.
const PARTS_MS: Millis = 15 * 60_000;

impl Service {
    /// Brings the copy up to date: from the container's node as long as that has the file, else from
    /// the aggregated logs.
    pub(super) async fn bring(
        &self,
        target: &Target,
        container: &ContainerId,
        file: &str,
        mut held: Held,
    ) -> Result<Held> {
        let Target {
            row,
            connection,
            application,
        } = target;
        if !row.state.is_terminal() {
            let known = held
                .replica
                .node
                .clone()
                .filter(|(_, at)| at.elapsed() < PLACED)
                .map(|(address, _)| address);
            let address = match known {
                Some(address) => Some(address),
                None => {
                    let live = self
                        .live_containers(connection, row, *application)
                        .await?
                        .unwrap_or_default();
                    let live = live.into_iter().find(|live| &live.id == container);
                    held.replica.running = live.as_ref().is_some_and(|live| live.running);
                    live.and_then(|live| live.node)
                }
            };
            if let Some(address) = address {
                let Some(nm) = connection.nm_as(&row.hadoop_user, &address) else {
                    return Err(Failure::new(Code::NmUnreachable)
                        .with("endpoint", address)
                        .with("reason", "not an address")
                        .into());
                };
                let absent = match held.view() {
                    Some(_) => false,
                    None => node_lacks(&nm, container, file)
                        .await
                        .map_err(|error| node_failure(&address, &error))?,
                };
                if absent {
                    return Err(Error::not_found("file"));
                }
                held = match self
                    .inner
                    .logs
                    .refresh(
                        held,
                        &NodeFile {
                            nm: &nm,
                            container,
                            file,
                        },
                    )
                    .await
                {
                    Ok(mut held) => {
                        let since = held
                            .replica
                            .node
                            .take()
                            .filter(|(_, at)| at.elapsed() < PLACED)
                            .map(|(_, at)| at);
                        held.replica.node = Some((address, since.unwrap_or_else(Instant::now)));
                        return Ok(held);
                    }
                    Err(Stale::Own(error)) => return Err(error),
                    // The node has handed it over; what came from it stays until the rest is there.
                    Err(Stale::Origin(error)) if is_handed_over(&nm, container, &error).await => {
                        self.hold_again(target, container, file).await?
                    }
                    Err(Stale::Origin(error)) => return Err(node_failure(&address, &error).into()),
                };
                if held.is_done() {
                    return Ok(held);
                }
            }
        }
        held.replica.running = false;
        held.replica.node = None;
        let stored = self.stored_logs(connection, row, *application).await?;
        let found = stored
            .as_ref()
            .and_then(|stored| stored.find(container.as_str(), file));
        match (stored, found) {
            (Some(stored), Some(found)) => {
                let old = row.ended_at.is_some_and(|ended| self.now() - ended > PARTS_MS);
                let whole = row.state.is_terminal() && (old || (stored.settled && found.parts.len() == 1));
                match self.inner.logs.refresh(held, &found).await {
                    Ok(held) if whole => held.complete().await,
                    Ok(held) => Ok(held),
                    Err(Stale::Origin(error)) => Err(stored_failure(connection, row, &error).into()),
                    Err(Stale::Own(error)) => Err(error),
                }
            }
            _ if held.view().is_some() => Ok(held),
            (Some(stored), None) => {
                // Another node may still be writing its part.
                let recent = row.ended_at.is_none_or(|ended| self.now() - ended < PARTS_MS);
                let there = stored
                    .files()
                    .any(|(_, file)| file.container == container.as_str());
                match (there, recent && !stored.settled) {
                    (true, _) => Err(Error::not_found("file")),
                    (false, true) => Err(Code::LogsNotReady.into()),
                    (false, false) => Err(Error::not_found("container")),
                }
            }
            (None, _) if row.state.is_terminal() => {
                Err(self.absent_logs(connection, row, *application).await.into())
            }
            // The application runs, and its container is not known; or it ended a moment ago.
            (None, _) => match connection.rm_as(&row.hadoop_user).app(*application).await {
                Ok(app) if !app.state.is_final() => Err(Error::not_found("container")),
                _ => Err(self.absent_logs(connection, row, *application).await.into()),
            },
        }
    }

    /// Takes the copy again that a failed refresh has let go of.
    async fn hold_again(&self, target: &Target, container: &ContainerId, file: &str) -> Result<Held> {
        let key = Spool::key(&[target.row.cluster.as_str(), container.as_str(), file]);
        Ok(self.inner.logs.hold(&key).await?.ready().await?.0)
    }
}

/// Whether a node that knows the container has no such file. Asked for the file itself, it would
/// answer as if it did not know the container any more.
pub(super) async fn node_lacks(
    nm: &NodeManager,
    container: &ContainerId,
    file: &str,
) -> std::result::Result<bool, hadoop::Error> {
    match nm.logs(container).await {
        Ok(list) => Ok(list.unreadable == 0 && list.items.iter().all(|have| have.name != file)),
        Err(hadoop::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a failed read means that the node has given the container's logs away. It gives no
/// reason there, but does where it lists them.
pub(super) async fn is_handed_over(nm: &NodeManager, container: &ContainerId, error: &hadoop::Error) -> bool {
    match error {
        hadoop::Error::NotFound { .. } => true,
        hadoop::Error::Remote {
            status: 404 | 503, ..
        } => matches!(nm.logs(container).await, Err(hadoop::Error::NotFound { .. })),
        _ => false,
    }
}

pub(super) fn node_failure(address: &str, error: &hadoop::Error) -> Failure {
    match error {
        hadoop::Error::Unreachable { .. } | hadoop::Error::Timeout { .. } | hadoop::Error::Broken { .. } => {
            nm_failure(address, error)
        }
        error => Failure::new(Code::RemoteAnswer)
            .with("endpoint", address)
            .with("reason", error),
    }
}

pub(super) fn stored_failure(connection: &Connection, row: &RunRow, error: &hadoop::Error) -> Failure {
    match connection.conf.remote_log_dir() {
        Ok(dir) => hdfs_failure(connection, &row.hadoop_user, &dir, error),
        Err(missing) => Failure::new(Code::XmlPropertyMissing).with("property", missing.key),
    }
}
