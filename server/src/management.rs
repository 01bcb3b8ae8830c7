//! The management listener: health and metrics, on an address of their own, without detail.

use crate::{metrics::Text, state::AppState};
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use service::reconcile::Status;
use std::time::Duration;

/// How long the database may take to answer a health check.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(state)
}

/// The process answers and so does its database.
async fn health(State(state): State<AppState>) -> (StatusCode, &'static str) {
    match tokio::time::timeout(PING_TIMEOUT, state.service.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ok\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "database\n"),
    }
}

/// As health, and not about to stop.
async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    health(State(state)).await
}

async fn metrics(State(state): State<AppState>) -> Response {
    let mut text = Text(state.metrics.text());
    reconcilers(&mut text, &state);
    text.head("penstock_live_streams", "gauge", "Open live streams.");
    text.value("penstock_live_streams", &[], state.streams.open());
    text.head("penstock_build_info", "gauge", "Version of the process.");
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    text.value("penstock_build_info", &version, 1);
    if let Some(bytes) = resident_bytes().await {
        let name = "process_resident_memory_bytes";
        text.head(name, "gauge", "Resident memory of the process.");
        text.value(name, &[], bytes);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.0).into_response()
}

/// Name, kind, help and value of one number of a reconciler.
type Column = (&'static str, &'static str, &'static str, fn(&Status) -> f64);

fn reconcilers(text: &mut Text, state: &AppState) {
    let statuses = state.service.status();
    let columns: [Column; 5] = [
        ("activations_total", "counter", "Times a reconciler ran.", |s| {
            s.activations as f64
        }),
        ("failures_total", "counter", "Times it failed.", |s| {
            s.failures as f64
        }),
        ("last_duration_seconds", "gauge", "How long it ran last.", |s| {
            s.last_took_ms as f64 / 1000.0
        }),
        ("last_handled", "gauge", "Objects it handled last.", |s| {
            s.last_handled as f64
        }),
        ("last_started_seconds", "gauge", "When it ran last.", |s| {
            s.last_started_at as f64 / 1000.0
        }),
    ];
    for (column, kind, help, value) in columns {
        let name = format!("penstock_reconciler_{column}");
        text.head(&name, kind, help);
        for (reconciler, status) in &statuses {
            let labels = [("reconciler", reconciler.as_str().to_owned())];
            text.value(&name, &labels, value(status));
        }
    }
}

/// From the kernel's account of this process; `None` where there is none.
async fn resident_bytes() -> Option<u64> {
    let status = tokio::fs::read_to_string("/proc/self/status").await.ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
