//! Reconcilers: small loops that bring the world in line with what the database says.
//!
//! Each is woken by a signal and by a timer, takes no input, does a bounded amount of work, never
//! overlaps itself and never retries inside: what did not work is due again later. A signal carries
//! no data on purpose. After a restart there is none, so there is one code path for "just asked"
//! and for "found again after a crash".

use crate::Service;
use domain::Millis;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The names of all reconcilers, as the metrics show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    Submit,
    Stop,
    Savepoint,
    Collect,
    Track,
    Place,
    Prepare,
    Explain,
    Retention,
}

impl Name {
    pub const ALL: [Name; 9] = [
        Name::Submit,
        Name::Stop,
        Name::Savepoint,
        Name::Collect,
        Name::Track,
        Name::Place,
        Name::Prepare,
        Name::Explain,
        Name::Retention,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Name::Submit => "submit",
            Name::Stop => "stop",
            Name::Savepoint => "savepoint",
            Name::Collect => "collect",
            Name::Track => "track",
            Name::Place => "place",
            Name::Prepare => "prepare",
            Name::Explain => "explain",
            Name::Retention => "retention",
        }
    }
}

/// What a reconciler did last.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    pub activations: u64,
    pub failures: u64,
    pub last_started_at: Millis,
    pub last_took_ms: i64,
    /// Objects handled in the last activation.
    pub last_handled: u64,
    pub last_error: Option<String>,
}

/// Signals and statuses of all reconcilers.
#[derive(Default)]
pub(crate) struct Board {
    signals: BTreeMap<Name, Arc<Notify>>,
    statuses: Mutex<BTreeMap<Name, Status>>,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            signals: Name::ALL.into_iter().map(|n| (n, Arc::default())).collect(),
            statuses: Mutex::default(),
        }
    }

    /// Wakes a reconciler; many signals before it runs are one.
    pub(crate) fn wake(&self, name: Name) {
        if let Some(signal) = self.signals.get(&name) {
            signal.notify_one();
        }
    }

    fn signal(&self, name: Name) -> Arc<Notify> {
        self.signals.get(&name).cloned().unwrap_or_default()
    }

    pub(crate) fn statuses(&self) -> BTreeMap<Name, Status> {
        self.statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn record(&self, name: Name, change: impl FnOnce(&mut Status)) {
        change(
            self.statuses
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(name)
                .or_default(),
        );
    }
}

/// What one activation found and when the next is due if nothing signals earlier.
pub(crate) struct Activation {
    pub handled: u64,
    pub next: Duration,
}

/// Runs one reconciler until the console stops.
async fn drive<F, Fut>(service: Service, name: Name, stop: CancellationToken, mut activate: F)
where
    F: FnMut(Service) -> Fut,
    Fut: Future<Output = crate::Result<Activation>>,
{
    let signal = service.inner.board.signal(name);
    let mut next = Duration::ZERO;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = signal.notified() => {}
            () = tokio::time::sleep(next) => {}
        }
        let started = service.now();
        let clock = std::time::Instant::now();
        let result = activate(service.clone()).await;
        let took = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        next = match &result {
            Ok(activation) => activation.next,
            Err(_) => Duration::from_secs(2),
        };
        service.inner.board.record(name, |status| {
            status.activations += 1;
            status.last_started_at = started;
            status.last_took_ms = took;
            match &result {
                Ok(activation) => {
                    status.last_handled = activation.handled;
                    status.last_error = None;
                }
                Err(error) => {
                    status.failures += 1;
                    status.last_error = Some(error.failure.code.as_str().to_owned());
                }
            }
        });
        if let Err(error) = result {
            tracing::error!(reconciler = name.as_str(), error = %error, took_ms = took, "reconciler activation failed");
        }
    }
}

impl Service {
    /// Starts every reconciler on `tasks`; they end when `stop` is cancelled.
    pub fn start(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        // Started twice, the first tracker stays; both are waited for by whoever made them.
        let _ = self.inner.tasks.set(tasks.clone());
        macro_rules! run {
            ($name:ident, $method:ident) => {
                tasks.spawn(drive(
                    self.clone(),
                    Name::$name,
                    stop.clone(),
                    |service: Service| async move { service.$method().await },
                ));
            };
        }
        run!(Submit, activate_submit);
        run!(Stop, activate_stop);
        run!(Savepoint, activate_savepoint);
        run!(Collect, activate_collect);
        run!(Track, activate_track);
        run!(Place, activate_place);
        run!(Prepare, activate_prepare);
        run!(Explain, activate_explain);
        run!(Retention, activate_retention);
    }

    /// What each reconciler did last.
    pub fn status(&self) -> BTreeMap<Name, Status> {
        self.inner.board.statuses()
    }
}
