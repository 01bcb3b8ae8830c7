//! The id of the request that is being served, for the audit log and the lines of the log.

use std::future::Future;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Runs a request under its id.
pub async fn scope<F: Future>(request_id: String, request: F) -> F::Output {
    REQUEST_ID.scope(request_id, request).await
}

/// The id of the request being served; `None` in a reconciler.
pub(crate) fn current() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}
