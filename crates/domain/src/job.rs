//! Jobs: the definition a person runs, and what is valid in one.

mod check;
mod file;
mod owned;
mod spark;
mod spark_sql;

pub use check::check_script;
pub use file::NamedFile;
pub use owned::{is_key, is_owned_key, owned_keys};
pub use spark::{DynamicAllocation, LEAST_MB, SparkResources};

use crate::{
    Engine, Millis,
    artifact::ArtifactKind,
    id::{ArtifactId, EnvironmentId, JobId, TeamId, UserId},
    run::Run,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    FlinkSql,
    FlinkJar,
    SparkSql,
    SparkJar,
    #[serde(rename = "pyspark")]
    PySpark,
}

impl JobKind {
    pub const ALL: [JobKind; 5] = [
        JobKind::FlinkSql,
        JobKind::FlinkJar,
        JobKind::SparkSql,
        JobKind::SparkJar,
        JobKind::PySpark,
    ];

    pub fn name(self) -> &'static str {
        match self {
            JobKind::FlinkSql => "flink_sql",
            JobKind::FlinkJar => "flink_jar",
            JobKind::SparkSql => "spark_sql",
            JobKind::SparkJar => "spark_jar",
            JobKind::PySpark => "pyspark",
        }
    }

    /// What a person reads; a proper name, the same in every language.
    pub fn label(self) -> &'static str {
        match self {
            JobKind::FlinkSql => "Flink SQL",
            JobKind::FlinkJar => "Flink jar",
            JobKind::SparkSql => "Spark SQL",
            JobKind::SparkJar => "Spark jar",
            JobKind::PySpark => "PySpark",
        }
    }

    pub fn engine(self) -> Engine {
        match self {
            JobKind::FlinkSql | JobKind::FlinkJar => Engine::Flink,
            JobKind::SparkSql | JobKind::SparkJar | JobKind::PySpark => Engine::Spark,
        }
    }

    /// What its program is uploaded as; `None`: it has a script instead.
    pub fn program(self) -> Option<ArtifactKind> {
        match self {
            JobKind::FlinkSql | JobKind::SparkSql => None,
            JobKind::FlinkJar | JobKind::SparkJar => Some(ArtifactKind::Jar),
            JobKind::PySpark => Some(ArtifactKind::Python),
        }
    }

    /// Whether a file of a kind can be one of its dependencies.
    pub fn takes(self, dependency: ArtifactKind) -> bool {
        match self {
            JobKind::FlinkSql | JobKind::FlinkJar => false,
            JobKind::SparkJar => dependency == ArtifactKind::Jar,
            // A script may call functions in Python.
            JobKind::SparkSql | JobKind::PySpark => true,
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// Limits of a definition.
pub const MAX_NAME: usize = 120;
pub const MAX_SQL_BYTES: usize = 1024 * 1024;
pub const MAX_ARGS: usize = 500;
/// Arguments travel in the configuration file, not on a command line.
pub const MAX_ARGS_BYTES: usize = 256 * 1024;
pub const MAX_CONF_ENTRIES: usize = 300;
pub const MAX_CONF_VALUE: usize = 16 * 1024;
pub const MAX_TAGS: usize = 5;
pub const MAX_TAG: usize = 60;
/// Dependencies, files and archives of a job, of each.
pub const MAX_FILES: usize = 50;
pub const MAX_PRIORITY: i64 = 1_000_000;

/// Sizes of a Flink application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Memory of the JobManager's process, in MiB (1 MiB = 1 048 576 bytes).
    pub job_manager_mb: i64,
    /// Memory of one TaskManager's process, in MiB.
    pub task_manager_mb: i64,
    /// Task slots of one TaskManager.
    pub slots: i64,
    /// Virtual cores of one TaskManager's container; absent: as many as slots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_manager_vcores: Option<i64>,
    /// Default parallelism of the job.
    pub parallelism: i64,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            job_manager_mb: 1024,
            task_manager_mb: 1728,
            slots: 1,
            task_manager_vcores: None,
            parallelism: 1,
        }
    }
}

