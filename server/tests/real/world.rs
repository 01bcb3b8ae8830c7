//! What all stories share: the sandbox, one console, and how much they may do at once.

use crate::{sandbox::Sandbox, site::Site};
use futures::FutureExt;
use std::sync::Arc;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit};

/// Applications at a time: each is two JVMs.
const APPLICATIONS: usize = 2;

pub(crate) struct World {
    sandbox: OnceCell<Arc<Sandbox>>,
    /// `None`: the attempt failed; the next story need not wait for the same.
    site: OnceCell<Option<Site>>,
    /// Written to by who ends the shared console's process.
    lives: RwLock<()>,
    gate: Semaphore,
}

impl Default for World {
    fn default() -> Self {
        Self {
            sandbox: OnceCell::new(),
            site: OnceCell::new(),
            lives: RwLock::new(()),
            gate: Semaphore::new(APPLICATIONS),
        }
    }
}

impl World {
    pub(crate) async fn sandbox(&self) -> Arc<Sandbox> {
        let found = self.sandbox.get_or_init(async || Arc::new(Sandbox::find())).await;
        Arc::clone(found)
    }

    async fn site(&self) -> &Site {
        let sandbox = self.sandbox().await;
        let site = self
            .site
            .get_or_init(async || {
                let opening = std::panic::AssertUnwindSafe(Site::open(sandbox, None));
                opening.catch_unwind().await.ok()
            })
            .await;
        site.as_ref().expect("the console and its cluster were set up")
    }

    /// Leave to run one application.
    pub(crate) async fn turn(&self) -> SemaphorePermit<'_> {
        self.gate.acquire().await.unwrap()
    }

    /// The shared console, which stays up as long as the guard.
    pub(crate) async fn shared(&self) -> (&Site, RwLockReadGuard<'_, ()>, SemaphorePermit<'_>) {
        let turn = self.turn().await;
        let guard = self.lives.read().await;
        (self.site().await, guard, turn)
    }

    /// The shared console for one story alone, which may end it and must leave it running.
    pub(crate) async fn alone(&self) -> (&Site, RwLockWriteGuard<'_, ()>) {
        let guard = self.lives.write().await;
        (self.site().await, guard)
    }

    /// Ends what was started.
    pub(crate) async fn close(self: Arc<Self>, tell: bool) {
        let world = Arc::into_inner(self).expect("all stories are told");
        if let Some(Some(site)) = world.site.into_inner() {
            site.close(tell).await;
        }
    }
}
