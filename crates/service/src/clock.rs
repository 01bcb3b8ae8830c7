//! Time and randomness come in through here, so that tests decide both.

use domain::Millis;
use std::time::{SystemTime, UNIX_EPOCH};

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Millis;
}

/// The clock of the host.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    fn now(&self) -> Millis {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(Millis::MAX))
    }
}

/// A new ULID for `now`, in lower case.
pub(crate) fn ulid(now: Millis) -> String {
    let random: u128 = rand::random();
    ulid::Ulid::from_parts(u64::try_from(now).unwrap_or(0), random)
        .to_string()
        .to_ascii_lowercase()
}

/// A new id of the kind that is asked for.
macro_rules! new_id {
    ($kind:ty, $now:expr) => {
        loop {
            if let Some(id) = <$kind>::from_ulid(&$crate::clock::ulid($now)) {
                break id;
            }
        }
    };
}
pub(crate) use new_id;
