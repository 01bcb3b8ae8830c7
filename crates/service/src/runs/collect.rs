//! What a run leaves on HDFS when it has ended. Of Flink, its last checkpoint, and savepoints that came
//! later than anybody waited for: looked for once, and recorded. Of Spark, files nobody needs any more.

use super::{
    errand::{Errand, savepoints},
    restore::{Found, hdfs_path},
    submit::after_failure,
};
use crate::{
    Error, Result, Service,
    clusters::{Connection, hdfs_failure},
    reconcile::Activation,
};
use domain::{Engine, Millis, id::JobId, restore::SavepointFormat};
use hadoop::HdfsPath;
use std::time::Duration;
use store::runs::RunRow;

/// Directory of a script's rows in that of its run.
pub(super) const RESULTS: &str = "results";
const BATCH: i64 = 64;
const REST: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_secs(1);
/// How long after its end a run may still be writing: a kill takes its time on the nodes.
const SETTLED_MS: Millis = 3_000;
/// The setting since 1.20, and the one before.
const CHECKPOINT_DIRS: [&str; 2] = ["execution.checkpointing.dir", "state.checkpoints.dir"];
/// Checkpoints of a run that are looked at, from the newest.
const MAX_CHECKPOINTS: usize = 16;

impl Service {
    pub(crate) async fn activate_collect(&self) -> Result<Activation> {
        let rows = store::runs::to_collect(self.db(), BATCH).await?;
        let handled = rows.len() as u64;
        let mut failed = false;
        for row in rows {
            if let Err(error) = self.collect(&row).await {
                failed = true;
                tracing::info!(run = %row.id, error = %error, "what a run left cannot be looked for yet");
            }
        }
        let next = if handled > 0 { AGAIN } else { REST };
        Ok(Activation {
            handled,
            next: after_failure(next, failed),
        })
    }

    /// Looks for what the last runs of a job left, so that a start knows of it.
    pub(super) async fn collect_job(&self, job: &JobId) -> Result<()> {
        for row in store::runs::to_collect_of_job(self.db(), job).await? {
            self.collect(&row).await?;
        }
        Ok(())
    }

    async fn collect(&self, row: &RunRow) -> Result<()> {
        let connection = self.connection(&row.cluster).await?;
        let settled = row.ended_at.is_some_and(|at| self.now() - at >= SETTLED_MS);
        // Before anything was submitted there was nobody to write.
        let settled = settled || row.external_id.is_none();
        match row.kind.engine() {
            Engine::Flink => self.collect_state(&connection, row, settled).await,
            Engine::Spark if settled => {
                tidy_up(&connection, row).await?;
                let mut tx = self.db().begin().await?;
                store::runs::set_collected(&mut tx, &row.id).await?;
                Ok(tx.commit().await?)
            }
            Engine::Spark => Ok(()),
        }
    }

    async fn collect_state(&self, connection: &Connection, row: &RunRow, settled: bool) -> Result<()> {
        let user = &row.hadoop_user;
        let mut taken = Vec::new();
        let own = savepoints(connection, user)?;
        for operation in store::operations::savepoints_of_run(self.db(), &row.id).await? {
            let dir = own.join(operation.id.as_str()).map_err(Error::internal)?;
            let found = self.found_in(connection, user, &dir).await;
            let found = found.map_err(|error| hdfs_failure(connection, user, &dir, &error))?;
            let format = Errand::of(&operation)?.format;
            taken.push((operation.id, format.unwrap_or(SavepointFormat::Canonical), found));
        }
        let checkpoint = self.last_checkpoint(connection, row).await?;
        let nothing = checkpoint.is_none() && taken.iter().all(|(.., found)| found.is_empty());
        if nothing && !settled {
            return Ok(());
        }
        let mut tx = self.db().begin().await?;
        for (operation, format, found) in &taken {
            self.insert_found(&mut tx, row, found, Some((operation, *format)))
                .await?;
        }
        self.insert_found(&mut tx, row, checkpoint.as_slice(), None)
            .await?;
        if settled {
            store::runs::set_collected(&mut tx, &row.id).await?;
        }
        tx.commit().await?;
        self.announce_run(row);
        Ok(())
    }

