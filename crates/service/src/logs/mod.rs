//! Logs of a run's containers, while it runs and as long as the cluster keeps them.

mod fetch;
mod index;
mod name;
mod search;
mod source;
mod spool;
mod window;

pub(crate) use spool::Spool;

use crate::{
    Error, Result, Service,
    clusters::{Connection, hdfs_failure, nm_failure},
};
use bytes::Bytes;
use domain::{
    Action, Code, Failure, Millis, Viewer,
    id::RunId,
    logs::{LogContainer, LogFile, LogPage, LogQuery, MAX_LINES},
};
use fetch::{NodeFile, Stale};
use futures::{Stream, StreamExt, stream::BoxStream};
use hadoop::{
    ApplicationId, ContainerId,
    nm::{NodeManager, Part},
};
use search::Needle;
use source::{Live, PARALLEL, Stored, host_of_address};
use spool::{Held, disk};
use std::{
    collections::BTreeMap,
    io,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use store::runs::RunRow;
use window::View;

/// A copy that was compared with its original so recently is shown as it is.
const FRESH: Duration = Duration::from_millis(500);
/// How long a container is taken to be where it was found, and running.
const PLACED: Duration = Duration::from_secs(10);
/// Logs that nodes leave in parts are complete this long after the end.
const PARTS_MS: Millis = 15 * 60_000;
const DEFAULT_LINES: u32 = 500;
const MAX_HITS: usize = 1000;
const MAX_SEARCH: usize = 1000;
const DOWNLOAD_CHUNK: u64 = 256 << 10;

/// A log file on its way to somebody, as it was when they asked.
pub struct LogDownload {
    /// Name of the file.
    pub name: String,
    /// Bytes to come.
    pub length: u64,
    bytes: BoxStream<'static, io::Result<Bytes>>,
}

impl Stream for LogDownload {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.bytes.poll_next_unpin(context)
    }
}

/// The application whose logs are asked for.
struct Target {
    row: RunRow,
    connection: Arc<Connection>,
    application: ApplicationId,
}

impl Service {
    /// The containers of a run and the files each wrote; the JobManager's come first.
    pub async fn log_containers(&self, viewer: &Viewer, id: &RunId) -> Result<Vec<LogContainer>> {
        let Some(target) = self.log_target(viewer, id).await? else {
            return Ok(Vec::new());
        };
        let Target {
            row,
            connection,
            application,
        } = &target;
        if !row.state.is_terminal()
            && let Some(live) = self.live_containers(connection, row, *application).await?
        {
            return self.list_live(&target, live).await;
        }
        match self.stored_logs(connection, row, *application).await? {
            Some(stored) => Ok(list_stored(&stored, *application)),
            None => Err(self.absent_logs(connection, row, *application).await.into()),
        }
    }

    /// A window of one file, and where the searched text is in all of it.
    pub async fn log_page(
        &self,
        viewer: &Viewer,
        id: &RunId,
        container: &str,
        file: &str,
        query: LogQuery,
    ) -> Result<LogPage> {
        let search = query.search.as_deref().filter(|text| !text.is_empty());
        if search.is_some_and(|text| text.len() > MAX_SEARCH) {
            return Err(Failure::new(Code::FieldTooLong)
                .with("field", "search")
                .with("max", MAX_SEARCH)
                .into());
        }
        let needle = search.and_then(Needle::new);
        let (view, running) = self.log_view(viewer, id, container, file).await?;
        let limit = query.limit.unwrap_or(DEFAULT_LINES).clamp(1, MAX_LINES) as usize;
        let from = query.from_line;
        let window = blocking({
            let view = view.clone();
            move || match from {
                Some(from) => view.lines(u64::try_from(from).unwrap_or(1), limit),
                None => view.last(limit),
            }
        })
        .await?;
        let hits = match needle {
            Some(needle) => self.search(view.clone(), needle).await?,
            None => Vec::new(),
        };
        let counts = view.index.counts();
        Ok(LogPage {
            from_line: signed(window.from),
            lines: window.lines,
            total_lines: signed(view.index.lines()),
            bytes: signed(view.index.bytes()),
            running,
            hits,
            errors: counts.errors,
            warnings: counts.warnings,
            first_error: counts.first_error,
        })
    }

