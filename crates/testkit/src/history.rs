//! What happened to the cluster, for judges that do not trust the console.

use crate::Service;
use domain::Millis;
use std::collections::VecDeque;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// Counts all requests of the cluster from 1.
    pub number: u64,
    pub at: Millis,
    pub service: Service,
    pub method: String,
    pub path: String,
    /// WebHDFS operation, or empty.
    pub op: String,
    /// On whose behalf, after `doAs`.
    pub user: String,
    /// What was answered; absent while it is worked on and when the connection was ended.
    pub status: Option<u16>,
    /// The fault that hit it.
    pub fault: Option<crate::Action>,
}

/// A change the cluster really made, whatever the caller was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    IdIssued {
        app: String,
    },
    /// A submission was accepted; `first` is false when the id was known already.
    Submitted {
        app: String,
        user: String,
        tags: Vec<String>,
        first: bool,
    },
    /// A submission was refused.
    Refused {
        app: String,
        reason: String,
    },
    KillRequested {
        app: String,
        user: String,
    },
    Ended {
        app: String,
        state: String,
        final_status: String,
    },
    /// A file was written; `complete` is false when the upload broke off.
    Written {
        path: String,
        length: u64,
        sha256: String,
        complete: bool,
        user: String,
    },
    Renamed {
        from: String,
        to: String,
    },
    Deleted {
        path: String,
        user: String,
    },
    SavepointStarted {
        app: String,
        trigger: String,
        /// Whether the job is to end behind it, and its windows to fire before.
        stops: bool,
        drains: bool,
    },
}

/// Requests kept; older ones are dropped.
const MAX_REQUESTS: usize = 200_000;

#[derive(Default)]
pub(crate) struct History {
    requests: VecDeque<Request>,
    deeds: Vec<(Millis, Deed)>,
    count: u64,
}

impl History {
    pub(crate) fn arrived(&mut self, mut request: Request) -> u64 {
        self.count += 1;
        request.number = self.count;
        if self.requests.len() >= MAX_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        self.count
    }

    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        let first = self.count + 1 - self.requests.len() as u64;
        let at = usize::try_from(number.wrapping_sub(first)).unwrap_or(usize::MAX);
        if let Some(request) = self.requests.get_mut(at) {
            request.status = Some(status);
        }
    }

    pub(crate) fn did(&mut self, at: Millis, deed: Deed) {
        self.deeds.push((at, deed));
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn deeds(&self) -> Vec<(Millis, Deed)> {
        self.deeds.clone()
    }
}
