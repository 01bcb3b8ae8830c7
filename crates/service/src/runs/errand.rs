//! What is done next about a savepoint that somebody asked for: pure functions over what Flink and
//! HDFS say, tested as a table.
//!
//! The order carries a trigger id and a directory of its own, both committed with the wish. Flink
//! answers a repeated order with the savepoint it has under that id, and what lies in the directory
//! can be of this order alone: whatever is lost in between, the same savepoint is found again.

use crate::{Error, Result, clusters::Connection};
use domain::{
    Code, Failure, Millis,
    id::OperationId,
    restore::SavepointFormat,
    run::{StopMode, StopRequest},
};
use hadoop::HdfsPath;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::operations::OperationRow;

/// How long Flink may leave an order without an answer before it is given up. Once Flink has it, only
/// Flink or the end of the run tells what became of it.
pub(crate) const PATIENCE_MS: Millis = 10 * 60_000;

/// What an operation remembers of a savepoint between activations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Errand {
    /// How the run is ended behind it; `None`: it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<StopMode>,
    /// 32 hex digits; the same with every repetition.
    pub trigger: String,
    /// On HDFS, of this operation alone.
    pub directory: String,
    pub format: Option<SavepointFormat>,
    pub posts: u32,
    /// Flink has the order.
    pub confirmed: bool,
    /// What lies in the directory is recorded.
    pub recorded: bool,
    /// When a stop that keeps state has failed, and the seconds it was given.
    pub deadline_at: Option<Millis>,
    pub deadline_s: i64,
}

impl Errand {
    pub(crate) fn new(connection: &Connection, user: &str, operation: &OperationId) -> Result<Self> {
        Ok(Self {
            trigger: hex::encode(&Sha256::digest(operation.as_str())[..16]),
            directory: savepoints(connection, user)?
                .join(operation.as_str())
                .map_err(Error::internal)?
                .to_string(),
            ..Self::default()
        })
    }

    /// Of a stop by `mode`, which may take as long as the request says.
    pub(crate) fn stopping(mut self, request: StopRequest, now: Millis) -> Self {
        self.deadline_s = request.deadline_s.unwrap_or(StopRequest::DEADLINE_S);
        self.deadline_at = Some(now + self.deadline_s * 1000);
        self.mode = Some(request.mode);
        self
    }

    pub(crate) fn of(operation: &OperationRow) -> Result<Self> {
        serde_json::from_value(operation.data.clone()).map_err(Error::internal)
    }

    pub(crate) fn path(&self) -> Result<HdfsPath> {
        HdfsPath::new(&self.directory).map_err(Error::internal)
    }
}

/// The directory of all savepoints of a team's user.
pub(crate) fn savepoints(connection: &Connection, user: &str) -> Result<HdfsPath> {
    connection
        .root
        .join(&format!("teams/{user}/savepoints"))
        .map_err(Error::internal)
}

/// What Flink says about the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    InProgress,
    Taken,
    Failed(String),
    /// It answers and has no such order.
    Unknown,
    /// It cannot be asked: nothing is concluded.
    Silent(String),
}

/// What lies in the order's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum There {
    /// A whole savepoint: its `_metadata` is written last.
    Found,
    Empty,
    /// HDFS cannot be asked.
    Unclear,
    /// There was no reason to ask.
    NotAsked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the order, as before if it was sent before.
    Order,
    Wait,
    /// Record what lies in the directory.
    Record,
    Fail(Failure),
}

