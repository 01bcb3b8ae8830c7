//! Savepoints of runs that go on, and what they share with stops that keep state: the order to
//! Flink, the look at what came of it, the record.

use super::{
    change::{Change, Proof},
    errand::{Errand, Next, There, Told, next, savepoints},
    restore::Found,
    start::steps,
    submit::{backoff, enter, finish, log},
};
use crate::{
    Error, Result, Service,
    audit::Entry,
    chaos::crash_point,
    clock::new_id,
    clusters::{Connection, hdfs_failure},
    reconcile::{Activation, Name},
    require,
};
use domain::{
    Action, Code, Engine, Failure, Kind, Millis, Viewer,
    id::{OperationId, RunId},
    operation::{Operation, OperationKind, OperationState, Step},
    restore::{SavepointFormat, SavepointRequest},
    run::{RunState, StopMode},
};
use flink::rest::{Error as RestError, Observation, Order, Progress};
use serde_json::json;
use std::time::Duration;
use store::{
    operations::{NewOperation, OperationRow},
    runs::RunRow,
};

const STEPS: [&str; 3] = ["ask", "savepoint", "record"];
/// Between looks at a savepoint that is being written. A look that learns nothing is not written.
pub(super) const POLL: Duration = Duration::from_millis(200);
/// After so long without a change an operation that is looked at all the time goes to the end of the
/// line, so that many of them hold up nobody.
const TURN_MS: Millis = 1_000;
/// A JobManager that takes longer is asked again; others wait as well.
const ENGINE_PATIENCE: Duration = Duration::from_secs(3);
/// The team's user's alone: a savepoint holds the job's data.
const OWN_DIRECTORY: u16 = 0o700;

/// What became of an order.
pub(super) enum Ordered {
    Accepted,
    /// It will never be taken as it is.
    Refused(Failure),
    /// Nobody knows, or not now.
    Doubt(String),
}

/// When an operation is looked at again.
pub(super) enum Pace {
    /// When it says so itself.
    Written,
    /// Soon; nothing was written.
    Poll,
}

impl Service {
    /// Asks for a savepoint of a run that goes on. Asked again while one is taken, it answers that one.
    pub async fn take_savepoint(
        &self,
        viewer: &Viewer,
        id: &RunId,
        request: SavepointRequest,
        key: Option<&str>,
    ) -> Result<Operation> {
        let format = request.format.unwrap_or(SavepointFormat::Canonical);
        let route = format!("savepoint {id} {}", format.name());
        if let Some(known) = self.remembered(viewer, key, &route).await? {
            return self
                .operation(viewer, &known.parse().map_err(Error::internal)?)
                .await;
        }
        // Somebody else may change the run in between; then look again.
        for _ in 0..20 {
            let shown = self.run(viewer, id).await?;
            require(viewer, Action::SavepointTake, &shown.team)?;
            if shown.state != RunState::Running {
                return Err(Failure::new(Code::NotInState)
                    .with("state", shown.state.name())
                    .into());
            }
            if let Some(operation) = self.request_savepoint(viewer, id, format, key, &route).await? {
                self.inner.board.wake(Name::Savepoint);
                return self.operation(viewer, &operation).await;
            }
        }
        Err(Code::DatabaseBusy.into())
    }

