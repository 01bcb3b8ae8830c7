//! What kind of cluster is faked.

use crate::{clock::Time, script::Script};

#[derive(Debug, Clone)]
pub struct QueueOptions {
    /// Full path below `root`, a leaf.
    pub path: String,
    /// Users that may submit, when ACLs are on; `*` for everybody.
    pub submit: Vec<String>,
    /// Percent of the cluster.
    pub capacity: f64,
}

impl QueueOptions {
    pub fn open(path: &str, capacity: f64) -> Self {
        Self {
            path: path.to_owned(),
            submit: vec!["*".to_owned()],
            capacity,
        }
    }
}

/// The defaults are those of the development sandbox: ACLs on, the console an ordinary user that
/// may act for two team users, two queues.
#[derive(Debug, Clone)]
pub struct Options {
    /// Two ResourceManagers and two NameNodes; the first of each is active.
    pub ha: bool,
    /// YARN's ACLs; without, everybody may kill and see everything.
    pub acls: bool,
    pub superuser: String,
    /// Users with a home directory.
    pub users: Vec<String>,
    /// Who may act for whom; `*` for everybody.
    pub proxies: Vec<(String, Vec<String>)>,
    pub queues: Vec<QueueOptions>,
    /// Whether the parent queue lets everybody submit. If not, a queue that does not exist is
    /// refused at once instead of failing the application.
    pub open_root: bool,
    pub max_memory_mb: i64,
    pub max_vcores: i64,
    pub node_memory_mb: i64,
    pub node_vcores: i64,
    /// `yarn.resourcemanager.max-completed-applications`.
    pub max_completed: usize,
    /// What applications do for which nothing else is said.
    pub script: Script,
    /// Whether the node compares the files of a launch with the file system.
    pub check_files: bool,
    /// From a kill to its effect, in milliseconds of the cluster.
    pub kill_ms: i64,
    /// From a restart with recovery to the moment a running master has registered again.
    pub resync_ms: i64,
    /// Longer files keep their length and hash only.
    pub kept_bytes: u64,
    /// Entries of one LISTSTATUS_BATCH answer.
    pub batch: usize,
    pub version: String,
    pub time: Time,
    /// First of the fixed ports, for a cluster started by hand; otherwise any free ones.
    pub ports: Option<u16>,
}

impl Default for Options {
    fn default() -> Self {
        let teams = ["team_a", "team_b"].map(str::to_owned);
        Self {
            ha: false,
            acls: true,
            superuser: "hadoop".into(),
            users: ["penstock".to_owned()].into_iter().chain(teams.clone()).collect(),
            proxies: vec![("penstock".into(), teams.to_vec())],
            queues: vec![
                QueueOptions::open("root.default", 50.0),
                QueueOptions::open("root.adhoc", 50.0),
            ],
            open_root: true,
            max_memory_mb: 4096,
            max_vcores: 4,
            node_memory_mb: 8192,
            node_vcores: 8,
            max_completed: 1000,
            script: Script::forever(),
            check_files: true,
            kill_ms: 50,
            resync_ms: 100,
            kept_bytes: 8 << 20,
            batch: 1000,
            version: "3.4.2".into(),
            time: Time::Real,
            ports: None,
        }
    }
}
