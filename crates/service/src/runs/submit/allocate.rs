//! Everything a submission needs before its first POST.

use super::enter;
use crate::{
    Error, Result, Service,
    chaos::crash_point,
    clusters::{Connection, rm_failure},
    runs::decide::{Phase, Submission},
};
use domain::{Code, Failure, operation::OperationState, run::RunState};
use serde_json::json;
use store::{operations::OperationRow, runs::RunRow};

/// Applications a ResourceManager remembers unless configured otherwise.
const REMEMBERED: i64 = 1000;

impl Service {
    /// Plans the launch, makes sure its files are there, takes an id and commits all of it; then posts.
    pub(super) async fn allocate(
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
            if most.memory > 0 && planned.largest_mb > most.memory {
                let failure = Failure::new(Code::ResourceTooLarge).with("resource", "memory");
                return Err(failure
                    .with("asked", format!("{} MiB", planned.largest_mb))
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
}
