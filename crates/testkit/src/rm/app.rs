//! One application as the ResourceManager, the node and its own master know it.

use crate::{flink::Job, options::Options, script::FinalStatus, script::Move};
use domain::Millis;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppId {
    pub(crate) start: Millis,
    pub(crate) number: u64,
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "application_{}_{:04}", self.start, self.number)
    }
}

impl AppId {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("IllegalArgumentException: Invalid ApplicationId: {text}");
        let Some(numbers) = text.strip_prefix("application_") else {
            return Err(format!(
                "IllegalArgumentException: Invalid ApplicationId prefix: {text}. The valid ApplicationId should \
                 start with prefix application"
            ));
        };
        let (start, number) = numbers.split_once('_').ok_or_else(wrong)?;
        match (start.parse(), number.parse()) {
            (Ok(start), Ok(number)) => Ok(Self { start, number }),
            _ => Err(wrong()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    NewSaving,
    Accepted,
    Running,
    Finished,
    Failed,
    Killed,
}

impl State {
    pub(crate) const ALL: [&'static str; 8] = [
        "NEW",
        "NEW_SAVING",
        "SUBMITTED",
        "ACCEPTED",
        "RUNNING",
        "FINISHED",
        "FAILED",
        "KILLED",
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NewSaving => "NEW_SAVING",
            Self::Accepted => "ACCEPTED",
            Self::Running => "RUNNING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Killed)
    }
}

/// A file of the launch.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// Its path in the container.
    pub(crate) key: String,
    pub(crate) uri: String,
    pub(crate) public: bool,
    pub(crate) timestamp: Millis,
}

/// What was submitted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Submission {
    pub(crate) name: String,
    pub(crate) queue: String,
    pub(crate) app_type: String,
    pub(crate) tags: Vec<String>,
    pub(crate) priority: i64,
    pub(crate) memory_mb: i64,
    pub(crate) vcores: i64,
    pub(crate) max_attempts: u32,
    pub(crate) command: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) acls: BTreeMap<String, String>,
    pub(crate) xml: String,
}

pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) memory_mb: i64,
    pub(crate) started: Millis,
    pub(crate) ended: Option<Millis>,
    pub(crate) logs: BTreeMap<String, Vec<u8>>,
}

pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) started: Millis,
    pub(crate) ended: Option<Millis>,
    /// How it ended, in the ResourceManager's words.
    pub(crate) end_state: &'static str,
}

pub(crate) struct App {
    pub(crate) id: AppId,
    pub(crate) user: String,
    pub(crate) submission: Submission,
    pub(crate) state: State,
    pub(crate) final_status: FinalStatus,
    pub(crate) diagnostics: String,
    pub(crate) started: Millis,
    pub(crate) launched: Millis,
    pub(crate) ended: Millis,
    /// Steps to come, with the time each is due.
    pub(crate) plan: VecDeque<(Millis, Move)>,
    /// When a requested kill takes effect, and who asked for it.
    pub(crate) killed: Option<(Millis, String)>,
    /// Until then a running application is shown as ACCEPTED, after a restart.
    pub(crate) resync_at: Option<Millis>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) containers: Vec<Container>,
    pub(crate) job: Option<Job>,
    /// Exceptions of a program that failed before it had a job.
    pub(crate) main_failed: Vec<(Millis, String)>,
    /// Port of the master's own server, and what ends it.
    pub(crate) server: Option<(u16, CancellationToken)>,
}

impl App {
    pub(crate) fn is_flink(&self) -> bool {
        self.submission.app_type.to_ascii_lowercase().contains("flink")
    }

    /// The state as it is told to callers.
    pub(crate) fn shown(&self) -> State {
        match self.resync_at {
            Some(_) if self.state == State::Running => State::Accepted,
            _ => self.state,
        }
    }

    pub(crate) fn may_modify(&self, options: &Options, user: &str) -> bool {
        self.may(options, user, "MODIFY_APP")
    }

    pub(crate) fn may_view(&self, options: &Options, user: &str) -> bool {
        self.may(options, user, "VIEW_APP")
    }

    fn may(&self, options: &Options, user: &str, right: &str) -> bool {
        if !options.acls || user == self.user || user == options.superuser {
            return true;
        }
        // Users, a blank, groups; a user's only group here is the one of the same name.
        let acl = self.submission.acls.get(right).map_or("", String::as_str);
        acl.trim() == "*" || acl.split([',', ' ']).any(|name| name == user)
    }

    pub(crate) fn stop_server(&self) {
        if let Some((_, token)) = &self.server {
            token.cancel();
        }
    }

    pub(crate) fn am_container(&self) -> Option<&Container> {
        let attempt = self.attempts.last()?.number;
        self.containers
            .iter()
            .find(|container| container.attempt == attempt)
    }

    pub(crate) fn attempt_id(&self, number: u32) -> String {
        format!("appattempt_{}_{:04}_{number:06}", self.id.start, self.id.number)
    }
}
