//! The console's directories on a cluster. Each level is made with its own permission: HDFS would
//! give missing parents that of the directory asked for.

use super::{Connection, check::text::endpoint_in, hdfs_failure};
use crate::{Service, clock::ulid};
use domain::{Code, Failure};
use futures::future::try_join_all;
use hadoop::{
    HdfsPath,
    webhdfs::{CreateOptions, FileStatus, Mode},
};
use serde_json::json;
use std::collections::HashMap;

/// Says whose root it is.
const MARKER: &str = "penstock.json";
const MAX_MARKER: u64 = 64 << 10;
const ROOT: Mode = 0o755;

/// A directory below the root, and what its permission must and must not have.
struct Dir {
    name: &'static str,
    mode: Mode,
    least: Mode,
    most: Mode,
}

const DIRS: [Dir; 4] = [
    // YARN localises public files only when everybody may pass every directory above them.
    Dir {
        name: "environments",
        mode: 0o755,
        least: 0o755,
        most: 0o775,
    },
    Dir {
        name: "runner",
        mode: 0o755,
        least: 0o755,
        most: 0o775,
    },
    // Each team's user makes its own directory here, and only its own.
    Dir {
        name: "teams",
        mode: 0o1777,
        least: 0o1777,
        most: 0o1777,
    },
    Dir {
        name: "staging",
        mode: 0o700,
        least: 0o700,
        most: 0o770,
    },
];

/// Directories of a team's user; nobody else may look into them.
const TEAM: Mode = 0o700;
pub(super) const TEAM_DIRS: [&str; 4] = ["artifacts", "prepared", "runs", "archive"];

impl Service {
    /// Makes sure that the console's directories are on the cluster, with the right permissions, and
    /// that they belong to this installation.
    pub(crate) async fn ensure_root(&self, connection: &Connection) -> Result<(), Failure> {
        let root = &connection.root;
        let there = match self.entries(connection, root).await? {
            Some(entries) => entries,
            None => {
                self.make_root(connection).await?;
                HashMap::new()
            }
        };
        // Whose it is comes first: in a foreign root nothing is touched.
        self.claim(connection, there.contains_key(MARKER)).await?;
        try_join_all(DIRS.iter().map(|dir| async {
            let path = below(connection, root, dir.name)?;
            let user = connection.service_user();
            self.ensure_dir(connection, user, &path, there.get(dir.name), dir)
                .await
        }))
        .await?;
        Ok(())
    }

    /// Makes sure that a team's user has its directories.
    pub(crate) async fn ensure_team_dirs(&self, connection: &Connection, user: &str) -> Result<(), Failure> {
        let home = below(connection, &connection.root, &format!("teams/{user}"))?;
        let hdfs = connection.hdfs_as(user);
        let told = |error: hadoop::Error| hdfs_failure(connection, user, &home, &error);
        let own = Dir {
            name: "",
            mode: TEAM,
            least: TEAM,
            most: TEAM,
        };
        let status = hdfs.find(&home).await.map_err(told)?;
        if let Some(status) = &status
            && status.owner != user
        {
            // Somebody else made it: what lies there could be read or replaced by them.
            return Err(Failure::new(Code::HdfsForbidden)
                .with("user", user)
                .with("path", &home));
        }
        self.ensure_dir(connection, user, &home, status.as_ref(), &own)
            .await?;
        let there: HashMap<String, FileStatus> = match status {
            None => HashMap::new(),
            Some(_) => hdfs
                .list(&home)
                .await
                .map_err(told)?
                .items
                .into_iter()
                .map(|e| (e.path_suffix.clone(), e))
                .collect(),
        };
        try_join_all(TEAM_DIRS.iter().map(|name| async {
            let path = below(connection, &home, name)?;
            self.ensure_dir(connection, user, &path, there.get(*name), &own)
                .await
        }))
        .await?;
        Ok(())
    }

