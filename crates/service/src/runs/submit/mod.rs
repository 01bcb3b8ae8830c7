//! The submit reconciler: brings each wanted run to exactly one application.
//!
//! The order that makes it exact: the application id and the body are committed before the first
//! POST; whatever happens then, the next look asks the ResourceManager about that id and about the
//! run's tag before anything is sent again. What may be concluded from an answer stands in
//! [`super::decide`]; this file observes and acts.

mod allocate;
mod end;
mod post;
mod settle;
mod write;

pub(crate) use write::{after_failure, backoff, enter, finish, log};

use super::{
    decide::{self, Next, Phase, Seen, Submission},
    plan::run_tag,
};
use crate::{
    Error, Result, Service,
    clusters::Connection,
    reconcile::{Activation, Name},
};
use domain::{Millis, operation::OperationKind};
use hadoop::{ApplicationId, Observation, rm::AppQuery};
use std::time::Duration;
use store::{operations::OperationRow, runs::RunRow};

/// How long after a POST the first look follows.
const LOOK_MS: Millis = 80;

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
    pub(super) async fn look(&self, connection: &Connection, row: &RunRow, submission: &Submission) -> Seen {
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
}
