//! Starting a run: an intent and nothing else. The reconciler does the rest.

use super::decide::{Phase, Submission};
use crate::{
    Error, Result, Service, audit::Entry, chaos::crash_point, clock::new_id, clusters::same_queue,
    reconcile::Name, require,
};
use domain::{
    Action, Code, Failure, Viewer,
    cluster::Grant,
    event::{Event, Topic},
    id::{ClusterId, JobId, OperationId, RunId, TeamId},
    operation::{OperationKind, OperationState, Step},
    run::{Run, StartRequest},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Constraint,
    operations::NewOperation,
    runs::{NewRunEvent, NewRunRow},
};

/// Steps of a submission, as they are shown.
pub(crate) const STEPS: [&str; 4] = ["plan", "ensure_files", "post", "confirm"];

pub(crate) fn steps(names: &[&str]) -> Vec<Step> {
    names
        .iter()
        .map(|name| Step {
            name: (*name).to_owned(),
            state: OperationState::Pending,
            started_at: None,
            ended_at: None,
            progress: None,
        })
        .collect()
}

/// What an idempotency key stands for: the same start of the same job.
fn route(id: &JobId, request: &StartRequest) -> Result<String> {
    let plain = StartRequest {
        version: request.version,
        ..StartRequest::default()
    };
    let version = request.version.unwrap_or(0);
    if request == &plain {
        return Ok(format!("start {id} {version}"));
    }
    let all = serde_json::to_vec(request).map_err(Error::internal)?;
    let digest = hex::encode(&Sha256::digest(all)[..16]);
    Ok(format!("start {id} {version} {digest}"))
}

impl Service {
    /// Starts a version of a job. With an idempotency key, the same call again answers the same run.
    pub async fn start_run(
        &self,
        viewer: &Viewer,
        id: &JobId,
        request: StartRequest,
        key: Option<&str>,
    ) -> Result<Run> {
        let job = store::jobs::get(self.db(), &viewer.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("job"))?;
        require(viewer, Action::RunStart, &job.team)?;
        let number = request.version.unwrap_or(job.version);
        let version = store::jobs::version(self.db(), id, number)
            .await?
            .ok_or_else(|| Error::not_found("version"))?;
        let route = route(id, &request)?;
        if let Some(run) = self.remembered(viewer, key, &route).await? {
            return self.run(viewer, &run.parse().map_err(Error::internal)?).await;
        }
        let spec = &version.spec;
        let cluster = store::clusters::by_code(self.db(), &viewer.scope(), &spec.cluster)
            .await?
            .ok_or_else(|| Failure::new(Code::ClusterNotAllowed).with("cluster", &spec.cluster))?;
        let grant = self
            .grant(&cluster.id, &cluster.code, &job.team, &spec.queue)
            .await?;
        let environment = store::environments::get(self.db(), &viewer.scope(), &spec.environment)
            .await?
            .ok_or_else(|| Error::not_found("environment"))?;
        let restored_from = self
            .chosen_state(
                viewer,
                &job,
                &cluster.id,
                &grant.hadoop_user,
                &environment,
                &request,
            )
            .await?;
        let now = self.now();
        let (run, operation) = (new_id!(RunId, now), new_id!(OperationId, now));
        let row = NewRunRow {
            id: run.clone(),
            job: id.clone(),
            version: number,
            team: job.team.clone(),
            cluster: cluster.id.clone(),
            environment: environment.id,
            snapshot: environment.snapshot,
            queue: spec.queue.clone(),
            hadoop_user: grant.hadoop_user,
            tick_ms: i64::try_from(self.inner.config.tick.as_millis()).unwrap_or(i64::MAX),
            engine_job_id: None,
            restored_from: restored_from.clone(),
            created_by: viewer.user.clone(),
            created_at: now,
            operation: Some(operation.clone()),
        };
        let intent = NewOperation {
            id: operation,
            kind: OperationKind::Submit,
            run: Some(run.clone()),
            environment: None,
            cluster: Some(cluster.id),
            team: Some(job.team.clone()),
            phase: Phase::Intent.name().to_owned(),
            data: serde_json::to_value(Submission::default()).map_err(Error::internal)?,
            steps: steps(&STEPS),
            created_by: viewer.user.clone(),
            created_at: now,
            due_at: now,
        };
        let mut tx = self.db().begin().await?;
        if let Some(key) = key
            && !store::idempotency::claim(&mut tx, &viewer.user, key, &route, run.as_str(), now).await?
        {
            // The twin of this call came first; its transaction has ended, so its run can be read.
            tx.rollback().await?;
            let kept = self
                .remembered(viewer, Some(key), &route)
                .await?
                .ok_or(Code::IdempotencyMismatch)?;
            return self.run(viewer, &kept.parse().map_err(Error::internal)?).await;
        }
        self.hold_state(&mut tx, restored_from.as_ref()).await?;
        match store::runs::insert(&mut tx, &row).await {
            Err(error) if error.constraint() == Some(Constraint::OpenRun) => {
                tx.rollback().await?;
                let open = store::runs::open_row_of_job(self.db(), id).await?;
                let shown = open.map_or_else(|| "-".to_owned(), |row| row.id.to_string());
                return Err(Failure::new(Code::RunOpen).with("run", shown).into());
            }
            other => other?,
        }
        store::operations::insert(&mut tx, &intent).await?;
        let event = NewRunEvent {
            at: now,
            kind: "requested".to_owned(),
            from: None,
            to: None,
            source: viewer.name.clone(),
            note: Some("start.requested".to_owned()),
            evidence: None,
        };
        store::runs::append_event(&mut tx, &run, &event).await?;
        let detail = json!({ "job": id, "version": number, "queue": spec.queue, "cluster": spec.cluster,
            "restored_from": restored_from, "without_state": request.without_state });
        self.record(
            &mut tx,
            Entry::by(viewer, Action::RunStart, run.as_str(), Some(&job.team), detail),
        )
        .await?;
        crash_point!("start.before_commit");
        tx.commit().await?;
        crash_point!("start.requested");
        self.inner.board.wake(Name::Submit);
        self.inner.bus.send(Event {
            topic: Topic::Run,
            id: run.to_string(),
            team: Some(job.team),
            job: Some(id.to_string()),
            version: 1,
        });
        self.run(viewer, &run).await
    }

    /// What an earlier call with the key made; a failure when the key was used for something else.
    pub(crate) async fn remembered(
        &self,
        viewer: &Viewer,
        key: Option<&str>,
        route: &str,
    ) -> Result<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        domain::validate::line("Idempotency-Key", key, 200)?;
        match store::idempotency::find(self.db(), &viewer.user, key).await? {
            None => Ok(None),
            Some(known) if known.route == route => Ok(Some(known.object)),
            Some(_) => Err(Code::IdempotencyMismatch.into()),
        }
    }

    /// What the team may use of the cluster; fails when the queue is not among it.
    pub(crate) async fn grant(
        &self,
        cluster: &ClusterId,
        code: &str,
        team: &TeamId,
        queue: &str,
    ) -> Result<Grant> {
        let grants = store::clusters::grants(self.db(), cluster).await?;
        let grant = grants
            .into_iter()
            .find(|grant| &grant.team == team)
            .ok_or_else(|| Failure::new(Code::ClusterNotAllowed).with("cluster", code))?;
        if grant.queues.iter().any(|have| same_queue(have, queue)) {
            Ok(grant)
        } else {
            Err(Failure::new(Code::QueueNotAllowed)
                .with("queue", queue)
                .with("allowed", grant.queues.join(", "))
                .into())
        }
    }
}
