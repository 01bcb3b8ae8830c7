//! Looks at everything of a cluster that a run needs, and says for each what is wrong.

pub(super) mod text;

use super::{Connection, hdfs_failure, nm_failure, rm_failure, root::data_failure, same_queue};
use crate::{Result, Service, clock::ulid, require_shared};
use domain::{
    Action, Code, Failure, Millis, Viewer,
    cluster::{Cluster, Probe, ProbeName},
};
use futures::{StreamExt, future::join_all};
use hadoop::webhdfs::CreateOptions;
use net::{Url, header};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use text::{http_date, release, same_dir, some};

/// Longest that one probe takes.
const BOUND: Duration = Duration::from_secs(10);
/// Clocks further apart break tokens and make times on pages wrong.
const MAX_SKEW_MS: Millis = 5_000;
/// Oldest Hadoop whose REST interfaces are understood.
const LEAST: (u32, u32) = (3, 1);
/// Users whose rights are tried, nodes that are tried, and nodes tried at once.
const MAX_USERS: usize = 16;
const MAX_NODES: usize = 300;
const PARALLEL: usize = 16;

/// What was seen, or what is wrong.
type Outcome = std::result::Result<Option<String>, Failure>;

impl Service {
    /// Tries everything a run needs of a cluster; one line each, in the order of [`ProbeName::ALL`].
    pub async fn check_cluster(&self, viewer: &Viewer, code: &str) -> Result<Vec<Probe>> {
        require_shared(viewer, Action::ClusterCheck)?;
        let cluster = self.cluster(viewer, code).await?;
        let connection = self.connection(&cluster.id).await?;
        let probes = ProbeName::ALL
            .iter()
            .map(|&name| self.probe(name, &cluster, &connection));
        Ok(join_all(probes).await)
    }

    async fn probe(&self, name: ProbeName, cluster: &Cluster, connection: &Connection) -> Probe {
        let started = Instant::now();
        let tried = tokio::time::timeout(BOUND, self.try_probe(name, cluster, connection)).await;
        let outcome = tried.unwrap_or_else(|_| Err(late(name, connection)));
        let (seen, failure) = match outcome {
            Ok(seen) => (seen, None),
            Err(failure) => (None, Some(failure)),
        };
        let took_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Probe {
            probe: name,
            ok: failure.is_none(),
            failure,
            seen,
            took_ms,
        }
    }

    async fn try_probe(&self, name: ProbeName, cluster: &Cluster, connection: &Connection) -> Outcome {
        match name {
            ProbeName::ResourceManager => resource_manager(connection).await,
            ProbeName::Submission => submission(cluster, connection).await,
            ProbeName::Version => version(connection).await,
            ProbeName::Clock => self.clocks(connection).await,
            ProbeName::NameNode => self.name_node(connection).await,
            ProbeName::DataNode => self.data_node(connection).await,
            ProbeName::Root => self.root(cluster, connection).await,
            ProbeName::Queues => queues(cluster, connection).await,
            ProbeName::Workers => workers(connection).await,
            ProbeName::Logs => logs(cluster, connection).await,
        }
    }

    /// Compares the console's clock with those of the ResourceManager and the NameNode.
    async fn clocks(&self, connection: &Connection) -> Outcome {
        let mut seen = Vec::new();
        for (base, path) in [
            (connection.rm_address(), "/ws/v1/cluster/info"),
            (connection.nn_address(), "/webhdfs/v1/?op=GETFILESTATUS"),
        ] {
            let before = self.now();
            let Some(there) = remote_time(connection, &base, path).await else {
                continue;
            };
            let after = self.now();
            // The header tells whole seconds: the true time is up to one later.
            let skew = if after < there {
                there - after
            } else {
                (before - there - 1000).max(0)
            };
            if skew > MAX_SKEW_MS {
                return Err(Failure::new(Code::ClockSkew)
                    .with("endpoint", base)
                    .with("seconds", (skew + 500) / 1000));
            }
            seen.push(skew);
        }
        // A server behind a proxy may not tell its time; whether it answers is another probe's matter.
        Ok(seen
            .iter()
            .max()
            .map(|skew| format!("≤ {} s", (skew + 1999) / 1000)))
    }

