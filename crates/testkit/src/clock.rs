//! Time that a test decides.

use domain::Millis;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Starts at `now`, epoch milliseconds.
    pub fn new(now: Millis) -> Self {
        Self(Arc::new(AtomicI64::new(now)))
    }

    pub fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }

    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Also backwards, as a corrected host clock does.
    pub fn set(&self, now: Millis) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(1_767_225_600_000)
    }
}

#[cfg(feature = "service")]
impl service::Clock for ManualClock {
    fn now(&self) -> Millis {
        ManualClock::now(self)
    }
}

/// Where the cluster takes its time from.
#[derive(Debug, Clone, Default)]
pub enum Time {
    /// The host's clock, plus what `Control::advance` added.
    #[default]
    Real,
    /// Nothing happens in the cluster until the clock is moved.
    Manual(ManualClock),
}

/// The cluster's own clock.
pub(crate) struct ClusterClock {
    time: Time,
    added: AtomicI64,
}

impl ClusterClock {
    pub(crate) fn new(time: Time) -> Self {
        Self {
            time,
            added: AtomicI64::new(0),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        match &self.time {
            Time::Real => wall() + self.added.load(Ordering::SeqCst),
            Time::Manual(clock) => clock.now(),
        }
    }

    pub(crate) fn advance(&self, ms: i64) {
        match &self.time {
            Time::Real => {
                self.added.fetch_add(ms, Ordering::SeqCst);
            }
            Time::Manual(clock) => clock.advance(ms),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the cluster is another host to the console; its clock is not the console's"
)]
fn wall() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| Millis::try_from(age.as_millis()).unwrap_or(Millis::MAX))
}
