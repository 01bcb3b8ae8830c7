//! What the engines themselves say of a run that YARN says is running.

use super::ENGINE_PATIENCE;
use crate::{
    Result, Service,
    clusters::Connection,
    runs::{decide::Engine, restore::hdfs_path},
};
use flink::rest::Observation as Observed;
use hadoop::types::App;
use store::runs::RunRow;

impl Service {
    /// What Flink says about the job, as far as it can be asked.
    pub(super) async fn engine(&self, connection: &Connection, row: &RunRow, app: &App) -> Engine {
        let Some(rest) = self.job_rest(connection, row, app.am_rpc_address.as_deref()) else {
            return Engine::NotSeen;
        };
        // The port of an application that ended is soon another one's. A job id that was fixed in
        // advance cannot be met there; without one, ask who answers.
        if row.engine_job_id.is_none() && !answers_for(&rest, &app.id.to_string()).await {
            return Engine::NotSeen;
        }
        match rest.jobs_overview().await {
            Observed::Known(jobs) => {
                let wanted = row.engine_job_id.as_deref();
                // A batch script runs one job after the other: the newest counts.
                let job = jobs
                    .iter()
                    .filter(|job| wanted.is_none_or(|id| id == job.jid))
                    .max_by_key(|job| job.start_time);
                job.map_or(Engine::NoJob, |job| Engine::Job {
                    state: job.state.clone(),
                    tasks_running: job.tasks.running,
                    tasks_total: job.tasks.total,
                })
            }
            Observed::Gone | Observed::Inconclusive(_) => Engine::NotSeen,
        }
    }

    /// What the driver says of its tasks, through the ResourceManager's proxy: it sends everybody else away.
    pub(super) async fn driver(&self, connection: &Connection, row: &RunRow, app: &App) -> Engine {
        let driver = connection.driver(&row.hadoop_user, &app.id.to_string());
        match driver.progress().await {
            Observed::Known(progress) => Engine::Driver(Some((progress.tasks_running, progress.tasks))),
            Observed::Gone | Observed::Inconclusive(_) => Engine::Driver(None),
        }
    }

    /// Learns where the checkpoints of a job lie, once; asked less and less often while it has none.
    pub(super) async fn learn_checkpoints(&self, connection: &Connection, row: &RunRow) -> Result<()> {
        let now = self.now();
        let (None, Some(job)) = (&row.checkpoint_dir, &row.engine_job_id) else {
            return Ok(());
        };
        if !self.inner.tracker.checkpoints_due(&row.id, now) {
            return Ok(());
        }
        let Some(rest) = self.job_rest(connection, row, None) else {
            return Ok(());
        };
        let asked = tokio::time::timeout(ENGINE_PATIENCE, rest.newest_checkpoint(job)).await;
        let Ok(Observed::Known(Some(address))) = asked else {
            return Ok(());
        };
        let dir = hdfs_path(connection, &address).and_then(|path| path.parent());
        if let Some(dir) = dir.filter(|dir| !dir.is_root()) {
            store::runs::set_checkpoint_dir(self.db(), &row.id, dir.as_str()).await?;
        }
        Ok(())
    }
}

/// Whether the interface belongs to the application; versions before 2.3 do not say, and are believed.
async fn answers_for(rest: &flink::rest::Client, application: &str) -> bool {
    match rest.application().await {
        Observed::Known(Some(id)) => id == application,
        Observed::Known(None) | Observed::Gone => true,
        Observed::Inconclusive(_) => false,
    }
}
