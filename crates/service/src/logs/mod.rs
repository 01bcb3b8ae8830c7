//! Logs of a run's containers, while it runs and as long as the cluster keeps them.

mod bring;
mod fetch;
mod index;
mod list;
mod name;
mod search;
mod source;
mod spool;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use spool::Spool;

use crate::{Error, Result, Service, clusters::Connection};
use bring::{is_handed_over, node_failure, node_lacks, stored_failure};
use bytes::Bytes;
use domain::{
    Action, Code, Failure, Viewer,
    id::RunId,
    logs::{LogContainer, LogPage, LogQuery, MAX_LINES},
};
use futures::{Stream, StreamExt, stream::BoxStream};
use hadoop::{ApplicationId, ContainerId, nm::Part};
use list::list_stored;
use search::Needle;
use spool::disk;
use std::{
    io,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use store::runs::RunRow;
use window::View;

/// A copy that was compared with its original so recently is shown as it is.
const FRESH: Duration = Duration::from_millis(500);
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
            Some(stored) => Ok(list_stored(&stored, *application, target.row.kind.engine())),
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

    /// The end of a file of the newest JobManager or driver, at most `max_bytes`; `None` when there is none (yet).
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
        // Attempts count from one each; the ApplicationMaster is the first container of the last.
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
        let (held, complete) = self.inner.logs.hold(&key).await?.ready().await?;
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
}

struct Stopper(Arc<AtomicBool>);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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