    /// Where the run's checkpoints lie: as its engine said, or, of a run that ended before it was asked, as its
    /// configuration says.
    async fn checkpoint_dir(&self, connection: &Connection, row: &RunRow) -> Result<Option<HdfsPath>> {
        if let Some(dir) = &row.checkpoint_dir {
            return Ok(Some(HdfsPath::new(dir).map_err(Error::internal)?));
        }
        let (Some(_), Some(job)) = (&row.external_id, &row.engine_job_id) else {
            return Ok(None);
        };
        let version = store::jobs::version(self.db(), &row.job, row.version).await?;
        let defaults = self.pinned(&row.environment, row.snapshot).await?.defaults;
        let conf = version.map(|version| version.spec.conf).unwrap_or_default();
        let own = |key: &str| conf.get(key).map(String::as_str);
        let given = |key: &str| {
            let default = defaults.iter().find(|(name, _)| name == key);
            own(key).or(default.map(|(_, value)| value.as_str()))
        };
        let configured = CHECKPOINT_DIRS.into_iter().find_map(own);
        let configured = configured.or_else(|| CHECKPOINT_DIRS.into_iter().find_map(given));
        let dir = configured.and_then(|address| hdfs_path(connection, address.trim()));
        Ok(dir.and_then(|dir| dir.join(job).ok()))
    }

    /// The newest whole checkpoint in the run's own directory, whatever number the engine gave it.
    async fn last_checkpoint(&self, connection: &Connection, row: &RunRow) -> Result<Option<Found>> {
        let Some(dir) = self.checkpoint_dir(connection, row).await? else {
            return Ok(None);
        };
        let user = &row.hadoop_user;
        let told = |error: hadoop::Error| Error::from(hdfs_failure(connection, user, &dir, &error));
        let listing = match connection.hdfs_as(user).list(&dir).await {
            Ok(listing) => listing,
            Err(hadoop::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(told(error)),
        };
        let entries = listing.items.iter();
        let mut kept: Vec<(u64, &str)> = entries
            .filter(|entry| entry.is_dir())
            .filter_map(|entry| {
                let number = entry.path_suffix.strip_prefix("chk-")?.parse().ok()?;
                Some((number, entry.path_suffix.as_str()))
            })
            .collect();
        kept.sort_unstable_by(|a, b| b.cmp(a));
        for (_, name) in kept.into_iter().take(MAX_CHECKPOINTS) {
            let path = dir.join(name).map_err(Error::internal)?;
            let found = self.found_at(connection, user, &path).await.map_err(told)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Deletes what a Spark application had for itself: its staging directory, which a killed one leaves,
/// and tables of a catalog that ended with it. The rows of a script stay.
async fn tidy_up(connection: &Connection, row: &RunRow) -> Result<()> {
    let dir = row.staging.as_deref().and_then(|uri| hdfs_path(connection, uri));
    // Only ever below the run's own directory, whatever is stored.
    let Some(dir) = dir.filter(|dir| dir.name() == row.id.as_str()) else {
        return Ok(());
    };
    let user = &row.hadoop_user;
    let hdfs = connection.hdfs_as(user);
    let told = |error: hadoop::Error| Error::from(hdfs_failure(connection, user, &dir, &error));
    let entries = match hdfs.list(&dir).await {
        Ok(listing) => listing.items,
        Err(hadoop::Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(told(error)),
    };
    if !entries.iter().any(|entry| entry.path_suffix == RESULTS) {
        hdfs.delete(&dir, true).await.map_err(told)?;
        return Ok(());
    }
    for entry in entries.iter().filter(|entry| entry.path_suffix != RESULTS) {
        let path = dir.join(&entry.path_suffix).map_err(Error::internal)?;
        hdfs.delete(&path, true).await.map_err(told)?;
    }
    Ok(())
}
