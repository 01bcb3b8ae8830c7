//! Clusters: where things run, who may use them, and what a check of one says.

use crate::{
    Code, Failure, Millis,
    id::{ClusterId, TeamId},
    validate::{self, Checks, FieldFailure},
};
use serde::{Deserialize, Serialize};

/// As whom the console speaks to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IdentityMode {
    /// `user.name` of the team's Hadoop user. HDFS permissions are advisory: anybody may claim any name.
    Simple,
    /// The console's own name, acting for the team's user (`doAs`); needs `hadoop.proxyuser` settings.
    SimpleDoas,
}

impl IdentityMode {
    pub fn name(self) -> &'static str {
        match self {
            IdentityMode::Simple => "simple",
            IdentityMode::SimpleDoas => "simple-doas",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [IdentityMode::Simple, IdentityMode::SimpleDoas]
            .into_iter()
            .find(|m| m.name() == name)
    }
}

/// What a team may use of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub team: TeamId,
    /// The team's user on this cluster.
    pub hadoop_user: String,
    /// Queues it may submit to; `root.default` and `default` are the same queue.
    pub queues: Vec<String>,
}

/// One Hadoop client file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct XmlFile {
    pub name: String,
    pub content: String,
}

/// Body that registers or changes a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClusterInput {
    pub code: String,
    pub name: String,
    /// core-site.xml, hdfs-site.xml, yarn-site.xml as uploaded; or name a directory instead.
    #[serde(default)]
    pub files: Vec<XmlFile>,
    /// Directory on the console host that holds the files; must lie below an allowed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Where the console keeps its files on HDFS.
    pub hdfs_root: String,
    pub identity: IdentityMode,
    /// The console's own user.
    pub service_user: String,
    #[serde(default)]
    pub grants: Vec<Grant>,
}

pub const MAX_XML_BYTES: usize = 1024 * 1024;

/// A user name as Hadoop takes it.
pub fn check_hadoop_user(field: &str, name: &str) -> Result<(), Failure> {
    validate::code(field, name, 64)?;
    // Superusers of a usual installation: a console that may act for them is the cluster's root.
    if matches!(name, "hdfs" | "yarn" | "mapred" | "root" | "hadoop") {
        return Err(Failure::new(Code::FieldInvalid)
            .with("field", field)
            .with("reason", name));
    }
    Ok(())
}

impl ClusterInput {
    pub fn check(&self) -> Vec<FieldFailure> {
        let mut checks = Checks::default();
        checks.take("code", validate::code("code", &self.code, 60));
        checks.take("name", validate::line("name", &self.name, 120));
        checks.take(
            "service_user",
            check_hadoop_user("service_user", &self.service_user),
        );
        let root = &self.hdfs_root;
        let bad_root = !root.starts_with('/')
            || root.len() < 2
            || root.len() > 200
            || root.ends_with('/')
            || root
                .split('/')
                .skip(1)
                .any(|p| p.is_empty() || p == "." || p == "..")
            || !root
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
        checks.take(
            "hdfs_root",
            if bad_root {
                Err(Failure::new(Code::FieldInvalid).with("reason", "/penstock"))
            } else {
                Ok(())
            },
        );
        checks.take(
            "files",
            match (self.files.is_empty(), self.directory.is_none()) {
                (true, true) => Err(Failure::new(Code::FieldRequired)),
                _ if self.files.len() > 10 => Err(Failure::new(Code::FieldTooLong).with("max", 10)),
                _ if self.files.iter().any(|f| f.content.len() > MAX_XML_BYTES) => {
                    Err(Failure::new(Code::FieldTooLong).with("max", "1 MiB"))
                }
                _ => Ok(()),
            },
        );
        for grant in &self.grants {
            checks.take("grants", check_hadoop_user("hadoop_user", &grant.hadoop_user));
            for queue in &grant.queues {
                checks.take("grants", validate::line("queue", queue, 200));
            }
        }
        checks.0
    }
}

/// A registered cluster as pages and REST show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cluster {
    pub id: ClusterId,
    pub code: String,
    pub name: String,
    /// Today always `yarn`.
    pub kind: String,
    pub identity: IdentityMode,
    pub service_user: String,
    pub hdfs_root: String,
    pub fs_default: String,
    pub resource_managers: Vec<String>,
    pub name_nodes: Vec<String>,
    /// Grants the viewer may see: all for administrators, else those of own teams.
    pub grants: Vec<Grant>,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// Last answer of the ResourceManager, and what keeps it from answering now.
    pub seen_at: Option<Millis>,
    pub trouble: Option<Failure>,
    pub trouble_since: Option<Millis>,
    /// Runs that have not ended.
    pub open_runs: i64,
}

macro_rules! probes {
    ($($name:ident = $text:literal;)*) => {
        /// What a check looks at, in this order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProbeName { $(#[serde(rename = $text)] $name,)* }

        impl ProbeName {
            pub const ALL: &'static [ProbeName] = &[$(ProbeName::$name,)*];
            pub fn name(self) -> &'static str {
                match self { $(ProbeName::$name => $text,)* }
            }
        }
    };
}

named_schema!(ProbeName, name);

probes! {
    ResourceManager = "resource_manager";
    Submission = "submission";
    Version = "version";
    Clock = "clock";
    NameNode = "name_node";
    DataNode = "data_node";
    Root = "root";
    Queues = "queues";
    Workers = "workers";
    Logs = "logs";
}

/// One line of a cluster's check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Probe {
    pub probe: ProbeName,
    pub ok: bool,
    /// What is wrong and what to do.
    pub failure: Option<Failure>,
    /// What was seen, for example a version or an address.
    pub seen: Option<String>,
    pub took_ms: i64,
}

/// A queue as the scheduler reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Queue {
    pub path: String,
    pub state: Option<String>,
    /// Guaranteed, used and highest share of the cluster, in percent.
    pub capacity: Option<f64>,
    pub used: Option<f64>,
    pub max_capacity: Option<f64>,
    pub applications: Option<i64>,
    pub leaf: bool,
    /// Whether a team of the viewer may submit to it.
    pub allowed: bool,
}

/// A worker node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    pub id: String,
    pub state: String,
    pub http_address: Option<String>,
    pub used_mb: i64,
    pub available_mb: i64,
    pub used_vcores: i64,
    pub available_vcores: i64,
    pub containers: i64,
    pub version: Option<String>,
    pub health: Option<String>,
}