    /// What lies in a directory; `None` when it is not there.
    async fn entries(
        &self,
        connection: &Connection,
        dir: &HdfsPath,
    ) -> Result<Option<HashMap<String, FileStatus>>, Failure> {
        match connection.hdfs().list(dir).await {
            Ok(list) if list.items.iter().any(|e| e.path_suffix.is_empty() && !e.is_dir()) => {
                Err(Failure::new(Code::RootMissing)
                    .with("path", dir)
                    .with("user", connection.service_user()))
            }
            Ok(list) => Ok(Some(
                list.items
                    .into_iter()
                    .map(|e| (e.path_suffix.clone(), e))
                    .collect(),
            )),
            Err(hadoop::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(hdfs_failure(connection, connection.service_user(), dir, &error)),
        }
    }

    /// Makes the root, level by level.
    async fn make_root(&self, connection: &Connection) -> Result<(), Failure> {
        let user = connection.service_user();
        let mut levels = vec![connection.root.clone()];
        while let Some(parent) = levels
            .last()
            .and_then(HdfsPath::parent)
            .filter(|parent| !parent.is_root())
        {
            levels.push(parent);
        }
        let levels: Vec<(HdfsPath, Mode)> = levels.into_iter().rev().map(|path| (path, ROOT)).collect();
        match connection.hdfs().mkdirs_all(&levels).await {
            Ok(()) => Ok(()),
            Err(hadoop::Error::Forbidden { .. } | hadoop::Error::AlreadyExists { .. }) => {
                Err(Failure::new(Code::RootMissing)
                    .with("path", &connection.root)
                    .with("user", user))
            }
            Err(error) => Err(hdfs_failure(connection, user, &connection.root, &error)),
        }
    }

    /// Makes a directory that is missing, and corrects the permission of one that is there.
    async fn ensure_dir(
        &self,
        connection: &Connection,
        user: &str,
        path: &HdfsPath,
        there: Option<&FileStatus>,
        dir: &Dir,
    ) -> Result<(), Failure> {
        let hdfs = connection.hdfs_as(user);
        let told = |error: hadoop::Error| match error {
            // The root is there and the console may not write in it.
            hadoop::Error::Forbidden { .. }
                if path.parent().as_ref() == Some(&connection.root) && there.is_none() =>
            {
                Failure::new(Code::RootMissing)
                    .with("path", &connection.root)
                    .with("user", user)
            }
            error => hdfs_failure(connection, user, path, &error),
        };
        let mode = match there {
            Some(status) if !status.is_dir() => {
                return Err(told(hadoop::Error::AlreadyExists {
                    message: format!("{path} is a file"),
                }));
            }
            Some(status) => status.mode(),
            None => {
                hdfs.mkdir(path, dir.mode).await.map_err(told)?;
                // HDFS drops the sticky bit of a new directory in some versions.
                if dir.mode & 0o1000 == 0 {
                    dir.mode
                } else {
                    hdfs.status(path).await.map_err(told)?.mode()
                }
            }
        };
        if mode & dir.least != dir.least || mode & !dir.most != 0 {
            hdfs.set_permission(path, dir.mode).await.map_err(told)?;
        }
        Ok(())
    }

    /// Says on the cluster whose root it is, or finds out that it is somebody else's.
    async fn claim(&self, connection: &Connection, marked: bool) -> Result<(), Failure> {
        let root = &connection.root;
        let user = connection.service_user();
        let hdfs = connection.hdfs();
        let marker = below(connection, root, MARKER)?;
        if !marked {
            // Written aside and renamed, so that nobody meets half of it; the rename overwrites nothing.
            let beside = below(connection, root, &format!(".{}-{MARKER}", ulid(self.now())))?;
            let told = |error: hadoop::Error| match error {
                hadoop::Error::Forbidden { .. } => Failure::new(Code::RootMissing)
                    .with("path", root)
                    .with("user", user),
                error => data_failure(connection, user, &marker, &error),
            };
            let text = json!({ "deployment": self.inner.deployment }).to_string();
            let options = CreateOptions {
                permission: 0o644,
                overwrite: false,
            };
            if let Err(error) = hdfs.write(&beside, text, options).await {
                // A write that failed can leave an empty file behind.
                let _ = hdfs.delete(&beside, false).await;
                return Err(told(error));
            }
            match hdfs.rename(&beside, &marker).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    // A hidden file nothing refers to is all that can stay.
                    let _ = hdfs.delete(&beside, false).await;
                    if !matches!(error, hadoop::Error::AlreadyExists { .. }) {
                        return Err(told(error));
                    }
                }
            }
        }
        let found = read_marker(connection)
            .await
            .map_err(|error| data_failure(connection, user, &marker, &error))?;
        if found.as_deref() == Some(self.inner.deployment.as_str()) {
            return Ok(());
        }
        Err(Failure::new(Code::RootForeign)
            .with("path", root)
            .with("deployment", found.as_deref().unwrap_or("?")))
    }

    /// Whether the root exists and says that it belongs to this installation.
    pub(super) async fn is_ours(&self, connection: &Connection) -> Result<bool, hadoop::Error> {
        match read_marker(connection).await {
            Ok(found) => Ok(found.as_deref() == Some(self.inner.deployment.as_str())),
            Err(hadoop::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The installation a root belongs to, as its marker says; `None` when it says nothing readable.
async fn read_marker(connection: &Connection) -> Result<Option<String>, hadoop::Error> {
    let path = connection.root.join(MARKER)?;
    let bytes = connection.hdfs().read_all(&path, MAX_MARKER).await?;
    let found: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let deployment = found.as_ref().and_then(|value| value.get("deployment")?.as_str());
    Ok(deployment.map(str::to_owned))
}

fn below(connection: &Connection, dir: &HdfsPath, name: &str) -> Result<HdfsPath, Failure> {
    let failure = || {
        Failure::new(Code::HdfsForbidden)
            .with("user", connection.service_user())
            .with("path", format!("{dir}/{name}"))
    };
    dir.join(name).map_err(|_| failure())
}

/// As [`hdfs_failure`], for a call whose second half goes to a DataNode: whom it could not reach
/// stands in the reason.
pub(crate) fn data_failure(
    connection: &Connection,
    user: &str,
    path: &HdfsPath,
    error: &hadoop::Error,
) -> Failure {
    let reason = match error {
        hadoop::Error::Unreachable { reason }
        | hadoop::Error::Timeout { reason }
        | hadoop::Error::Broken { reason } => reason,
        error => return hdfs_failure(connection, user, path, error),
    };
    match endpoint_in(reason) {
        Some(endpoint) if endpoint_in(&connection.nn_address()).as_ref() != Some(&endpoint) => {
            Failure::new(Code::DnUnreachable)
                .with("endpoint", endpoint)
                .with("reason", error)
        }
        _ => hdfs_failure(connection, user, path, error),
    }
}
