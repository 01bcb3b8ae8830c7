//! Stops that keep state: Flink takes a savepoint and ends the job behind it. If it does not within
//! the time that was given, the run goes on and nothing is ended.

use super::{
    change::{Change, Proof},
    errand::{Errand, Next, Told, next},
    savepoint::{Ordered, Pace, fail_step},
    submit::{enter, finish, log},
};
use crate::{Result, Service, chaos::crash_point, reconcile::Name};
use domain::{
    Code, Failure, Millis,
    operation::OperationState,
    run::{Requested, RunState},
};
use serde_json::json;
use store::{operations::OperationRow, runs::RunRow};

/// Between looks at a run whose savepoint is recorded.
const AWAIT_MS: Millis = 300;

impl Service {
    pub(super) async fn step_kept_stop(&self, mut operation: OperationRow, row: RunRow) -> Result<Pace> {
        let mut errand = Errand::of(&operation)?;
        let connection = self.connection(&row.cluster).await?;
        let now = self.now();
        let ended = row.state.is_terminal();
        if ended && errand.recorded {
            crash_point!("savepoint.before_stop_done");
            operation.state = OperationState::Done;
            operation.failure = None;
            finish(&mut operation.steps, now);
            return self.write_errand(operation, &row, &errand, 0).await;
        }
        let (told, there, found) = self.sight(&connection, &row, &errand, ended).await?;
        let step = next(&errand, ended, &told, &there, operation.created_at, now);
        tracing::debug!(run = %row.id, ?told, ?there, ?step, "stop that keeps state");
        let has_it = matches!(told, Told::InProgress | Told::Taken);
        if has_it && !errand.confirmed && matches!(step, Next::Wait) {
            return self.accepted(operation, row, errand).await;
        }
        match step {
            Next::Order => {
                enter(&mut operation.steps, "ask", now);
                match self.order(&connection, &row, &mut errand).await? {
                    Ordered::Accepted => self.accepted(operation, row, errand).await,
                    Ordered::Refused(failure) => self.give_up_stop(operation, row, failure).await,
                    Ordered::Doubt(reason) => self.doubt(operation, &row, &errand, reason).await,
                }
            }
            Next::Wait if errand.recorded => {
                self.inner.board.wake(Name::Track);
                self.write_errand(operation, &row, &errand, AWAIT_MS).await
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
                errand.confirmed = true;
                errand.recorded = true;
                operation.state = OperationState::Running;
                operation.failure = None;
                enter(&mut operation.steps, "await", now);
                self.record_found(operation, row, &errand, &found, Some("stop.savepoint_taken"))
                    .await
            }
            Next::Fail(failure) => self.give_up_stop(operation, row, failure).await,
        }
    }

    /// Flink has the order: the run is stopping.
    async fn accepted(
        &self,
        mut operation: OperationRow,
        mut row: RunRow,
        mut errand: Errand,
    ) -> Result<Pace> {
        let now = self.now();
        errand.confirmed = true;
        operation.state = OperationState::Running;
        operation.failure = None;
        operation.attempt = 0;
        operation.due_at = now + 100;
        operation.data = serde_json::to_value(&errand).map_err(crate::Error::internal)?;
        enter(&mut operation.steps, "savepoint", now);
        let change = match row.state {
            RunState::Starting | RunState::Running | RunState::Restarting => {
                Change::state(&mut row, RunState::Stopping, now)
            }
            RunState::Preparing
            | RunState::Submitting
            | RunState::Queued
            | RunState::Stopping
            | RunState::Finished
            | RunState::Cancelled
            | RunState::Killed
            | RunState::Failed
            | RunState::LostTrack => Change::note("stop"),
        };
        let proof = Proof {
            source: "flink",
            note: Some("stop.savepoint_accepted"),
            evidence: Some(json!({ "trigger": errand.trigger, "directory": errand.directory })),
        };
        let mut tx = self.db().begin().await?;
        if self.save_operation(&mut tx, &mut operation).await?
            && self.save_run(&mut tx, &mut row, change, proof).await?
        {
            tx.commit().await?;
            self.announce_operation(&operation, &row);
            self.announce_run(&row);
        }
        Ok(Pace::Written)
    }

    /// Tells that the stop did not work. A run that has not ended goes on as it is: nobody wants its
    /// end any more, and it may be asked for again.
    async fn give_up_stop(
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
        if matches!(row.requested, Some(Requested::Savepoint | Requested::Drain)) {
            row.requested = None;
            row.requested_at = None;
        }
        let note = if failure.code == Code::StopDeadline {
            "stop.deadline"
        } else {
            "stop.failed"
        };
        let proof = Proof {
            source: "console",
            note: Some(note),
            evidence: Some(json!({ "failure": failure })),
        };
        crash_point!("savepoint.before_stop_fail");
        let mut tx = self.db().begin().await?;
        if self.save_operation(&mut tx, &mut operation).await?
            && self
                .save_run(&mut tx, &mut row, Change::note("stop"), proof)
                .await?
        {
            tx.commit().await?;
            self.announce_operation(&operation, &row);
            self.announce_run(&row);
            self.inner.board.wake(Name::Track);
        }
        Ok(Pace::Written)
    }
}
