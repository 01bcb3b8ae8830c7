//! Where the logs of an application are: on the nodes while it runs, in files of HDFS afterwards.

use super::name::place;
use crate::{
    Service,
    clusters::{Connection, hdfs_failure, rm_failure},
};
use domain::{Code, Failure, Millis};
use futures::StreamExt;
use hadoop::{
    ApplicationId, ContainerId, HdfsPath,
    tfile::{AggregatedFile, AggregatedLog, HdfsFile},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use store::runs::RunRow;

/// Nodes, or files of nodes, asked at once.
pub(super) const PARALLEL: usize = 12;
/// Attempts, and files of aggregated logs, that are looked at.
const MAX_ATTEMPTS: usize = 20;
const MAX_NODE_LOGS: usize = 1000;
/// Applications and aggregated files that are remembered.
const MAX_REMEMBERED: usize = 300;
const MAX_OPEN_LOGS: usize = 100;
const OPEN_FOR: Duration = Duration::from_secs(120);
/// How long after its end the logs of an application may still be on their way. Nodes that are busy
/// or lost take minutes; without a word from the ResourceManager they get less.
const COLLECTING_MS: Millis = 15 * 60_000;
const SILENT_MS: Millis = 2 * 60_000;

/// A container of an application that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub id: ContainerId,
    /// HTTP address of its node.
    pub node: Option<String>,
    /// Runs the ApplicationMaster.
    pub master: bool,
    pub running: bool,
}

/// The aggregated logs of one node.
pub(super) struct NodeLog {
    /// Host of the node.
    pub node: String,
    log: Arc<AggregatedLog<HdfsFile>>,
    files: Vec<AggregatedFile>,
}

/// The aggregated logs of an application.
pub(super) struct Stored {
    pub nodes: Vec<Arc<NodeLog>>,
    /// No node is writing any more.
    pub settled: bool,
}

/// What need not be asked twice; all of it can be lost.
#[derive(Default)]
pub(super) struct Memory {
    /// Containers by application. The ResourceManager forgets one that ended, its node does not:
    /// the log of a lost TaskManager is what somebody looks for.
    seen: Mutex<HashMap<ApplicationId, BTreeMap<ContainerId, Live>>>,
    open: Mutex<HashMap<HdfsPath, Remembered>>,
}

struct Remembered {
    length: u64,
    modified: i64,
    at: Instant,
    log: Arc<NodeLog>,
}

impl Memory {
    /// Adds what is seen now to what was seen before of the application.
    fn merge(&self, application: ApplicationId, now: Vec<Live>) -> Vec<Live> {
        let mut seen = lock(&self.seen);
        if seen.len() >= MAX_REMEMBERED && !seen.contains_key(&application) {
            seen.clear();
        }
        let known = seen.entry(application).or_default();
        for live in known.values_mut() {
            live.running = false;
        }
        for live in now {
            known.insert(live.id.clone(), live);
        }
        known.values().cloned().collect()
    }

    fn forget(&self, application: ApplicationId) {
        lock(&self.seen).remove(&application);
    }

    fn opened(&self, path: &HdfsPath, length: u64, modified: i64) -> Option<Arc<NodeLog>> {
        let mut open = lock(&self.open);
        open.retain(|_, kept| kept.at.elapsed() < OPEN_FOR);
        let kept = open.get(path)?;
        (kept.length == length && kept.modified == modified).then(|| kept.log.clone())
    }