    async fn request_savepoint(
        &self,
        viewer: &Viewer,
        id: &RunId,
        format: SavepointFormat,
        key: Option<&str>,
        route: &str,
    ) -> Result<Option<OperationId>> {
        let now = self.now();
        let Some(row) = store::runs::row(self.db(), id).await? else {
            return Err(Error::not_found("run"));
        };
        can_be_saved(&row)?;
        let connection = self.connection(&row.cluster).await?;
        let mut tx = self.db().begin().await?;
        let Some(mut row) = store::runs::row(&mut tx, id).await? else {
            return Err(Error::not_found("run"));
        };
        if row.state != RunState::Running {
            return Ok(None);
        }
        let open = store::operations::open_for_run(&mut tx, id, OperationKind::Savepoint).await?;
        let known = open.is_some();
        let operation = match open {
            Some(open) => open.id,
            None => {
                let new = new_id!(OperationId, now);
                let mut errand = Errand::new(&connection, &row.hadoop_user, &new)?;
                errand.format = Some(format);
                let intent = NewOperation {
                    id: new,
                    kind: OperationKind::Savepoint,
                    run: Some(id.clone()),
                    environment: None,
                    cluster: Some(row.cluster.clone()),
                    team: Some(row.team.clone()),
                    phase: "ask".to_owned(),
                    data: serde_json::to_value(&errand).map_err(Error::internal)?,
                    steps: steps(&STEPS),
                    created_by: viewer.user.clone(),
                    created_at: now,
                    due_at: now,
                };
                store::operations::insert(&mut tx, &intent).await?;
                store::runs::set_to_collect(&mut tx, id).await?;
                intent.id
            }
        };
        if let Some(key) = key {
            store::idempotency::claim(&mut tx, &viewer.user, key, route, operation.as_str(), now).await?;
        }
        if !known {
            row.operation = Some(operation.clone());
            let proof = Proof {
                source: &viewer.name,
                note: Some("savepoint.requested"),
                evidence: None,
            };
            if !self
                .save_run(&mut tx, &mut row, Change::note("savepoint"), proof)
                .await?
            {
                return Ok(None);
            }
            let detail = json!({ "operation": operation, "format": format });
            let entry = Entry::by(
                viewer,
                Action::SavepointTake,
                id.as_str(),
                Some(&row.team),
                detail,
            );
            self.record(&mut tx, entry).await?;
        }
        crash_point!("savepoint.before_request_commit");
        tx.commit().await?;
        crash_point!("savepoint.requested");
        self.announce_run(&row);
        Ok(Some(operation))
    }

    pub(crate) async fn activate_savepoint(&self) -> Result<Activation> {
        let step = |service: Self, operation| async move {
            match service.step_savepoint(operation).await? {
                Pace::Written => {}
                Pace::Poll => tokio::time::sleep(POLL).await,
            }
            Ok(())
        };
        self.step_due(
            OperationKind::Savepoint,
            Name::Savepoint,
            &self.inner.saving,
            step,
        )
        .await
    }

    async fn step_savepoint(&self, mut operation: OperationRow) -> Result<Pace> {
        let Some(run) = &operation.run else {
            return Err(Error::internal("savepoint operation without a run"));
        };
        let Some(row) = store::runs::row(self.db(), run).await? else {
            return Err(Error::internal("savepoint operation of no run"));
        };
        let mut errand = Errand::of(&operation)?;
        let connection = self.connection(&row.cluster).await?;
        let now = self.now();
        let ended = row.state.is_terminal();
        let (told, there, found) = self.sight(&connection, &row, &errand, ended).await?;
        let step = next(&errand, ended, &told, &there, operation.created_at, now);
        tracing::debug!(run = %row.id, ?told, ?there, ?step, "savepoint");
        if matches!(told, Told::InProgress | Told::Taken) && !errand.confirmed {
            errand.confirmed = true;
            operation.state = OperationState::Running;
            operation.failure = None;
            enter(&mut operation.steps, "savepoint", now);
            if step == Next::Wait {
                return self.write_errand(operation, &row, &errand, 0).await;
            }
        }
        match step {
            Next::Order => {
                enter(&mut operation.steps, "ask", now);
                let ordered = self.order(&connection, &row, &mut errand).await?;
                match ordered {
                    Ordered::Accepted => {
                        errand.confirmed = true;
                        operation.state = OperationState::Running;
                        operation.failure = None;
                        operation.attempt = 0;
                        enter(&mut operation.steps, "savepoint", self.now());
                        self.write_errand(operation, &row, &errand, 100).await
                    }
                    Ordered::Refused(failure) => self.savepoint_failed(operation, row, failure).await,
                    Ordered::Doubt(reason) => self.doubt(operation, &row, &errand, reason).await,
                }
            }
            Next::Wait => match told {
                Told::InProgress => self.poll(operation, &row, &errand).await,
                Told::Silent(reason) => self.doubt(operation, &row, &errand, reason).await,
                Told::Taken | Told::Failed(_) | Told::Unknown => {
                    let reason = "HDFS does not tell what is in its directory".to_owned();
                    self.doubt(operation, &row, &errand, reason).await
                }
            },
            Next::Record => {
                enter(&mut operation.steps, "record", now);
                finish(&mut operation.steps, now);
                errand.recorded = true;
                operation.state = OperationState::Done;
                operation.failure = None;
                self.record_found(operation, row, &errand, &found, None).await
            }
            Next::Fail(failure) => self.savepoint_failed(operation, row, failure).await,
        }
    }

