//! Restore points: which a job has, which one a start uses, and the end of one. Whether one can be
//! used is HDFS's to say: it is asked whenever it matters, and nothing is deleted unless somebody says so.

use super::errand::savepoints;
use crate::{
    Error, Result, Service,
    audit::Entry,
    chaos::crash_point,
    clock::new_id,
    clusters::{Connection, hdfs_failure},
    require,
};
use domain::{
    Action, Code, Engine, Failure, Millis, Scope, Viewer,
    environment::Environment,
    id::{ClusterId, JobId, OperationId, RestorePointId},
    job::Job,
    page::Page,
    restore::{
        ClaimMode, RestoreKind, RestorePoint, RestoreState, RestoreTarget, RestoredFrom, SavepointFormat,
    },
    run::StartRequest,
};
use flink::Version;
use futures::StreamExt;
use hadoop::HdfsPath;
use serde_json::json;
use std::time::Duration;
use store::{
    Tx,
    restore_points::{NewRestorePoint, RestorePointRow},
    runs::RunRow,
};

/// Written last: where it is, the state is whole.
const METADATA: &str = "_metadata";
/// How long what HDFS said about a restore point is shown without asking again.
const FRESH_MS: Millis = 30_000;
/// A look that confirms what is stored is written this often.
const CONFIRM_MS: Millis = 10 * 60_000;
/// All looks of one page; what is not known by then is shown as it was.
const PATIENCE: Duration = Duration::from_secs(3);
const PARALLEL: usize = 8;

/// A whole savepoint or checkpoint on HDFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub path: String,
    pub completed_at: Millis,
    pub size: Option<i64>,
}

/// The path of a directory Flink or a person named, on the cluster's own file system.
pub(crate) fn hdfs_path(connection: &Connection, address: &str) -> Option<HdfsPath> {
    let own = connection.fs_default.trim_end_matches('/');
    let path = match address.strip_prefix(own) {
        Some(rest) if rest.starts_with('/') => rest,
        _ => address
            .strip_prefix("hdfs://")
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(address),
    };
    HdfsPath::new(path.trim_end_matches('/'))
        .ok()
        .filter(|path| !path.is_root())
}

impl Service {
    /// The state in a directory; `None` when there is none.
    pub(crate) async fn found_at(
        &self,
        connection: &Connection,
        user: &str,
        dir: &HdfsPath,
    ) -> std::result::Result<Option<Found>, hadoop::Error> {
        let hdfs = connection.hdfs_as(user);
        let Some(metadata) = hdfs.find(&dir.join(METADATA)?).await? else {
            return Ok(None);
        };
        let size = hdfs.content_summary(dir).await.ok();
        Ok(Some(Found {
            path: dir.as_str().to_owned(),
            completed_at: metadata.modification_time,
            size: size.and_then(|summary| i64::try_from(summary.length).ok()),
        }))
    }

