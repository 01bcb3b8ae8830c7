//! Clusters: registered ones, and the connections to them.

mod check;
mod connection;
mod queues;
mod root;
mod sweep;

pub(crate) use connection::{Connection, Connections, hdfs_failure, nm_failure, rm_failure};
pub(crate) use root::data_failure;
pub(crate) use sweep::Sweeps;

use crate::{
    Error, Result, Service, audit::Entry, clock::new_id, environments::allowed_directory, require_shared,
};
use domain::{
    Action, Code, Failure, Viewer,
    cluster::{Cluster, ClusterInput, Grant, MAX_XML_BYTES, Node, Queue, XmlFile},
    event::{Event, Topic},
    id::ClusterId,
};
use hadoop::conf::Configuration;
use serde_json::json;
use std::path::Path;
use store::clusters::{ClusterRow, Summary};

/// Files of a client configuration, in the order in which later ones win.
const XML_FILES: [&str; 4] = [
    "core-site.xml",
    "hdfs-site.xml",
    "yarn-site.xml",
    "mapred-site.xml",
];

impl Service {
    /// The clusters the viewer's teams may use; all for administrators.
    pub async fn clusters(&self, viewer: &Viewer) -> Result<Vec<Cluster>> {
        Ok(store::clusters::list(self.db(), &viewer.scope()).await?)
    }

    pub async fn cluster(&self, viewer: &Viewer, code: &str) -> Result<Cluster> {
        store::clusters::by_code(self.db(), &viewer.scope(), code)
            .await?
            .ok_or_else(|| Error::not_found("cluster"))
    }

    pub async fn create_cluster(&self, viewer: &Viewer, input: ClusterInput) -> Result<Cluster> {
        if !viewer.admin {
            return Err(Error::forbidden(Action::ClusterWrite));
        }
        Error::check(input.check())?;
        let now = self.now();
        let row = self.cluster_row(new_id!(ClusterId, now), now, &input).await?;
        let mut tx = self.db().begin().await?;
        match store::clusters::insert(&mut tx, &row).await {
            Err(error) if error.constraint() == Some(store::Constraint::ClusterCode) => {
                return Err(Failure::new(Code::NameTaken).with("name", &row.code).into());
            }
            other => other?,
        }
        store::clusters::set_grants(&mut tx, &row.id, &input.grants).await?;
        self.record(&mut tx, self.cluster_entry(viewer, &row, &input.grants))
            .await?;
        tx.commit().await?;
        self.announce_cluster(&row);
        self.cluster(viewer, &row.code).await
    }

    pub async fn update_cluster(&self, viewer: &Viewer, code: &str, input: ClusterInput) -> Result<Cluster> {
        if !viewer.admin {
            return Err(Error::forbidden(Action::ClusterWrite));
        }
        Error::check(input.check())?;
        let old = self.cluster(viewer, code).await?;
        let now = self.now();
        let mut row = self.cluster_row(old.id.clone(), now, &input).await?;
        row.created_at = old.created_at;
        // Runs name the cluster by its id, people and scripts by its code.
        if row.code != old.code {
            return Err(Failure::new(Code::FieldInvalid)
                .with("field", "code")
                .with("reason", &old.code)
                .into());
        }
        let mut tx = self.db().begin().await?;
        store::clusters::update(&mut tx, &row).await?;
        store::clusters::set_grants(&mut tx, &row.id, &input.grants).await?;
        self.record(&mut tx, self.cluster_entry(viewer, &row, &input.grants))
            .await?;
        tx.commit().await?;
        self.announce_cluster(&row);
        self.cluster(viewer, code).await
    }

    fn cluster_entry<'a>(&self, viewer: &'a Viewer, row: &'a ClusterRow, grants: &[Grant]) -> Entry<'a> {
        let detail = json!({ "code": row.code, "hdfs_root": row.hdfs_root, "identity": row.identity, "service_user": row.service_user, "grants": grants });
        Entry::by(viewer, Action::ClusterWrite, row.id.as_str(), None, detail)
    }

    fn announce_cluster(&self, row: &ClusterRow) {
        self.inner.bus.grants_changed();
        self.inner.bus.send(Event {
            topic: Topic::Cluster,
            id: row.code.clone(),
            team: None,
            job: None,
            version: row.updated_at,
        });
    }

