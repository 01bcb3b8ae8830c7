//! A world to test in: a fake cluster, a database, and consoles that can die.

mod database;
mod life;
mod world;

pub(crate) use database::{Database, Kind};
pub(crate) use life::{Life, Plan};
pub(crate) use world::{TEAM_USER, World, WorldOptions, jar, person, run_tag};

use std::{future::Future, time::Duration};

/// Longest wait for anything that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Asks again until there is an answer.
///
/// # Panics
/// When [`PATIENCE`] is over.
pub(crate) async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