    /// What Flink says about the order and what lies in its directory. HDFS is asked only where it can
    /// tell more than Flink does.
    pub(super) async fn sight(
        &self,
        connection: &Connection,
        row: &RunRow,
        errand: &Errand,
        ended: bool,
    ) -> Result<(Told, There, Vec<Found>)> {
        let told = if ended {
            Told::Unknown
        } else {
            self.told(connection, row, errand).await
        };
        if told == Told::InProgress || (errand.recorded && !ended) {
            return Ok((told, There::NotAsked, Vec::new()));
        }
        let found = self.found_in(connection, &row.hadoop_user, &errand.path()?).await;
        Ok(match found {
            Ok(found) if found.is_empty() => (told, There::Empty, found),
            Ok(found) => (told, There::Found, found),
            Err(error) => {
                tracing::info!(run = %row.id, error = %error, "a savepoint's directory cannot be read");
                (told, There::Unclear, Vec::new())
            }
        })
    }

    async fn told(&self, connection: &Connection, row: &RunRow, errand: &Errand) -> Told {
        let (Some(rest), Some(job)) = (self.job_rest(connection, row, None), &row.engine_job_id) else {
            return Told::Silent("it has not registered yet".to_owned());
        };
        let asked = tokio::time::timeout(ENGINE_PATIENCE, rest.savepoint(job, &errand.trigger)).await;
        match asked {
            Err(_) => Told::Silent("no answer in time".to_owned()),
            Ok(Observation::Known(Progress::InProgress)) => Told::InProgress,
            Ok(Observation::Known(Progress::Taken(_))) => Told::Taken,
            Ok(Observation::Known(Progress::Failed(reason))) => Told::Failed(reason),
            Ok(Observation::Gone) => Told::Unknown,
            Ok(Observation::Inconclusive(error)) => Told::Silent(error.to_string()),
        }
    }

    /// Makes the directory and sends the order.
    pub(super) async fn order(
        &self,
        connection: &Connection,
        row: &RunRow,
        errand: &mut Errand,
    ) -> Result<Ordered> {
        if let Err(failure) = self.savepoint_dir(connection, row, errand).await? {
            return Ok(if failure.kind() == Kind::Unavailable {
                Ordered::Doubt(failure.to_string())
            } else {
                Ordered::Refused(failure)
            });
        }
        let (Some(rest), Some(job)) = (self.job_rest(connection, row, None), &row.engine_job_id) else {
            return Ok(Ordered::Doubt("it has not registered yet".to_owned()));
        };
        let directory = errand.path()?.to_hadoop(&connection.fs_default);
        let order = Order {
            trigger: &errand.trigger,
            directory: &directory,
            format: match errand.format {
                Some(SavepointFormat::Native) => "NATIVE",
                Some(SavepointFormat::Canonical) | None => "CANONICAL",
            },
        };
        errand.posts += 1;
        crash_point!("savepoint.before_post");
        let asked = match errand.mode {
            None => rest.take_savepoint(job, order).await,
            Some(mode) => {
                rest.stop_with_savepoint(job, order, mode == StopMode::Drain)
                    .await
            }
        };
        crash_point!("savepoint.after_post");
        Ok(match asked {
            Observation::Known(()) => Ordered::Accepted,
            Observation::Gone => Ordered::Doubt("the job is not known there".to_owned()),
            Observation::Inconclusive(RestError::Refused { status, reason, .. })
                if (400..500).contains(&status) && !matches!(status, 408 | 429) =>
            {
                Ordered::Refused(Failure::new(Code::SavepointFailed).with("reason", reason))
            }
            Observation::Inconclusive(error) => Ordered::Doubt(error.to_string()),
        })
    }

    async fn savepoint_dir(
        &self,
        connection: &Connection,
        row: &RunRow,
        errand: &Errand,
    ) -> Result<std::result::Result<(), Failure>> {
        let user = &row.hadoop_user;
        if let Err(failure) = self.ensure_team_dirs(connection, user).await {
            return Ok(Err(failure));
        }
        let own = errand.path()?;
        let levels = [savepoints(connection, user)?, own.clone()].map(|path| (path, OWN_DIRECTORY));
        let made = connection.hdfs_as(user).mkdirs_all(&levels).await;
        Ok(made.map_err(|error| hdfs_failure(connection, user, &own, &error)))
    }

