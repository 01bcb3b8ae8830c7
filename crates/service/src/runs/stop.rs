//! Stopping a run: asked for at once, done when the ResourceManager says that it has ended.

use super::{
    change::{Change, Proof},
    decide::Phase,
    errand::Errand,
    savepoint::{POLL, Pace, can_be_saved},
    start::steps,
    submit::{backoff, enter, finish, log},
};
use crate::{
    Error, Result, Service,
    audit::Entry,
    chaos::crash_point,
    clock::new_id,
    clusters::rm_failure,
    reconcile::{Activation, Name},
};
use domain::{
    Action, Code, Failure, Kind, Viewer,
    id::{OperationId, RunId},
    operation::{Operation, OperationKind, OperationState},
    run::{Requested, RunState, StopMode, StopRequest},
};
use serde_json::json;
use store::{
    operations::{NewOperation, OperationRow},
    runs::RunRow,
};

const STEPS: [&str; 2] = ["ask", "await"];
const KEEPING_STEPS: [&str; 3] = ["ask", "savepoint", "await"];
/// How often a stop that is refused is tried before it is told as failed. A kill nobody answers is tried
/// until somebody does.
const MAX_ATTEMPTS: i64 = 60;
/// Between looks while the end is awaited.
const AWAIT_MS: i64 = 400;

/// Whether somebody asked the console to end the run.
pub(crate) fn ended_by_request(row: &RunRow) -> bool {
    matches!(row.requested, Some(Requested::Kill | Requested::Cancel))
}

impl Service {
    /// Asks for the end of a run. Asked again, it answers the stop that is under way; a kill overtakes
    /// a cancel.
    pub async fn stop_run(
        &self,
        viewer: &Viewer,
        id: &RunId,
        request: StopRequest,
        key: Option<&str>,
    ) -> Result<Operation> {
        request.check()?;
        let route = match request.deadline_s {
            None => format!("stop {id} {}", request.mode.name()),
            Some(seconds) => format!("stop {id} {} {seconds}", request.mode.name()),
        };
        if let Some(known) = self.remembered(viewer, key, &route).await? {
            return self
                .operation(viewer, &known.parse().map_err(Error::internal)?)
                .await;
        }
        // Somebody else may change the run or its submission in between; then look again.
        for _ in 0..20 {
            let shown = self.run(viewer, id).await?;
            if !viewer.may_own(
                Action::RunStopOwn,
                Action::RunStopAny,
                &shown.team,
                &shown.created_by,
            ) {
                return Err(Error::forbidden(Action::RunStopAny));
            }
            if shown.state.is_terminal() {
                return Err(Failure::new(Code::RunEnded)
                    .with("state", shown.state.name())
                    .into());
            }
            // What was asked for already is answered with the stop that is under way.
            let asked = shown.requested == Some(request.mode.requested());
            let engine = shown.kind.engine();
            if !StopMode::of(engine).contains(&request.mode) {
                return Err(Failure::new(Code::NotOfEngine)
                    .with("engine", engine.label())
                    .with("what", request.mode.name())
                    .into());
            }
            if !asked && !shown.state.stop_modes_of(engine).contains(&request.mode) {
                return Err(Failure::new(Code::NotInState)
                    .with("state", shown.state.name())
                    .into());
            }
            if let Some(operation) = self.request_stop(viewer, id, request, key, &route).await? {
                self.inner.board.wake(Name::Submit);
                self.inner.board.wake(Name::Stop);
                return self.operation(viewer, &operation).await;
            }
        }
        Err(Code::DatabaseBusy.into())
    }