    async fn name_node(&self, connection: &Connection) -> Outcome {
        let user = connection.service_user();
        let hdfs = connection.hdfs();
        let root = hadoop::HdfsPath::root();
        hdfs.status(&root)
            .await
            .map_err(|error| hdfs_failure(connection, user, &root, &error))?;
        // In safe mode everything can be read. Deleting what is not there is a write that changes nothing.
        let nothing = join(connection, &format!(".probe-{}", ulid(self.now())))?;
        match hdfs.delete(&nothing, false).await {
            // Whether the console may write below its root is another probe's matter.
            Ok(_) | Err(hadoop::Error::NotFound { .. } | hadoop::Error::Forbidden { .. }) => {
                Ok(Some(connection.nn_address()))
            }
            Err(error) => Err(hdfs_failure(connection, user, &nothing, &error)),
        }
    }

    /// Writes a file, reads it back and deletes it: both go through a DataNode.
    async fn data_node(&self, connection: &Connection) -> Outcome {
        self.ensure_root(connection).await?;
        let user = connection.service_user();
        let hdfs = connection.hdfs();
        let id = ulid(self.now());
        let path = join(connection, &format!("staging/{id}"))?;
        let told = |error: hadoop::Error| data_failure(connection, connection.service_user(), &path, &error);
        let started = Instant::now();
        let options = CreateOptions {
            permission: 0o600,
            overwrite: false,
        };
        let round = async {
            hdfs.write(&path, id.clone(), options).await.map_err(told)?;
            hdfs.read_all(&path, 1024).await.map_err(told)
        };
        let read = round.await;
        let took = started.elapsed().as_millis();
        let deleted = hdfs.delete(&path, false).await;
        let read = read?;
        deleted.map_err(|error| hdfs_failure(connection, user, &path, &error))?;
        if read != id.as_bytes() {
            return Err(Failure::new(Code::HdfsCorrupt)
                .with("path", &path)
                .with("reason", format!("{} of {} bytes", read.len(), id.len())));
        }
        Ok(Some(format!("{took} ms")))
    }

    /// The console's directories, and those of every team's user.
    async fn root(&self, cluster: &Cluster, connection: &Connection) -> Outcome {
        self.ensure_root(connection).await?;
        for parent in std::iter::successors(Some(connection.root.clone()), hadoop::HdfsPath::parent) {
            let hdfs = connection.hdfs();
            let status = hdfs
                .status(&parent)
                .await
                .map_err(|error| hdfs_failure(connection, connection.service_user(), &parent, &error))?;
            // Files for everybody can be localised only where everybody may pass.
            if status.mode() & 0o001 == 0 {
                return Err(Failure::new(Code::HdfsForbidden)
                    .with("user", "others (o+x)")
                    .with("path", &parent));
            }
        }
        let users = users(cluster);
        for result in join_all(users.iter().map(|user| self.ensure_team_dirs(connection, user))).await {
            result?;
        }
        Ok(Some(connection.root.to_uri(&connection.fs_default)))
    }
}

async fn resource_manager(connection: &Connection) -> Outcome {
    let info = connection
        .rm()
        .cluster_info()
        .await
        .map_err(|error| rm_failure(connection, connection.service_user(), &error))?;
    Ok(Some(format!(
        "{} · {}",
        connection.rm_address(),
        info.resource_manager_version
    )))
}

/// Asks for an application id as each team's user: it leaves nothing behind, and tells whether the
/// ResourceManager takes applications over REST and lets the console act for the user.
async fn submission(cluster: &Cluster, connection: &Connection) -> Outcome {
    let users = users(cluster);
    let asked = users.iter().map(|user| async move {
        let rm = connection.rm_as(user);
        rm.new_application()
            .await
            .map_err(|error| rm_failure(connection, user, &error))
    });
    let mut seen = None;
    for answer in join_all(asked).await {
        let most = answer?.maximum_resource_capability;
        seen = Some(format!(
            "{} · ≤ {} MB, {} vcores",
            users.join(", "),
            most.memory,
            most.vcores
        ));
    }
    Ok(seen)
}

