//! Turns a job version into what is sent to the cluster, and makes sure that its files are there.
//!
//! Everything that does not depend on the run is placed when a job is saved and only looked at when
//! it starts: one listing for the environment, one look each for the configuration, the program and
//! the log settings.

use crate::{
    Error, Result, Service,
    clusters::Connection,
    environments::{Content, MTIME, environment_path},
    reconcile::{Activation, Name},
};
use bytes::Bytes;
use domain::{
    Code, Failure, Viewer,
    environment::Snapshot,
    id::{DeploymentId, JobId, RunId, TeamId},
    job::{JobKind, JobSpec, LaunchPreview},
    restore::RestoredFrom,
};
use flink::{
    Cluster, Launch, PlacedFile, PlanInput, PrepareInput, Prepared, Restore, Version,
    distribution::{LOG4J_DEFAULT, LOG4J_PATH},
    launch::script_file,
};
use hadoop::{ApplicationId, HdfsPath, xml::Visibility};
use sha2::{Digest, Sha256};
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

/// Files of a launch beside those of the environment.
pub(crate) struct Files {
    snapshot: Snapshot,
    own: Vec<Needed>,
    user: String,
}

/// A launch that lacks only the application id.
pub(crate) struct Planned {
    pub preview: LaunchPreview,
    pub engine_job_id: Option<String>,
    /// Directory of the run on HDFS; the application deletes it. Nothing of ours lies there.
    pub staging: String,
    launch: Launch,
    files: Files,
    restored_from: Option<RestoredFrom>,
}

