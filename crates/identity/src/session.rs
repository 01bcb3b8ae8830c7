//! When a session is over, and when its last use is written down.

use domain::Millis;

/// Least time between two writes of a session's last use, so that reading pages does not cost a
/// database write each.
pub const TOUCH_MS: Millis = 60_000;

/// How long a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without use, in milliseconds.
    pub idle: Millis,
    /// In any case, in milliseconds after the login.
    pub absolute: Millis,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: 30 * 60_000,
            absolute: 12 * 3_600_000,
        }
    }
}

/// The times a session carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStamp {
    pub signed_in_at: Millis,
    /// Last use that was written, at most [`TOUCH_MS`] behind the real one.
    pub last_seen: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Delete the session.
    Over,
    Alive {
        /// Write `last_seen` now.
        touch: bool,
    },
}

impl SessionLimits {
    /// Judges a session at `now`. A clock that was set back ends no session and extends none.
    pub fn judge(self, stamp: SessionStamp, now: Millis) -> Verdict {
        let idle = now.saturating_sub(stamp.last_seen);
        let age = now.saturating_sub(stamp.signed_in_at);
        // The written last use may lag by TOUCH_MS: without the allowance an active session could end.
        if age >= self.absolute || idle >= self.idle.saturating_add(TOUCH_MS) {
            Verdict::Over
        } else {
            Verdict::Alive {
                touch: idle >= TOUCH_MS,
            }
        }
    }

    /// When a session of these times ends at the latest; what is stored as its expiry.
    pub fn ends_at(self, stamp: SessionStamp) -> Millis {
        let idle_end = stamp.last_seen.saturating_add(self.idle).saturating_add(TOUCH_MS);
        idle_end.min(stamp.signed_in_at.saturating_add(self.absolute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    #[test]
    fn sessions_end_by_idleness_and_by_age() {
        let limits = SessionLimits::default();
        let at = |signed_in_at, last_seen, now| {
            let stamp = SessionStamp {
                signed_in_at,
                last_seen,
            };
            let verdict = limits.judge(stamp, now);
            assert_eq!(verdict == Verdict::Over, now >= limits.ends_at(stamp));
            verdict
        };
        assert_eq!(at(0, 0, 1), Verdict::Alive { touch: false });
        assert_eq!(at(0, 0, MINUTE), Verdict::Alive { touch: true });
        assert_eq!(at(0, 0, 30 * MINUTE), Verdict::Alive { touch: true });
        assert_eq!(at(0, 0, 31 * MINUTE), Verdict::Over);
        let half_day = 12 * 60 * MINUTE;
        assert_eq!(
            at(0, half_day - MINUTE, half_day - 1),
            Verdict::Alive { touch: false }
        );
        assert_eq!(at(0, half_day - 1, half_day), Verdict::Over);
        assert_eq!(at(1000, 1000, 0), Verdict::Alive { touch: false });
    }
}