async fn version(connection: &Connection) -> Outcome {
    let info = connection
        .rm()
        .cluster_info()
        .await
        .map_err(|error| rm_failure(connection, connection.service_user(), &error))?;
    let version = Some(info.hadoop_version)
        .filter(|v| !v.is_empty())
        .unwrap_or(info.resource_manager_version);
    match release(&version) {
        Some(found) if found < LEAST => Err(Failure::new(Code::VersionUnsupported)
            .with("what", "Hadoop")
            .with("version", version)
            .with("least", format!("{}.{}", LEAST.0, LEAST.1))),
        Some(_) => Ok(Some(format!("Hadoop {version}"))),
        None => Err(Failure::new(Code::RemoteAnswer)
            .with("endpoint", connection.rm_address())
            .with("reason", format!("version {version:?}"))),
    }
}

/// Every queue somebody may use must be there, be a leaf, and take applications.
async fn queues(cluster: &Cluster, connection: &Connection) -> Outcome {
    let scheduler = connection
        .rm()
        .scheduler()
        .await
        .map_err(|error| rm_failure(connection, connection.service_user(), &error))?;
    let wanted: BTreeSet<&str> = cluster
        .grants
        .iter()
        .flat_map(|grant| grant.queues.iter().map(String::as_str))
        .collect();
    let all = scheduler.root.walk();
    let usable = |name: &str| {
        all.iter().any(|queue| {
            let named = same_queue(&queue.path, name) || queue.name == name;
            named && queue.leaf && queue.state.as_deref().is_none_or(|state| state == "RUNNING")
        })
    };
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !usable(name)).collect();
    if missing.is_empty() {
        Ok(Some(wanted.into_iter().collect::<Vec<_>>().join(", ")))
    } else {
        Err(Failure::new(Code::QueueUnknown).with("queue", missing.join(", ")))
    }
}

/// Whether the console reaches every node. What jobs open there themselves has ports of its own,
/// which only a running job shows.
async fn workers(connection: &Connection) -> Outcome {
    let user = connection.service_user();
    let nodes = connection
        .rm()
        .nodes()
        .await
        .map_err(|error| rm_failure(connection, user, &error))?
        .items;
    let addresses: Vec<String> = nodes
        .into_iter()
        .filter(|node| node.state == "RUNNING")
        .filter_map(|node| node.node_http_address)
        .collect();
    if addresses.is_empty() {
        return Err(Failure::new(Code::NmUnreachable)
            .with("endpoint", "-")
            .with("reason", "no node is RUNNING"));
    }
    // Owned, since a closure over borrowed addresses makes futures that are not `Send`.
    let tried: Vec<Option<(String, hadoop::Error)>> =
        futures::stream::iter(addresses.clone().into_iter().take(MAX_NODES))
            .map(|address| async move {
                let nm = connection.nm_as(user, &address)?;
                match nm.containers().await {
                    // Any answer comes from the node.
                    Err(
                        error @ (hadoop::Error::Unreachable { .. }
                        | hadoop::Error::Timeout { .. }
                        | hadoop::Error::Broken { .. }),
                    ) => Some((address, error)),
                    Ok(_) | Err(_) => None,
                }
            })
            .buffered(PARALLEL)
            .collect()
            .await;
    let failed: Vec<(String, hadoop::Error)> = tried.into_iter().flatten().collect();
    match failed.first() {
        None => Ok(Some(format!(
            "{} · {}",
            addresses.len(),
            some(addresses.iter().map(String::as_str))
        ))),
        Some((_, error)) => Err(nm_failure(
            &some(failed.iter().map(|(address, _)| address.as_str())),
            error,
        )),
    }
}

