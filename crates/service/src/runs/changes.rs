//! What differs between a run and the last of its job that worked.

use crate::{Result, Service};
use domain::{
    Viewer,
    changes::{self, Change, RunChanges, WorkedRun},
    id::RunId,
    job::{JobSpec, LaunchPreview},
    page::MAX_LIMIT,
    run::{Run, RunQuery, RunState},
};

impl Service {
    /// Compares a run with the last one before it that worked: that came to its end, or ran until
    /// somebody ended it. Looks back over as many as a page of runs may hold.
    pub async fn run_changes(&self, viewer: &Viewer, id: &RunId) -> Result<RunChanges> {
        let run = self.run(viewer, id).await?;
        let query = RunQuery {
            job: Some(run.job.clone()),
            states: vec![RunState::Finished, RunState::Cancelled],
            limit: MAX_LIMIT,
            after: Some(run.id.to_string()),
            ..RunQuery::default()
        };
        let before = self.runs(viewer, query).await?.items;
        let Some(worked) = before
            .into_iter()
            .find(|run| run.started_at.is_some() || run.state == RunState::Finished)
        else {
            return Ok(RunChanges {
                since: None,
                definition: Vec::new(),
                launch: Vec::new(),
            });
        };
        let mut definition = around(&worked, &run);
        if worked.version != run.version {
            let before = self.version_of(&worked).await?;
            let after = self.version_of(&run).await?;
            if let (Some(before), Some(after)) = (before, after) {
                definition.extend(changes::of_specs(&before, &after));
            }
        }
        let before = self.launch_without_names(viewer, &worked).await?;
        let after = self.launch_without_names(viewer, &run).await?;
        let launch = match (before, after) {
            (Some(before), Some(after)) => changes::of_launches(&before, &after),
            // A run that never got as far has nothing to compare.
            _ => Vec::new(),
        };
        Ok(RunChanges {
            since: Some(WorkedRun {
                id: worked.id,
                version: worked.version,
                created_at: worked.created_at,
            }),
            definition,
            launch,
        })
    }

    async fn version_of(&self, run: &Run) -> Result<Option<JobSpec>> {
        let version = store::jobs::version(self.db(), &run.job, run.version).await?;
        Ok(version.map(|version| version.spec))
    }

    /// What was sent, with what names the run in it left out: that differs every time.
    async fn launch_without_names(&self, viewer: &Viewer, run: &Run) -> Result<Option<LaunchPreview>> {
        let Some(launch) = store::runs::launch(self.db(), &viewer.scope(), &run.id).await? else {
            return Ok(None);
        };
        let id = run.id.as_str();
        let mut text = launch.to_string().replace(id, "{run}");
        text = text.replace(&super::plan::flink::job_id(id), "{job}");
        if let Some(application) = &run.external_id {
            text = text.replace(application, "{application}");
        }
        let mut launch: LaunchPreview = serde_json::from_str(&text).map_err(crate::Error::internal)?;
        // Named after their content, which is told above.
        launch.files.retain(|file| !file.uri.contains("/prepared/"));
        Ok(Some(launch))
    }
}

/// What a run is pinned to beside its definition.
fn around(before: &Run, after: &Run) -> Vec<Change> {
    let facts = |run: &Run| {
        [
            ("version", run.version.to_string()),
            ("environment", run.environment_name.clone()),
            ("snapshot", run.snapshot.to_string()),
            ("cluster", run.cluster_code.clone()),
        ]
    };
    let pairs = facts(before).into_iter().zip(facts(after));
    pairs
        .filter(|(before, after)| before != after)
        .map(|((path, before), (_, after))| Change::of(path, Some(&before), Some(&after)))
        .collect()
}
