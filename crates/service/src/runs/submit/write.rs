//! How the state of an operation and its run is written down.

use crate::{
    Error, Result, Service,
    runs::{
        change::{Change, Proof},
        decide::Submission,
    },
};
use domain::{
    Millis,
    operation::{LogLine, OperationState, Step},
};
use std::time::Duration;
use store::{operations::OperationRow, runs::RunRow};

/// Longest time between two looks.
const MAX_LOOK_MS: Millis = 5_000;
/// Lines of an operation's log that are kept.
const MAX_LOG: usize = 200;

impl Service {
    /// Keeps what was learnt and comes back in `wait` milliseconds.
    pub(super) async fn later(
        &self,
        operation: &mut OperationRow,
        row: &mut RunRow,
        submission: &Submission,
        wait: Millis,
    ) -> Result<()> {
        operation.data = serde_json::to_value(submission).map_err(Error::internal)?;
        operation.due_at = self.now() + wait;
        operation.attempt += 1;
        if row.failure.is_some() {
            let expected = row.row_version;
            let mut tx = self.db().begin().await?;
            if self.save_operation(&mut tx, operation).await?
                && store::runs::update(&mut tx, row, expected).await?
            {
                tx.commit().await?;
                row.row_version = expected + 1;
                self.announce_run(row);
            }
            return Ok(());
        }
        let mut tx = self.db().begin().await?;
        if self.save_operation(&mut tx, operation).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Writes operation and run together. `false`: somebody else, for example a stop, came first; the
    /// next activation sees what they wrote.
    pub(super) async fn commit_both(
        &self,
        operation: &mut OperationRow,
        row: &mut RunRow,
        change: Change,
        proof: Proof<'_>,
    ) -> Result<bool> {
        let mut tx = self.db().begin().await?;
        if !self.save_operation(&mut tx, operation).await?
            || !self.save_run(&mut tx, row, change, proof).await?
        {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit().await?;
        self.announce_run(row);
        Ok(true)
    }
}

/// How long a reconciler rests after a step that could not even be written down: it is due still, and
/// would be tried without a pause.
pub(crate) fn after_failure(next: Duration, failed: bool) -> Duration {
    if failed {
        next.max(Duration::from_secs(1))
    } else {
        next
    }
}

/// Milliseconds until the next look: doubling from 250 ms to [`MAX_LOOK_MS`].
pub(crate) fn backoff(attempt: i64) -> Millis {
    (250i64 << attempt.clamp(0, 10)).min(MAX_LOOK_MS)
}

/// Ends the step before and begins `name`.
pub(crate) fn enter(steps: &mut [Step], name: &str, now: Millis) {
    for step in steps.iter_mut() {
        if step.name == name {
            if step.state != OperationState::Running {
                step.state = OperationState::Running;
                step.started_at.get_or_insert(now);
            }
            return;
        }
        if step.state != OperationState::Done {
            step.state = OperationState::Done;
            step.started_at.get_or_insert(now);
            step.ended_at = Some(now);
        }
    }
}

pub(crate) fn finish(steps: &mut [Step], now: Millis) {
    for step in steps.iter_mut().filter(|s| s.state != OperationState::Done) {
        step.state = OperationState::Done;
        step.started_at.get_or_insert(now);
        step.ended_at = Some(now);
    }
}

/// Adds a line; the oldest go when there are too many, and a repeated line is not repeated.
pub(crate) fn log(operation: &mut OperationRow, at: Millis, text: String) {
    if operation.log.last().is_some_and(|last| last.text == text) {
        return;
    }
    if operation.log.len() >= MAX_LOG {
        operation.log.remove(0);
    }
    operation.log.push(LogLine { at, text });
}
