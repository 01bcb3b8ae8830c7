//! What the ResourceManager and NodeManagers answer, read leniently. Members whose JSON is broken
//! in some versions (`resourceSecondsMap` repeats its keys) are not read at all.

use crate::{
    ApplicationId, ContainerId,
    ids::AttemptId,
    lenient::{comma, float, int, list, opt_int, opt_text, text},
};
use serde::{Deserialize, Serialize};

/// State of an application as its owner sees it. A word that is not here makes the entry
/// unreadable: guessing would turn it into a wrong conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AppState {
    New,
    NewSaving,
    Submitted,
    Accepted,
    Running,
    Finished,
    Failed,
    Killed,
}

impl AppState {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Killed)
    }

    /// Whether the ResourceManager's store has it, so that it survives a restart.
    pub fn is_durable(self) -> bool {
        !matches!(self, Self::New | Self::NewSaving | Self::Submitted)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::NewSaving => "NEW_SAVING",
            Self::Submitted => "SUBMITTED",
            Self::Accepted => "ACCEPTED",
            Self::Running => "RUNNING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
}

/// What the application said about itself when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FinalStatus {
    Undefined,
    Succeeded,
    Failed,
    Killed,
    Ended,
}

/// An application. Times are epoch milliseconds, 0 when not yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    pub id: ApplicationId,
    pub state: AppState,
    pub final_status: FinalStatus,
    #[serde(default, deserialize_with = "text")]
    pub user: String,
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    /// Full path such as `root.default`.
    #[serde(default, deserialize_with = "text")]
    pub queue: String,
    #[serde(default, deserialize_with = "float")]
    pub progress: f64,
    #[serde(default, deserialize_with = "opt_text")]
    pub tracking_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub diagnostics: String,
    #[serde(default, deserialize_with = "text")]
    pub application_type: String,
    /// In lower case.
    #[serde(default, deserialize_with = "comma", serialize_with = "join_comma")]
    pub application_tags: Vec<String>,
    #[serde(default, deserialize_with = "int")]
    pub priority: i64,
    #[serde(default, deserialize_with = "int")]
    pub started_time: i64,
    #[serde(default, deserialize_with = "int")]
    pub launch_time: i64,
    #[serde(default, deserialize_with = "int")]
    pub finished_time: i64,
    #[serde(default, deserialize_with = "int")]
    pub elapsed_time: i64,
    #[serde(default, deserialize_with = "opt_text")]
    pub am_container_logs: Option<String>,
    /// `host:port` of the NodeManager of the application master; absent before it registers.
    #[serde(default, deserialize_with = "opt_text")]
    pub am_host_http_address: Option<String>,
    /// `host:port` the application master registered with.
    #[serde(default, deserialize_with = "opt_text", rename = "amRPCAddress")]
    pub am_rpc_address: Option<String>,
    /// -1 when finished, like the three below.
    #[serde(default, deserialize_with = "int", rename = "allocatedMB")]
    pub allocated_mb: i64,
    #[serde(default, deserialize_with = "int", rename = "allocatedVCores")]
    pub allocated_vcores: i64,
    #[serde(default, deserialize_with = "int", rename = "reservedMB")]
    pub reserved_mb: i64,
    #[serde(default, deserialize_with = "int")]
    pub running_containers: i64,
    #[serde(default, deserialize_with = "int")]
    pub memory_seconds: i64,
    #[serde(default, deserialize_with = "int")]
    pub vcore_seconds: i64,
    #[serde(default, deserialize_with = "float")]
    pub queue_usage_percentage: f64,
    #[serde(default, deserialize_with = "float")]
    pub cluster_usage_percentage: f64,
    /// `NOT_START`, `RUNNING`, `SUCCEEDED`, `FAILED`, `TIME_OUT`, …
    #[serde(default, deserialize_with = "opt_text")]
    pub log_aggregation_status: Option<String>,
}

fn join_comma<S: serde::Serializer>(tags: &[String], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&tags.join(","))
}

impl App {
    pub fn has_tag(&self, tag: &str) -> bool {
        self.application_tags
            .iter()
            .any(|have| have.eq_ignore_ascii_case(tag))
    }

    /// Number of the newest attempt that got a container for its application master, as the address
    /// of that container's logs tells; none while the attempt waits for one.
    pub fn attempt(&self) -> Option<i64> {
        let logs = self.am_container_logs.as_deref()?;
        let container = logs.split('/').find(|part| part.starts_with("container_"))?;
        container.rsplit('_').nth(1)?.parse().ok()
    }
}

/// The ResourceManager itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterInfo {
    /// Changes with every start or failover; part of the application ids issued since.
    #[serde(deserialize_with = "int")]
    pub started_on: i64,
    #[serde(default, deserialize_with = "text")]
    pub state: String,
    #[serde(default, deserialize_with = "text")]
    pub ha_state: String,
    #[serde(default, deserialize_with = "text")]
    pub resource_manager_version: String,
    #[serde(default, deserialize_with = "text")]
    pub hadoop_version: String,
    /// Class of the state store; an in-memory or null store forgets applications at a restart.
    #[serde(default, deserialize_with = "text")]
    pub rm_state_store_name: String,
}