    /// One file as a whole.
    pub async fn log_download(
        &self,
        viewer: &Viewer,
        id: &RunId,
        container: &str,
        file: &str,
    ) -> Result<LogDownload> {
        let (view, _) = self.log_view(viewer, id, container, file).await?;
        let length = view.index.bytes();
        let bytes = futures::stream::try_unfold((view.file, 0), move |(file, at)| async move {
            let size = DOWNLOAD_CHUNK.min(length - at);
            if size == 0 {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
                file.read_exact_at(&mut bytes, at).map(|()| (bytes, file))
            });
            let (bytes, file) = read.await.map_err(io::Error::other)??;
            Ok(Some((Bytes::from(bytes), (file, at + size))))
        });
        Ok(LogDownload {
            name: file.to_owned(),
            length,
            bytes: bytes.boxed(),
        })
    }

    /// The end of a file of the newest JobManager, at most `max_bytes`; `None` when there is none (yet).
    pub(crate) async fn log_tail(
        &self,
        connection: &Connection,
        row: &RunRow,
        file_name: &str,
        max_bytes: u64,
    ) -> Result<Option<String>> {
        let Some(application) = row.external_id.as_deref().and_then(|id| id.parse().ok()) else {
            return Ok(None);
        };
        let place = |id: &ContainerId| name::place(id, application);
        if !row.state.is_terminal()
            && let Some(live) = self.live_containers(connection, row, application).await?
        {
            let master = live
                .iter()
                .filter(|live| live.master)
                .max_by_key(|live| place(&live.id));
            let Some((master, address)) = master.and_then(|live| Some((live, live.node.as_deref()?))) else {
                return Ok(None);
            };
            let Some(nm) = connection.nm_as(&row.hadoop_user, address) else {
                return Ok(None);
            };
            let told = |error: hadoop::Error| node_failure(address, &error);
            if node_lacks(&nm, &master.id, file_name).await.map_err(told)? {
                return Ok(None);
            }
            return match nm.read(&master.id, file_name, Part::Tail(max_bytes)).await {
                Ok(content) => Ok(Some(String::from_utf8_lossy(&content.bytes).into_owned())),
                Err(error) if is_handed_over(&nm, &master.id, &error).await => Ok(None),
                Err(error) => Err(told(error).into()),
            };
        }
        let Some(stored) = self.stored_logs(connection, row, application).await? else {
            return Ok(None);
        };
        let masters = stored.files().filter(|(_, file)| file.name == file_name);
        let masters =
            masters.filter_map(|(_, file)| Some((place(&file.container.parse().ok()?)?, &file.container)));
        // Attempts count from one each; the JobManager is the first container of the last.
        let newest = masters.min_by_key(|(place, _)| (std::cmp::Reverse(place.attempt), place.number));
        let Some(found) = newest.and_then(|(_, container)| stored.find(container, file_name)) else {
            return Ok(None);
        };
        let told = |error: hadoop::Error| stored_failure(connection, row, &error);
        let (mut at, mut bytes) = (found.size().saturating_sub(max_bytes), Vec::new());
        loop {
            let piece = found.read(at).await.map_err(told)?;
            if piece.is_empty() {
                return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
            }
            at += piece.len() as u64;
            bytes.extend_from_slice(&piece);
        }
    }

    /// Who may read logs: those hold data, so seeing the run is not enough. `None`: it never got an
    /// application, so there is nothing to read.
    async fn log_target(&self, viewer: &Viewer, id: &RunId) -> Result<Option<Target>> {
        let run = self.run(viewer, id).await?;
        if !viewer.may_own(Action::LogReadOwn, Action::LogReadAny, &run.team, &run.created_by) {
            return Err(Error::forbidden(Action::LogReadAny));
        }
        let row = store::runs::row(self.db(), id)
            .await?
            .ok_or_else(|| Error::not_found("run"))?;
        let Some(application) = row.external_id.as_deref().and_then(|id| id.parse().ok()) else {
            return Ok(None);
        };
        let connection = self.connection(&row.cluster).await?;
        Ok(Some(Target {
            row,
            connection,
            application,
        }))
    }

    /// A file, brought here as far as its container has written it, and whether that goes on.
    async fn log_view(
        &self,
        viewer: &Viewer,
        id: &RunId,
        container: &str,
        file: &str,
    ) -> Result<(View, bool)> {
        let target = self
            .log_target(viewer, id)
            .await?
            .ok_or_else(|| Error::not_found("container"))?;
        let container = name::container(container, target.application)?;
        name::file(file)?;
        let key = Spool::key(&[target.row.cluster.as_str(), container.as_str(), file]);
        let (held, complete) = self.inner.logs.hold(&key).await?.is_complete().await?;
        let held = if complete || held.is_fresh(FRESH) {
            held
        } else {
            self.bring(&target, &container, file, held).await?
        };
        let view = held
            .view()
            .ok_or_else(|| Error::internal("a log that was brought is not there"))?;
        Ok((view, held.replica.running))
    }

    /// Brings the copy up to date: from the container's node as long as that has the file, else from
    /// the aggregated logs.
    async fn bring(
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
        Ok(self.inner.logs.hold(&key).await?.is_complete().await?.0)
    }

    async fn search(&self, view: View, needle: Needle) -> Result<Vec<i64>> {
        let permit = self
            .inner
            .logs
            .searches
            .clone()
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        let stop = Arc::new(AtomicBool::new(false));
        // Nobody waits for the result any more when this is dropped.
        let _stopper = Stopper(stop.clone());
        blocking(move || {
            let hits = view.search(&needle, MAX_HITS, &stop);
            drop(permit);
            hits
        })
        .await
    }

    async fn list_live(&self, target: &Target, live: Vec<Live>) -> Result<Vec<LogContainer>> {
        let Target {
            row,
            connection,
            application,
        } = target;
        let asked: Vec<(LogContainer, Option<Failure>)> = futures::stream::iter(live)
            .map(|live| async move {
                let mut failure = None;
                let mut files = Vec::new();
                if let Some(address) = &live.node
                    && let Some(nm) = connection.nm_as(&row.hadoop_user, address)
                {
                    match nm.logs(&live.id).await {
                        Ok(list) => {
                            files = list
                                .items
                                .into_iter()
                                .map(|file| LogFile {
                                    name: file.name,
                                    bytes: signed(file.size),
                                })
                                .collect()
                        }
                        Err(hadoop::Error::NotFound { .. }) => {}
                        Err(error) => failure = Some(node_failure(address, &error)),
                    }
                }
                let container = LogContainer {
                    id: live.id.to_string(),
                    role: role(live.master).to_owned(),
                    node: live.node.as_deref().map(host_of_address),
                    running: live.running,
                    files,
                };
                (container, failure)
            })
            .buffered(PARALLEL)
            .collect()
            .await;
        if asked.iter().all(|(_, failure)| failure.is_some())
            && let Some(failure) = asked.iter().find_map(|(_, failure)| failure.clone())
        {
            return Err(failure.into());
        }
        let mut containers: Vec<LogContainer> = asked.into_iter().map(|(container, _)| container).collect();
        sort(&mut containers, *application);
        Ok(containers)
    }
}

