//! The submit reconciler: brings each wanted run to exactly one application.
//!
//! The order that makes it exact: the application id and the body are committed before the first
//! POST; whatever happens then, the next look asks the ResourceManager about that id and about the
//! run's tag before anything is sent again. What may be concluded from an answer stands in
//! [`super::decide`]; this file observes and acts.

use super::{
    change::{Change, Proof},
    decide::{self, Next, Phase, Seen, Submission},
    plan::run_tag,
    stop::ended_by_request,
};
use crate::{
    Error, Result, Service,
    chaos::crash_point,
    clusters::{Connection, rm_failure},
    reconcile::{Activation, Name},
};
use domain::{
    Code, Failure, Kind, Millis,
    operation::{LogLine, OperationKind, OperationState, Step},
    run::{Requested, RunState},
};
use hadoop::{ApplicationId, Observation, rm::AppQuery, types::AppState};
use serde_json::json;
use std::time::Duration;
use store::{operations::OperationRow, runs::RunRow};

/// How long trouble that may pass is waited out before nothing was sent yet.
const PATIENCE_MS: Millis = 10 * 60_000;
/// How many POSTs may be answered with a server's error before the submission is given up.
const MAX_POSTS: u32 = 8;
/// How long after a POST the first look follows, and later ones at most.
const LOOK_MS: Millis = 80;
const MAX_LOOK_MS: Millis = 5_000;
/// Lines of an operation's log that are kept.
const MAX_LOG: usize = 200;

/// Applications a ResourceManager remembers unless configured otherwise.
const REMEMBERED: i64 = 1000;

impl Service {
    pub(crate) async fn activate_submit(&self) -> Result<Activation> {
        let step = |service: Self, operation| async move { service.step_submit(operation).await };
        self.step_due(OperationKind::Submit, Name::Submit, &self.inner.submitting, step)
            .await
    }

