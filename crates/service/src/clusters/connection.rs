//! Connections to the services of a cluster, made from its client files and kept until they change.

use super::{configuration, queues::Queues};
use crate::{Error, Result, Service};
use domain::{Code, Failure, Millis, cluster::IdentityMode, id::ClusterId};
use hadoop::{
    Endpoints, HdfsPath, Identity, conf::Configuration, nm::NodeManager, rm::ResourceManager,
    webhdfs::WebHdfs,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The services of one cluster.
pub(crate) struct Connection {
    pub code: String,
    /// Where the console's files lie.
    pub root: HdfsPath,
    pub fs_default: String,
    pub conf: Configuration,
    /// The client files as they were registered, by name.
    pub client_xml: Vec<(String, String)>,
    mode: IdentityMode,
    service_user: String,
    rm: ResourceManager,
    hdfs: WebHdfs,
    http: net::Client,
    pub(super) queues: Queues,
}

/// Connections that were made, with the time of the cluster's last change.
#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<ClusterId, (Millis, Arc<Connection>)>>);

impl Connection {
    /// How `user` is spoken for.
    pub(crate) fn identity(&self, user: &str) -> Identity {
        match self.mode {
            IdentityMode::Simple => Identity::simple(user),
            IdentityMode::SimpleDoas if user == self.service_user => Identity::simple(user),
            IdentityMode::SimpleDoas => Identity::simple_do_as(user, &self.service_user),
        }
    }

    /// The least memory of a container, in MiB; 0 when the cluster's files do not say.
    pub(crate) fn min_allocation_mb(&self) -> u64 {
        let told = self.conf.trimmed("yarn.scheduler.minimum-allocation-mb");
        told.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn service_user(&self) -> &str {
        &self.service_user
    }

    /// The ResourceManager as the console itself.
    pub(crate) fn rm(&self) -> &ResourceManager {
        &self.rm
    }

    pub(crate) fn rm_as(&self, user: &str) -> ResourceManager {
        self.rm.with_identity(self.identity(user))
    }

    /// HDFS as the console itself.
    pub(crate) fn hdfs(&self) -> &WebHdfs {
        &self.hdfs
    }

    pub(crate) fn hdfs_as(&self, user: &str) -> WebHdfs {
        self.hdfs.with_identity(self.identity(user))
    }

    /// A node's NodeManager as `user`; `None` when the address is none.
    pub(crate) fn nm_as(&self, user: &str, address: &str) -> Option<NodeManager> {
        NodeManager::new(self.http.clone(), address, self.identity(user)).ok()
    }

    /// The REST interface of a Spark driver, as `user`.
    pub(crate) fn driver(&self, user: &str, application: &str) -> spark::rest::Client {
        let mut base = self.rm.endpoints().active().clone();
        base.set_path(&format!(
            "{}/proxy/{application}",
            base.path().trim_end_matches('/')
        ));
        let identity = self.identity(user);
        let query = identity.yarn().into_iter();
        let query = query
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        spark::rest::Client::new(self.http.clone(), base, query, application)
    }

    pub(crate) fn http(&self) -> &net::Client {
        &self.http
    }

    pub(crate) fn rm_address(&self) -> String {
        self.rm.endpoints().active().to_string()
    }

    pub(crate) fn nn_address(&self) -> String {
        self.hdfs.endpoints().active().to_string()
    }
}

impl Service {
    /// The connection to a registered cluster.
    pub(crate) async fn connection(&self, id: &ClusterId) -> Result<Arc<Connection>> {
        let row = store::clusters::row(self.db(), id)
            .await?
            .ok_or_else(|| Error::not_found("cluster"))?;
        let known = self
            .inner
            .clusters
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned();
        if let Some((changed, connection)) = known
            && changed == row.updated_at
        {
            return Ok(connection);
        }
        let identity = Identity::simple(&row.service_user);
        let endpoints = |addresses: &[String]| Endpoints::new(addresses).map_err(Error::internal);
        let http = self.inner.net.clone();
        let connection = Arc::new(Connection {
            code: row.code.clone(),
            root: HdfsPath::new(&row.hdfs_root).map_err(Error::internal)?,
            fs_default: row.summary.fs_default.clone(),
            conf: configuration(&row.files)?,
            client_xml: row
                .files
                .iter()
                .map(|file| (file.name.clone(), file.content.clone()))
                .collect(),
            mode: row.identity,
            service_user: row.service_user.clone(),
            rm: ResourceManager::new(
                http.clone(),
                endpoints(&row.summary.resource_managers)?,
                identity.clone(),
            ),
            hdfs: WebHdfs::new(http.clone(), endpoints(&row.summary.name_nodes)?, identity),
            http,
            queues: Queues::default(),
        });
        let mut known = self
            .inner
            .clusters
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(id.clone(), (row.updated_at, connection.clone()));
        Ok(connection)
    }
}

/// The end of a chain of causes: the part that says what happened, without the address again.
fn root_cause(error: &hadoop::Error) -> String {
    let text = error.to_string();
    text.rsplit(": ").next().unwrap_or(&text).to_owned()
}

/// What a person is told when the ResourceManager does not do something.
pub(crate) fn rm_failure(connection: &Connection, user: &str, error: &hadoop::Error) -> Failure {
    let endpoint = connection.rm_address();
    match error {
        hadoop::Error::Unreachable { .. } | hadoop::Error::Timeout { .. } | hadoop::Error::Broken { .. } => {
            Failure::new(Code::RmUnreachable)
                .with("endpoint", endpoint)
                .with("reason", root_cause(error))
        }
        hadoop::Error::Standby { .. } | hadoop::Error::NoActive { .. } => Code::RmNoActive.into(),
        hadoop::Error::Forbidden { message }
            if message.contains("submission") && message.contains("disabled") =>
        {
            Code::RmSubmitDisabled.into()
        }
        hadoop::Error::Forbidden { message } => Failure::new(Code::RmForbidden)
            .with("user", user)
            .with("reason", message),
        hadoop::Error::BadRequest { message } => Failure::new(Code::SubmitRefused).with("reason", message),
        hadoop::Error::NotFound { message } => Failure::new(Code::NotFound).with("what", message),
        hadoop::Error::SafeMode { .. }
        | hadoop::Error::Quota { .. }
        | hadoop::Error::NoSpace { .. }
        | hadoop::Error::AlreadyExists { .. }
        | hadoop::Error::InvalidAnswer { .. }
        | hadoop::Error::Source { .. }
        | hadoop::Error::Remote { .. } => Failure::new(Code::RemoteAnswer)
            .with("endpoint", endpoint)
            .with("reason", error),
    }
}

/// What a person is told when HDFS does not do something with `path`.
pub(crate) fn hdfs_failure(
    connection: &Connection,
    user: &str,
    path: &HdfsPath,
    error: &hadoop::Error,
) -> Failure {
    let endpoint = connection.nn_address();
    match error {
        hadoop::Error::Unreachable { .. } | hadoop::Error::Timeout { .. } | hadoop::Error::Broken { .. } => {
            Failure::new(Code::NnUnreachable)
                .with("endpoint", endpoint)
                .with("reason", root_cause(error))
        }
        hadoop::Error::Standby { .. } | hadoop::Error::NoActive { .. } => Code::NnNoActive.into(),
        hadoop::Error::SafeMode { .. } => Code::NnSafeMode.into(),
        hadoop::Error::NotFound { .. } => Failure::new(Code::HdfsNotFound).with("path", path),
        hadoop::Error::Forbidden { .. } => Failure::new(Code::HdfsForbidden)
            .with("user", user)
            .with("path", path),
        hadoop::Error::Quota { message } => Failure::new(Code::HdfsQuota)
            .with("path", path)
            .with("reason", message),
        hadoop::Error::NoSpace { .. } => Failure::new(Code::HdfsNoSpace).with("path", path),
        hadoop::Error::AlreadyExists { .. }
        | hadoop::Error::BadRequest { .. }
        | hadoop::Error::InvalidAnswer { .. }
        | hadoop::Error::Source { .. }
        | hadoop::Error::Remote { .. } => Failure::new(Code::RemoteAnswer)
            .with("endpoint", endpoint)
            .with("reason", error),
    }
}

/// What a person is told when a NodeManager does not answer.
pub(crate) fn nm_failure(endpoint: &str, error: &hadoop::Error) -> Failure {
    Failure::new(Code::NmUnreachable)
        .with("endpoint", endpoint)
        .with("reason", error)
}
