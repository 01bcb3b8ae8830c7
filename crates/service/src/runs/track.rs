//! The tracker: what the cluster says about our applications becomes the state of their runs.
//!
//! Level-triggered: each tick asks per cluster for all active applications with the deployment's tag
//! and for those that ended since the last tick; what is in neither list is asked for by its id. An
//! endpoint that does not answer changes nothing but the age of what is shown.

mod look;
mod write;

use super::{
    decide::{self, Engine},
    plan::deployment_tag,
    submit::after_failure,
};
use crate::{
    Result, Service,
    clusters::{Connection, rm_failure},
    reconcile::Activation,
};
use domain::{
    Failure, Millis,
    event::{Event, Topic},
    id::{ClusterId, RunId},
    run::RunState,
};
use futures::StreamExt;
use hadoop::{
    Observation,
    rm::AppQuery,
    types::{App, AppState},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use store::runs::RunRow;

/// While something changes, a cluster is asked this often.
const FAST: Duration = Duration::from_millis(700);
/// A cluster without open runs is asked this many ticks apart.
const IDLE_TICKS: u32 = 6;
/// Ticks between looks at a job that runs quietly.
const QUIET_TICKS: u64 = 3;
/// The ResourceManager works for us at most this share of the time.
const MAX_SHARE: u32 = 20;
/// A JobManager that takes longer is asked again in the next tick; the others must not wait for it.
const ENGINE_PATIENCE: Duration = Duration::from_secs(2);
/// Clusters, and jobs of one cluster, asked at once.
const PARALLEL_CLUSTERS: usize = 8;
const PARALLEL_JOBS: usize = 16;
/// How far back ended applications are asked for beyond the last tick.
const OVERLAP_MS: Millis = 120_000;
/// A look that changed nothing is written this often.
const TOUCH_MS: Millis = 60_000;
/// First and longest pause between questions where a job's checkpoints lie.
const CHECKPOINTS_MS: Millis = 1_000;
const MAX_CHECKPOINTS_MS: Millis = 120_000;
/// Authoritative absences in a row before a run counts as forgotten.
const GONE_LOOKS: u32 = 2;

/// What the tracker remembers between ticks; all of it can be lost.
#[derive(Default)]
pub(crate) struct Tracker(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    clusters: HashMap<ClusterId, ClusterMemory>,
    seen: HashMap<RunId, Millis>,
    gone: HashMap<RunId, u32>,
    /// When a job is asked next where its checkpoints lie, and how long it rests then.
    checkpoints: HashMap<RunId, (Millis, Millis)>,
}

#[derive(Default, Clone)]
struct ClusterMemory {
    due: Option<Instant>,
    ticks: u64,
    last_ok: Option<Millis>,
    touched: Millis,
    /// How long the ResourceManager took last; one slow answer, as after its start, slows nothing down.
    took: Duration,
    trouble: Option<Failure>,
}

impl Tracker {
    /// When the cluster last confirmed the run's state.
    pub(crate) fn seen(&self, run: &RunId) -> Option<Millis> {
        self.memory().seen.get(run).copied()
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an authoritative absence; answers how many came in a row.
    fn gone(&self, run: &RunId) -> u32 {
        let mut memory = self.memory();
        let count = memory.gone.entry(run.clone()).or_default();
        *count += 1;
        *count
    }

    fn confirm(&self, runs: &[RunId], now: Millis) {
        let mut memory = self.memory();
        for run in runs {
            memory.gone.remove(run);
            memory.seen.insert(run.clone(), now);
        }
    }

    fn forget(&self, run: &RunId) {
        let mut memory = self.memory();
        memory.gone.remove(run);
        memory.seen.remove(run);
        memory.checkpoints.remove(run);
    }

    /// Whether a job that runs is soon to be asked where its checkpoints lie.
    fn asks_checkpoints(&self, run: &RunId, now: Millis) -> bool {
        self.memory()
            .checkpoints
            .get(run)
            .is_some_and(|(due, _)| now >= *due)
    }

    /// Whether a job is to be asked where its checkpoints lie; the pauses double.
    fn checkpoints_due(&self, run: &RunId, now: Millis) -> bool {
        let mut memory = self.memory();
        let (due, pause) = memory
            .checkpoints
            .entry(run.clone())
            .or_insert((now, CHECKPOINTS_MS));
        if now < *due {
            return false;
        }
        *due = now + *pause;
        *pause = (*pause * 2).min(MAX_CHECKPOINTS_MS);
        true
    }
}

impl Service {
    pub(crate) async fn activate_track(&self) -> Result<Activation> {
        let clusters = store::clusters::ids(self.db()).await?;
        let handled = clusters.len() as u64;
        let failed = &AtomicBool::new(false);
        futures::stream::iter(clusters)
            .for_each_concurrent(PARALLEL_CLUSTERS, |cluster| async move {
                if let Err(error) = self.tick(&cluster).await {
                    failed.store(true, Ordering::Relaxed);
                    tracing::error!(cluster = %cluster, error = %error, "tick failed");
                }
            })
            .await;
        let now = Instant::now();
        let memory = self.inner.tracker.memory();
        let next = memory
            .clusters
            .values()
            .filter_map(|c| c.due)
            .map(|due| due.saturating_duration_since(now))
            .min();
        let next = next
            .unwrap_or(self.inner.config.tick)
            .max(Duration::from_millis(20));
        Ok(Activation {
            handled,
            next: after_failure(next, failed.load(Ordering::Relaxed)),
        })
    }

    /// Asks one cluster, if its time has come or something is in transition.
    async fn tick(&self, cluster: &ClusterId) -> Result<()> {
        let rows: Vec<RunRow> = store::runs::open_rows(self.db(), cluster)
            .await?
            .into_iter()
            .filter(is_tracked)
            .collect();
        let moving = rows
            .iter()
            .any(|row| is_moving(row.state) || row.requested.is_some());
        let mut memory = self
            .inner
            .tracker
            .memory()
            .clusters
            .get(cluster)
            .cloned()
            .unwrap_or_default();
        if !moving && memory.due.is_some_and(|due| due > Instant::now()) {
            return Ok(());
        }
        let started = Instant::now();
        let now = self.now();
        let connection = self.connection(cluster).await?;
        memory.ticks += 1;
        let mut took = Duration::ZERO;
        match self.ask(&connection, &rows, &memory).await {
            Ok((confirmed, asked)) => {
                took = asked;
                memory.last_ok = Some(now);
                if memory.trouble.take().is_some() || now - memory.touched >= TOUCH_MS {
                    memory.touched = now;
                    store::clusters::set_seen(self.db(), cluster, now).await?;
                    store::runs::touch_observed(self.db(), cluster, &confirmed, now, "rm").await?;
                }
                self.inner.tracker.confirm(&confirmed, now);
                self.inner.bus.send(Event {
                    topic: Topic::Cluster,
                    id: connection.code.clone(),
                    team: None,
                    job: None,
                    version: now,
                });
            }
            Err(error) => {
                let failure = rm_failure(&connection, connection.service_user(), &error);
                if memory.trouble.as_ref().map(|t| t.code) != Some(failure.code) {
                    tracing::warn!(cluster = connection.code, error = %error, "the cluster does not answer");
                    store::clusters::set_trouble(self.db(), cluster, &failure, now).await?;
                    self.inner.bus.send(Event {
                        topic: Topic::Cluster,
                        id: connection.code.clone(),
                        team: None,
                        job: None,
                        version: 0,
                    });
                }
                memory.trouble = Some(failure);
            }
        }
        let rest = if rows.is_empty() {
            self.inner.config.tick * IDLE_TICKS
        } else {
            self.inner.config.tick
        };
        let wanted = if moving { FAST.min(rest) } else { rest };
        memory.due = Some(started + wanted.max(took.min(memory.took) * MAX_SHARE));
        memory.took = took;
        self.inner
            .tracker
            .memory()
            .clusters
            .insert(cluster.clone(), memory);
        Ok(())
    }

    /// One round of questions; answers the runs whose state was confirmed, and how long the
    /// ResourceManager took.
    async fn ask(
        &self,
        connection: &Connection,
        rows: &[RunRow],
        memory: &ClusterMemory,
    ) -> std::result::Result<(Vec<RunId>, Duration), hadoop::Error> {
        let started = Instant::now();
        if rows.is_empty() {
            connection.rm().cluster_info().await?;
            return Ok((Vec::new(), started.elapsed()));
        }
        let tag = deployment_tag(&self.inner.deployment);
        let active = AppQuery {
            states: vec![
                AppState::New,
                AppState::NewSaving,
                AppState::Submitted,
                AppState::Accepted,
                AppState::Running,
            ],
            ..AppQuery::default()
        };
        let mut apps = connection.rm().apps_by_tag(&tag, &active).await?.items;
        let since = memory.last_ok.map_or(0, |last| last - OVERLAP_MS);
        let known: HashSet<String> = apps.iter().map(|app| app.id.to_string()).collect();
        if rows
            .iter()
            .any(|row| row.external_id.as_ref().is_some_and(|id| !known.contains(id)))
        {
            let ended = AppQuery {
                states: vec![AppState::Finished, AppState::Failed, AppState::Killed],
                finished_from: Some(since),
                ..AppQuery::default()
            };
            apps.extend(connection.rm().apps_by_tag(&tag, &ended).await?.items);
        }
        let apps: HashMap<String, App> = apps.into_iter().map(|app| (app.id.to_string(), app)).collect();
        // What the jobs themselves take is not the ResourceManager's load.
        let took = started.elapsed();
        let quiet_turn = memory.ticks.is_multiple_of(QUIET_TICKS);
        let confirmed = Mutex::new(Vec::new());
        futures::stream::iter(rows)
            .for_each_concurrent(PARALLEL_JOBS, |row| {
                let (apps, confirmed) = (&apps, &confirmed);
                async move {
                    let app = row.external_id.as_ref().and_then(|id| apps.get(id));
                    match self.follow(connection, row, app, quiet_turn).await {
                        Ok(true) => confirmed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(row.id.clone()),
                        Ok(false) => {}
                        Err(error) => {
                            tracing::error!(run = %row.id, error = %error, "a run could not be followed")
                        }
                    }
                }
            })
            .await;
        Ok((
            confirmed.into_inner().unwrap_or_else(PoisonError::into_inner),
            took,
        ))
    }

    /// Brings one run up to date. `true`: its state was confirmed.
    async fn follow(
        &self,
        connection: &Connection,
        row: &RunRow,
        app: Option<&App>,
        quiet_turn: bool,
    ) -> Result<bool> {
        let Some(id) = row.external_id.as_deref().and_then(|id| id.parse().ok()) else {
            return Ok(false);
        };
        let fetched;
        let app = match app {
            // Another application with our tag is not the one that was confirmed; lists can also be cut.
            Some(app) => app,
            None => match connection.rm_as(&row.hadoop_user).observe(id).await {
                Observation::Known(app) => {
                    fetched = app;
                    &fetched
                }
                Observation::Gone => {
                    if self.inner.tracker.gone(&row.id) >= GONE_LOOKS {
                        self.forgotten(connection, row.clone()).await?;
                    }
                    return Ok(false);
                }
                Observation::Inconclusive(_) => return Ok(false),
            },
        };
        let look = app.state == AppState::Running
            && (is_moving(row.state)
                || row.state == RunState::Queued
                || row.requested.is_some()
                || quiet_turn
                || (row.checkpoint_dir.is_none()
                    && self.inner.tracker.asks_checkpoints(&row.id, self.now())));
        let silent = match row.kind.engine() {
            domain::Engine::Flink => Engine::NotSeen,
            domain::Engine::Spark => Engine::Driver(None),
        };
        let engine = if look {
            let asked = async {
                match row.kind.engine() {
                    domain::Engine::Flink => self.engine(connection, row, app).await,
                    domain::Engine::Spark => self.driver(connection, row, app).await,
                }
            };
            let asked = tokio::time::timeout(ENGINE_PATIENCE, asked).await;
            asked.unwrap_or(silent)
        } else {
            silent
        };
        self.take(row.clone(), app, &engine).await?;
        if matches!(&engine, Engine::Job { tasks_running, .. } if *tasks_running > 0) {
            self.learn_checkpoints(connection, row).await?;
        }
        // The ResourceManager knows the application, but not yet whether it still runs.
        Ok(!decide::lacks_master(row.state, app.state))
    }
}

/// Whether the submission is behind the run; before, the submit reconciler alone speaks for it.
fn is_tracked(row: &RunRow) -> bool {
    row.external_id.is_some() && !matches!(row.state, RunState::Preparing | RunState::Submitting)
}

fn is_moving(state: RunState) -> bool {
    matches!(
        state,
        RunState::Queued | RunState::Starting | RunState::Restarting | RunState::Stopping
    )
}
