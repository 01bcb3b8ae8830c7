//! Turns a job version into what is sent to the cluster, and makes sure that its files are there.
//!
//! Everything that does not depend on the run is placed when a job is saved and only looked at when
//! it starts: one listing for the environment, one look each for the configuration, the program and
//! the log settings.

pub(super) mod flink;
mod spark;

use crate::{
    Error, Result, Service,
    clusters::Connection,
    environments::{Content, MTIME},
    reconcile::{Activation, Name},
};
use bytes::Bytes;
use domain::{
    Code, Engine, Failure, Viewer,
    artifact::{Artifact, ArtifactKind},
    environment::Snapshot,
    id::{ArtifactId, DeploymentId, JobId, RunId, TeamId},
    job::{JobSpec, LaunchPreview},
    restore::RestoredFrom,
};
use hadoop::{
    ApplicationId, HdfsPath,
    xml::{PlacedFile, Visibility},
};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use store::runs::RunRow;

/// Files of a team's user are its own.
const OWN_FILE: u16 = 0o600;
const PUBLIC_FILE: u16 = 0o644;
/// Saved jobs that wait to be prepared; the oldest go, since a start prepares as well.
const MAX_WAITING: usize = 256;

/// The tag of every application of this console.
pub(crate) fn deployment_tag(deployment: &DeploymentId) -> String {
    format!("penstock-{deployment}")
}

/// The tag of a run's application.
pub(crate) fn run_tag(run: &RunId) -> String {
    format!("penstock-run-{run}")
}

/// A file a launch needs, and where its content comes from when it is missing.
enum Source {
    Memory(Bytes),
    Artifact {
        path: PathBuf,
        sha256: String,
        name: String,
    },
}

struct Needed {
    path: HdfsPath,
    user: String,
    mode: u16,
    size: u64,
    source: Source,
}

enum Launch {
    Flink(Box<::flink::Launch>),
    Spark(Box<::spark::Launch>),
}

/// Files of a launch beside those of the environment.
struct Files {
    engine: Engine,
    snapshot: Snapshot,
    own: Vec<Needed>,
    user: String,
}

/// A launch that lacks only the application id.
pub(crate) struct Planned {
    pub preview: LaunchPreview,
    pub engine_job_id: Option<String>,
    /// Directory of the run on HDFS; nothing of ours lies there. Flink deletes it, Spark what is in it
    /// but the rows of a script.
    pub staging: String,
    /// MiB of the largest container it will ask for.
    pub largest_mb: i64,
    launch: Launch,
    files: Files,
    restored_from: Option<RestoredFrom>,
}

impl Planned {
    /// The body of the submission.
    pub(crate) fn body(&self, application: ApplicationId) -> Result<String> {
        let submission = match &self.launch {
            Launch::Flink(launch) => launch.submission(application),
            Launch::Spark(launch) => launch.submission(application),
        };
        submission.to_xml().map_err(|error| {
            Failure::new(Code::FieldCharacters)
                .with("field", &error.field)
                .with("character", format!("U+{:04X}", error.code))
                .into()
        })
    }
}

/// Jobs that were saved and wait to be prepared.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<VecDeque<(JobId, TeamId, i64)>>);

/// What a launch is planned for.
struct Occasion<'a> {
    spec: &'a JobSpec,
    team: &'a TeamId,
    user: &'a str,
    run: &'a str,
    snapshot: Snapshot,
    restored_from: Option<&'a RestoredFrom>,
}

impl<'a> Occasion<'a> {
    /// A look ahead: what a start would send now.
    fn of_no_run(spec: &'a JobSpec, team: &'a TeamId, user: &'a str, snapshot: Snapshot) -> Self {
        Self {
            spec,
            team,
            user,
            run: "run_…",
            snapshot,
            restored_from: None,
        }
    }
}

impl Service {
    /// Plans the launch of a run.
    pub(crate) async fn plan_run(&self, row: &RunRow) -> Result<Planned> {
        let version = store::jobs::version(self.db(), &row.job, row.version)
            .await?
            .ok_or_else(|| Error::not_found("version"))?;
        let snapshot = self.pinned(&row.environment, row.snapshot).await?;
        let connection = self.connection(&row.cluster).await?;
        let occasion = Occasion {
            spec: &version.spec,
            team: &row.team,
            user: &row.hadoop_user,
            run: row.id.as_str(),
            snapshot,
            restored_from: row.restored_from.as_ref(),
        };
        self.plan(&connection, occasion).await
    }

    /// What a start of `spec` would submit.
    pub(crate) async fn preview(
        &self,
        viewer: &Viewer,
        team: &TeamId,
        spec: &JobSpec,
    ) -> Result<LaunchPreview> {
        let cluster = self.cluster(viewer, &spec.cluster).await?;
        let grant = self.grant(&cluster.id, &cluster.code, team, &spec.queue).await?;
        let environment = self.environment(viewer, &spec.environment).await?;
        let snapshot = self.pinned(&environment.id, environment.snapshot).await?;
        let connection = self.connection(&cluster.id).await?;
        let occasion = Occasion::of_no_run(spec, team, &grant.hadoop_user, snapshot);
        Ok(self.plan(&connection, occasion).await?.preview)
    }

    async fn plan(&self, connection: &Connection, occasion: Occasion<'_>) -> Result<Planned> {
        match occasion.spec.kind.engine() {
            Engine::Flink => self.plan_flink(connection, occasion).await,
            Engine::Spark => self.plan_spark(connection, occasion).await,
        }
    }

