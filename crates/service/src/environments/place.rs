//! Brings the files of a snapshot to a cluster and keeps them there.
//!
//! Files are named by their content and have a constant time of change: YARN compares the time a
//! launch names with the file's, so a file that vanished can be put back even under a running job.
//! A file is written beside its place, verified, given its time, and renamed without overwrite; what
//! lies at its place is therefore always whole.

use super::{Part, parts, put::Content};
use crate::{
    Error, Result, Service,
    clusters::{Connection, hdfs_failure},
    reconcile::Activation,
    runs::{after_failure, backoff, enter, finish, log},
};
use bytes::Bytes;
use domain::{
    Engine, Kind, Millis,
    environment::Snapshot,
    event::{Event, Topic},
    operation::{OperationKind, OperationState, Progress},
};
use futures::StreamExt;
use hadoop::HdfsPath;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use store::operations::OperationRow;

/// The time of change of every file of ours on HDFS, in epoch milliseconds (9 September 2001).
pub(crate) const MTIME: Millis = 1_000_000_000_000;
/// Files sent at once. A small file costs up to half a second of waiting on the DataNode's side.
const PARALLEL: usize = 12;
const BATCH: i64 = 8;
/// How long trouble that may pass is waited out.
const MAX_ATTEMPTS: i64 = 120;
/// Permissions of public files and the directories above them.
const PUBLIC_FILE: u16 = 0o644;
const PUBLIC_DIR: u16 = 0o755;

/// The jar with our main classes for an engine.
pub(crate) struct Runner {
    name: &'static str,
    bytes: Bytes,
    sha256: String,
}

impl Runner {
    pub(crate) fn new(engine: Engine, bytes: Bytes) -> Self {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let name = match engine {
            Engine::Flink => "penstock-runner.jar",
            Engine::Spark => "penstock-spark-runner.jar",
        };
        Self { name, bytes, sha256 }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Where it lies below a cluster's root.
    pub(crate) fn path(&self, connection: &Connection) -> Result<HdfsPath> {
        connection
            .root
            .join(&format!("runner/{}-{}", &self.sha256[..16], self.name))
            .map_err(Error::internal)
    }
}

impl Service {
    pub(crate) async fn activate_place(&self) -> Result<Activation> {
        let due = store::operations::due(self.db(), OperationKind::Place, self.now(), BATCH).await?;
        let handled = due.len() as u64;
        let mut failed = false;
        for operation in due {
            let id = operation.id.clone();
            if let Err(error) = self.step_place(operation).await {
                failed = true;
                tracing::error!(operation = %id, error = %error, "placement step failed");
            }
        }
        Ok(Activation {
            handled,
            next: after_failure(self.until_due(OperationKind::Place).await?, failed),
        })
    }

    async fn step_place(&self, mut operation: OperationRow) -> Result<()> {
        let (Some(environment), Some(cluster)) = (operation.environment.clone(), operation.cluster.clone())
        else {
            return Err(Error::internal(
                "place operation without an environment or a cluster",
            ));
        };
        let number = operation
            .data
            .get("snapshot")
            .and_then(serde_json::Value::as_i64)
            .unwrap_or(1);
        let row = store::environments::row(self.db(), &environment)
            .await?
            .ok_or_else(|| Error::not_found("environment"))?;
        let snapshot = self.pinned(&environment, number).await?;
        let connection = self.connection(&cluster).await?;
        operation.state = OperationState::Running;
        enter(&mut operation.steps, "upload", self.now());
        let placed = self
            .place(&connection, &mut operation, &row.directory, &snapshot)
            .await;
        let now = self.now();
        match placed {
            Ok(()) => {
                operation.state = OperationState::Done;
                operation.failure = None;
                finish(&mut operation.steps, now);
            }
            Err(error) => {
                if let Some(cause) = error.cause() {
                    tracing::error!(
                        environment = row.name,
                        cause,
                        "an environment could not be placed"
                    );
                }
                log(&mut operation, now, error.failure.to_string());
                operation.failure = Some(error.failure.clone());
                operation.attempt += 1;
                operation.due_at = now + backoff(operation.attempt);
                if error.failure.kind() != Kind::Unavailable || operation.attempt >= MAX_ATTEMPTS {
                    operation.state = OperationState::Failed;
                }
            }
        }
        let done = (operation.state == OperationState::Done).then_some(number);
        let (files, bytes) = totals(&parts(&snapshot)?);
        let mut tx = self.db().begin().await?;
        let placement = store::environments::EnvironmentPlacementRow {
            environment,
            cluster,
            snapshot: done,
            files_done: if done.is_some() { files } else { 0 },
            files_total: files,
            bytes_done: if done.is_some() { bytes } else { 0 },
            bytes_total: bytes,
            operation: Some(operation.id.clone()),
            failure: operation.failure.clone(),
        };
        store::environments::put_placement(&mut tx, &placement).await?;
        if self.save_operation(&mut tx, &mut operation).await? {
            tx.commit().await?;
        }
        self.announce_place(&operation);
        Ok(())
    }

