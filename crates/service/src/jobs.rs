//! Jobs: definitions and their versions.

use crate::{Error, Result, Service, audit::Entry, clock::new_id, require};
use domain::{
    Action, Code, Failure, Viewer,
    artifact::{Artifact, ArtifactKind},
    event::{Event, Topic},
    id::{ArtifactId, ClusterId, JobId, TeamId},
    job::{Job, JobRow, JobSpec, JobUpdate, JobVersion, LaunchPreview, NewJob},
    validate::{Checks, FieldFailure},
};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    Constraint,
    jobs::{JobChange, NewJobRow},
};

impl Service {
    /// Every job the viewer sees, the last changed first.
    pub async fn jobs(&self, viewer: &Viewer) -> Result<Vec<JobRow>> {
        self.rows(viewer, None).await
    }

    /// The rows of these jobs; those the viewer may not see, or that are gone, are left out.
    pub async fn job_rows(&self, viewer: &Viewer, ids: &[JobId]) -> Result<Vec<JobRow>> {
        self.rows(viewer, Some(ids)).await
    }

    async fn rows(&self, viewer: &Viewer, ids: Option<&[JobId]>) -> Result<Vec<JobRow>> {
        let mut rows = store::jobs::rows(self.db(), &viewer.scope(), ids).await?;
        rows.iter_mut()
            .filter_map(|row| row.run.as_mut())
            .for_each(|run| self.refresh(run));
        Ok(rows)
    }

    pub async fn job(&self, viewer: &Viewer, id: &JobId) -> Result<Job> {
        let mut job = store::jobs::get(self.db(), &viewer.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("job"))?;
        require(viewer, Action::JobRead, &job.team)?;
        if let Some(run) = &mut job.run {
            self.refresh(run);
        }
        Ok(job)
    }

    pub async fn job_versions(&self, viewer: &Viewer, id: &JobId) -> Result<Vec<JobVersion>> {
        self.job(viewer, id).await?;
        Ok(store::jobs::versions(self.db(), &viewer.scope(), id).await?)
    }

    /// Creates a job. With an idempotency key, the same call again answers the same job.
    pub async fn create_job(&self, viewer: &Viewer, new: NewJob, key: Option<&str>) -> Result<Job> {
        let team = team_of(viewer, new.team.as_ref())?;
        require(viewer, Action::JobWrite, &team)?;
        if let Some(known) = self.remembered(viewer, key, "create job").await? {
            return self.job(viewer, &known.parse().map_err(Error::internal)?).await;
        }
        let cluster = self.check_spec(viewer, &team, &new.spec).await?;
        let now = self.now();
        let row = NewJobRow {
            id: new_id!(JobId, now),
            team,
            cluster,
            spec: new.spec,
            created_by: viewer.user.clone(),
            created_at: now,
        };
        let mut tx = self.db().begin().await?;
        if let Some(key) = key
            && !store::idempotency::claim(&mut tx, &viewer.user, key, "create job", row.id.as_str(), now)
                .await?
        {
            tx.rollback().await?;
            let kept = self
                .remembered(viewer, Some(key), "create job")
                .await?
                .ok_or(Code::IdempotencyMismatch)?;
            return self.job(viewer, &kept.parse().map_err(Error::internal)?).await;
        }
        store::jobs::insert(&mut tx, &row)
            .await
            .map_err(|error| taken(error, &row.spec.name))?;
        let detail = json!({ "name": row.spec.name, "kind": row.spec.kind, "version": 1 });
        self.record(
            &mut tx,
            Entry::by(viewer, Action::JobWrite, row.id.as_str(), Some(&row.team), detail),
        )
        .await?;
        tx.commit().await?;
        self.announce_job(&row.id, &row.team, 1);
        self.prepare_soon(&row.id, &row.team, 1);
        self.job(viewer, &row.id).await
    }

