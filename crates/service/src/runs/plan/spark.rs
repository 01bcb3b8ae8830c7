//! The launch of a Spark job.

use super::{Files, Launch, Needed, OWN_FILE, Occasion, Planned, memory, placed};
use crate::{
    Error, Result, Service,
    clusters::{Connection, hdfs_failure},
    environments::parts,
    runs::restore::hdfs_path,
};
use ::spark::{
    Cluster, Dependency, Distribution, PlacedFile, PlanInput, PrepareInput, Prepared, Program, Role, Spec,
    distribution, resources,
};
use domain::{
    Code, Engine, Failure,
    artifact::{Artifact, ArtifactKind},
    environment::Snapshot,
    job::{JobKind, JobSpec, NamedFile},
};
use hadoop::{HdfsPath, xml::Visibility};

/// Rows of each query of a script that are kept to be looked at.
const PREVIEW_ROWS: u32 = 1000;

/// The distribution as it was registered.
pub(crate) fn distribution(snapshot: &Snapshot) -> Result<Distribution> {
    let paths = snapshot.files.iter().map(|file| file.path.as_str());
    let mut found = distribution::inspect(snapshot.environment.as_str(), paths, None)?;
    found.defaults.clone_from(&snapshot.defaults);
    Ok(found)
}

impl Service {
    pub(super) async fn plan_spark(
        &self,
        connection: &Connection,
        occasion: Occasion<'_>,
    ) -> Result<Planned> {
        let Occasion { spec, user, run, .. } = occasion;
        let snapshot = &occasion.snapshot;
        let home = Self::home(connection, user)?;
        let below = |path: String| home.join(&path).map_err(Error::internal);
        let uri = |path: &HdfsPath| path.to_uri(&connection.fs_default);
        let distribution = distribution(snapshot)?;
        let mut own = Vec::new();

        let (mut libraries, mut python) = (None, Vec::new());
        for part in parts(snapshot)? {
            let path = part.place(connection, snapshot.environment.as_str())?;
            let file = placed(uri(&path), part.size, Visibility::Public);
            match part.path() {
                None => libraries = Some(file),
                Some(path) => python.push((path.to_owned(), file)),
            }
        }
        let libraries = libraries.ok_or_else(|| {
            Failure::new(Code::EnvironmentIncomplete)
                .with("path", &snapshot.environment)
                .with("reason", "jars/spark-core_….jar")
        })?;
        // In the order the distribution names them; both or none.
        python.retain(|(path, _)| distribution.python.contains(path));
        python.sort_by_key(|(path, _)| distribution.python.iter().position(|known| known == path));

        let mut program = None;
        if let Some(id) = spec.artifact.as_ref().filter(|_| spec.kind.program().is_some()) {
            let (artifact, needed) = self.uploaded(connection, &occasion, id).await?;
            program = Some((private(&needed, connection), artifact));
            own.push(needed);
        }
        let mut dependencies = Vec::new();
        for id in &spec.dependencies {
            let (artifact, needed) = self.uploaded(connection, &occasion, id).await?;
            let role = match artifact.kind() {
                Some(kind) if kind.is_python() => Role::PyFile,
                Some(ArtifactKind::Jar | ArtifactKind::Python | ArtifactKind::PythonPackage) | None => {
                    Role::Jar
                }
            };
            dependencies.push(Dependency {
                name: plain_name(&artifact.name),
                role,
                file: private(&needed, connection),
            });
            own.push(needed);
        }
        for (role, list) in [(Role::File, &spec.files), (Role::Archive, &spec.archives)] {
            for text in list {
                dependencies.push(self.named_file(connection, user, role, text).await?);
            }
        }

        let runner = self.runner(Engine::Spark);
        let runner = placed(uri(&runner.path(connection)?), runner.size(), Visibility::Public);
        let plan = planner_spec(spec, program.as_ref().map(|(_, artifact)| artifact))?;
        let cluster = Cluster {
            hadoop_user: user.to_owned(),
            service_user: connection.service_user().to_owned(),
            class_path: connection.conf.yarn_classpath(),
            min_allocation_mb: connection.min_allocation_mb(),
            client_xml: connection.client_xml.clone(),
        };
        let prepared = Prepared::new(&PrepareInput {
            spec: &plan,
            distribution: &distribution,
            cluster: &cluster,
            libraries: &libraries,
            python: &python,
            program: program.as_ref().map(|(file, _)| file),
            program_name: program.as_ref().map_or("", |(_, artifact)| &artifact.name),
            runner: &runner,
            dependencies: &dependencies,
            jdk: None,
            python_home: None,
            conf_dir: &uri(&below("prepared".to_owned())?),
        })?;
        let archive = below(format!("prepared/{}", prepared.archive_name))?;
        let placed_archive = placed(uri(&archive), prepared.archive.len() as u64, Visibility::Private);
        own.push(memory(archive, user, OWN_FILE, prepared.archive.clone()));

        let run_dir = uri(&below(format!("runs/{}", run.trim_end_matches('…')))?);
        let launch = ::spark::Launch::plan(
            &prepared,
            &PlanInput {
                archive: &placed_archive,
                deployment: self.inner.deployment.as_str(),
                run,
                run_dir: &run_dir,
            },
        )?;
        let preview = launch.redacted(None);
        let executor_mb = resources::executor_container_mb(&plan.resources, &plan.conf);
        Ok(Planned {
            largest_mb: preview.memory_mb.max(executor_mb),
            preview,
            engine_job_id: None,
            staging: run_dir,
            launch: Launch::Spark(Box::new(launch)),
            files: Files {
                engine: Engine::Spark,
                snapshot: occasion.snapshot,
                own,
                user: user.to_owned(),
            },
            restored_from: None,
        })
    }