/// `ended`: the run has. `since`: when it was asked for.
pub(crate) fn next(
    errand: &Errand,
    ended: bool,
    told: &Told,
    there: &There,
    since: Millis,
    now: Millis,
) -> Next {
    if ended {
        return match there {
            There::Found => Next::Record,
            There::Empty => Next::Fail(Failure::new(Code::SavepointMissing).with("path", &errand.directory)),
            There::Unclear | There::NotAsked => Next::Wait,
        };
    }
    let late = errand.deadline_at.is_some_and(|at| now >= at);
    let in_time = |next| {
        if late {
            Next::Fail(Failure::new(Code::StopDeadline).with("seconds", errand.deadline_s))
        } else {
            next
        }
    };
    match (told, there) {
        // It may be there all the same: a job that did not end behind its savepoint.
        (Told::Failed(reason), There::Empty | There::Unclear | There::NotAsked) => {
            Next::Fail(Failure::new(Code::SavepointFailed).with("reason", reason))
        }
        (Told::Failed(reason), There::Found) => {
            if errand.recorded {
                Next::Fail(Failure::new(Code::SavepointFailed).with("reason", reason))
            } else {
                Next::Record
            }
        }
        (Told::InProgress | Told::Taken | Told::Unknown | Told::Silent(_), There::Found) => {
            if errand.recorded {
                in_time(Next::Wait)
            } else {
                Next::Record
            }
        }
        // Ordered again only when it is certain that the first order left nothing.
        (Told::Unknown, There::Empty) => {
            if errand.recorded {
                in_time(Next::Wait)
            } else {
                in_time(Next::Order)
            }
        }
        (Told::InProgress | Told::Taken, There::Empty | There::Unclear | There::NotAsked)
        | (Told::Unknown, There::Unclear | There::NotAsked) => in_time(Next::Wait),
        (Told::Silent(reason), There::Empty | There::Unclear | There::NotAsked) => {
            let hopeless = errand.deadline_at.is_none() && !errand.confirmed && now - since >= PATIENCE_MS;
            if hopeless {
                Next::Fail(Failure::new(Code::SavepointFailed).with("reason", reason))
            } else {
                in_time(Next::Wait)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> [Told; 5] {
        [
            Told::InProgress,
            Told::Taken,
            Told::Failed("no".into()),
            Told::Unknown,
            Told::Silent("away".into()),
        ]
    }

    const THERE: [There; 4] = [There::Found, There::Empty, There::Unclear, There::NotAsked];

    fn code(next: &Next) -> Option<Code> {
        match next {
            Next::Fail(failure) => Some(failure.code),
            Next::Order | Next::Wait | Next::Record => None,
        }
    }

    fn errand(deadline_at: Option<Millis>, confirmed: bool, recorded: bool) -> Errand {
        Errand {
            deadline_at,
            confirmed,
            recorded,
            deadline_s: 1,
            directory: "/d".into(),
            ..Errand::default()
        }
    }

    #[test]
    fn it_is_ordered_only_where_it_certainly_is_not() {
        for ended in [false, true] {
            for told in told() {
                for there in THERE {
                    for recorded in [false, true] {
                        let next = next(&errand(None, true, recorded), ended, &told, &there, 0, 5);
                        let wanted = !ended && !recorded && told == Told::Unknown && there == There::Empty;
                        assert_eq!(
                            next == Next::Order,
                            wanted,
                            "{ended} {told:?} {there:?} {recorded}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_there_is_recorded_whatever_is_said() {
        for told in told() {
            for late in [None, Some(1)] {
                let errand = errand(late, false, false);
                assert_eq!(
                    next(&errand, false, &told, &There::Found, 0, 5),
                    Next::Record,
                    "{told:?}"
                );
                assert_eq!(
                    next(&errand, true, &told, &There::Found, 0, 5),
                    Next::Record,
                    "{told:?}"
                );
            }
        }
    }

    #[test]
    fn an_end_without_a_savepoint_is_told_only_by_hdfs() {
        for told in told() {
            let errand = errand(Some(1), true, false);
            let seen = THERE.map(|there| next(&errand, true, &told, &there, 0, 5));
            assert_eq!(code(&seen[1]), Some(Code::SavepointMissing));
            assert_eq!((&seen[2], &seen[3]), (&Next::Wait, &Next::Wait));
        }
    }

    #[test]
    fn a_deadline_ends_a_stop_and_never_a_savepoint_flink_has() {
        for told in told() {
            for there in [There::Empty, There::Unclear, There::NotAsked] {
                let at = |errand: &Errand, now| next(errand, false, &told, &there, 0, now);
                let failed = matches!(told, Told::Failed(_));
                let stop = errand(Some(1000), true, false);
                assert_eq!(code(&at(&stop, 999)).is_some(), failed, "{told:?} {there:?}");
                let wanted = if failed {
                    Code::SavepointFailed
                } else {
                    Code::StopDeadline
                };
                assert_eq!(code(&at(&stop, 1000)), Some(wanted), "{told:?} {there:?}");
                // Recorded, and the job does not end.
                assert_eq!(code(&at(&errand(Some(1000), true, true), 1000)), Some(wanted));
                let kept = errand(None, true, false);
                assert_eq!(code(&at(&kept, i64::MAX)).is_some(), failed, "{told:?} {there:?}");
            }
        }
        let silent = Told::Silent("away".into());
        let plain = |confirmed, now| {
            next(
                &errand(None, confirmed, false),
                false,
                &silent,
                &There::Empty,
                0,
                now,
            )
        };
        assert_eq!(plain(false, PATIENCE_MS - 1), Next::Wait);
        assert_eq!(code(&plain(false, PATIENCE_MS)), Some(Code::SavepointFailed));
        assert_eq!(plain(true, PATIENCE_MS), Next::Wait);
    }
}