    async fn request_stop(
        &self,
        viewer: &Viewer,
        id: &RunId,
        request: StopRequest,
        key: Option<&str>,
        route: &str,
    ) -> Result<Option<OperationId>> {
        let now = self.now();
        let Some(row) = store::runs::row(self.db(), id).await? else {
            return Err(Error::not_found("run"));
        };
        if request.mode.keeps_state() {
            can_be_saved(&row)?;
        }
        let connection = self.connection(&row.cluster).await?;
        let mut tx = self.db().begin().await?;
        let Some(mut row) = store::runs::row(&mut tx, id).await? else {
            return Err(Error::not_found("run"));
        };
        if row.state.is_terminal() {
            return Ok(None);
        }
        let open = store::operations::open_for_run(&mut tx, id, OperationKind::Stop).await?;
        let mut mode = request.mode;
        let operation = match open {
            Some(mut open) => {
                // What lies in its directory is recorded all the same.
                let mut errand = Errand::of(&open)?;
                let current = errand.mode.unwrap_or(StopMode::Kill);
                if mode.overtakes(current) {
                    errand.mode = Some(mode);
                    open.data = serde_json::to_value(&errand).map_err(Error::internal)?;
                    open.steps = steps(&STEPS);
                    open.due_at = now;
                    open.attempt = 0;
                    if !self.save_operation(&mut tx, &mut open).await? {
                        return Ok(None);
                    }
                } else {
                    mode = current;
                }
                open.id
            }
            // It changed since it was looked at.
            None if !row.state.stop_modes_of(row.kind.engine()).contains(&mode) => return Ok(None),
            None => {
                let new = new_id!(OperationId, now);
                let (data, names) = if mode.keeps_state() {
                    let errand = Errand::new(&connection, &row.hadoop_user, &new)?;
                    let errand = errand.stopping(request, now);
                    let data = serde_json::to_value(&errand).map_err(Error::internal)?;
                    store::runs::set_to_collect(&mut tx, id).await?;
                    (data, &KEEPING_STEPS[..])
                } else {
                    (json!({ "mode": mode }), &STEPS[..])
                };
                let new = NewOperation {
                    id: new,
                    kind: OperationKind::Stop,
                    run: Some(id.clone()),
                    environment: None,
                    cluster: Some(row.cluster.clone()),
                    team: Some(row.team.clone()),
                    phase: "ask".to_owned(),
                    data,
                    steps: steps(names),
                    created_by: viewer.user.clone(),
                    created_at: now,
                    due_at: now,
                };
                store::operations::insert(&mut tx, &new).await?;
                new.id
            }
        };
        if let Some(key) = key {
            store::idempotency::claim(&mut tx, &viewer.user, key, route, operation.as_str(), now).await?;
        }
        let requested = mode.requested();
        if row.requested != Some(requested) {
            row.requested = Some(requested);
            row.requested_at = Some(now);
        }
        let submit = store::operations::open_for_run(&mut tx, id, OperationKind::Submit).await?;
        let mut change = Change::note("requested");
        if let Some(mut submit) = submit {
            match Phase::from_name(&submit.phase) {
                // Nothing was sent, and with this commit nothing ever will be.
                Some(Phase::Intent) => {
                    submit.state = OperationState::Done;
                    finish(&mut submit.steps, now);
                    row.failure = None;
                    change = Change::state(&mut row, RunState::Cancelled, now);
                }
                Some(Phase::Submitting) => {
                    submit.phase = Phase::Abandoning.name().to_owned();
                    submit.due_at = now;
                }
                Some(Phase::Abandoning | Phase::Durable) | None => {}
            }
            if !self.save_operation(&mut tx, &mut submit).await? {
                return Ok(None);
            }
        }
        row.operation = Some(operation.clone());
        let note = match request.mode {
            StopMode::Savepoint => "stop.savepoint_requested",
            StopMode::Drain => "stop.drain_requested",
            StopMode::Cancel => "stop.cancel_requested",
            StopMode::Kill => "stop.kill_requested",
        };
        let proof = Proof {
            source: &viewer.name,
            note: Some(note),
            evidence: None,
        };
        if !self.save_run(&mut tx, &mut row, change, proof).await? {
            return Ok(None);
        }
        let action = if row.created_by == viewer.user {
            Action::RunStopOwn
        } else {
            Action::RunStopAny
        };
        self.record(
            &mut tx,
            Entry::by(
                viewer,
                action,
                id.as_str(),
                Some(&row.team),
                json!({ "mode": request.mode, "deadline_s": request.deadline_s }),
            ),
        )
        .await?;
        crash_point!("stop.before_request_commit");
        tx.commit().await?;
        crash_point!("stop.requested");
        self.announce_run(&row);
        Ok(Some(operation))
    }

    pub(crate) async fn activate_stop(&self) -> Result<Activation> {
        let step = |service: Self, operation| async move {
            match service.step_stop(operation).await? {
                Pace::Written => {}
                Pace::Poll => tokio::time::sleep(POLL).await,
            }
            Ok(())
        };
        self.step_due(OperationKind::Stop, Name::Stop, &self.inner.stopping, step)
            .await
    }

