//! Who is calling: the rules of passwords, tokens, login links, sessions and login throttling.
//! Pure: no I/O and no clock; the time is passed in, what is stored is for the caller to store.

pub mod password;
pub mod secret;
pub mod session;
pub mod throttle;

pub use secret::{Secret, constant_time_eq, token_hash};
pub use session::{SessionLimits, SessionStamp, Verdict};
pub use throttle::{Throttle, address_key};

/// How long a login link can be used.
pub const LOGIN_LINK_MS: domain::Millis = 30 * 60_000;

/// Days a token may live, least and most.
pub const TOKEN_DAYS: (i64, i64) = (1, 365);