    /// A file of the cluster's own, as it is now: a node refuses it when it changes before it was fetched.
    async fn named_file(
        &self,
        connection: &Connection,
        user: &str,
        role: Role,
        text: &str,
    ) -> Result<Dependency> {
        let named = NamedFile::parse(text)?;
        let unusable = |reason: &str| {
            Failure::new(Code::FieldInvalid)
                .with("field", text)
                .with("reason", reason)
        };
        let path = hdfs_path(connection, named.path).ok_or_else(|| unusable(&connection.fs_default))?;
        let status = connection
            .hdfs_as(user)
            .status(&path)
            .await
            .map_err(|error| hdfs_failure(connection, user, &path, &error))?;
        if status.is_dir() {
            return Err(unusable("it is a directory").into());
        }
        Ok(Dependency {
            name: named.name.to_owned(),
            role,
            file: PlacedFile {
                uri: path.to_uri(&connection.fs_default),
                size: status.length,
                mtime: status.modification_time,
                visibility: Visibility::Private,
            },
        })
    }
}

fn planner_spec(spec: &JobSpec, program: Option<&Artifact>) -> std::result::Result<Spec, Failure> {
    let required = |field: &str| Failure::new(Code::FieldRequired).with("field", field);
    let program = match spec.kind {
        JobKind::SparkSql => Program::Sql {
            script: spec.sql.clone().ok_or_else(|| required("sql"))?,
        },
        JobKind::PySpark => Program::Python,
        JobKind::SparkJar => {
            let manifest = program.and_then(|artifact| artifact.manifest_class.clone());
            Program::Jar {
                main_class: spec
                    .main_class
                    .clone()
                    .or(manifest)
                    .ok_or_else(|| required("main_class"))?,
            }
        }
        JobKind::FlinkSql | JobKind::FlinkJar => {
            return Err(Failure::new(Code::EnvironmentEngine)
                .with("environment", &spec.environment)
                .with("engine", Engine::Spark.label())
                .with("kind", spec.kind.label()));
        }
    };
    Ok(Spec {
        name: spec.name.clone(),
        queue: spec.queue.clone(),
        program,
        args: spec.args.clone(),
        conf: spec.conf.clone(),
        resources: spec.spark.clone().unwrap_or_default(),
        tags: spec.tags.clone(),
        time_zone: spec.time_zone.clone(),
        priority: spec.priority,
        node_label: spec.node_label.clone(),
        am_attempts: u32::try_from(spec.am_attempts).unwrap_or(1),
        preview_rows: PREVIEW_ROWS,
    })
}

fn private(file: &Needed, connection: &Connection) -> PlacedFile {
    placed(
        file.path.to_uri(&connection.fs_default),
        file.size,
        Visibility::Private,
    )
}

/// What an uploaded file is called where the job runs: lists, class paths and the node's shell take it.
fn plain_name(name: &str) -> String {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    let name: String = name.chars().map(|c| if usable(c) { c } else { '_' }).collect();
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_uploads_are_harmless() {
        for (name, plain) in [
            ("a b;c.jar", "a_b_c.jar"),
            ("..hidden.py", "hidden.py"),
            ("汇总.zip", "__.zip"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
    }
}