    /// Writes the operation and comes back in `wait` milliseconds.
    pub(super) async fn write_errand(
        &self,
        mut operation: OperationRow,
        row: &RunRow,
        errand: &Errand,
        wait: Millis,
    ) -> Result<Pace> {
        operation.data = serde_json::to_value(errand).map_err(Error::internal)?;
        operation.due_at = self.now() + wait;
        let mut tx = self.db().begin().await?;
        if self.save_operation(&mut tx, &mut operation).await? {
            tx.commit().await?;
            self.announce_operation(&operation, row);
        }
        Ok(Pace::Written)
    }

    /// Looks again soon, and writes that only when others might have to wait for it.
    pub(super) async fn poll(&self, operation: OperationRow, row: &RunRow, errand: &Errand) -> Result<Pace> {
        if self.now() - operation.due_at >= TURN_MS {
            return self.write_errand(operation, row, errand, 0).await;
        }
        Ok(Pace::Poll)
    }

    pub(super) async fn doubt(
        &self,
        mut operation: OperationRow,
        row: &RunRow,
        errand: &Errand,
        reason: String,
    ) -> Result<Pace> {
        log(&mut operation, self.now(), reason);
        operation.state = OperationState::InDoubt;
        let wait = backoff(operation.attempt);
        operation.attempt += 1;
        self.write_errand(operation, row, errand, wait).await
    }

    /// Records what was found, with the operation's own end or next step. When somebody else changed the run in
    /// between, nothing is written and the next look does the same again.
    pub(super) async fn record_found(
        &self,
        mut operation: OperationRow,
        mut row: RunRow,
        errand: &Errand,
        found: &[Found],
        note: Option<&str>,
    ) -> Result<Pace> {
        operation.data = serde_json::to_value(errand).map_err(Error::internal)?;
        operation.attempt = 0;
        operation.due_at = self.now();
        crash_point!("savepoint.before_record");
        let mut tx = self.db().begin().await?;
        self.insert_found(
            &mut tx,
            &row,
            found,
            Some((&operation.id, errand.format.unwrap_or(SavepointFormat::Canonical))),
        )
        .await?;
        let evidence = found.first().map(
            |found| json!({ "path": found.path, "size": found.size, "completed_at": found.completed_at }),
        );
        let proof = Proof {
            source: "flink",
            note: Some(note.unwrap_or("savepoint.taken")),
            evidence,
        };
        if self.save_operation(&mut tx, &mut operation).await?
            && self
                .save_run(&mut tx, &mut row, Change::note("savepoint"), proof)
                .await?
        {
            tx.commit().await?;
            crash_point!("savepoint.recorded");
            self.announce_operation(&operation, &row);
            self.announce_run(&row);
        }
        Ok(Pace::Written)
    }

    /// Tells that there is no savepoint; the run stays as it is.
    async fn savepoint_failed(
        &self,
        mut operation: OperationRow,
        mut row: RunRow,
        failure: Failure,
    ) -> Result<Pace> {
        let now = self.now();
        operation.state = OperationState::Failed;
        operation.failure = Some(failure.clone());
        fail_step(&mut operation.steps, now);
        log(&mut operation, now, failure.to_string());
        crash_point!("savepoint.before_fail");
        let mut tx = self.db().begin().await?;
        let proof = Proof {
            source: "flink",
            note: Some("savepoint.failed"),
            evidence: Some(json!({ "failure": failure })),
        };
        if self.save_operation(&mut tx, &mut operation).await?
            && self
                .save_run(&mut tx, &mut row, Change::note("savepoint"), proof)
                .await?
        {
            tx.commit().await?;
            self.announce_operation(&operation, &row);
            self.announce_run(&row);
        }
        Ok(Pace::Written)
    }
}

/// Only a job whose id is known for sure can be told to keep its state: a script of several batch jobs
/// has none to keep.
pub(super) fn can_be_saved(row: &RunRow) -> Result<()> {
    if row.engine_job_id.is_some() {
        return Ok(());
    }
    let engine = row.kind.engine();
    if engine != Engine::Flink {
        return Err(Failure::new(Code::NotOfEngine)
            .with("engine", engine.label())
            .with("what", "savepoint")
            .into());
    }
    Err(Failure::new(Code::FieldInvalid)
        .with("field", "mode")
        .with("reason", "execution.runtime-mode = batch")
        .into())
}

/// The step that was under way is where it went wrong.
pub(super) fn fail_step(steps: &mut [Step], now: Millis) {
    if let Some(step) = steps.iter_mut().find(|s| s.state == OperationState::Running) {
        step.state = OperationState::Failed;
        step.ended_at = Some(now);
    }
}