    fn announce_place(&self, operation: &OperationRow) {
        let id = operation
            .environment
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        self.inner.bus.send(Event {
            topic: Topic::Environment,
            id,
            team: operation.team.clone(),
            job: None,
            version: operation.updated_at,
        });
        self.inner.bus.send(Event {
            topic: Topic::Operation,
            id: operation.id.to_string(),
            team: operation.team.clone(),
            job: None,
            version: operation.row_version,
        });
    }

    /// Sends what is missing, several files at once, and tells how far it is.
    async fn place(
        &self,
        connection: &Connection,
        operation: &mut OperationRow,
        directory: &str,
        snapshot: &Snapshot,
    ) -> Result<()> {
        self.ensure_root(connection).await?;
        let environment = snapshot.environment.as_str();
        self.ensure_environment_dirs(connection, environment).await?;
        let (files_total, bytes_total) = totals(&parts(snapshot)?);
        let missing = self.missing(connection, snapshot).await?;
        let (missing_files, missing_bytes) = totals(&missing);
        let files_done = AtomicI64::new(files_total - missing_files);
        let bytes_done = Arc::new(AtomicI64::new(bytes_total - missing_bytes));
        let mut sending = futures::stream::iter(missing)
            .map(|part| {
                let (files_done, sent) = (&files_done, bytes_done.clone());
                async move {
                    self.send_part(connection, environment, directory, &part, sent)
                        .await?;
                    files_done.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Error>(())
                }
            })
            .buffer_unordered(PARALLEL);
        let mut first_error = None;
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(400));
        loop {
            let sent = tokio::select! {
                sent = sending.next() => sent,
                _ = tick.tick() => {
                    let progress = Progress {
                        files_done: files_done.load(Ordering::Relaxed),
                        files_total,
                        bytes_done: bytes_done.load(Ordering::Relaxed).min(bytes_total),
                        bytes_total,
                    };
                    self.tell_progress(operation, progress).await?;
                    continue;
                }
            };
            match sent {
                None => break,
                Some(Ok(())) => {}
                // The others go on: what has arrived need not be sent again.
                Some(Err(error)) => first_error = first_error.or(Some(error)),
            }
        }
        drop(sending);
        if let Some(error) = first_error {
            return Err(error);
        }
        enter(&mut operation.steps, "publish", self.now());
        self.publish(connection, snapshot).await
    }

    async fn tell_progress(&self, operation: &mut OperationRow, progress: Progress) -> Result<()> {
        let Some(step) = operation.steps.iter_mut().find(|step| step.name == "upload") else {
            return Ok(());
        };
        if step.progress == Some(progress) {
            return Ok(());
        }
        step.progress = Some(progress);
        let mut tx = self.db().begin().await?;
        if self.save_operation(&mut tx, operation).await? {
            tx.commit().await?;
            self.announce_place(operation);
        }
        Ok(())
    }

    /// Files of a snapshot that are not on the cluster as they should be: one listing tells.
    pub(crate) async fn missing(&self, connection: &Connection, snapshot: &Snapshot) -> Result<Vec<Part>> {
        let dir = connection
            .root
            .join(&format!("environments/{}/files", snapshot.environment))
            .map_err(Error::internal)?;
        let there: HashMap<String, (u64, Millis)> = match connection.hdfs().list(&dir).await {
            Ok(listing) => listing
                .items
                .into_iter()
                .map(|f| (f.path_suffix, (f.length, f.modification_time)))
                .collect(),
            Err(hadoop::Error::NotFound { .. }) => HashMap::new(),
            Err(error) => return Err(self.hdfs_error(connection, &dir, &error)),
        };
        let mut missing = parts(snapshot)?;
        missing.retain(|part| there.get(&part.name) != Some(&(part.size, MTIME)));
        // The largest first, so that the last one is short.
        missing.sort_by_key(|part| std::cmp::Reverse(part.size));
        Ok(missing)
    }