    /// How long until the next operation of a kind is due.
    pub(crate) async fn until_due(&self, kind: OperationKind) -> Result<Duration> {
        let next = store::operations::next_due(self.db(), kind).await?;
        let wait = next.map_or(30_000, |due| (due - self.now()).clamp(10, 30_000));
        Ok(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
    }

    async fn step_submit(&self, mut operation: OperationRow) -> Result<()> {
        let Some(run) = &operation.run else {
            return Err(Error::internal("submit operation without a run"));
        };
        let Some(mut row) = store::runs::row(self.db(), run).await? else {
            return Err(Error::internal("submit operation of no run"));
        };
        let phase = Phase::from_name(&operation.phase).ok_or_else(|| Error::internal("unknown phase"))?;
        let mut submission: Submission =
            serde_json::from_value(operation.data.clone()).map_err(Error::internal)?;
        if phase == Phase::Intent {
            return self.allocate(&mut operation, &mut row, &mut submission).await;
        }
        let connection = self.connection(&row.cluster).await?;
        let seen = self.look(&connection, &row, &submission).await;
        let next = decide::next(phase, &submission, &seen, self.now());
        tracing::debug!(run = %row.id, phase = phase.name(), ?seen, ?next, "submission");
        match next {
            Next::Allocate => self.allocate(&mut operation, &mut row, &mut submission).await,
            Next::Post => {
                self.post(&connection, &mut operation, &mut row, &mut submission)
                    .await
            }
            Next::Confirm { application, state } => {
                self.confirm(&mut operation, &mut row, &application, state).await
            }
            Next::Burn => {
                self.burn(&connection, &mut operation, &mut row, &mut submission)
                    .await
            }
            Next::Kill { application } => {
                self.kill_found(&connection, &row, &application).await;
                self.later(&mut operation, &mut row, &submission, 500).await
            }
            Next::GiveUp => self.give_up(&mut operation, &mut row, &submission).await,
            Next::Wait => {
                let absent = matches!(seen, Seen::Absent { .. });
                submission.absences = if absent { submission.absences + 1 } else { 0 };
                let wait = if matches!(seen, Seen::Known { .. }) {
                    LOOK_MS
                } else {
                    backoff(operation.attempt)
                };
                self.later(&mut operation, &mut row, &submission, wait).await
            }
        }
    }

    /// Asks the ResourceManager about the id, then about the tag. Absence counts only from an active
    /// one that could answer both.
    async fn look(&self, connection: &Connection, row: &RunRow, submission: &Submission) -> Seen {
        let rm = connection.rm_as(&row.hadoop_user);
        let id: Option<ApplicationId> = submission.application.as_deref().and_then(|id| id.parse().ok());
        if let Some(id) = id {
            match rm.observe(id).await {
                Observation::Known(app) => {
                    return Seen::Known {
                        application: app.id.to_string(),
                        state: app.state,
                    };
                }
                Observation::Gone => {}
                Observation::Inconclusive(_) => return Seen::Inconclusive,
            }
        }
        let Ok(tagged) = rm.apps_by_tag(&run_tag(&row.id), &AppQuery::default()).await else {
            return Seen::Inconclusive;
        };
        // A killed id of an earlier round carries the tag as well and is not the run.
        let found = tagged
            .items
            .iter()
            .find(|app| !submission.burnt.contains(&app.id.to_string()));
        if let Some(app) = found {
            return Seen::Known {
                application: app.id.to_string(),
                state: app.state,
            };
        }
        if tagged.unreadable > 0 {
            return Seen::Inconclusive;
        }
        match (rm.cluster_info().await, rm.metrics().await) {
            (Ok(info), Ok(metrics)) => Seen::Absent {
                rm_started_on: info.started_on,
                ended: metrics.apps_completed + metrics.apps_failed + metrics.apps_killed,
            },
            _ => Seen::Inconclusive,
        }
    }

    /// Plans the launch, makes sure its files are there, takes an id and commits all of it; then posts.
    async fn allocate(
        &self,
        operation: &mut OperationRow,
        row: &mut RunRow,
        submission: &mut Submission,
    ) -> Result<()> {
        crash_point!("submit.intent");
        let started = self.now();
        operation.state = OperationState::Running;
        enter(&mut operation.steps, "plan", started);
        let connection = self.connection(&row.cluster).await?;
        let prepared = async {
            let planned = self.plan_run(row).await?;
            let planned_at = self.now();
            self.ensure_files(&connection, &planned).await?;
            Ok::<_, Error>((planned, planned_at))
        };
        let (planned, planned_at) = match prepared.await {
            Ok(done) => done,
            Err(error) => return self.trouble(operation, row, submission, &error).await,
        };
        enter(&mut operation.steps, "ensure_files", planned_at);
        crash_point!("submit.files_ensured");
        let rm = connection.rm_as(&row.hadoop_user);
        let told = |error: hadoop::Error| Error::from(rm_failure(&connection, &row.hadoop_user, &error));
        let issued = async {
            let new = rm.new_application().await.map_err(told)?;
            let most = new.maximum_resource_capability;
            if most.memory > 0 && planned.preview.memory_mb > most.memory {
                let failure = Failure::new(Code::ResourceTooLarge).with("resource", "memory");
                return Err(failure
                    .with("asked", format!("{} MiB", planned.preview.memory_mb))
                    .with("max", format!("{} MiB", most.memory))
                    .into());
            }
            let info = rm.cluster_info().await.map_err(told)?;
            let metrics = rm.metrics().await.map_err(told)?;
            Ok((new.application_id, info.started_on, metrics))
        };
        let (application, rm_started_on, metrics) = match issued.await {
            Ok(done) => done,
            Err(error) => return self.trouble(operation, row, submission, &error).await,
        };
        let body = match planned.body(application) {
            Ok(body) => body,
            // The same every time: tried again, it would take one id after the other.
            Err(error) => return self.fail(operation, row, error.failure, json!({})).await,
        };
        crash_point!("submit.id_issued");
        submission.application = Some(application.to_string());
        submission.rm_started_on = rm_started_on;
        submission.ended_at_issue = metrics.apps_completed + metrics.apps_failed + metrics.apps_killed;
        submission.remembered = self.remembered_by(&connection).await;
        submission.posts = 0;
        submission.refused = None;
        submission.trouble_since = None;
        operation.phase = Phase::Submitting.name().to_owned();
        operation.failure = None;
        row.external_id = Some(application.to_string());
        row.engine_job_id = planned.engine_job_id.clone();
        row.launch = Some(serde_json::to_value(&planned.preview).map_err(Error::internal)?);
        row.prepared = Some(json!({ "body": body }));
        row.staging = Some(planned.staging.clone());
        row.failure = None;
        // The POST follows in the same breath, so it is counted in the same commit.
        self.post_body(
            &connection,
            operation,
            row,
            submission,
            body,
            Some(RunState::Submitting),
        )
        .await
    }

    async fn remembered_by(&self, connection: &Connection) -> i64 {
        let configured = connection
            .rm()
            .conf_value("yarn.resourcemanager.max-completed-applications")
            .await;
        configured
            .ok()
            .flatten()
            .and_then(|text| text.trim().parse().ok())
            .filter(|n| *n > 0)
            .unwrap_or(REMEMBERED)
    }

    async fn post(
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
    async fn post_body(
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
                self.refine_denied(connection, flink::cause::refused(message))
                    .await
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

    /// The application is there for good: from here the tracker watches it.
    async fn confirm(
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
    async fn burn(
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

    async fn kill_found(&self, connection: &Connection, row: &RunRow, application: &str) {
        if let Ok(id) = application.parse() {
            // Nothing is concluded from the answer: the next look tells.
            crash_point!("submit.before_kill");
            let _ = connection.rm_as(&row.hadoop_user).kill(id).await;
            crash_point!("submit.after_kill");
        }
    }

    /// A submission that was stopped or refused in doubt is proved not to exist.
    async fn give_up(
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
    async fn trouble(
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

    async fn fail(
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

    /// Keeps what was learnt and comes back in `wait` milliseconds.
    async fn later(
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
    async fn commit_both(
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
