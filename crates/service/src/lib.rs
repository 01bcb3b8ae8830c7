//! The use cases, and the reconcilers that carry them out. Both faces of the console, pages and
//! REST, call these methods; each takes the viewer first and asks here, not in the face, whether
//! it may.

#[cfg(target_family = "wasm")]
compile_error!("service is part of the server; a page must never link it");

mod artifacts;
mod audit;
#[cfg(not(feature = "chaos"))]
mod chaos;
#[cfg(feature = "chaos")]
pub mod chaos;
mod clock;
mod clusters;
mod environments;
mod error;
pub mod events;
mod jobs;
mod lanes;
mod logs;
mod people;
pub mod reconcile;
pub mod request;
mod retention;
mod runs;

pub use clock::{Clock, SystemClock};
pub use error::{Error, Result};
pub use people::SignedIn;

use bytes::Bytes;
use domain::{Action, Engine, Millis, Viewer, id::DeploymentId, id::TeamId};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};
use store::Db;
use tokio_util::task::TaskTracker;

/// How much longer than a request a transfer may pause: a DataNode that dies is replaced meanwhile.
const IDLE: u32 = 3;

/// What the console is told at its start.
pub struct Config {
    /// Holds `artifacts/`, `uploads/` and `spool/`.
    pub data_dir: PathBuf,
    /// The jars with the main classes the engines lack.
    pub runner_jar: Bytes,
    pub spark_runner_jar: Bytes,
    /// Directories below which client configurations and engine distributions may be read.
    pub allowed_directories: Vec<PathBuf>,
    /// How often a cluster is asked at rest.
    pub tick: Duration,
    /// Deadline of one request to a cluster. Transfers of files have none; their pauses are limited.
    pub request_timeout: Duration,
}

/// The console behind its faces. Cloning is cheap.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    config: Config,
    deployment: DeploymentId,
    net: net::Client,
    bus: events::Bus,
    board: reconcile::Board,
    tasks: OnceLock<TaskTracker>,
    submitting: lanes::Lanes,
    stopping: lanes::Lanes,
    saving: lanes::Lanes,
    clusters: clusters::Connections,
    sweeps: clusters::Sweeps,
    writing: environments::Writing,
    runner: environments::Runner,
    spark_runner: environments::Runner,
    people: people::Guard,
    tracker: runs::Tracker,
    waiting: runs::Waiting,
    logs: logs::Spool,
}

impl Inner {
    /// Where work that outlasts its caller runs; the console waits for it when it stops.
    fn tasks(&self) -> &TaskTracker {
        self.tasks.get_or_init(TaskTracker::new)
    }
}

impl Service {
    /// Opens the console over a migrated database; makes the id of this deployment on first use.
    pub async fn new(db: Db, clock: Arc<dyn Clock>, config: Config) -> Result<Self> {
        for dir in ["artifacts", "uploads", "spool"] {
            let path = config.data_dir.join(dir);
            std::fs::create_dir_all(&path)
                .map_err(|e| Error::internal(format!("{}: {e}", path.display())))?;
        }
        let deployment = deployment(&db, clock.now()).await?;
        let net = net::Client::with(net::Options {
            connect_timeout: config
                .request_timeout
                .min(net::Options::default().connect_timeout),
            timeout: config.request_timeout,
            idle: config.request_timeout * IDLE,
            ..net::Options::default()
        })
        .map_err(Error::internal)?;
        let inner = Inner {
            runner: environments::Runner::new(Engine::Flink, config.runner_jar.clone()),
            spark_runner: environments::Runner::new(Engine::Spark, config.spark_runner_jar.clone()),
            logs: logs::Spool::new(config.data_dir.join("spool"))?,
            db,
            clock,
            config,
            deployment,
            net,
            bus: events::Bus::new(),
            board: reconcile::Board::new(),
            tasks: OnceLock::new(),
            submitting: lanes::Lanes::default(),
            stopping: lanes::Lanes::default(),
            saving: lanes::Lanes::default(),
            clusters: clusters::Connections::default(),
            sweeps: clusters::Sweeps::default(),
            writing: environments::Writing::default(),
            people: people::Guard::default(),
            tracker: runs::Tracker::default(),
            waiting: runs::Waiting::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What time the console thinks it is.
    pub fn now(&self) -> Millis {
        self.inner.clock.now()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.inner.db.ping().await?)
    }

    fn db(&self) -> &Db {
        &self.inner.db
    }
}

/// The id of this installation; two consoles that start at once agree on one.
async fn deployment(db: &Db, now: Millis) -> Result<DeploymentId> {
    let mine: DeploymentId = clock::new_id!(DeploymentId, now);
    let mut tx = db.begin().await?;
    let kept = store::meta::get_or_insert(&mut tx, "deployment", mine.as_str()).await?;
    tx.commit().await?;
    kept.parse().map_err(Error::internal)
}

/// Passes when the viewer may do `action` on an object of `team`.
fn require(viewer: &Viewer, action: Action, team: &TeamId) -> Result<()> {
    if viewer.may(action, team) {
        Ok(())
    } else {
        Err(Error::forbidden(action))
    }
}

/// Passes when the viewer may do `action` on what all teams share.
fn require_shared(viewer: &Viewer, action: Action) -> Result<()> {
    if viewer.may_shared(action) {
        Ok(())
    } else {
        Err(Error::forbidden(action))
    }
}