    /// Saves a new version of a job.
    pub async fn update_job(&self, viewer: &Viewer, id: &JobId, update: JobUpdate) -> Result<Job> {
        let job = self.job(viewer, id).await?;
        require(viewer, Action::JobWrite, &job.team)?;
        let conflict = |current: i64| {
            Failure::new(Code::EditConflict)
                .with("current", current)
                .with("yours", update.base_version)
        };
        if job.version != update.base_version {
            return Err(conflict(job.version).into());
        }
        if job.spec.kind != update.spec.kind {
            return Err(Failure::new(Code::FieldInvalid)
                .with("field", "kind")
                .with("reason", job.spec.kind.name())
                .into());
        }
        let cluster = self.check_spec(viewer, &job.team, &update.spec).await?;
        let change = JobChange {
            cluster,
            spec: update.spec.clone(),
            by: viewer.user.clone(),
            at: self.now(),
        };
        let mut tx = self.db().begin().await?;
        match store::jobs::update(&mut tx, id, update.base_version, &change).await {
            Ok(true) => {}
            Ok(false) => return Err(conflict(self.job(viewer, id).await?.version).into()),
            Err(error) if error.constraint() == Some(Constraint::JobVersion) => {
                return Err(conflict(update.base_version + 1).into());
            }
            Err(error) => return Err(taken(error, &change.spec.name)),
        }
        let version = update.base_version + 1;
        let detail = json!({ "name": change.spec.name, "version": version });
        self.record(
            &mut tx,
            Entry::by(viewer, Action::JobWrite, id.as_str(), Some(&job.team), detail),
        )
        .await?;
        tx.commit().await?;
        self.announce_job(id, &job.team, version);
        self.prepare_soon(id, &job.team, version);
        self.job(viewer, id).await
    }

    /// Removes a job from the lists; its runs and their history stay.
    pub async fn delete_job(&self, viewer: &Viewer, id: &JobId) -> Result<()> {
        let job = self.job(viewer, id).await?;
        require(viewer, Action::JobDelete, &job.team)?;
        let mut tx = self.db().begin().await?;
        if !store::jobs::delete(&mut tx, id, self.now()).await? {
            let shown = job.run.map_or_else(|| "-".to_owned(), |run| run.id.to_string());
            return Err(Failure::new(Code::RunOpen).with("run", shown).into());
        }
        self.record(
            &mut tx,
            Entry::by(
                viewer,
                Action::JobDelete,
                id.as_str(),
                Some(&job.team),
                json!({ "name": job.spec.name }),
            ),
        )
        .await?;
        tx.commit().await?;
        self.announce_job(id, &job.team, -1);
        Ok(())
    }

    /// What is wrong with a definition, field by field; nothing is saved.
    pub async fn check_job(&self, viewer: &Viewer, new: NewJob) -> Result<Vec<FieldFailure>> {
        let team = team_of(viewer, new.team.as_ref())?;
        require(viewer, Action::JobWrite, &team)?;
        match self.check_spec(viewer, &team, &new.spec).await {
            Ok(_) => Ok(Vec::new()),
            Err(error) if !error.fields.is_empty() => Ok(error.fields),
            Err(error) => Err(error),
        }
    }

    /// What a start of the job's newest version would submit.
    pub async fn preview_job(&self, viewer: &Viewer, id: &JobId) -> Result<LaunchPreview> {
        let job = self.job(viewer, id).await?;
        self.preview(viewer, &job.team, &job.spec).await
    }

    /// What a definition that need not be saved would submit.
    pub async fn preview_spec(&self, viewer: &Viewer, new: NewJob) -> Result<LaunchPreview> {
        let team = team_of(viewer, new.team.as_ref())?;
        require(viewer, Action::JobWrite, &team)?;
        self.check_spec(viewer, &team, &new.spec).await?;
        self.preview(viewer, &team, &new.spec).await
    }

