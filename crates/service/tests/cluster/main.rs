//! The console on a fake cluster, with its real stores: what a person asks for happens once, what
//! the cluster does is shown, and what it does not say is not made up.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test program, helpers included"
)]

mod changes;
mod check;
mod double_click;
mod exactly_once;
mod in_doubt;
mod live;
mod logs;
mod outage;
mod placing;
mod refused;
mod restore;
mod rights;
mod savepoint;
mod slow_post;
mod spark;
mod stop_in_doubt;
mod support;
mod sweep;
mod tracking;