    /// The savepoints in the directory of one operation, the newest first.
    pub(crate) async fn found_in(
        &self,
        connection: &Connection,
        user: &str,
        dir: &HdfsPath,
    ) -> std::result::Result<Vec<Found>, hadoop::Error> {
        let listing = match connection.hdfs_as(user).list(dir).await {
            Ok(listing) => listing,
            Err(hadoop::Error::NotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in listing.items.iter().filter(|entry| entry.is_dir()) {
            found.extend(
                self.found_at(connection, user, &dir.join(&entry.path_suffix)?)
                    .await?,
            );
        }
        found.sort_by_key(|found| std::cmp::Reverse(found.completed_at));
        Ok(found)
    }

    /// Records what was found of a run; what is known already stays as it is. With an operation it is a
    /// savepoint of that, else a checkpoint.
    pub(crate) async fn insert_found(
        &self,
        tx: &mut Tx,
        row: &RunRow,
        found: &[Found],
        taken_by: Option<(&OperationId, SavepointFormat)>,
    ) -> Result<()> {
        let now = self.now();
        for one in found {
            let point = NewRestorePoint {
                id: new_id!(RestorePointId, now),
                job: row.job.clone(),
                run: row.id.clone(),
                team: row.team.clone(),
                cluster: row.cluster.clone(),
                hadoop_user: row.hadoop_user.clone(),
                kind: match taken_by {
                    Some(_) => RestoreKind::Savepoint,
                    None => RestoreKind::Checkpoint,
                },
                path: one.path.clone(),
                format: taken_by.map(|(_, format)| format),
                operation: taken_by.map(|(operation, _)| operation.clone()),
                size: one.size,
                created_at: now,
                completed_at: one.completed_at,
            };
            store::restore_points::insert(tx, &point).await?;
        }
        Ok(())
    }

    /// What a job can start from, the newest first; the newest valid one is marked. Each is looked at
    /// again on HDFS unless that was done just now.
    pub async fn restore_points(
        &self,
        viewer: &Viewer,
        id: &JobId,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Page<RestorePoint>> {
        let scope = viewer.scope();
        let job = store::jobs::get(self.db(), &scope, id)
            .await?
            .ok_or_else(|| Error::not_found("job"))?;
        require(viewer, Action::RunRead, &job.team)?;
        let page = store::restore_points::list(self.db(), &scope, id, limit, after).await?;
        let mut rows = page.items;
        self.look_again(&mut rows).await?;
        let newest = store::restore_points::newest_valid(self.db(), &scope, id).await?;
        let newest = newest.map(|row| row.point.id);
        let items = rows.into_iter().map(|row| RestorePoint {
            preselected: Some(&row.point.id) == newest.as_ref(),
            ..row.point
        });
        Ok(Page {
            items: items.collect(),
            next: page.next,
        })
    }

    /// Asks HDFS about those not asked about just now; where it does not answer, what was known stays.
    async fn look_again(&self, rows: &mut [RestorePointRow]) -> Result<()> {
        let now = self.now();
        let looks = rows.iter().enumerate().filter(|(_, row)| {
            row.point.state != RestoreState::Disposed && now - row.point.verified_at >= FRESH_MS
        });
        let looks: Vec<(usize, RestorePointRow)> = looks.map(|(at, row)| (at, row.clone())).collect();
        let mut seen = Vec::new();
        let mut looks = futures::stream::iter(looks)
            .map(|(at, row)| async move { (at, self.is_there(&row).await) })
            .buffer_unordered(PARALLEL);
        let all = async {
            while let Some(look) = looks.next().await {
                seen.push(look);
            }
        };
        // What has not answered by then is shown as it was.
        let _ = tokio::time::timeout(PATIENCE, all).await;
        let mut changed = Vec::new();
        for (at, there) in seen {
            let (Some(row), Ok(there)) = (rows.get_mut(at), there) else {
                continue;
            };
            let state = if there {
                RestoreState::Valid
            } else {
                RestoreState::Gone
            };
            if state != row.point.state || now - row.point.verified_at >= CONFIRM_MS {
                changed.push((row.point.id.clone(), state));
            }
            row.point.state = state;
            row.point.verified_at = now;
        }
        if !changed.is_empty() {
            let mut tx = self.db().begin().await?;
            for (id, state) in &changed {
                store::restore_points::set_state(&mut tx, id, *state, now, None).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    async fn is_there(&self, row: &RestorePointRow) -> Result<bool> {
        let connection = self.connection(&row.cluster).await?;
        let path = HdfsPath::new(&row.point.path).map_err(Error::internal)?;
        let metadata = path.join(METADATA).map_err(Error::internal)?;
        let found = connection.hdfs_as(&row.hadoop_user).find(&metadata).await;
        let told = |error| hdfs_failure(&connection, &row.hadoop_user, &path, &error);
        Ok(found.map_err(told)?.is_some())
    }

    /// The newest restore point of a job that HDFS does not deny.
    async fn newest_state(&self, job: &JobId) -> Result<Option<RestorePointRow>> {
        loop {
            let newest = store::restore_points::newest_valid(self.db(), &Scope::All, job).await?;
            let Some(row) = newest else { return Ok(None) };
            // What cannot be asked about counts as there: nobody loses state to an outage.
            if self.is_there(&row).await.unwrap_or(true) {
                return Ok(Some(row));
            }
            let mut tx = self.db().begin().await?;
            store::restore_points::set_state(&mut tx, &row.point.id, RestoreState::Gone, self.now(), None)
                .await?;
            tx.commit().await?;
        }
    }

    /// What a start begins from. A job that has state starts without it only when somebody typed its name.
    pub(super) async fn chosen_state(
        &self,
        viewer: &Viewer,
        job: &Job,
        cluster: &ClusterId,
        user: &str,
        environment: &Environment,
        request: &StartRequest,
    ) -> Result<Option<RestoredFrom>> {
        let engine = job.spec.kind.engine();
        if engine != Engine::Flink {
            if request.restore_from.is_some() {
                return Err(Failure::new(Code::NotOfEngine)
                    .with("engine", engine.label())
                    .with("what", "savepoint")
                    .into());
            }
            return Ok(None);
        }
        let Some(text) = &request.restore_from else {
            self.collect_job(&job.id).await?;
            let Some(newest) = self.newest_state(&job.id).await? else {
                return Ok(None);
            };
            let name = &job.spec.name;
            if !request.without_state {
                return Err(Failure::new(Code::StateExists)
                    .with("job", name)
                    .with("path", newest.point.path)
                    .into());
            }
            if request.confirm.as_ref() != Some(name) {
                return Err(Failure::new(Code::ConfirmationMismatch).with("job", name).into());
            }
            return Ok(None);
        };
        if request.without_state {
            return Err(Failure::new(Code::FieldInvalid)
                .with("field", "without_state")
                .with("reason", "restore_from")
                .into());
        }
        let connection = self.connection(cluster).await?;
        let scope = viewer.scope();
        let (point, path) = match RestoreTarget::parse(text)? {
            RestoreTarget::Point(id) => {
                let row = store::restore_points::get(self.db(), &scope, &id)
                    .await?
                    .filter(|row| row.point.team == job.team && &row.cluster == cluster)
                    .ok_or_else(|| Error::not_found("restore point"))?;
                let path = HdfsPath::new(&row.point.path).map_err(Error::internal)?;
                (Some(row.point), path)
            }
            RestoreTarget::Path(text) => {
                let path = hdfs_path(&connection, &text).ok_or_else(|| {
                    Failure::new(Code::FieldInvalid)
                        .with("field", "restore_from")
                        .with("reason", &connection.fs_default)
                })?;
                let known = store::restore_points::by_path(self.db(), &scope, cluster, path.as_str()).await?;
                (known.map(|row| row.point), path)
            }
        };
        let claim_mode = request.claim_mode.unwrap_or(ClaimMode::NoClaim);
        let version: Option<Version> = environment.version.parse().ok();
        let features = version.and_then(|version| version.features().ok());
        if claim_mode == ClaimMode::Legacy && features.is_some_and(|features| !features.legacy_claim_mode) {
            return Err(Failure::new(Code::FieldInvalid)
                .with("field", "claim_mode")
                .with("reason", "legacy: Flink < 2.0")
                .into());
        }
        let restored = RestoredFrom {
            point: point.map(|point| point.id),
            path: path.as_str().to_owned(),
            claim_mode,
            allow_non_restored_state: request.allow_non_restored_state,
        };
        self.verify_state(&connection, user, &restored).await?;
        Ok(Some(restored))
    }

    /// Passes when the state a run is to start from is on HDFS.
    pub(super) async fn verify_state(
        &self,
        connection: &Connection,
        user: &str,
        restored: &RestoredFrom,
    ) -> Result<()> {
        let path = HdfsPath::new(&restored.path).map_err(Error::internal)?;
        let metadata = path.join(METADATA).map_err(Error::internal)?;
        let found = connection.hdfs_as(user).find(&metadata).await;
        if found
            .map_err(|error| hdfs_failure(connection, user, &path, &error))?
            .is_some()
        {
            return Ok(());
        }
        if let Some(id) = &restored.point {
            let mut tx = self.db().begin().await?;
            store::restore_points::set_state(&mut tx, id, RestoreState::Gone, self.now(), None).await?;
            tx.commit().await?;
        }
        Err(Failure::new(Code::RestorePointGone).with("path", path).into())
    }

    /// Takes the chosen restore point for a start, in its transaction: from here on nobody disposes of it.
    pub(super) async fn hold_state(&self, tx: &mut Tx, restored: Option<&RestoredFrom>) -> Result<()> {
        let Some((restored, id)) = restored.and_then(|from| Some((from, from.point.as_ref()?))) else {
            return Ok(());
        };
        store::restore_points::lock(tx, id).await?;
        let row = store::restore_points::get(tx, &Scope::All, id).await?;
        match row.map(|row| row.point.state) {
            Some(RestoreState::Valid | RestoreState::Gone) => Ok(()),
            Some(RestoreState::Disposed) | None => Err(Failure::new(Code::RestorePointGone)
                .with("path", &restored.path)
                .into()),
        }
    }

    /// Deletes a savepoint of this console from HDFS. Refused while a run that was started from it
    /// lasts. Asked again, it deletes what a first call left.
    pub async fn dispose_restore_point(&self, viewer: &Viewer, id: &RestorePointId) -> Result<()> {
        let scope = viewer.scope();
        let row = store::restore_points::get(self.db(), &scope, id)
            .await?
            .ok_or_else(|| Error::not_found("restore point"))?;
        require(viewer, Action::SavepointDispose, &row.point.team)?;
        let connection = self.connection(&row.cluster).await?;
        let user = &row.hadoop_user;
        let path = HdfsPath::new(&row.point.path).map_err(Error::internal)?;
        let own = savepoints(&connection, user)?;
        let dir = path.parent().filter(|dir| dir.parent().as_ref() == Some(&own));
        let (Some(dir), RestoreKind::Savepoint) = (dir, row.point.kind) else {
            return Err(Failure::new(Code::RestorePointForeign).with("path", path).into());
        };
        let mut tx = self.db().begin().await?;
        store::restore_points::lock(&mut tx, id).await?;
        let Some(now) = store::restore_points::get(&mut tx, &scope, id).await? else {
            return Err(Error::not_found("restore point"));
        };
        if let Some(run) = now.point.used_by {
            return Err(Failure::new(Code::RestorePointUsed).with("run", run).into());
        }
        if store::restore_points::set_state(&mut tx, id, RestoreState::Disposed, self.now(), None).await? {
            let detail = json!({ "path": path.as_str(), "job": row.point.job });
            let entry = Entry::by(
                viewer,
                Action::SavepointDispose,
                id.as_str(),
                Some(&row.point.team),
                detail,
            );
            self.record(&mut tx, entry).await?;
        }
        tx.commit().await?;
        crash_point!("savepoint.disposed");
        let hdfs = connection.hdfs_as(user);
        let told = |error: hadoop::Error| hdfs_failure(&connection, user, &path, &error);
        hdfs.delete(&path, true).await.map_err(told)?;
        // The operation's own directory, if nothing else is in it.
        let _ = hdfs.delete(&dir, false).await;
        Ok(())
    }
}