    fn keep(&self, path: HdfsPath, length: u64, modified: i64, log: Arc<NodeLog>) {
        let mut open = lock(&self.open);
        if open.len() >= MAX_OPEN_LOGS {
            open.clear();
        }
        open.insert(
            path,
            Remembered {
                length,
                modified,
                at: Instant::now(),
                log,
            },
        );
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stored {
    /// Every file with its node's host, in the order of nodes.
    pub(super) fn files(&self) -> impl Iterator<Item = (&NodeLog, &AggregatedFile)> {
        self.nodes
            .iter()
            .flat_map(|node| node.files.iter().map(move |file| (&**node, file)))
    }

    /// One log file; a node that writes while the application runs leaves it in parts.
    pub(super) fn find(&self, container: &str, name: &str) -> Option<super::fetch::StoredFile> {
        let parts: Vec<_> = self
            .files()
            .filter(|(_, file)| file.container == container && file.name == name)
            .map(|(node, file)| (node.log.clone(), file.clone()))
            .collect();
        (!parts.is_empty()).then_some(super::fetch::StoredFile { parts })
    }
}

impl Service {
    /// The containers of an application that runs, with those seen before; `None` when it has ended
    /// or the ResourceManager does not know it.
    pub(super) async fn live_containers(
        &self,
        connection: &Connection,
        row: &RunRow,
        application: ApplicationId,
    ) -> Result<Option<Vec<Live>>, Failure> {
        let rm = connection.rm_as(&row.hadoop_user);
        let told = |error: hadoop::Error| rm_failure(connection, &row.hadoop_user, &error);
        let memory = &self.inner.logs.memory;
        match rm.app(application).await {
            Ok(app) if !app.state.is_final() => {}
            Ok(_) | Err(hadoop::Error::NotFound { .. }) => {
                memory.forget(application);
                return Ok(None);
            }
            Err(error) => return Err(told(error)),
        }
        let attempts = rm.attempts(application).await.map_err(told)?.items;
        let newest = attempts.iter().map(|attempt| attempt.id).max();
        let mut now: BTreeMap<ContainerId, Live> = BTreeMap::new();
        for attempt in attempts.iter().rev().take(MAX_ATTEMPTS) {
            let current = Some(attempt.id) == newest;
            if let Some(id) = &attempt.container_id {
                let node = attempt.node_http_address.clone();
                now.insert(
                    id.clone(),
                    Live {
                        id: id.clone(),
                        node,
                        master: true,
                        running: current,
                    },
                );
            }
            let Some(attempt_id) = attempt.app_attempt_id.as_ref().filter(|_| current) else {
                continue;
            };
            for container in rm.containers(application, attempt_id).await.map_err(told)?.items {
                let running = !container.container_state.eq_ignore_ascii_case("complete");
                let master =
                    place(&container.container_id, application).is_some_and(|place| place.is_first());
                now.entry(container.container_id.clone()).or_insert(Live {
                    id: container.container_id,
                    node: container.node_http_address,
                    master,
                    running,
                });
            }
        }
        now.retain(|id, _| place(id, application).is_some());
        Ok(Some(memory.merge(application, now.into_values().collect())))
    }

    /// The aggregated logs of an application; `None` when there are none (yet).
    pub(super) async fn stored_logs(
        &self,
        connection: &Connection,
        row: &RunRow,
        application: ApplicationId,
    ) -> Result<Option<Stored>, Failure> {
        let user = &row.hadoop_user;
        let dirs = connection.conf.log_dirs(user, application);
        let dirs =
            dirs.map_err(|missing| Failure::new(Code::XmlPropertyMissing).with("property", missing.key))?;
        let hdfs = connection.hdfs_as(user);
        for dir in dirs {
            let entries = match hdfs.list(&dir).await {
                Ok(listing) => listing.items,
                Err(hadoop::Error::NotFound { .. }) => continue,
                Err(error) => return Err(hdfs_failure(connection, user, &dir, &error)),
            };
            let mut settled = true;
            let mut wanted = Vec::new();
            for entry in entries {
                if entry.path_suffix.ends_with(".tmp") {
                    // A node renames its file when it is whole.
                    settled = false;
                } else if !entry.is_dir() && entry.length > 0 {
                    wanted.push(entry);
                }
            }
            if wanted.is_empty() {
                continue;
            }
            wanted.sort_by(|a, b| a.path_suffix.cmp(&b.path_suffix));
            wanted.truncate(MAX_NODE_LOGS);
            let opened: Vec<Result<Arc<NodeLog>, Failure>> = futures::stream::iter(wanted)
                .map(|entry| {
                    let (hdfs, dir) = (hdfs.clone(), &dir);
                    async move {
                        let path = dir
                            .join(&entry.path_suffix)
                            .map_err(|_| unreadable(&entry.path_suffix, "not a name of a node's log"))?;
                        let memory = &self.inner.logs.memory;
                        if let Some(log) = memory.opened(&path, entry.length, entry.modification_time) {
                            return Ok(log);
                        }
                        let told = |error: hadoop::Error| match error {
                            hadoop::Error::InvalidAnswer { what } => unreadable(&path, &what),
                            error => hdfs_failure(connection, user, &path, &error),
                        };
                        let log = AggregatedLog::open(
                            HdfsFile {
                                hdfs,
                                path: path.clone(),
                            },
                            entry.length,
                        )
                        .await
                        .map_err(told)?;
                        let files = log.files().await.map_err(told)?;
                        let log = Arc::new(NodeLog {
                            node: host_of(&entry.path_suffix),
                            log: Arc::new(log),
                            files,
                        });
                        memory.keep(path.clone(), entry.length, entry.modification_time, log.clone());
                        Ok(log)
                    }
                })
                .buffered(PARALLEL)
                .collect()
                .await;
            let mut nodes = Vec::new();
            let mut failed = None;
            for log in opened {
                match log {
                    Ok(log) => nodes.push(log),
                    Err(failure) => failed = Some(failure),
                }
            }
            return match failed {
                // What the other nodes left can still be read.
                Some(failure) if nodes.is_empty() => Err(failure),
                failed => Ok(Some(Stored {
                    nodes,
                    settled: settled && failed.is_none(),
                })),
            };
        }
        Ok(None)
    }

    /// Why an application that has ended has no logs.
    pub(super) async fn absent_logs(
        &self,
        connection: &Connection,
        row: &RunRow,
        application: ApplicationId,
    ) -> Failure {
        let now = self.now();
        let app = connection.rm_as(&row.hadoop_user).app(application).await.ok();
        let status = app.as_ref().and_then(|app| app.log_aggregation_status.clone());
        let ended = app
            .map(|app| app.finished_time)
            .filter(|&at| at > 0)
            .or(row.ended_at)
            .unwrap_or(now);
        missing(status.as_deref(), now - ended)
    }
}

/// What the absence of logs means `age` after the end, when the ResourceManager calls their
/// collection `status`.
fn missing(status: Option<&str>, age: Millis) -> Failure {
    let gone = |reason: &str| Failure::new(Code::LogsGone).with("reason", reason);
    let patience = match status {
        Some("DISABLED") => return gone("yarn.log-aggregation-enable=false"),
        Some(status @ ("FAILED" | "TIME_OUT")) => return gone(&format!("log aggregation: {status}")),
        Some("RUNNING" | "RUNNING_WITH_FAILURE") => COLLECTING_MS,
        Some(_) | None => SILENT_MS,
    };
    if age < patience {
        return Code::LogsNotReady.into();
    }
    gone(&format!("log aggregation: {}", status.unwrap_or("no answer")))
}

fn unreadable(file: impl std::fmt::Display, reason: &str) -> Failure {
    Failure::new(Code::LogsGone).with("reason", format!("{file}: {reason}"))
}

/// The host in the name of a node's file, `<host>_<port>`, with a time behind it when the node wrote
/// more than one.
fn host_of(name: &str) -> String {
    let mut host = name;
    while let Some((front, last)) = host.rsplit_once('_')
        && !last.is_empty()
        && last.bytes().all(|b| b.is_ascii_digit())
    {
        host = front;
    }
    host.to_owned()
}

/// The host of an address such as `http://node1:8042`.
pub(super) fn host_of_address(address: &str) -> String {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    let bare = bare.split('/').next().unwrap_or(bare);
    bare.rsplit_once(':').map_or(bare, |(host, _)| host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_told_by_status_and_age() {
        let table = [
            (Some("DISABLED"), 0, Code::LogsGone),
            (Some("FAILED"), 0, Code::LogsGone),
            (Some("TIME_OUT"), 0, Code::LogsGone),
            (Some("RUNNING"), SILENT_MS, Code::LogsNotReady),
            (Some("RUNNING"), COLLECTING_MS, Code::LogsGone),
            (Some("NOT_START"), 0, Code::LogsNotReady),
            (Some("NOT_START"), SILENT_MS, Code::LogsGone),
            (Some("SUCCEEDED"), SILENT_MS, Code::LogsGone),
            (None, 1, Code::LogsNotReady),
            (None, SILENT_MS, Code::LogsGone),
        ];
        for (status, age, code) in table {
            assert_eq!(missing(status, age).code, code, "{status:?} {age}");
        }
    }

    #[test]
    fn hosts() {
        assert_eq!(host_of("node_1.example_45454"), "node_1.example");
        assert_eq!(host_of("node1_45454_1795207336844"), "node1");
        assert_eq!(host_of("_1"), "");
        assert_eq!(host_of_address("http://node1:8042"), "node1");
        assert_eq!(host_of_address("node1:8042"), "node1");
        assert_eq!(host_of_address("[::1]:8042"), "[::1]");
    }

    #[test]
    fn containers_that_ended_stay_known() {
        let memory = Memory::default();
        let app: ApplicationId = "application_1_0001".parse().unwrap();
        let live = |n: u32| Live {
            id: format!("container_1_0001_01_{n:06}").parse().unwrap(),
            node: Some("a:1".into()),
            master: n == 1,
            running: true,
        };
        memory.merge(app, vec![live(1), live(2)]);
        let all = memory.merge(app, vec![live(1), live(3)]);
        assert_eq!(
            all.iter().map(|l| l.running).collect::<Vec<_>>(),
            [true, false, true]
        );
        memory.forget(app);
        assert_eq!(memory.merge(app, vec![live(1)]).len(), 1);
    }
}