struct Stopper(Arc<AtomicBool>);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether a node that knows the container has no such file. Asked for the file itself, it would
/// answer as if it did not know the container any more.
async fn node_lacks(
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
async fn is_handed_over(nm: &NodeManager, container: &ContainerId, error: &hadoop::Error) -> bool {
    match error {
        hadoop::Error::NotFound { .. } => true,
        hadoop::Error::Remote {
            status: 404 | 503, ..
        } => matches!(nm.logs(container).await, Err(hadoop::Error::NotFound { .. })),
        _ => false,
    }
}

fn list_stored(stored: &Stored, application: ApplicationId) -> Vec<LogContainer> {
    let mut containers: BTreeMap<&str, LogContainer> = BTreeMap::new();
    for (node, file) in stored.files() {
        let container = containers.entry(&file.container).or_insert_with(|| LogContainer {
            id: file.container.clone(),
            role: String::new(),
            node: Some(node.node.clone()).filter(|host| !host.is_empty()),
            running: false,
            files: Vec::new(),
        });
        match container.files.iter_mut().find(|known| known.name == file.name) {
            Some(known) => known.bytes += signed(file.length),
            None => container.files.push(LogFile {
                name: file.name.clone(),
                bytes: signed(file.length),
            }),
        }
    }
    let mut containers: Vec<LogContainer> = containers.into_values().collect();
    containers.retain(|container| name::container(&container.id, application).is_ok());
    for container in &mut containers {
        let first = container
            .id
            .parse()
            .ok()
            .and_then(|id| name::place(&id, application))
            .is_some_and(|place| place.is_first());
        let master = first
            || container
                .files
                .iter()
                .any(|file| file.name.starts_with("jobmanager."));
        container.role = role(master).to_owned();
    }
    sort(&mut containers, application);
    containers
}

fn role(master: bool) -> &'static str {
    if master { "jobmanager" } else { "taskmanager" }
}

/// JobManagers first, the newest attempt's in front; then by place.
fn sort(containers: &mut [LogContainer], application: ApplicationId) {
    containers.sort_by_key(|container| {
        let place = container
            .id
            .parse()
            .ok()
            .and_then(|id| name::place(&id, application));
        (
            container.role != "jobmanager",
            std::cmp::Reverse(place.map(|p| p.attempt)),
            place.map(|p| p.number),
        )
    });
    for container in containers {
        container.files.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

fn node_failure(address: &str, error: &hadoop::Error) -> Failure {
    match error {
        hadoop::Error::Unreachable { .. } | hadoop::Error::Timeout { .. } | hadoop::Error::Broken { .. } => {
            nm_failure(address, error)
        }
        error => Failure::new(Code::RemoteAnswer)
            .with("endpoint", address)
            .with("reason", error),
    }
}

fn stored_failure(connection: &Connection, row: &RunRow, error: &hadoop::Error) -> Failure {
    match connection.conf.remote_log_dir() {
        Ok(dir) => hdfs_failure(connection, &row.hadoop_user, &dir, error),
        Err(missing) => Failure::new(Code::XmlPropertyMissing).with("property", missing.key),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
        .map_err(disk)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
