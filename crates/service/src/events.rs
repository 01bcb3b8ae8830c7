//! The live stream inside the process: bounded, filtered by rights, and never a reason to wait.

use crate::{Service, error::Result};
use domain::{Viewer, event::Event};
use tokio::sync::broadcast;

/// Events a slow reader may lag behind before it is told to read everything anew.
const BACKLOG: usize = 1024;

pub(crate) struct Bus(broadcast::Sender<Event>);

impl Bus {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }

    pub(crate) fn send(&self, event: Event) {
        // An error says that nobody listens, which is fine.
        let _ = self.0.send(event);
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
    viewer: Viewer,
    events: broadcast::Receiver<Event>,
}

impl Subscription {
    /// The next event the reader may see; `None` when the console stops.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match self.events.recv().await {
                Ok(event) if self.may_see(&event) => return Some(Message::Changed(event)),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Message::Resync),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    fn may_see(&self, event: &Event) -> bool {
        match &event.team {
            None => true,
            Some(team) => self.viewer.admin || self.viewer.role_in(team).is_some(),
        }
    }
}

impl Service {
    /// Subscribes the viewer to what changes in its teams. The caller ends the stream when the
    /// session ends or its rights change.
    pub fn subscribe(&self, viewer: &Viewer) -> Result<Subscription> {
        Ok(Subscription {
            viewer: viewer.clone(),
            events: self.inner.bus.0.subscribe(),
        })
    }
}