    /// The directory of a team's user below the cluster's root.
    fn home(connection: &Connection, user: &str) -> Result<HdfsPath> {
        connection
            .root
            .join(&format!("teams/{user}"))
            .map_err(Error::internal)
    }

    /// An uploaded file of the team, and its place below its user's directory.
    async fn uploaded(
        &self,
        connection: &Connection,
        occasion: &Occasion<'_>,
        id: &ArtifactId,
    ) -> Result<(Artifact, Needed)> {
        let artifact = store::artifacts::row(self.db(), id)
            .await?
            .filter(|artifact| &artifact.team == occasion.team)
            .ok_or_else(|| Error::not_found("artifact"))?;
        let ending = ArtifactKind::ending(&artifact.name).map_or(".jar", |(ending, _)| ending);
        let needed = Needed {
            path: Self::home(connection, occasion.user)?
                .join(&format!("artifacts/{}{ending}", &artifact.sha256[..32]))
                .map_err(Error::internal)?,
            user: occasion.user.to_owned(),
            mode: OWN_FILE,
            size: artifact.size.unsigned_abs(),
            source: Source::Artifact {
                path: self.artifact_path(&artifact.sha256),
                sha256: artifact.sha256.clone(),
                name: artifact.name.clone(),
            },
        };
        Ok((artifact, needed))
    }

    /// Looks at the state the launch starts from, and at every file of a launch and puts back what is missing.
    pub(crate) async fn ensure_files(&self, connection: &Connection, planned: &Planned) -> Result<()> {
        let files = &planned.files;
        if let Some(restored) = &planned.restored_from {
            self.verify_state(connection, &files.user, restored).await?;
        }
        let (environment, runner, own) = futures::join!(
            self.heal(connection, &files.snapshot),
            self.ensure_runner(connection, files.engine),
            futures::future::join_all(
                files
                    .own
                    .iter()
                    .map(|file| self.is_placed(connection, &file.user, &file.path, file.size))
            ),
        );
        environment?;
        runner?;
        for (file, there) in files.own.iter().zip(own) {
            if there? {
                continue;
            }
            self.ensure_root(connection).await?;
            self.ensure_team_dirs(connection, &files.user).await?;
            let content = match &file.source {
                Source::Memory(bytes) => Content::Memory(bytes.clone()),
                Source::Artifact { path, sha256, name } => {
                    if !tokio::fs::try_exists(path).await.map_err(Error::internal)? {
                        return Err(Failure::new(Code::ArtifactMissing).with("name", name).into());
                    }
                    Content::file(path.clone(), sha256)
                }
            };
            self.put(connection, &file.user, &file.path, file.mode, content, file.size)
                .await?;
        }
        Ok(())
    }

    /// Has the files of a saved job placed before somebody starts it.
    pub(crate) fn prepare_soon(&self, job: &JobId, team: &TeamId, version: i64) {
        let mut waiting = self
            .inner
            .waiting
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back((job.clone(), team.clone(), version));
        drop(waiting);
        self.inner.board.wake(Name::Prepare);
    }

    pub(crate) async fn activate_prepare(&self) -> Result<Activation> {
        let next = self
            .inner
            .waiting
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some((job, team, version)) = next else {
            return Ok(Activation {
                handled: 0,
                next: Duration::from_secs(60),
            });
        };
        if let Err(error) = self.prepare(&job, &team, version).await {
            // A start meets the same trouble and tells it on the run.
            tracing::info!(job = %job, error = %error, "a saved job could not be prepared");
        }
        Ok(Activation {
            handled: 1,
            next: Duration::ZERO,
        })
    }

    async fn prepare(&self, job: &JobId, team: &TeamId, version: i64) -> Result<()> {
        let Some(version) = store::jobs::version(self.db(), job, version).await? else {
            return Ok(());
        };
        let spec = &version.spec;
        let Some(cluster) = store::clusters::row_by_code(self.db(), &spec.cluster).await? else {
            return Ok(());
        };
        let grant = self.grant(&cluster.id, &cluster.code, team, &spec.queue).await?;
        let environment = store::environments::row(self.db(), &spec.environment)
            .await?
            .ok_or_else(|| Error::not_found("environment"))?;
        // Only what is small: an environment is placed when somebody asks for it or starts a job.
        let placement = store::environments::placement(self.db(), &environment.id, &cluster.id).await?;
        if placement.is_none_or(|placement| placement.snapshot.is_none()) {
            return Ok(());
        }
        let snapshot = self.pinned(&environment.id, environment.snapshot).await?;
        let connection: Arc<Connection> = self.connection(&cluster.id).await?;
        let occasion = Occasion::of_no_run(spec, team, &grant.hadoop_user, snapshot);
        let planned = self.plan(&connection, occasion).await?;
        self.ensure_files(&connection, &planned).await
    }
}

/// A file whose time is set by the console.
fn placed(uri: String, size: u64, visibility: Visibility) -> PlacedFile {
    PlacedFile {
        uri,
        size,
        mtime: MTIME,
        visibility,
    }
}

fn memory(path: HdfsPath, user: &str, mode: u16, bytes: Vec<u8>) -> Needed {
    Needed {
        path,
        user: user.to_owned(),
        mode,
        size: bytes.len() as u64,
        source: Source::Memory(bytes.into()),
    }
}
