//! Environments: registered from a directory of the console host, placed on clusters.

mod parts;
mod place;
mod put;
mod scan;

pub(crate) use parts::{Part, parts};
pub(crate) use place::{MTIME, Runner};
pub(crate) use put::{Content, Writing, hidden_since};
pub(crate) use scan::allowed as allowed_directory;

use crate::{
    Error, Result, Service, audit::Entry, clock::new_id, reconcile::Name, require, require_shared,
    runs::steps,
};
use domain::{
    Action, Code, Engine, Failure, Viewer,
    environment::{Environment, EnvironmentInput, Snapshot},
    id::{EnvironmentId, OperationId},
    operation::{Operation, OperationKind},
    validate::{self, Checks},
};
use scan::Found;
use serde_json::json;
use store::{
    Constraint,
    environments::{EnvironmentRow, NewSnapshot},
    operations::NewOperation,
};

/// Steps of a placement, as they are shown.
const PLACE_STEPS: [&str; 3] = ["scan", "upload", "publish"];

/// Version and settings of a distribution that was found complete.
fn inspect(home: &str, found: &Found) -> Result<(String, Vec<(String, String)>)> {
    let paths = found.files.iter().map(|file| file.path.as_str());
    let conf = found
        .conf
        .as_ref()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    Ok(match found.engine {
        Engine::Flink => {
            let distribution = flink::distribution::inspect(home, paths.collect::<Vec<_>>(), conf)?;
            (distribution.version.to_string(), distribution.defaults)
        }
        Engine::Spark => {
            let distribution = spark::distribution::inspect(home, paths, conf.map(|(_, text)| text))?;
            (distribution.version.to_string(), distribution.defaults)
        }
    })
}

impl Service {
    /// The environments the viewer may start jobs on.
    pub async fn environments(&self, viewer: &Viewer) -> Result<Vec<Environment>> {
        require_shared(viewer, Action::EnvironmentRead)?;
        Ok(store::environments::list(self.db(), &viewer.scope()).await?)
    }

    pub async fn environment(&self, viewer: &Viewer, id: &EnvironmentId) -> Result<Environment> {
        require_shared(viewer, Action::EnvironmentRead)?;
        store::environments::get(self.db(), &viewer.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("environment"))
    }

    pub async fn snapshot(&self, viewer: &Viewer, id: &EnvironmentId, number: i64) -> Result<Snapshot> {
        self.environment(viewer, id).await?;
        store::environments::snapshot(self.db(), &viewer.scope(), id, number)
            .await?
            .ok_or_else(|| Error::not_found("snapshot"))
    }

    /// Registers a distribution: reads its files and makes the first snapshot of them.
    pub async fn create_environment(&self, viewer: &Viewer, input: EnvironmentInput) -> Result<Environment> {
        if !viewer.admin {
            return Err(Error::forbidden(Action::EnvironmentWrite));
        }
        let mut checks = Checks::default();
        checks.take("name", validate::code("name", &input.name, 60));
        checks.take("directory", validate::line("directory", &input.directory, 4000));
        Error::check(checks.0)?;
        let home = allowed_directory(&input.directory, &self.inner.config.allowed_directories)?;
        let shown = home.display().to_string();
        let found = tokio::task::spawn_blocking(move || scan::scan(&home))
            .await
            .map_err(Error::internal)??;
        let (version, defaults) = inspect(&shown, &found)?;
        let now = self.now();
        let row = EnvironmentRow {
            id: new_id!(EnvironmentId, now),
            name: input.name.clone(),
            team: input.team.clone(),
            engine: found.engine,
            version,
            directory: shown,
            snapshot: 1,
            created_at: now,
        };
        let snapshot = NewSnapshot {
            environment: row.id.clone(),
            number: 1,
            files: found.files,
            defaults,
            created_by: viewer.user.clone(),
            created_at: now,
            reason: None,
        };
        let mut tx = self.db().begin().await?;
        match store::environments::insert(&mut tx, &row).await {
            Err(error) if error.constraint() == Some(Constraint::EnvironmentName) => {
                return Err(Failure::new(Code::NameTaken).with("name", &row.name).into());
            }
            other => other?,
        }
        store::environments::insert_snapshot(&mut tx, &snapshot).await?;
        let detail = json!({ "name": row.name, "version": row.version, "directory": row.directory, "files": snapshot.files.len() });
        self.record(
            &mut tx,
            Entry::by(
                viewer,
                Action::EnvironmentWrite,
                row.id.as_str(),
                row.team.as_ref(),
                detail,
            ),
        )
        .await?;
        tx.commit().await?;
        self.environment(viewer, &row.id).await
    }

    /// Puts an environment's newest snapshot on a cluster. Asked again while it is under way, it
    /// answers the operation that does it.
    pub async fn place_environment(
        &self,
        viewer: &Viewer,
        id: &EnvironmentId,
        cluster: &str,
        key: Option<&str>,
    ) -> Result<Operation> {
        let environment = self.environment(viewer, id).await?;
        match &environment.team {
            Some(team) => require(viewer, Action::EnvironmentSync, team)?,
            None => require_shared(viewer, Action::EnvironmentSync)?,
        }
        let cluster = self.cluster(viewer, cluster).await?;
        let route = format!("place {id} {}", cluster.code);
        if let Some(known) = self.remembered(viewer, key, &route).await? {
            return self
                .operation(viewer, &known.parse().map_err(Error::internal)?)
                .await;
        }
        let now = self.now();
        let operation = NewOperation {
            id: new_id!(OperationId, now),
            kind: OperationKind::Place,
            run: None,
            environment: Some(id.clone()),
            cluster: Some(cluster.id.clone()),
            team: environment.team.clone(),
            phase: "place".to_owned(),
            data: json!({ "snapshot": environment.snapshot }),
            steps: steps(&PLACE_STEPS),
            created_by: viewer.user.clone(),
            created_at: now,
            due_at: now,
        };
        let mut tx = self.db().begin().await?;
        if let Some(open) = store::operations::open_place(&mut tx, id, &cluster.id).await? {
            tx.rollback().await?;
            return self.operation(viewer, &open.id).await;
        }
        store::operations::insert(&mut tx, &operation).await?;
        if let Some(key) = key {
            store::idempotency::claim(&mut tx, &viewer.user, key, &route, operation.id.as_str(), now).await?;
        }
        let detail = json!({ "cluster": cluster.code, "snapshot": environment.snapshot });
        self.record(
            &mut tx,
            Entry::by(
                viewer,
                Action::EnvironmentSync,
                id.as_str(),
                environment.team.as_ref(),
                detail,
            ),
        )
        .await?;
        tx.commit().await?;
        self.inner.board.wake(Name::Place);
        self.operation(viewer, &operation.id).await
    }

    /// The snapshot a run is pinned to.
    pub(crate) async fn pinned(&self, environment: &EnvironmentId, number: i64) -> Result<Snapshot> {
        store::environments::snapshot_row(self.db(), environment, number)
            .await?
            .ok_or_else(|| Failure::new(Code::NotFound).with("what", "snapshot").into())
    }
}
