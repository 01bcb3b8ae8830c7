//! Spark jobs on a real cluster, to their end. They take long and much memory, so they run when asked
//! for, one at a time: `cargo xtask sandbox spark`, then
//! `cargo xtask with cargo test -p spark --test real -- --ignored --test-threads=1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers outside of test functions do so too"
)]

mod own;
mod programs;
mod sandbox;
mod scripts;

/// The variables that name the homes of the versions.
const NEWEST: &str = "PENSTOCK_SANDBOX_SPARK";
const OLDER: &str = "PENSTOCK_SANDBOX_SPARK_3";
