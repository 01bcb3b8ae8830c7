//! Whether a queue exists at all: with ACLs on, a ResourceManager answers a submission to a queue that
//! does not exist as it answers one to a queue that is closed to the user.

use super::Connection;
use crate::Service;
use domain::{Code, Failure, Millis};
use hadoop::rm::{Queue, Scheduler};
use std::sync::{Arc, Mutex, PoisonError};

/// How long the queues of a cluster are believed: a batch of refusals asks once.
const BELIEVED_MS: Millis = 10_000;

/// The queues of a cluster as they were shown last, and when.
#[derive(Default)]
pub(super) struct Queues(Mutex<Option<(Millis, Arc<Scheduler>)>>);

impl Service {
    /// A refusal, told as an unknown queue when it speaks of a closed one that does not exist.
    pub(crate) async fn refine_denied(&self, connection: &Connection, failure: Failure) -> Failure {
        let Some(queue) = failure
            .args
            .get("queue")
            .filter(|_| failure.code == Code::QueueDenied)
        else {
            return failure;
        };
        match self.scheduler(connection).await {
            Some(scheduler) if is_unknown(&scheduler.root, queue) => {
                Failure::new(Code::QueueUnknown).with("queue", queue)
            }
            _ => failure,
        }
    }

    async fn scheduler(&self, connection: &Connection) -> Option<Arc<Scheduler>> {
        let kept = || {
            let kept = &connection.queues.0;
            kept.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let now = self.now();
        if let Some((at, known)) = kept().clone()
            && now - at < BELIEVED_MS
        {
            return Some(known);
        }
        let fresh = Arc::new(connection.rm().scheduler().await.ok()?);
        *kept() = Some((now, fresh.clone()));
        Some(fresh)
    }
}

/// Whether a submission to `name` can have met no queue. Where queues are made on demand below a
/// parent, one that is not there may still be meant.
fn is_unknown(root: &Queue, name: &str) -> bool {
    let full = if name == root.path || name.starts_with(&format!("{}.", root.path)) {
        name.to_owned()
    } else {
        format!("{}.{name}", root.path)
    };
    if root.find(name).or_else(|| root.find(&full)).is_some() {
        return false;
    }
    let parent = full.rsplit_once('.').and_then(|(parent, _)| root.find(parent));
    parent.is_none_or(|parent| parent.leaf || !parent.children.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(path: &str, leaf: bool, children: Vec<Queue>) -> Queue {
        Queue {
            name: path.rsplit('.').next().unwrap().to_owned(),
            path: path.to_owned(),
            leaf,
            state: None,
            capacity: None,
            max_capacity: None,
            used_capacity: None,
            used: hadoop::types::Resource::default(),
            limit: None,
            max_allocation: None,
            active_apps: 0,
            pending_apps: 0,
            children,
        }
    }

    #[test]
    fn a_queue_is_unknown_only_when_it_cannot_be_meant() {
        let root = queue(
            "root",
            false,
            vec![
                queue("root.default", true, vec![]),
                queue("root.team", false, vec![queue("root.team.batch", true, vec![])]),
                queue("root.made", false, vec![]),
            ],
        );
        for known in [
            "root",
            "default",
            "root.default",
            "batch",
            "team.batch",
            "root.team.batch",
            "root.team",
            "root.made",
            "root.made.alice",
            "made.alice",
        ] {
            assert!(!is_unknown(&root, known), "{known}");
        }
        for unknown in [
            "nope",
            "root.nope",
            "root.team.nope",
            "root.default.x",
            "",
            "a.b.c",
        ] {
            assert!(is_unknown(&root, unknown), "{unknown}");
        }
    }
}
