//! Operations under way, some at a time, so that a slow one holds up none but itself.

use crate::{
    Result, Service,
    reconcile::{Activation, Name},
};
use domain::{Millis, id::OperationId, operation::OperationKind};
use std::{
    collections::HashSet,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::operations::OperationRow;

/// Operations of one kind that are worked on at once.
const PARALLEL: usize = 8;
/// Due operations that are looked at in one activation: more than can be under way.
const BATCH: i64 = 64;
/// How far ahead the next activation is planned while some are under way. Their own next times are
/// not known before they are done.
const AHEAD_MS: Millis = 1_000;
/// How long an operation rests after a step that could not even be written down: it is due still, and
/// would be tried without a pause.
const REST: Duration = Duration::from_secs(1);

/// Which operations of one kind are under way.
#[derive(Default, Clone)]
pub(crate) struct Lanes(Arc<Mutex<HashSet<OperationId>>>);

impl Lanes {
    fn taken(&self) -> MutexGuard<'_, HashSet<OperationId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, operation: &OperationId) -> Option<Lane> {
        let mut taken = self.taken();
        (taken.len() < PARALLEL && taken.insert(operation.clone())).then(|| Lane {
            lanes: self.clone(),
            operation: operation.clone(),
        })
    }
}

/// The place of one operation, free again when this is dropped.
struct Lane {
    lanes: Lanes,
    operation: OperationId,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.lanes.taken().remove(&self.operation);
    }
}

impl Service {
    /// Begins a step of every due operation of `kind` that is not under way, as far as there is room,
    /// and does not wait for them: each wakes `name` when it is done.
    pub(crate) async fn step_due<F>(
        &self,
        kind: OperationKind,
        name: Name,
        lanes: &Lanes,
        step: impl Fn(Self, OperationRow) -> F,
    ) -> Result<Activation>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        // Before the rows are read: what is not under way now is read as its last step left it.
        let busy = lanes.taken().clone();
        let now = self.now();
        let soon = store::operations::due(self.db(), kind, now + AHEAD_MS, BATCH).await?;
        let mut handled = 0;
        let mut next = None;
        for operation in soon {
            if busy.contains(&operation.id) {
                continue;
            }
            if operation.due_at > now {
                next.get_or_insert(operation.due_at - now);
                continue;
            }
            let id = operation.id.clone();
            let Some(lane) = lanes.enter(&id) else { continue };
            handled += 1;
            let (service, step) = (self.clone(), step(self.clone(), operation));
            self.inner.tasks().spawn(async move {
                if let Err(error) = step.await {
                    tracing::error!(operation = %id, error = %error, "step failed");
                    tokio::time::sleep(REST).await;
                }
                drop(lane);
                service.inner.board.wake(name);
            });
        }
        let next = match next {
            Some(wait) => Duration::from_millis(wait.unsigned_abs()),
            None if handled > 0 || !busy.is_empty() => Duration::from_millis(AHEAD_MS.unsigned_abs()),
            None => self.until_due(kind).await?,
        };
        Ok(Activation { handled, next })
    }
}
