//! Rules of sessions and tokens in use.

use domain::Millis;

/// Least time between two writes of a last use, so that reading pages does not cost a database
/// write each.
pub const TOUCH_MS: Millis = 60_000;
