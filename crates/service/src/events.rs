//! The live stream inside the process: bounded, filtered by rights, and never a reason to wait.

use crate::{Service, error::Result};
use domain::{
    Millis, Viewer,
    event::{Event, Topic},
};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::broadcast;

/// Events a slow reader may lag behind before it is told to read everything anew.
const BACKLOG: usize = 1024;
/// How long it is believed which clusters a reader may see. Grants that this console changes are
/// known at once, those another one changes by then.
const BELIEVED_MS: Millis = 15_000;

pub(crate) struct Bus {
    events: broadcast::Sender<Event>,
    /// Counts changes of what teams may use.
    grants: AtomicU64,
}

impl Bus {
    pub(crate) fn new() -> Self {
        Self {
            events: broadcast::channel(BACKLOG).0,
            grants: AtomicU64::new(0),
        }
    }

    pub(crate) fn send(&self, event: Event) {
        // An error says that nobody listens, which is fine.
        let _ = self.events.send(event);
    }

    /// Has readers look anew which clusters they may see.
    pub(crate) fn grants_changed(&self) {
        self.grants.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a reader of the stream gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Changed(Event),
    /// Events were lost; read everything that is shown anew.
    Resync,
}

/// One reader's view of the stream.
pub struct Subscription {
    service: Service,
    viewer: Viewer,
    events: broadcast::Receiver<Event>,
    clusters: Option<Clusters>,
}

/// The codes of the clusters a reader may see.
struct Clusters {
    codes: HashSet<String>,
    grants: u64,
    at: Millis,
}

impl Subscription {
    /// The next event the reader may see; `None` when the console stops. Nothing is lost when the
    /// future is dropped before it is done, but for an event about a cluster.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match self.events.recv().await {
                Ok(event) if self.may_see(&event).await => return Some(Message::Changed(event)),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Message::Resync),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    async fn may_see(&mut self, event: &Event) -> bool {
        match (&event.team, event.topic) {
            _ if self.viewer.admin => true,
            (Some(team), _) => self.viewer.role_in(team).is_some(),
            // Clusters belong to no team, but not every team may know of each.
            (None, Topic::Cluster) => self.may_see_cluster(&event.id).await,
            (None, Topic::Job | Topic::Run | Topic::Operation | Topic::Environment) => true,
        }
    }

    async fn may_see_cluster(&mut self, code: &str) -> bool {
        let (now, grants) = (
            self.service.now(),
            self.service.inner.bus.grants.load(Ordering::Relaxed),
        );
        let fresh = |known: &&Clusters| known.grants == grants && now - known.at < BELIEVED_MS;
        if let Some(known) = self.clusters.as_ref().filter(fresh) {
            return known.codes.contains(code);
        }
        // Without an answer nothing is told; the reader sees the next one.
        let Ok(clusters) = store::clusters::list(self.service.db(), &self.viewer.scope()).await else {
            return false;
        };
        let codes: HashSet<String> = clusters.into_iter().map(|cluster| cluster.code).collect();
        let may = codes.contains(code);
        self.clusters = Some(Clusters {
            codes,
            grants,
            at: now,
        });
        may
    }
}

impl Service {
    /// Subscribes the viewer to what changes in its teams. The caller ends the stream when the
    /// session ends or its rights change.
    pub fn subscribe(&self, viewer: &Viewer) -> Result<Subscription> {
        Ok(Subscription {
            service: self.clone(),
            viewer: viewer.clone(),
            events: self.inner.bus.events.subscribe(),
            clusters: None,
        })
    }
}
