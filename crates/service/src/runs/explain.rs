//! Why a run failed: the ResourceManager's diagnostics at once, then, as they arrive, what a Flink job
//! left in its archive and the end of the log of its JobManager or driver.

use super::change::{Change, Proof};
use crate::{Result, Service, clusters::Connection, reconcile::Activation};
use domain::{
    Code, Engine, Failure, Millis, Scope,
    run::{RunQuery, RunState},
};
use flink::{
    Version, archive,
    cause::{self, Evidence},
};
use hadoop::{HdfsPath, types::App};
use serde_json::json;
use std::time::Duration;
use store::runs::RunRow;

/// How long after its end a run is looked at again: logs are collected within seconds.
const WINDOW_MS: Millis = 90_000;
const AGAIN: Duration = Duration::from_secs(2);
const REST: Duration = Duration::from_secs(60);
const BATCH: u32 = 50;
/// How much of the end of a log is read.
const TAIL_BYTES: u64 = 512 * 1024;
const LOGS: [&str; 3] = ["jobmanager.log", "jobmanager.out", "jobmanager.err"];

impl Service {
    /// What the ResourceManager's answer alone tells.
    pub(crate) fn first_cause(&self, engine: Engine, app: &App) -> Failure {
        let diagnostics = &app.diagnostics;
        match engine {
            Engine::Flink => cause::explain(&Evidence {
                diagnostics,
                ..Evidence::default()
            }),
            Engine::Spark => spark::cause::explain(&spark::cause::Evidence {
                diagnostics,
                ..spark::cause::Evidence::default()
            }),
        }
    }

    pub(crate) async fn activate_explain(&self) -> Result<Activation> {
        let query = RunQuery {
            states: vec![RunState::Failed],
            limit: BATCH,
            ..RunQuery::default()
        };
        let now = self.now();
        let failed = store::runs::list(self.db(), &Scope::All, &query).await?;
        let open: Vec<_> = failed
            .items
            .into_iter()
            .filter(|run| {
                run.ended_at.is_some_and(|ended| now - ended < WINDOW_MS) && run.external_id.is_some()
            })
            .filter(|run| run.failure.as_ref().is_none_or(|failure| is_vague(failure.code)))
            .collect();
        let handled = open.len() as u64;
        for run in open {
            let Some(row) = store::runs::row(self.db(), &run.id).await? else {
                continue;
            };
            if let Err(error) = self.explain(row).await {
                tracing::info!(run = %run.id, error = %error, "the cause of a failure is not known yet");
            }
        }
        Ok(Activation {
            handled,
            next: if handled > 0 { AGAIN } else { REST },
        })
    }

    async fn explain(&self, row: RunRow) -> Result<()> {
        let connection = self.connection(&row.cluster).await?;
        match row.kind.engine() {
            Engine::Flink => self.explain_flink(&connection, row).await,
            Engine::Spark => self.explain_spark(&connection, row).await,
        }
    }

    /// From what the ResourceManager still says and the end of the driver's output.
    async fn explain_spark(&self, connection: &Connection, row: RunRow) -> Result<()> {
        let id = row.external_id.as_deref().and_then(|id| id.parse().ok());
        let diagnostics = match id {
            Some(id) => connection.rm_as(&row.hadoop_user).app(id).await.ok(),
            None => None,
        };
        let diagnostics = diagnostics.map(|app| app.diagnostics).unwrap_or_default();
        let [out, err] = ["stdout", "stderr"].map(|file| self.log_tail(connection, &row, file, TAIL_BYTES));
        let (out, err) = (out.await?.unwrap_or_default(), err.await?.unwrap_or_default());
        let failure = spark::cause::explain(&spark::cause::Evidence {
            diagnostics: &diagnostics,
            out: &out,
            err: &err,
        });
        self.explained(row, failure, "log", json!({})).await
    }