impl Planned {
    /// The body of the submission.
    pub(crate) fn body(&self, application: ApplicationId) -> Result<String> {
        self.launch.submission(application).to_xml().map_err(|error| {
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
        let occasion = Occasion {
            spec,
            team,
            user: &grant.hadoop_user,
            run: "run_…",
            snapshot,
            restored_from: None,
        };
        Ok(self.plan(&connection, occasion).await?.preview)
    }

    async fn plan(&self, connection: &Connection, occasion: Occasion<'_>) -> Result<Planned> {
        let Occasion {
            spec,
            team,
            user,
            run,
            snapshot,
            restored_from,
        } = occasion;
        let home = connection
            .root
            .join(&format!("teams/{user}"))
            .map_err(Error::internal)?;
        let below = |path: String| home.join(&path).map_err(Error::internal);
        let uri = |path: &HdfsPath| path.to_uri(&connection.fs_default);
        let mut own = Vec::new();

        let dist = snapshot
            .files
            .iter()
            .find_map(|file| Version::of_dist(&file.path));
        let version = dist.ok_or_else(|| {
            Failure::new(Code::EnvironmentIncomplete)
                .with("path", &snapshot.environment)
                .with("reason", "lib/flink-dist")
        })?;
        let (program, program_name, program_size) = match (spec.kind, &spec.artifact) {
            (JobKind::FlinkSql, _) => (
                self.inner.runner.path(connection)?,
                "penstock-runner.jar".to_owned(),
                self.inner.runner.size(),
            ),
            (JobKind::SparkSql | JobKind::SparkJar | JobKind::PySpark, _) => {
                return Err(Code::Internal.into());
            }
            (JobKind::FlinkJar, None) => {
                return Err(Failure::new(Code::FieldRequired).with("field", "artifact").into());
            }
            (JobKind::FlinkJar, Some(id)) => {
                let artifact = store::artifacts::row(self.db(), id)
                    .await?
                    .filter(|a| &a.team == team)
                    .ok_or_else(|| Error::not_found("artifact"))?;
                let path = below(format!("artifacts/{}.jar", &artifact.sha256[..32]))?;
                own.push(Needed {
                    path: path.clone(),
                    user: user.to_owned(),
                    mode: OWN_FILE,
                    size: artifact.size.unsigned_abs(),
                    source: Source::Artifact {
                        path: self.artifact_path(&artifact.sha256),
                        sha256: artifact.sha256.clone(),
                        name: artifact.name.clone(),
                    },
                });
                (path, artifact.name, artifact.size.unsigned_abs())
            }
        };
        let script = script_file(spec)
            .map(|script| Ok::<_, Error>((below(format!("prepared/{}.sql", &script.sha256[..32]))?, script)))
            .transpose()?;
        let script_uri = script.as_ref().map(|(path, _)| uri(path));
        if let Some((path, script)) = script {
            own.push(memory(path, user, OWN_FILE, script.bytes));
        }
        let prepared = Prepared::new(&PrepareInput {
            spec,
            version,
            defaults: &snapshot.defaults,
            program_name: &program_name,
            program_uri: &uri(&program),
            script_uri: script_uri.as_deref(),
            archive_dir: &uri(&below("archive".to_owned())?),
        })?;
        let config = below(format!(
            "prepared/{}-{}",
            &prepared.config.sha256[..32],
            prepared.config_key
        ))?;
        let config_size = prepared.config.bytes.len() as u64;
        own.push(memory(
            config.clone(),
            user,
            OWN_FILE,
            prepared.config.bytes.clone(),
        ));

        let mut environment = Vec::with_capacity(snapshot.files.len());
        let mut log4j = None;
        for file in &snapshot.files {
            let path = environment_path(connection, snapshot.environment.as_str(), file)?;
            let placed = placed(uri(&path), file.size.unsigned_abs(), Visibility::Public);
            if file.path == LOG4J_PATH {
                log4j = Some(placed);
            } else {
                environment.push((file.path.clone(), placed));
            }
        }
        let log4j = match log4j {
            Some(placed) => placed,
            None => {
                let sha256 = hex::encode(Sha256::digest(LOG4J_DEFAULT));
                let path = connection
                    .root
                    .join(&format!("runner/{}-log4j.properties", &sha256[..32]))
                    .map_err(Error::internal)?;
                let file = placed(uri(&path), LOG4J_DEFAULT.len() as u64, Visibility::Public);
                own.push(memory(
                    path,
                    connection.service_user(),
                    PUBLIC_FILE,
                    LOG4J_DEFAULT.as_bytes().to_vec(),
                ));
                file
            }
        };
        let visibility = if spec.kind == JobKind::FlinkSql {
            Visibility::Public
        } else {
            Visibility::Application
        };
        let staging = uri(&below(format!("runs/{}", run.trim_end_matches('…')))?);
        let min_allocation = connection
            .conf
            .trimmed("yarn.scheduler.minimum-allocation-mb")
            .and_then(|text| text.parse().ok());
        let cluster = Cluster {
            hadoop_user: user.to_owned(),
            service_user: connection.service_user().to_owned(),
            file_system: connection.fs_default.clone(),
            class_path: connection.conf.yarn_classpath(),
            min_allocation_mb: min_allocation.unwrap_or(0),
        };
        let state = restored_from
            .map(|from| HdfsPath::new(&from.path).map(|path| path.to_hadoop(&connection.fs_default)))
            .transpose()
            .map_err(Error::internal)?;
        let restore = restored_from.zip(state.as_deref()).map(|(from, uri)| Restore {
            uri,
            claim_mode: from.claim_mode,
            allow_non_restored_state: from.allow_non_restored_state,
        });
        let launch = Launch::plan(
            &prepared,
            &PlanInput {
                environment: &environment,
                config: &placed(uri(&config), config_size, Visibility::Application),
                log4j: &log4j,
                program: &placed(uri(&program), program_size, visibility),
                cluster: &cluster,
                deployment: self.inner.deployment.as_str(),
                run,
                job_id: &job_id(run),
                restore,
                staging: &staging,
            },
        )?;
        Ok(Planned {
            preview: launch.redacted(None),
            engine_job_id: launch.job_id.clone(),
            staging,
            launch,
            files: Files {
                snapshot,
                own,
                user: user.to_owned(),
            },
            restored_from: restored_from.cloned(),
        })
    }

    /// Looks at the state the launch starts from, and at every file of a launch and puts back what is missing.
    pub(crate) async fn ensure_files(&self, connection: &Connection, planned: &Planned) -> Result<()> {
        let files = &planned.files;
        if let Some(restored) = &planned.restored_from {
            self.verify_state(connection, &files.user, restored).await?;
        }
        let (environment, runner, own) = futures::join!(
            self.heal(connection, &files.snapshot),
            self.ensure_runner(connection),
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
                    Content::File(path.clone(), sha256)
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
        let occasion = Occasion {
            spec,
            team,
            user: &grant.hadoop_user,
            run: "run_…",
            snapshot,
            restored_from: None,
        };
        let planned = self.plan(&connection, occasion).await?;
        self.ensure_files(&connection, &planned).await
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

fn placed(uri: String, size: u64, visibility: Visibility) -> PlacedFile {
    PlacedFile {
        uri,
        size,
        mtime: MTIME,
        visibility,
    }
}

/// The Flink job id of a run: 32 hex digits that follow from the run's id, so that a retry has the same.
fn job_id(run: &str) -> String {
    hex::encode(&Sha256::digest(run)[..16])
}