    /// The snapshot's own file says what belongs together; it is made last and never changed.
    async fn publish(&self, connection: &Connection, snapshot: &Snapshot) -> Result<()> {
        let path = connection
            .root
            .join(&format!(
                "environments/{}/snapshots/{}.json",
                snapshot.environment, snapshot.number
            ))
            .map_err(Error::internal)?;
        let text = serde_json::to_vec(&snapshot.files).map_err(Error::internal)?;
        let size = text.len() as u64;
        self.put(
            connection,
            connection.service_user(),
            &path,
            PUBLIC_FILE,
            Content::Memory(text.into()),
            size,
        )
        .await
    }

    /// Puts the files of a snapshot back that vanished; nothing to do costs one listing.
    pub(crate) async fn heal(&self, connection: &Connection, snapshot: &Snapshot) -> Result<()> {
        let missing = self.missing(connection, snapshot).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let row = store::environments::row(self.db(), &snapshot.environment)
            .await?
            .ok_or_else(|| Error::not_found("environment"))?;
        tracing::warn!(
            environment = row.name,
            cluster = connection.code,
            files = missing.len(),
            "putting files of the environment on the cluster"
        );
        self.ensure_root(connection).await?;
        let environment = snapshot.environment.as_str();
        self.ensure_environment_dirs(connection, environment).await?;
        let directory = row.directory.as_str();
        let sent: Vec<Result<()>> = futures::stream::iter(missing)
            .map(|part| async move {
                self.send_part(connection, environment, directory, &part, Arc::default())
                    .await
            })
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        sent.into_iter().collect()
    }

    async fn ensure_environment_dirs(&self, connection: &Connection, environment: &str) -> Result<()> {
        for below in ["", "/files", "/snapshots"] {
            let path = connection
                .root
                .join(&format!("environments/{environment}{below}"))
                .map_err(Error::internal)?;
            connection
                .hdfs()
                .mkdir(&path, PUBLIC_DIR)
                .await
                .map_err(|e| self.hdfs_error(connection, &path, &e))?;
        }
        Ok(())
    }

    /// Sends a part of a distribution from the console's host to its place.
    async fn send_part(
        &self,
        connection: &Connection,
        environment: &str,
        directory: &str,
        part: &Part,
        sent: Arc<AtomicI64>,
    ) -> Result<()> {
        let path = part.place(connection, environment)?;
        let content = part.content(directory, sent);
        let user = connection.service_user();
        self.put(connection, user, &path, PUBLIC_FILE, content, part.size)
            .await
    }

    /// The jar with our main classes for an engine.
    pub(crate) fn runner(&self, engine: Engine) -> &Runner {
        match engine {
            Engine::Flink => &self.inner.runner,
            Engine::Spark => &self.inner.spark_runner,
        }
    }

    /// Makes sure an engine's runner lies on the cluster; answers where.
    pub(crate) async fn ensure_runner(&self, connection: &Connection, engine: Engine) -> Result<HdfsPath> {
        let runner = self.runner(engine);
        let path = runner.path(connection)?;
        let size = runner.size();
        if !self
            .is_placed(connection, connection.service_user(), &path, size)
            .await?
        {
            self.ensure_root(connection).await?;
            self.put(
                connection,
                connection.service_user(),
                &path,
                PUBLIC_FILE,
                Content::Memory(runner.bytes.clone()),
                size,
            )
            .await?;
        }
        Ok(path)
    }

    /// Whether a file lies at its place with its size and time.
    pub(crate) async fn is_placed(
        &self,
        connection: &Connection,
        user: &str,
        path: &HdfsPath,
        size: u64,
    ) -> Result<bool> {
        match connection.hdfs_as(user).find(path).await {
            Ok(found) => Ok(found.is_some_and(|f| f.length == size && f.modification_time == MTIME)),
            Err(error) => Err(hdfs_failure(connection, user, path, &error).into()),
        }
    }

    fn hdfs_error(&self, connection: &Connection, path: &HdfsPath, error: &hadoop::Error) -> Error {
        hdfs_failure(connection, connection.service_user(), path, error).into()
    }
}

/// Number and bytes of parts.
fn totals(parts: &[Part]) -> (i64, i64) {
    let bytes: u64 = parts.iter().map(|part| part.size).sum();
    (
        i64::try_from(parts.len()).unwrap_or(i64::MAX),
        i64::try_from(bytes).unwrap_or(i64::MAX),
    )
}
