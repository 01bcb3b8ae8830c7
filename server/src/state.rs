//! What handlers and middleware share.

use crate::{
    assets::Assets,
    config::Config,
    live::{self, Streams},
    metrics::Metrics,
    routes::Table,
};
use leptos::config::LeptosOptions;
use service::Service;
use std::{sync::Arc, time::Duration};
use store::sessions::Sessions;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Cloning is cheap.
#[derive(Clone)]
pub struct AppState {
    pub service: Service,
    pub sessions: Sessions,
    pub config: Arc<Config>,
    pub assets: Arc<Assets>,
    pub metrics: Arc<Metrics>,
    pub leptos: LeptosOptions,
    /// Cancelled when the console stops; ends the live streams.
    pub stop: CancellationToken,
    /// How often a live stream says that it lives and looks whether its caller may still read it.
    pub heartbeat: Duration,
    pub(crate) streams: Arc<Streams>,
    pub(crate) slots: Arc<Semaphore>,
    /// Filled in when the router is assembled.
    pub(crate) table: Table,
    /// The description of the API, as JSON.
    pub(crate) openapi: Arc<str>,
}

impl AppState {
    pub fn new(
        service: Service,
        sessions: Sessions,
        config: Config,
        assets: Assets,
        stop: CancellationToken,
    ) -> Self {
        Self {
            streams: Arc::new(Streams::new(
                config.limits.streams,
                config.limits.streams_per_user,
            )),
            slots: Arc::new(Semaphore::new(config.limits.concurrent_requests)),
            service,
            sessions,
            config: Arc::new(config),
            assets: Arc::new(assets),
            metrics: Arc::new(Metrics::default()),
            leptos: LeptosOptions::builder().output_name("penstock").build(),
            stop,
            heartbeat: live::HEARTBEAT,
            table: Table::default(),
            openapi: Arc::from(""),
        }
    }

    pub fn table(&self) -> &Table {
        &self.table
    }
}