    /// Checks a definition against what exists and what the team may use; answers its cluster.
    async fn check_spec(&self, viewer: &Viewer, team: &TeamId, spec: &JobSpec) -> Result<ClusterId> {
        Error::check(spec.check())?;
        let refuse = |field: &str, failure: Failure| {
            Error::check(vec![FieldFailure {
                field: field.to_owned(),
                failure,
            }])
            .err()
        };
        let cluster = store::clusters::by_code(self.db(), &viewer.scope(), &spec.cluster).await?;
        let Some(cluster) = cluster else {
            let failure = Failure::new(Code::ClusterNotAllowed).with("cluster", &spec.cluster);
            return Err(refuse("cluster", failure).unwrap_or_else(|| Error::not_found("cluster")));
        };
        if let Err(error) = self.grant(&cluster.id, &cluster.code, team, &spec.queue).await {
            return Err(refuse("queue", error.failure.clone()).unwrap_or(error));
        }
        let environment = store::environments::get(self.db(), &viewer.scope(), &spec.environment).await?;
        let environment = environment.filter(|env| env.team.as_ref().is_none_or(|owner| owner == team));
        let Some(environment) = environment else {
            return Err(refuse(
                "environment",
                Failure::new(Code::NotFound).with("what", "environment"),
            )
            .unwrap_or_else(|| Error::not_found("environment")));
        };
        if environment.engine != spec.kind.engine() {
            let failure = Failure::new(Code::EnvironmentEngine)
                .with("environment", &environment.name)
                .with("engine", environment.engine.label())
                .with("kind", spec.kind.label());
            return Err(refuse("environment", failure).unwrap_or_else(|| Error::not_found("environment")));
        }
        let failures = self.check_artifacts(viewer, team, spec).await?;
        Error::check(failures)?;
        Ok(cluster.id)
    }

    /// What is wrong with the uploaded files a definition names.
    async fn check_artifacts(
        &self,
        viewer: &Viewer,
        team: &TeamId,
        spec: &JobSpec,
    ) -> Result<Vec<FieldFailure>> {
        let mut checks = Checks::default();
        let missing = || Err(Failure::new(Code::NotFound).with("what", "artifact"));
        let unusable = |artifact: &Artifact, expected: &str| {
            Err(Failure::new(Code::ArtifactUnusable)
                .with("name", &artifact.name)
                .with("expected", expected))
        };
        let known = async |id: &ArtifactId| {
            let found = store::artifacts::get(self.db(), &viewer.scope(), id).await?;
            Ok::<_, Error>(found.filter(|found| &found.team == team))
        };
        if let (Some(id), Some(wanted)) = (&spec.artifact, spec.kind.program()) {
            match known(id).await? {
                None => checks.take("artifact", missing()),
                Some(artifact) if artifact.kind() != Some(wanted) => {
                    let expected = if wanted.is_python() { ".py" } else { ".jar" };
                    checks.take("artifact", unusable(&artifact, expected));
                }
                Some(artifact) => {
                    let lacks_class = wanted == ArtifactKind::Jar
                        && spec.main_class.is_none()
                        && artifact.manifest_class.is_none();
                    if lacks_class {
                        checks.take("main_class", Err(Failure::new(Code::FieldRequired)));
                    }
                }
            }
        }
        let mut names = BTreeSet::new();
        for id in &spec.dependencies {
            let result = match known(id).await? {
                None => missing(),
                Some(artifact) if !artifact.kind().is_some_and(|kind| spec.kind.takes(kind)) => {
                    let python = spec.kind.takes(ArtifactKind::Python);
                    unusable(
                        &artifact,
                        if python {
                            ".jar, .py, .zip, .egg, .whl"
                        } else {
                            ".jar"
                        },
                    )
                }
                Some(artifact) if !names.insert(artifact.name.clone()) => {
                    Err(Failure::new(Code::NameTaken).with("name", &artifact.name))
                }
                Some(_) => Ok(()),
            };
            checks.take("dependencies", result);
        }
        Ok(checks.0)
    }

    fn announce_job(&self, id: &JobId, team: &TeamId, version: i64) {
        self.inner.bus.send(Event {
            topic: Topic::Job,
            id: id.to_string(),
            team: Some(team.clone()),
            job: Some(id.to_string()),
            version,
        });
    }
}

/// The team something new belongs to: the named one, or the only one of the viewer.
pub(crate) fn team_of(viewer: &Viewer, named: Option<&TeamId>) -> Result<TeamId> {
    match (named, viewer.teams.as_slice()) {
        (Some(team), _) => Ok(team.clone()),
        (None, [only]) => Ok(only.team.clone()),
        (None, _) => Err(Failure::new(Code::FieldRequired).with("field", "team").into()),
    }
}

fn taken(error: store::Error, name: &str) -> Error {
    if error.constraint() == Some(Constraint::JobName) {
        let failure = Failure::new(Code::NameTaken).with("name", name);
        return Error::check(vec![FieldFailure {
            field: "name".to_owned(),
            failure,
        }])
        .err()
        .unwrap_or_else(|| error.into());
    }
    error.into()
}