/// Whether logs outlive their containers, where the console looks for them.
async fn logs(cluster: &Cluster, connection: &Connection) -> Outcome {
    let gone = |reason: String| Failure::new(Code::LogsGone).with("reason", reason);
    let missing =
        |missing: hadoop::conf::Missing| Failure::new(Code::XmlPropertyMissing).with("property", missing.key);
    const ENABLED: &str = "yarn.log-aggregation-enable";
    const DIR: &str = "yarn.nodemanager.remote-app-log-dir";
    // The ResourceManager's own settings count; not every cluster shows them.
    let (enabled, there) = futures::join!(
        connection.rm().conf_value(ENABLED),
        connection.rm().conf_value(DIR)
    );
    let enabled = match enabled {
        Ok(Some(value)) => value.trim() == "true",
        Ok(None) | Err(_) => connection.conf.log_aggregation(),
    };
    if !enabled {
        return Err(gone(format!("{ENABLED}=false")));
    }
    let dir = connection.conf.remote_log_dir().map_err(missing)?;
    if let Ok(Some(there)) = there
        && !same_dir(&there, dir.as_str())
    {
        return Err(gone(format!(
            "{DIR} is {there} on the cluster, {dir} in the client configuration"
        )));
    }
    let users = users(cluster);
    let readable = join_all(users.iter().map(|user| {
        let dir = &dir;
        async move {
            let own = dir.join(user).map_err(|_| {
                Failure::new(Code::HdfsForbidden)
                    .with("user", user)
                    .with("path", dir)
            })?;
            match connection.hdfs_as(user).list(&own).await {
                // The first application of a user makes it.
                Ok(_) | Err(hadoop::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(hdfs_failure(connection, user, &own, &error)),
            }
        }
    }));
    for result in readable.await {
        result?;
    }
    Ok(Some(dir.to_string()))
}

/// The users the console acts for; itself where no team has a grant yet.
fn users(cluster: &Cluster) -> Vec<String> {
    let mut users: BTreeSet<String> = cluster
        .grants
        .iter()
        .map(|grant| grant.hadoop_user.clone())
        .collect();
    if users.is_empty() {
        users.insert(cluster.service_user.clone());
    }
    users.into_iter().take(MAX_USERS).collect()
}

fn join(connection: &Connection, name: &str) -> std::result::Result<hadoop::HdfsPath, Failure> {
    connection.root.join(name).map_err(|_| {
        Failure::new(Code::RootMissing)
            .with("path", &connection.root)
            .with("user", connection.service_user())
    })
}

/// What a probe that took too long was waiting for.
fn late(name: ProbeName, connection: &Connection) -> Failure {
    let told = |code, endpoint: String| {
        Failure::new(code)
            .with("endpoint", endpoint)
            .with("reason", format!("no answer within {} s", BOUND.as_secs()))
    };
    match name {
        ProbeName::ResourceManager
        | ProbeName::Submission
        | ProbeName::Version
        | ProbeName::Clock
        | ProbeName::Queues => told(Code::RmUnreachable, connection.rm_address()),
        ProbeName::NameNode | ProbeName::Root | ProbeName::Logs => {
            told(Code::NnUnreachable, connection.nn_address())
        }
        ProbeName::DataNode => told(Code::DnUnreachable, "-".to_owned()),
        ProbeName::Workers => told(Code::NmUnreachable, "-".to_owned()),
    }
}

/// What time a server says it is, in epoch milliseconds; `None` when it does not say.
async fn remote_time(connection: &Connection, base: &str, path: &str) -> Option<Millis> {
    let url = Url::parse(&format!("{}{path}", base.trim_end_matches('/'))).ok()?;
    let request = connection
        .http()
        .get(url)
        .query("user.name", connection.service_user());
    let reply = request
        .accept_json()
        .timeout(BOUND)
        .max_body(1 << 20)
        .send()
        .await
        .ok()?;
    http_date(reply.header(header::DATE)?)
}
