//! The launch of a Flink job.

use super::{Files, Launch, OWN_FILE, Occasion, PUBLIC_FILE, Planned, memory, placed};
use crate::{Error, Result, Service, clusters::Connection, environments::Part};
use ::flink::{
    Cluster, PlanInput, PrepareInput, Prepared, Restore, Version,
    distribution::{LOG4J_DEFAULT, LOG4J_PATH},
    launch::script_file,
};
use domain::{Code, Engine, Failure};
use hadoop::{HdfsPath, xml::Visibility};
use sha2::{Digest, Sha256};

impl Service {
    pub(super) async fn plan_flink(
        &self,
        connection: &Connection,
        occasion: Occasion<'_>,
    ) -> Result<Planned> {
        let Occasion {
            spec,
            user,
            run,
            restored_from,
            ..
        } = occasion;
        let snapshot = &occasion.snapshot;
        let home = Self::home(connection, user)?;
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
        let runner = self.runner(Engine::Flink);
        let (program, program_name, program_size) = match (spec.kind.program(), &spec.artifact) {
            (None, _) => (runner.path(connection)?, runner.name().to_owned(), runner.size()),
            (Some(_), None) => {
                return Err(Failure::new(Code::FieldRequired).with("field", "artifact").into());
            }
            (Some(_), Some(id)) => {
                let (artifact, needed) = self.uploaded(connection, &occasion, id).await?;
                let (path, size) = (needed.path.clone(), needed.size);
                own.push(needed);
                (path, artifact.name, size)
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
            let part = Part::file(file);
            let path = part.place(connection, snapshot.environment.as_str())?;
            let placed = placed(uri(&path), part.size, Visibility::Public);
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
        let visibility = if spec.kind.program().is_none() {
            Visibility::Public
        } else {
            Visibility::Application
        };
        let staging = uri(&below(format!("runs/{}", run.trim_end_matches('…')))?);
        let cluster = Cluster {
            hadoop_user: user.to_owned(),
            service_user: connection.service_user().to_owned(),
            file_system: connection.fs_default.clone(),
            class_path: connection.conf.yarn_classpath(),
            min_allocation_mb: connection.min_allocation_mb(),
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
        let launch = ::flink::Launch::plan(
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
        let preview = launch.redacted(None);
        Ok(Planned {
            largest_mb: preview.memory_mb.max(spec.resources.task_manager_mb),
            preview,
            engine_job_id: launch.job_id.clone(),
            staging,
            launch: Launch::Flink(Box::new(launch)),
            files: Files {
                engine: Engine::Flink,
                snapshot: occasion.snapshot,
                own,
                user: user.to_owned(),
            },
            restored_from: restored_from.cloned(),
        })
    }
}

/// The Flink job id of a run: 32 hex digits that follow from the run's id, so that a retry has the same.
pub(in crate::runs) fn job_id(run: &str) -> String {
    hex::encode(&Sha256::digest(run)[..16])
}