    /// What is stored of a cluster, once its files say enough to reach it.
    async fn cluster_row(&self, id: ClusterId, now: i64, input: &ClusterInput) -> Result<ClusterRow> {
        let files = match &input.directory {
            None => input.files.clone(),
            Some(directory) => {
                let real = allowed_directory(directory, &self.inner.config.allowed_directories)?;
                tokio::task::spawn_blocking(move || read_directory(&real))
                    .await
                    .map_err(Error::internal)??
            }
        };
        let conf = configuration(&files)?;
        let missing = |missing: hadoop::conf::Missing| {
            Failure::new(Code::XmlPropertyMissing).with("property", missing.key)
        };
        let summary = Summary {
            fs_default: conf.default_fs().map_err(missing)?,
            resource_managers: conf.rm_addresses().map_err(missing)?,
            name_nodes: conf.namenode_addresses().map_err(missing)?,
        };
        Ok(ClusterRow {
            id,
            code: input.code.clone(),
            name: input.name.clone(),
            kind: "yarn".to_owned(),
            identity: input.identity,
            service_user: input.service_user.clone(),
            hdfs_root: input.hdfs_root.clone(),
            files,
            directory: input.directory.clone(),
            summary,
            created_at: now,
            updated_at: now,
            seen_at: None,
            trouble: None,
            trouble_since: None,
            rm_started_on: None,
        })
    }

    /// The scheduler's queues, each with whether a team of the viewer may submit to it.
    pub async fn queues(&self, viewer: &Viewer, code: &str) -> Result<Vec<Queue>> {
        require_shared(viewer, Action::ClusterRead)?;
        let cluster = self.cluster(viewer, code).await?;
        let connection = self.connection(&cluster.id).await?;
        let scheduler = connection
            .rm()
            .scheduler()
            .await
            .map_err(|e| rm_failure(&connection, connection.service_user(), &e))?;
        let allowed: Vec<&str> = cluster
            .grants
            .iter()
            .flat_map(|g| g.queues.iter().map(String::as_str))
            .collect();
        let shown = scheduler.root.walk().into_iter().map(|queue| Queue {
            path: queue.path.clone(),
            state: queue.state.clone(),
            capacity: queue.capacity,
            used: queue.used_capacity,
            max_capacity: queue.max_capacity,
            applications: Some(queue.active_apps + queue.pending_apps),
            leaf: queue.leaf,
            allowed: queue.leaf && allowed.iter().any(|have| same_queue(have, &queue.path)),
        });
        Ok(shown.collect())
    }

    pub async fn nodes(&self, viewer: &Viewer, code: &str) -> Result<Vec<Node>> {
        require_shared(viewer, Action::ClusterRead)?;
        let cluster = self.cluster(viewer, code).await?;
        let connection = self.connection(&cluster.id).await?;
        let nodes = connection
            .rm()
            .nodes()
            .await
            .map_err(|e| rm_failure(&connection, connection.service_user(), &e))?;
        Ok(nodes
            .items
            .into_iter()
            .map(|node| Node {
                id: node.id,
                state: node.state,
                http_address: node.node_http_address,
                used_mb: node.used_memory_mb,
                available_mb: node.avail_memory_mb,
                used_vcores: node.used_virtual_cores,
                available_vcores: node.available_virtual_cores,
                containers: node.num_containers,
                version: Some(node.version).filter(|v| !v.is_empty()),
                health: Some(node.health_report).filter(|h| !h.trim().is_empty()),
            })
            .collect())
    }
}

/// Whether two names mean one queue: the path may be written without its root.
pub(crate) fn same_queue(a: &str, b: &str) -> bool {
    let bare = |name: &str| name.strip_prefix("root.").unwrap_or(name).to_owned();
    bare(a) == bare(b)
}

/// The settings of a client configuration.
pub(crate) fn configuration(files: &[XmlFile]) -> Result<Configuration> {
    let mut conf = Configuration::new();
    let rank = |file: &XmlFile| {
        XML_FILES
            .iter()
            .position(|name| *name == file.name)
            .unwrap_or(XML_FILES.len())
    };
    let mut files: Vec<&XmlFile> = files.iter().collect();
    files.sort_by_key(|file| rank(file));
    for file in files {
        conf.add(&file.name, &file.content).map_err(|error| {
            Failure::new(Code::XmlInvalid)
                .with("file", &error.file)
                .with("reason", format!("line {}: {}", error.line, error.reason))
        })?;
    }
    Ok(conf)
}

fn read_directory(dir: &Path) -> Result<Vec<XmlFile>> {
    let mut files = Vec::new();
    for name in XML_FILES {
        let path = dir.join(name);
        match std::fs::metadata(&path) {
            Ok(meta) if meta.len() > MAX_XML_BYTES as u64 => {
                return Err(Failure::new(Code::XmlInvalid)
                    .with("file", name)
                    .with("reason", "larger than 1 MiB")
                    .into());
            }
            Ok(_) => {
                let content = std::fs::read_to_string(&path).map_err(|e| {
                    Failure::new(Code::DirectoryUnreadable)
                        .with("path", path.display())
                        .with("reason", e.kind())
                })?;
                files.push(XmlFile {
                    name: name.to_owned(),
                    content,
                });
            }
            Err(_) => {}
        }
    }
    if files.is_empty() {
        return Err(Failure::new(Code::DirectoryUnreadable)
            .with("path", dir.display())
            .with("reason", "core-site.xml, hdfs-site.xml, yarn-site.xml")
            .into());
    }
    Ok(files)
}
