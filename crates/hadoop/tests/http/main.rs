//! The clients against servers that answer as told: real answers, and every way to fail.

#![allow(clippy::unwrap_used, reason = "test")]

mod answers;
mod failures;
mod support;
