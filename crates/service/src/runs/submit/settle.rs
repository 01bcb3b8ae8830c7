//! What becomes of an id: confirmed, given up for another, killed.

use super::{LOOK_MS, backoff, finish, log};
use crate::{
    Result, Service,
    chaos::crash_point,
    clusters::Connection,
    reconcile::Name,
    runs::{
        change::{Change, Proof},
        decide::{Phase, Seen, Submission},
    },
};
use domain::{
    operation::OperationState,
    run::{Requested, RunState},
};
use hadoop::{ApplicationId, types::AppState};
use serde_json::json;
use store::{operations::OperationRow, runs::RunRow};

impl Service {
    /// The application is there for good: from here the tracker watches it.
    pub(super) async fn confirm(
        &self,
        operation: &mut OperationRow,
        row: &mut RunRow,
        application: &str,
        state: AppState,
    ) -> Result<()> {
        let now = self.now();
        operation.phase = Phase::Durable.name().to_owned();
        operation.state = OperationState::Done;
        operation.failure = None;
        finish(&mut operation.steps, now);
        row.external_id = Some(application.to_owned());
        row.in_doubt_since = None;
        row.observed_at = Some(now);
        row.observed_by = Some("rm".to_owned());
        row.attempts = row.attempts.max(1);
        row.failure = None;
        if row.requested == Some(Requested::Start) {
            (row.requested, row.requested_at) = (None, None);
        }
        // The tracker finds out how far it has come; queued is what is proved.
        let change = Change::state(row, RunState::Queued, now);
        let evidence = json!({ "application": application, "state": state.name() });
        let proof = Proof {
            source: "rm",
            note: Some("submit.accepted"),
            evidence: Some(evidence),
        };
        crash_point!("submit.before_confirm");
        if self.commit_both(operation, row, change, proof).await? {
            crash_point!("submit.after_confirm");
            self.inner.board.wake(Name::Track);
            self.inner.board.wake(Name::Stop);
        }
        Ok(())
    }

    /// Gives up an id whose fate cannot be proved: kill it, look for the tag again, and only then take
    /// a new one.
    pub(super) async fn burn(
        &self,
        connection: &Connection,
        operation: &mut OperationRow,
        row: &mut RunRow,
        submission: &mut Submission,
    ) -> Result<()> {
        let rm = connection.rm_as(&row.hadoop_user);
        let id: Option<ApplicationId> = submission.application.as_deref().and_then(|id| id.parse().ok());
        if let Some(id) = id {
            match rm.kill(id).await {
                Ok(_) | Err(hadoop::Error::NotFound { .. }) => {}
                Err(_) => {
                    return self
                        .later(operation, row, submission, backoff(operation.attempt))
                        .await;
                }
            }
            crash_point!("submit.burn_killed");
            submission.burnt.push(id.to_string());
        }
        match self.look(connection, row, submission).await {
            Seen::Absent { .. } => {}
            Seen::Known { application, .. } => {
                submission.application = Some(application);
                submission.burnt.clear();
                return self.later(operation, row, submission, LOOK_MS).await;
            }
            Seen::Inconclusive => {
                submission.burnt.pop();
                return self
                    .later(operation, row, submission, backoff(operation.attempt))
                    .await;
            }
        }
        log(
            operation,
            self.now(),
            format!(
                "gave up {} and took a new id",
                submission.application.as_deref().unwrap_or("-")
            ),
        );
        submission.application = None;
        self.allocate(operation, row, submission).await
    }

    pub(super) async fn kill_found(&self, connection: &Connection, row: &RunRow, application: &str) {
        if let Ok(id) = application.parse() {
            // Nothing is concluded from the answer: the next look tells.
            crash_point!("submit.before_kill");
            let _ = connection.rm_as(&row.hadoop_user).kill(id).await;
            crash_point!("submit.after_kill");
        }
    }
}
