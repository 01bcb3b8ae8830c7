//! What the Hadoop clients rely on, as assertions about a cluster: run against a real one to prove
//! that the clients are right, and against the fake one to prove that the fake is.

// Named, because the tests against a real cluster include this file from elsewhere.
#[path = "contract/applications.rs"]
mod applications;
#[path = "contract/container.rs"]
mod container;
#[path = "contract/files.rs"]
mod files;

pub use applications::rm_contract;
pub use container::container_contract;
pub use files::webhdfs_contract;

use hadoop::{
    ApplicationId, ContainerId, Error, HdfsPath, Identity, Observation,
    conf::Configuration,
    nm::{NodeManager, Part},
    rm::{AppQuery, ResourceManager},
    shell::{env_value, join_args},
    tfile::{AggregatedLog, HdfsFile},
    types::{App, AppState, FinalStatus},
    webhdfs::{CreateOptions, FileKind, WebHdfs},
    xml::{AclKind, LaunchContext, LocalResource, Resource, ResourceKind, SubmissionContext, Visibility},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const NEW: CreateOptions = CreateOptions {
    permission: 0o644,
    overwrite: false,
};
const MODIFIED: i64 = 1_000_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments and values that a shell could break.
pub const HOSTILE: &[&str] = &[
    "",
    " ",
    "it's",
    "\"",
    "$HOME",
    "$(id)",
    "`id`",
    "\\",
    "\\\\$x",
    "trailing\\",
    "new\nline",
    "c\rr",
    "tab\t",
    "a;b&&c|d>e<f",
    "*",
    "{{PWD}}",
    "{{{PWD}}}",
    "<LOG_DIR>",
    "a<CPS>b",
    "<ADD_OPENS>",
    "}}{{",
    "<&>",
    "]]>",
    "ü…漢🦀",
    "'\\''",
    "!x",
    "#c",
];

/// Asks again until `ready` gives something.
///
/// # Panics
/// When that takes longer than a minute.
pub async fn eventually<T>(what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ready().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn path(dir: &HdfsPath, below: &str) -> HdfsPath {
    dir.join(below).unwrap()
}

/// A submission that runs `command` until it is killed.
pub fn submission(id: ApplicationId, queue: &str, tags: &[&str], command: String) -> SubmissionContext {
    SubmissionContext {
        application_id: id,
        name: "contract <&> ü".into(),
        queue: queue.into(),
        priority: None,
        am_resource: Resource {
            memory_mb: 128,
            vcores: 1,
        },
        max_app_attempts: 1,
        application_type: "CONTRACT".into(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        keep_containers: false,
        attempt_failures_validity_ms: None,
        node_label: None,
        container: LaunchContext {
            command,
            ..LaunchContext::default()
        },
        log_aggregation: None,
    }
}

/// A client with the usual limits.
///
/// # Panics
/// When the TLS library cannot be set up.
pub fn http() -> net::Client {
    net::Client::new().unwrap()
}
