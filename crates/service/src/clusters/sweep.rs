//! Takes away what an upload leaves behind when the console dies in the middle of it.
//!
//! Nothing refers to such a file, so nothing but its name tells whose it is: only names of exactly our
//! shape go, only below a root whose marker names this installation, and only when both the name and
//! the file are older than any upload lasts.

use super::{Connection, root::TEAM_DIRS};
use crate::{Service, environments::hidden_since};
use domain::{Millis, id::ClusterId};
use hadoop::{HdfsPath, webhdfs::FileStatus, webhdfs::WebHdfs};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

/// Younger ones may belong to an upload of another console on the same database.
const SAFE_AGE_MS: Millis = 24 * 3_600_000;
/// A cluster is looked through this often.
const EVERY_MS: Millis = 3_600_000;
/// Most files that go at a time; the rest goes the next time.
const MAX_DELETED: usize = 200;
/// Hidden names come first in a listing, so a directory is read no further than this.
const MAX_PAGES: usize = 4;

/// When each cluster was looked through last.
#[derive(Default)]
pub(crate) struct Sweeps(Mutex<HashMap<ClusterId, Millis>>);

impl Sweeps {
    fn is_due(&self, cluster: &ClusterId, now: Millis) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(cluster).is_none_or(|at| now - at >= EVERY_MS)
    }

    fn done(&self, cluster: &ClusterId, now: Millis) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(cluster.clone(), now);
    }
}

impl Service {
    /// Looks through the clusters whose turn it is; answers how many files went. A cluster that does
    /// not answer has its turn again the next time.
    pub(crate) async fn sweep_clusters(&self) -> crate::Result<u64> {
        let now = self.now();
        let mut deleted = 0;
        for cluster in store::clusters::ids(self.db()).await? {
            if !self.inner.sweeps.is_due(&cluster, now) {
                continue;
            }
            match self.sweep_cluster(&cluster, now).await {
                Ok(gone) => {
                    deleted += gone as u64;
                    if gone < MAX_DELETED {
                        self.inner.sweeps.done(&cluster, now);
                    }
                }
                Err(error) => {
                    tracing::info!(cluster = %cluster, error = %error, "left-overs of uploads stay for now");
                }
            }
        }
        Ok(deleted)
    }

    async fn sweep_cluster(&self, cluster: &ClusterId, now: Millis) -> crate::Result<usize> {
        let connection = self.connection(cluster).await?;
        let grants = store::clusters::grants(self.db(), cluster).await?;
        let users: BTreeSet<String> = grants.into_iter().map(|grant| grant.hadoop_user).collect();
        let gone = self
            .sweep(&connection, &users, now)
            .await
            .map_err(crate::Error::internal)?;
        if gone > 0 {
            tracing::info!(
                cluster = connection.code,
                files = gone,
                "swept left-overs of uploads"
            );
        }
        Ok(gone)
    }

    async fn sweep(
        &self,
        connection: &Connection,
        users: &BTreeSet<String>,
        now: Millis,
    ) -> Result<usize, hadoop::Error> {
        if !self.is_ours(connection).await? {
            return Ok(0);
        }
        let root = &connection.root;
        let hdfs = connection.hdfs();
        let mut deleted = 0;
        let environments = root.join("environments")?;
        let mut dirs = vec![root.clone(), root.join("runner")?];
        for environment in entries(hdfs, &environments, |_| true).await? {
            if environment.is_dir() {
                let dir = environments.join(&environment.path_suffix)?;
                dirs.extend([dir.join("files")?, dir.join("snapshots")?]);
            }
        }
        for dir in dirs {
            deleted += self.sweep_dir(hdfs, &dir, now, MAX_DELETED - deleted).await?;
        }
        for user in users {
            let home = root.join(&format!("teams/{user}"))?;
            let hdfs = connection.hdfs_as(user);
            // Somebody else's directory is none of ours, whatever lies in it.
            if hdfs.find(&home).await?.is_none_or(|found| &found.owner != user) {
                continue;
            }
            for name in TEAM_DIRS {
                let dir = home.join(name)?;
                deleted += self.sweep_dir(&hdfs, &dir, now, MAX_DELETED - deleted).await?;
            }
        }
        Ok(deleted)
    }

    async fn sweep_dir(
        &self,
        hdfs: &WebHdfs,
        dir: &HdfsPath,
        now: Millis,
        most: usize,
    ) -> Result<usize, hadoop::Error> {
        let old = |file: &FileStatus| {
            // Shortly before its rename a file has the constant time of change; then its name tells.
            let written = hidden_since(&file.path_suffix).map(|at| at.max(file.modification_time));
            !file.is_dir()
                && written.is_some_and(|at| now - at > SAFE_AGE_MS)
                && !self.inner.writing.holds(&file.path_suffix)
        };
        let mut deleted = 0;
        for file in entries(hdfs, dir, |name| name.starts_with('.')).await? {
            if deleted == most {
                break;
            }
            if !old(&file) {
                continue;
            }
            match hdfs.delete(&dir.join(&file.path_suffix)?, false).await {
                Ok(gone) => deleted += usize::from(gone),
                // Somebody changed the directory's permissions; the others are looked through all the same.
                Err(error @ hadoop::Error::Forbidden { .. }) => {
                    tracing::info!(path = %dir, error = %error, "a left-over of an upload stays");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(deleted)
    }
}

/// The first entries of a directory, page by page as long as the last name of a page is `wanted`;
/// none when it is not there or not ours to read.
async fn entries(
    hdfs: &WebHdfs,
    dir: &HdfsPath,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<FileStatus>, hadoop::Error> {
    let mut all: Vec<FileStatus> = Vec::new();
    for _ in 0..MAX_PAGES {
        let after = all.last().map(|entry| entry.path_suffix.clone());
        let page = match hdfs.list_batch(dir, after.as_deref()).await {
            Ok(page) => page,
            Err(hadoop::Error::NotFound { .. } | hadoop::Error::Forbidden { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let goes_on = page.more
            && page
                .entries
                .items
                .last()
                .is_some_and(|last| wanted(&last.path_suffix));
        all.extend(page.entries.items);
        if !goes_on {
            break;
        }
    }
    Ok(all)
}