impl ClusterInfo {
    pub fn is_active(&self) -> bool {
        self.ha_state.is_empty() || self.ha_state == "ACTIVE"
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resource {
    /// Megabytes.
    #[serde(default, deserialize_with = "int")]
    pub memory: i64,
    #[serde(default, deserialize_with = "int", rename = "vCores")]
    pub vcores: i64,
}

/// A fresh application id and the largest container the cluster grants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewApplication {
    pub application_id: ApplicationId,
    #[serde(default)]
    pub maximum_resource_capability: Resource,
}

/// One attempt of an application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    #[serde(deserialize_with = "int")]
    pub id: i64,
    #[serde(default)]
    pub app_attempt_id: Option<AttemptId>,
    #[serde(default, deserialize_with = "int")]
    pub start_time: i64,
    #[serde(default, deserialize_with = "int")]
    pub finished_time: i64,
    /// Container of the application master; absent before it is allocated.
    #[serde(default, deserialize_with = "opt_container")]
    pub container_id: Option<ContainerId>,
    #[serde(default, deserialize_with = "opt_text")]
    pub node_http_address: Option<String>,
    #[serde(default, deserialize_with = "opt_text")]
    pub node_id: Option<String>,
    #[serde(default, deserialize_with = "opt_text")]
    pub app_attempt_state: Option<String>,
}

fn opt_container<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<ContainerId>, D::Error> {
    Ok(opt_text(d)?.and_then(|text| text.parse().ok()))
}

/// A container of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    pub container_id: ContainerId,
    #[serde(default, deserialize_with = "int", rename = "allocatedMB")]
    pub allocated_mb: i64,
    #[serde(default, deserialize_with = "int", rename = "allocatedVCores")]
    pub allocated_vcores: i64,
    #[serde(default, deserialize_with = "int")]
    pub started_time: i64,
    #[serde(default, deserialize_with = "int")]
    pub finished_time: i64,
    #[serde(default, deserialize_with = "text")]
    pub container_state: String,
    #[serde(default, deserialize_with = "opt_int")]
    pub container_exit_status: Option<i64>,
    /// With or without `http://`, depending on the version.
    #[serde(default, deserialize_with = "opt_text")]
    pub node_http_address: Option<String>,
    #[serde(default, deserialize_with = "opt_text")]
    pub node_id: Option<String>,
}

/// A NodeManager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub rack: String,
    #[serde(default, deserialize_with = "text")]
    pub state: String,
    #[serde(default, deserialize_with = "text")]
    pub node_host_name: String,
    #[serde(default, deserialize_with = "opt_text", rename = "nodeHTTPAddress")]
    pub node_http_address: Option<String>,
    #[serde(default, deserialize_with = "int")]
    pub last_health_update: i64,
    #[serde(default, deserialize_with = "text")]
    pub health_report: String,
    #[serde(default, deserialize_with = "text")]
    pub version: String,
    #[serde(default, deserialize_with = "int")]
    pub num_containers: i64,
    #[serde(default, deserialize_with = "int", rename = "usedMemoryMB")]
    pub used_memory_mb: i64,
    #[serde(default, deserialize_with = "int", rename = "availMemoryMB")]
    pub avail_memory_mb: i64,
    #[serde(default, deserialize_with = "int")]
    pub used_virtual_cores: i64,
    #[serde(default, deserialize_with = "int")]
    pub available_virtual_cores: i64,
    #[serde(default, deserialize_with = "list")]
    pub node_labels: Vec<String>,
}

/// Counts of the whole cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterMetrics {
    #[serde(default, deserialize_with = "int")]
    pub apps_submitted: i64,
    /// Ended by itself, whatever its final status; the ResourceManager forgets the oldest.
    #[serde(default, deserialize_with = "int")]
    pub apps_completed: i64,
    #[serde(default, deserialize_with = "int")]
    pub apps_pending: i64,
    #[serde(default, deserialize_with = "int")]
    pub apps_running: i64,
    #[serde(default, deserialize_with = "int")]
    pub apps_failed: i64,
    #[serde(default, deserialize_with = "int")]
    pub apps_killed: i64,
    #[serde(default, deserialize_with = "int", rename = "totalMB")]
    pub total_mb: i64,
    #[serde(default, deserialize_with = "int", rename = "availableMB")]
    pub available_mb: i64,
    #[serde(default, deserialize_with = "int", rename = "allocatedMB")]
    pub allocated_mb: i64,
    #[serde(default, deserialize_with = "int")]
    pub total_virtual_cores: i64,
    #[serde(default, deserialize_with = "int")]
    pub available_virtual_cores: i64,
    #[serde(default, deserialize_with = "int")]
    pub allocated_virtual_cores: i64,
    #[serde(default, deserialize_with = "int")]
    pub containers_allocated: i64,
    #[serde(default, deserialize_with = "int")]
    pub containers_pending: i64,
    #[serde(default, deserialize_with = "int")]
    pub total_nodes: i64,
    #[serde(default, deserialize_with = "int")]
    pub active_nodes: i64,
    #[serde(default, deserialize_with = "int")]
    pub lost_nodes: i64,
    #[serde(default, deserialize_with = "int")]
    pub unhealthy_nodes: i64,
}
