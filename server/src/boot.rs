//! Opening the console and running it until it is told to stop.

use crate::{
    assets::{self, Assets},
    config::Config,
    host, listener,
    lock::{Lock, LockError},
    management, router,
    state::AppState,
};
use bytes::Bytes;
use domain::Engine;
use identity::Secret;
use service::{Clock, Service, SystemClock};
use std::{io, path::Path, sync::Arc, time::Duration};
use store::{Db, sessions::Sessions};
use tokio::{net::TcpListener, signal::unix, signal::unix::SignalKind};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long requests and reconcilers at work may take to end after a signal.
const SOFT_STOP: Duration = Duration::from_secs(10);
/// How often ended sessions are forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(600);

/// Why the console does not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{0}")]
    Config(#[from] crate::config::ConfigError),
    #[error("the database cannot be opened: {}", chain(.0))]
    Database(#[source] store::Error),
    #[error("the console cannot be opened: {0}")]
    Service(#[from] service::Error),
    #[error("cannot listen on {address}: {source}; is another program there? (set {key})")]
    Listen {
        key: &'static str,
        address: String,
        source: io::Error,
    },
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// An open console that does not listen yet. Holds the data directory's lock.
pub struct Opened {
    _lock: Lock,
    pub service: Service,
    pub db: Db,
}

/// Takes the lock, opens the database, brings its schema up to date and opens the service.
///
/// # Errors
/// What keeps the console from starting, and what to do.
pub async fn open(config: &Config) -> Result<Opened, BootError> {
    open_at(config, Arc::new(SystemClock)).await
}

/// As [`open`], by another clock.
///
/// # Errors
/// As [`open`].
pub async fn open_at(config: &Config, clock: Arc<dyn Clock>) -> Result<Opened, BootError> {
    let lock = Lock::take(&config.server.data_dir)?;
    open_locked(config, clock, lock).await
}

async fn open_locked(config: &Config, clock: Arc<dyn Clock>, lock: Lock) -> Result<Opened, BootError> {
    let db = connect(config).await?;
    let service = Service::new(db.clone(), clock, service_config(config)?).await?;
    Ok(Opened {
        _lock: lock,
        service,
        db,
    })
}

/// Opens the database and migrates it.
///
/// # Errors
/// When it cannot be reached or its schema is newer.
pub async fn connect(config: &Config) -> Result<Db, BootError> {
    let url = config.database_url()?;
    if config.database.url.is_none() {
        make_private_file(&config.sqlite_path())?;
    }
    let db = Db::connect(&url, &store::db::Options::default())
        .await
        .map_err(BootError::Database)?;
    db.migrate().await.map_err(BootError::Database)?;
    Ok(db)
}

/// SQLite gives its companion files the rights of the database.
fn make_private_file(path: &Path) -> Result<(), BootError> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(|_| ())
        .map_err(|source| BootError::Io {
            what: path.display().to_string(),
            source,
        })
}

fn service_config(config: &Config) -> Result<service::Config, BootError> {
    Ok(service::Config {
        data_dir: config.server.data_dir.clone(),
        runner_jar: runner_jar(config, Engine::Flink)?,
        spark_runner_jar: runner_jar(config, Engine::Spark)?,
        allowed_directories: config.clusters.allowed_directories.clone(),
        tick: Duration::from_millis(config.clusters.tick_ms),
        request_timeout: Duration::from_millis(config.clusters.request_timeout_ms),
    })
}

/// The one for Spark, beside the jar the configuration names.
const SPARK_RUNNER: &str = "penstock-spark-runner.jar";

/// The jar of the configuration, else the one in the binary. Without either SQL jobs cannot start,
/// which a development build may want.
fn runner_jar(config: &Config, engine: Engine) -> Result<Bytes, BootError> {
    if let Some(path) = &config.server.runner_jar {
        let path = match engine {
            Engine::Flink => path.clone(),
            Engine::Spark => path.with_file_name(SPARK_RUNNER),
        };
        let jar = std::fs::read(&path).map_err(|source| BootError::Io {
            what: format!("server.runner_jar {}", path.display()),
            source,
        })?;
        return Ok(jar.into());
    }
    match assets::embedded_runner(engine) {
        Some(jar) => Ok(Bytes::from_static(jar)),
        None => {
            tracing::warn!(
                engine = engine.label(),
                "this build carries no runner jar and server.runner_jar is not set; SQL jobs cannot start"
            );
            Ok(Bytes::new())
        }
    }
}

/// The state of the router over an open console.
pub fn state(config: Config, service: Service, db: Db, stop: CancellationToken) -> AppState {
    let clock = service.clone();
    let now = Arc::new(move || clock.now());
    let sessions = Sessions::new(db, now);
    let assets = Assets::new(config.server.site_dir.clone());
    AppState::new(service, sessions, config, assets, stop)
}

/// Runs the console until SIGTERM or SIGINT.
///
/// # Errors
/// What kept it from starting.
pub async fn serve(config: Config, print: impl Fn(&str)) -> Result<(), BootError> {
    let signals = Signals::new()?;
    // First, so that a second process is told about the first and not about a taken port.
    let lock = Lock::take(&config.server.data_dir)?;
    let listener = bind("server.listen", config.server.listen).await?;
    let management_listener = bind("server.management", config.server.management).await?;
    let opened = open_locked(&config, Arc::new(SystemClock), lock).await?;
    // Before anybody can ask: a subcommand that finds this process also finds its administrator.
    let secret = opened.service.first_start().await?;
    let data_dir = config.server.data_dir.clone();
    let socket = host::listen(&data_dir).map_err(|source| BootError::Io {
        what: format!("management socket {}", host::socket_path(&data_dir).display()),
        source,
    })?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let state = state(config, opened.service.clone(), opened.db.clone(), stop.clone());
    let (router, state) = router::build(state);
    opened.service.start(&tasks, &stop);
    tasks.spawn(host::serve(
        socket,
        data_dir,
        opened.service.clone(),
        stop.clone(),
    ));
    tasks.spawn(purge(state.sessions.clone(), stop.clone()));
    tasks.spawn(listener::serve(
        management_listener,
        management::router(state.clone()),
        64,
        stop.clone(),
        Duration::from_secs(1),
    ));
    let connections = state.config.limits.connections;
    tasks.spawn(listener::serve(
        listener,
        router,
        connections,
        stop.clone(),
        SOFT_STOP,
    ));
    tasks.close();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        listen = %state.config.server.listen,
        management = %state.config.server.management,
        database = opened.db.kind(),
        "ready"
    );
    print(&format!(
        "Penstock is ready at {}",
        state.config.server.public_url.at("/")
    ));
    if let Some(secret) = secret {
        let link = login_link(&state.config, &secret);
        print(&format!("Sign in once with this link (30 minutes): {link}"));
    }
    signals.stopped().await;
    tracing::info!("stopping");
    stop.cancel();
    if tokio::time::timeout(SOFT_STOP + Duration::from_secs(1), tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!("tasks were still at work when the time to stop was over");
    }
    opened.db.close().await;
    Ok(())
}

/// The address of a one-time login. The secret stands in the fragment, which browsers do not send.
pub fn login_link(config: &Config, secret: &Secret) -> String {
    config
        .server
        .public_url
        .at(&format!("/login#token={}", secret.expose()))
}

async fn bind(key: &'static str, address: std::net::SocketAddr) -> Result<TcpListener, BootError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| BootError::Listen {
            key,
            address: address.to_string(),
            source,
        })
}

async fn purge(sessions: Sessions, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PURGE_EVERY) => {}
        }
        if let Err(error) = sessions.purge().await {
            tracing::warn!(%error, "ended sessions could not be forgotten");
        }
    }
}

/// Signals that end the process.
struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, BootError> {
        let on = |kind| {
            unix::signal(kind).map_err(|source| BootError::Io {
                what: "signals".into(),
                source,
            })
        };
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    async fn stopped(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