    async fn step_stop(&self, mut operation: OperationRow) -> Result<Pace> {
        let Some(run) = &operation.run else {
            return Err(Error::internal("stop operation without a run"));
        };
        let Some(row) = store::runs::row(self.db(), run).await? else {
            return Err(Error::internal("stop operation of no run"));
        };
        let now = self.now();
        let mode = Errand::of(&operation)?.mode.unwrap_or(StopMode::Kill);
        if mode.keeps_state() {
            return self.step_kept_stop(operation, row).await;
        }
        if row.state.is_terminal() {
            crash_point!("stop.before_done");
            operation.state = OperationState::Done;
            operation.failure = None;
            finish(&mut operation.steps, now);
            return self.write_stop(operation, &row).await;
        }
        // While the submission is open it is the one who kills: it alone knows which ids there are.
        let submitting = store::operations::open_for_run(self.db(), &row.id, OperationKind::Submit)
            .await?
            .is_some();
        let application = row.external_id.as_deref().and_then(|id| id.parse().ok());
        let (Some(application), false) = (application, submitting) else {
            operation.due_at = now + AWAIT_MS;
            return self.write_stop(operation, &row).await;
        };
        operation.state = OperationState::Running;
        enter(&mut operation.steps, "ask", now);
        crash_point!("stop.before_ask");
        let connection = self.connection(&row.cluster).await?;
        let asked = match mode {
            StopMode::Kill => match connection.rm_as(&row.hadoop_user).kill(application).await {
                Ok(killed) => Ok(killed.done),
                // Forgotten means ended; the tracker finds out how.
                Err(hadoop::Error::NotFound { .. }) => Ok(true),
                Err(error) => Err(rm_failure(&connection, &row.hadoop_user, &error)),
            },
            StopMode::Savepoint | StopMode::Drain | StopMode::Cancel => {
                self.cancel_job(&connection, &row).await.map(|()| false)
            }
        };
        crash_point!("stop.after_ask");
        match asked {
            Ok(ended) => {
                enter(&mut operation.steps, "await", now);
                operation.failure = None;
                operation.due_at = now + if ended { AWAIT_MS } else { AWAIT_MS * 2 };
                operation.attempt = 0;
                self.inner.board.wake(Name::Track);
            }
            Err(failure) => {
                log(&mut operation, now, failure.to_string());
                operation.due_at = now + backoff(operation.attempt);
                operation.attempt += 1;
                let answers = mode == StopMode::Cancel || failure.kind() != Kind::Unavailable;
                if answers && operation.attempt >= MAX_ATTEMPTS {
                    operation.state = OperationState::Failed;
                    return self.stop_failed(operation, row, failure).await;
                }
                operation.failure = Some(failure);
            }
        }
        self.write_stop(operation, &row).await
    }

    /// Tells that a stop did not work; the run goes on as it is, and may be stopped again.
    async fn stop_failed(
        &self,
        mut operation: OperationRow,
        mut row: RunRow,
        failure: Failure,
    ) -> Result<Pace> {
        operation.failure = Some(Failure::new(Code::StopRefused).with("reason", &failure));
        row.requested = None;
        row.requested_at = None;
        let mut tx = self.db().begin().await?;
        let proof = Proof {
            source: "console",
            note: Some("stop.failed"),
            evidence: Some(json!({ "failure": failure })),
        };
        if self.save_operation(&mut tx, &mut operation).await?
            && self
                .save_run(&mut tx, &mut row, Change::note("stop"), proof)
                .await?
        {
            tx.commit().await?;
            self.announce_run(&row);
        }
        Ok(Pace::Written)
    }

    async fn write_stop(&self, mut operation: OperationRow, row: &RunRow) -> Result<Pace> {
        let mut tx = self.db().begin().await?;
        if self.save_operation(&mut tx, &mut operation).await? {
            tx.commit().await?;
            self.announce_operation(&operation, row);
        }
        Ok(Pace::Written)
    }

    pub(super) fn announce_operation(&self, operation: &OperationRow, row: &RunRow) {
        self.inner.bus.send(domain::event::Event {
            topic: domain::event::Topic::Operation,
            id: operation.id.to_string(),
            team: Some(row.team.clone()),
            job: Some(row.job.to_string()),
            version: operation.row_version,
        });
    }
}
