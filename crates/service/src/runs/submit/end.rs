//! Submissions that come to nothing.

use super::{backoff, finish, log};
use crate::{
    Error, Result, Service,
    chaos::crash_point,
    reconcile::Name,
    runs::{
        change::{Change, Proof},
        decide::Submission,
        stop::ended_by_request,
    },
};
use domain::{Failure, Kind, Millis, operation::OperationState, run::RunState};
use serde_json::json;
use store::{operations::OperationRow, runs::RunRow};

/// How long trouble that may pass is waited out before nothing was sent yet.
const PATIENCE_MS: Millis = 10 * 60_000;

impl Service {
    /// A submission that was stopped or refused in doubt is proved not to exist.
    pub(super) async fn give_up(
        &self,
        operation: &mut OperationRow,
        row: &mut RunRow,
        submission: &Submission,
    ) -> Result<()> {
        let now = self.now();
        crash_point!("submit.before_give_up");
        if let Some(failure) = submission.refused.clone().filter(|_| !ended_by_request(row)) {
            let evidence = json!({ "application": submission.application, "absent": true });
            return self.fail(operation, row, failure, evidence).await;
        }
        operation.state = OperationState::Done;
        finish(&mut operation.steps, now);
        let change = Change::state(row, RunState::Cancelled, now);
        if self
            .commit_both(
                operation,
                row,
                change,
                Proof {
                    source: "rm",
                    note: Some("submit.never_arrived"),
                    evidence: None,
                },
            )
            .await?
        {
            self.inner.board.wake(Name::Stop);
        }
        Ok(())
    }

    /// Trouble before anything was sent: what may pass is waited out, the rest ends the run.
    pub(super) async fn trouble(
        &self,
        operation: &mut OperationRow,
        row: &mut RunRow,
        submission: &mut Submission,
        error: &Error,
    ) -> Result<()> {
        let now = self.now();
        let since = *submission.trouble_since.get_or_insert(now);
        if error.failure.kind() == Kind::Unavailable && now - since < PATIENCE_MS {
            row.failure = Some(error.failure.clone());
            operation.failure = Some(error.failure.clone());
            log(operation, now, error.failure.to_string());
            let wait = backoff(operation.attempt);
            return self.later(operation, row, submission, wait).await;
        }
        if let Some(cause) = error.cause() {
            tracing::error!(run = %row.id, cause, "a launch could not be prepared");
        }
        self.fail(operation, row, error.failure.clone(), json!({})).await
    }

    pub(super) async fn fail(
        &self,
        operation: &mut OperationRow,
        row: &mut RunRow,
        failure: Failure,
        evidence: serde_json::Value,
    ) -> Result<()> {
        let now = self.now();
        crash_point!("submit.before_fail");
        operation.state = OperationState::Failed;
        operation.failure = Some(failure.clone());
        if let Some(step) = operation
            .steps
            .iter_mut()
            .find(|s| s.state == OperationState::Running)
        {
            step.state = OperationState::Failed;
            step.ended_at = Some(now);
        }
        log(operation, now, failure.to_string());
        row.failure = Some(failure);
        let to = if ended_by_request(row) {
            RunState::Cancelled
        } else {
            RunState::Failed
        };
        let change = Change::state(row, to, now);
        if self
            .commit_both(
                operation,
                row,
                change,
                Proof {
                    source: "console",
                    note: Some("submit.failed"),
                    evidence: Some(evidence),
                },
            )
            .await?
        {
            self.inner.board.wake(Name::Stop);
        }
        Ok(())
    }
}
