//! The POST itself, and what its answer means.

use super::{LOOK_MS, backoff, enter, log};
use crate::{
    Error, Result, Service,
    chaos::crash_point,
    clusters::{Connection, rm_failure},
    runs::{
        change::{Change, Proof},
        decide::Submission,
    },
};
use domain::{Engine, operation::OperationState, run::RunState};
use serde_json::json;
use store::{operations::OperationRow, runs::RunRow};

/// How many POSTs may be answered with a server's error before the submission is given up.
const MAX_POSTS: u32 = 8;

impl Service {
    pub(super) async fn post(
        &self,
        connection: &Connection,
        operation: &mut OperationRow,
        row: &mut RunRow,
        submission: &mut Submission,
    ) -> Result<()> {
        let body = row
            .prepared
            .as_ref()
            .and_then(|p| p.get("body"))
            .and_then(|b| b.as_str())
            .map(str::to_owned);
        let Some(body) = body else {
            return Err(Error::internal("submission without a body"));
        };
        self.post_body(connection, operation, row, submission, body, None)
            .await
    }

    /// Commits that a POST is about to be sent, sends it, and looks at once.
    pub(super) async fn post_body(
        &self,
        connection: &Connection,
        operation: &mut OperationRow,
        row: &mut RunRow,
        submission: &mut Submission,
        body: String,
        to: Option<RunState>,
    ) -> Result<()> {
        let now = self.now();
        submission.posts += 1;
        submission.last_post_at = now;
        submission.absences = 0;
        enter(&mut operation.steps, "post", now);
        operation.data = serde_json::to_value(&*submission).map_err(Error::internal)?;
        operation.due_at = now + LOOK_MS;
        let change = match to {
            Some(state) => Change::state(row, state, now),
            None => Change::note("submit"),
        };
        let evidence = json!({ "application": submission.application, "post": submission.posts });
        let proof = Proof {
            source: "console",
            note: Some("submit.posting"),
            evidence: Some(evidence),
        };
        if !self.commit_both(operation, row, change, proof).await? {
            return Ok(());
        }
        crash_point!("submit.before_post");
        let posted = connection.rm_as(&row.hadoop_user).submit(body).await;
        crash_point!("submit.after_post");
        let Err(error) = posted else {
            enter(&mut operation.steps, "confirm", self.now());
            operation.attempt = 0;
            // The state is new for some 100 ms; waiting here would hold up the others.
            return self.later(operation, row, submission, LOOK_MS).await;
        };
        let failure = match &error {
            hadoop::Error::BadRequest { message } => {
                let refused = match row.kind.engine() {
                    Engine::Flink => flink::cause::refused(message),
                    Engine::Spark => spark::cause::refused(message),
                };
                self.refine_denied(connection, refused).await
            }
            error => rm_failure(connection, &row.hadoop_user, error),
        };
        tracing::info!(run = %row.id, error = %error, in_doubt = error.is_in_doubt(), "submission was not answered with 202");
        let unclear = error.is_in_doubt();
        let answered = matches!(
            error,
            hadoop::Error::Remote { .. } | hadoop::Error::InvalidAnswer { .. }
        );
        let enough = answered && submission.posts >= MAX_POSTS;
        let refused = enough || !(unclear || error.is_transient());
        if refused && !unclear && submission.posts <= 1 {
            let evidence = json!({ "answer": error.to_string() });
            return self.fail(operation, row, failure, evidence).await;
        }
        log(operation, self.now(), error.to_string());
        operation.failure = Some(failure.clone());
        let wait = backoff(operation.attempt);
        if !refused && !unclear {
            return self.later(operation, row, submission, wait).await;
        }
        // A refusal says nothing about an earlier POST that was not answered: it may arrive yet. Only
        // its proved absence ends the run.
        if refused {
            submission.refused = Some(failure);
        }
        row.in_doubt_since.get_or_insert(now);
        operation.data = serde_json::to_value(&*submission).map_err(Error::internal)?;
        operation.state = OperationState::InDoubt;
        operation.due_at = self.now() + wait;
        operation.attempt += 1;
        let proof = Proof {
            source: "console",
            note: Some("submit.in_doubt"),
            evidence: Some(json!({ "error": error.to_string() })),
        };
        self.commit_both(operation, row, Change::note("in_doubt"), proof)
            .await?;
        Ok(())
    }
}