/// What a person enters; every save of it is a job version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    pub name: String,
    pub kind: JobKind,
    /// Code of the cluster it runs on.
    pub cluster: String,
    pub environment: EnvironmentId,
    pub queue: String,
    /// The script; only for SQL jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// The uploaded program: a jar for jar jobs, a `.py` file for PySpark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<ArtifactId>,
    /// Entry class of a jar; absent: the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_class: Option<String>,
    #[serde(default)]
    pub args: Vec<String>,
    /// Engine settings that pass through, minus those the console owns.
    #[serde(default)]
    pub conf: BTreeMap<String, String>,
    /// Sizes of a Flink job; those of other engines keep the defaults.
    #[serde(default)]
    pub resources: Resources,
    /// Sizes of a Spark job; absent: the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spark: Option<SparkResources>,
    /// Uploaded files beside the program, by which Spark jobs find classes and Python modules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<ArtifactId>,
    /// Files on HDFS that lie in the working directory of a Spark job, as [`NamedFile`] reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// As `files`, unpacked into a directory of the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<String>,
    /// Of the application within its queue; higher goes first. Spark only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Label of the nodes a Spark job runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_label: Option<String>,
    /// YARN tags beside the console's own.
    #[serde(default)]
    pub tags: Vec<String>,
    /// IANA name or offset for `table.local-time-zone` or `spark.sql.session.timeZone`; absent: the
    /// node's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Attempts of the ApplicationMaster. A second attempt runs a batch INSERT twice.
    #[serde(default = "one")]
    pub am_attempts: i64,
}

fn one() -> i64 {
    1
}

impl JobSpec {
    /// A definition in which nothing was entered yet.
    pub fn new(kind: JobKind, environment: EnvironmentId) -> Self {
        Self {
            name: String::new(),
            kind,
            cluster: String::new(),
            environment,
            queue: String::new(),
            sql: None,
            artifact: None,
            main_class: None,
            args: Vec::new(),
            conf: BTreeMap::new(),
            resources: Resources::default(),
            spark: (kind.engine() == Engine::Spark).then(SparkResources::default),
            dependencies: Vec::new(),
            files: Vec::new(),
            archives: Vec::new(),
            priority: None,
            node_label: None,
            tags: Vec::new(),
            time_zone: None,
            am_attempts: 1,
        }
    }
}

/// A job with its newest definition and last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    pub id: JobId,
    pub team: TeamId,
    pub team_name: String,
    pub spec: JobSpec,
    pub environment_name: String,
    /// Name and version of the uploaded program, for jobs that have one.
    pub artifact_name: Option<String>,
    pub version: i64,
    pub created_by: UserId,
    pub created_by_name: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// The open run, or the last one.
    pub run: Option<Run>,
}

/// A line of the jobs list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobRow {
    pub id: JobId,
    pub name: String,
    pub kind: JobKind,
    pub team_name: String,
    pub cluster_code: String,
    pub environment_name: String,
    pub queue: String,
    pub owner: String,
    pub version: i64,
    /// When the definition or the run's state last changed.
    pub changed_at: Millis,
    pub run: Option<Run>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobVersion {
    pub number: i64,
    pub spec: JobSpec,
    pub created_by_name: String,
    pub created_at: Millis,
}

/// Body that creates a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// The team it belongs to; may be left out by members of one team only.
    #[serde(default)]
    pub team: Option<TeamId>,
    pub spec: JobSpec,
}

/// Body that saves a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobUpdate {
    /// The version the edit began from; another newest version answers a conflict.
    pub base_version: i64,
    pub spec: JobSpec,
}

/// What would be, or was, sent to the cluster; without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LaunchPreview {
    pub application_name: String,
    pub application_type: String,
    pub hadoop_user: String,
    pub queue: String,
    pub tags: Vec<String>,
    pub memory_mb: i64,
    pub vcores: i64,
    pub max_attempts: i64,
    pub command: String,
    pub environment: Vec<(String, String)>,
    pub files: Vec<LaunchFile>,
    /// The engine configuration file, key by key.
    pub conf: Vec<(String, String)>,
    pub acls: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LaunchFile {
    pub name: String,
    pub uri: String,
    pub bytes: i64,
}

#[cfg(test)]
mod tests;