    async fn explain_flink(&self, connection: &Connection, row: RunRow) -> Result<()> {
        let archived = self.read_archive(connection, &row).await?;
        let mut texts = Vec::new();
        for file in LOGS {
            texts.push(
                self.log_tail(connection, &row, file, TAIL_BYTES)
                    .await?
                    .unwrap_or_default(),
            );
        }
        let [log, out, err] = texts.as_slice() else {
            return Ok(());
        };
        let stacks = archived.map(|archive| archive.stacks).unwrap_or_default();
        let failure = cause::explain(&Evidence {
            diagnostics: "",
            stacks: &stacks,
            log,
            out,
            err,
        });
        let source = if stacks.is_empty() { "log" } else { "archive" };
        let evidence =
            json!({ "stack": stacks.first().map(|stack| stack.chars().take(8000).collect::<String>()) });
        self.explained(row, failure, source, evidence).await
    }

    /// Writes down a cause that is better than the one there is.
    async fn explained(
        &self,
        mut row: RunRow,
        failure: Failure,
        source: &str,
        evidence: serde_json::Value,
    ) -> Result<()> {
        if failure.code == Code::AppFailedSilently || row.failure.as_ref() == Some(&failure) {
            return Ok(());
        }
        row.failure = Some(failure);
        let mut tx = self.db().begin().await?;
        let proof = Proof {
            source,
            note: Some("track.explained"),
            evidence: Some(evidence),
        };
        if self
            .save_run(&mut tx, &mut row, Change::note("note"), proof)
            .await?
        {
            tx.commit().await?;
            self.announce_run(&row);
        }
        Ok(())
    }

    /// What the job's archive says about its end; `None` when there is no archive.
    pub(crate) async fn archived_end(
        &self,
        connection: &Connection,
        row: &RunRow,
    ) -> Result<Option<RunState>> {
        let Some(archive) = self.read_archive(connection, row).await? else {
            return Ok(None);
        };
        let status = archive.status.or_else(|| {
            archive
                .jobs
                .first()
                .map(|job| format!("{:?}", job.state).to_uppercase())
        });
        Ok(match status.as_deref() {
            Some("FINISHED") => Some(RunState::Finished),
            Some("FAILED") => Some(RunState::Failed),
            Some("CANCELED") => Some(RunState::Cancelled),
            _ => None,
        })
    }

    async fn read_archive(&self, connection: &Connection, row: &RunRow) -> Result<Option<archive::Archive>> {
        let Some(application) = row.external_id.as_deref() else {
            return Ok(None);
        };
        let snapshot = self.pinned(&row.environment, row.snapshot).await?;
        let version = snapshot
            .files
            .iter()
            .find_map(|file| Version::of_dist(&file.path));
        let Some(features) = version.and_then(|version| version.features().ok()) else {
            return Ok(None);
        };
        let place = archive::place(&features, application, row.engine_job_id.as_deref());
        let root = format!("teams/{}/archive", row.hadoop_user);
        let dir = connection.root.join(&root).map_err(crate::Error::internal)?;
        let hdfs = connection.hdfs_as(&row.hadoop_user);
        let below = |path: &str| dir.join(path).map_err(crate::Error::internal);
        let file: Option<HdfsPath> = match (&place.job, &place.applications) {
            (Some(job), _) => Some(below(job)?),
            (None, Some(applications)) => match hdfs.list(&below(applications)?).await {
                Ok(listing) => listing
                    .items
                    .iter()
                    .find(|e| e.is_dir())
                    .map(|e| below(&format!("{applications}/{}/{}", e.path_suffix, archive::SUMMARY)))
                    .transpose()?,
                Err(hadoop::Error::NotFound { .. }) => None,
                Err(error) => {
                    return Err(
                        crate::clusters::hdfs_failure(connection, &row.hadoop_user, &dir, &error).into(),
                    );
                }
            },
            (None, None) => None,
        };
        let Some(file) = file else { return Ok(None) };
        match hdfs.read_all(&file, archive::MAX_FILE).await {
            Ok(bytes) => Ok(archive::parse(&bytes).ok()),
            Err(hadoop::Error::NotFound { .. }) => Ok(None),
            Err(error) => {
                Err(crate::clusters::hdfs_failure(connection, &row.hadoop_user, &file, &error).into())
            }
        }
    }
}

/// Whether a better cause may still turn up.
fn is_vague(code: Code) -> bool {
    matches!(code, Code::AppFailed | Code::AppFailedSilently)
}
