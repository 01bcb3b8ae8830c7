//! What to do next with a submission, and what a run's state is: pure functions over what was
//! observed, each tested as a table.

use domain::{
    Failure, Millis,
    run::{Requested, RunState},
};
use flink::rest::JobState;
use hadoop::types::{AppState, FinalStatus};
use serde::{Deserialize, Serialize};

/// Where a submission stands. Every change is committed before the request it announces is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Somebody wants it; nothing was sent.
    Intent,
    /// An application id is persisted; the POST of it may or may not have been sent.
    Submitting,
    /// A stop was asked for while the POST was in doubt: no further POST, kill on sight.
    Abandoning,
    /// The ResourceManager reported ACCEPTED or later; this id is never posted again.
    Durable,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Intent => "intent",
            Phase::Submitting => "submitting",
            Phase::Abandoning => "abandoning",
            Phase::Durable => "durable",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [
            Phase::Intent,
            Phase::Submitting,
            Phase::Abandoning,
            Phase::Durable,
        ]
        .into_iter()
        .find(|p| p.name() == name)
    }
}

/// What a submission remembers between activations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Submission {
    pub application: Option<String>,
    /// Start time of the ResourceManager that issued the id.
    pub rm_started_on: i64,
    /// Applications that had ended when the id was issued, and how many ended ones the
    /// ResourceManager remembers. Together they tell whether a 404 can mean "forgotten".
    pub ended_at_issue: i64,
    pub remembered: i64,
    pub posts: u32,
    pub last_post_at: Millis,
    /// Ids that were given up because their fate could not be proved; each was killed first.
    pub burnt: Vec<String>,
    /// Consecutive looks that found neither id nor tag.
    pub absences: u32,
    /// Why nothing is sent any more, although what was sent may still arrive. It ends the run when it is
    /// proved that nothing did.
    pub refused: Option<Failure>,
    /// When trouble that may pass began.
    pub trouble_since: Option<Millis>,
}

/// What the ResourceManager says about a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It knows the id, or another id with the run's tag.
    Known { application: String, state: AppState },
    /// It is active, knows neither the id nor the tag.
    Absent { rm_started_on: i64, ended: i64 },
    /// It cannot be asked, or cannot be believed now.
    Inconclusive,
}

/// The next step of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Plan, make sure the files are there, get an id, persist it.
    Allocate,
    /// Send the same id and body.
    Post,
    /// The application is there for good.
    Confirm { application: String, state: AppState },
    /// Kill the id and take a new one: its fate cannot be proved.
    Burn,
    /// Kill what was found of an abandoned submission.
    Kill { application: String },
    /// The abandoned submission is proved not to exist.
    GiveUp,
    /// Look again later.
    Wait,
}

/// How long after the last POST a request may still be on its way, in milliseconds: the deadline of
/// the request plus what a proxy may hold it back.
pub(crate) const IN_FLIGHT_MS: Millis = 40_000;
/// Looks that must find nothing before an abandoned submission counts as absent.
pub(crate) const ABSENCES: u32 = 2;

pub(crate) fn next(phase: Phase, submission: &Submission, seen: &Seen, now: Millis) -> Next {
    match (phase, seen) {
        (Phase::Intent, _) => Next::Allocate,
        (Phase::Durable, _) => Next::Wait,
        (Phase::Submitting, Seen::Known { application, state }) if state.is_durable() => Next::Confirm {
            application: application.clone(),
            state: *state,
        },
        // Known but not yet in the state store: if the ResourceManager dies now it is gone, and the
        // next look posts the same id again.
        (Phase::Submitting, Seen::Known { .. } | Seen::Inconclusive) => Next::Wait,
        (Phase::Submitting, Seen::Absent { rm_started_on, ended }) => {
            if submission.refused.is_some() {
                return give_up_or_wait(submission, now);
            }
            if submission.posts == 0 {
                return Next::Post;
            }
            let same_start = *rm_started_on == submission.rm_started_on;
            let forgotten = ended - submission.ended_at_issue >= submission.remembered;
            if same_start && !forgotten {
                Next::Post
            } else {
                Next::Burn
            }
        }
        (Phase::Abandoning, Seen::Known { application, state }) => {
            if state.is_final() {
                Next::Confirm {
                    application: application.clone(),
                    state: *state,
                }
            } else {
                Next::Kill {
                    application: application.clone(),
                }
            }
        }
        (Phase::Abandoning, Seen::Absent { .. }) => give_up_or_wait(submission, now),
        (Phase::Abandoning, Seen::Inconclusive) => Next::Wait,
    }
}

/// What follows an absence when nothing more is to be sent.
fn give_up_or_wait(submission: &Submission, now: Millis) -> Next {
    let landed = now - submission.last_post_at >= IN_FLIGHT_MS;
    if submission.posts == 0 || (landed && submission.absences + 1 >= ABSENCES) {
        Next::GiveUp
    } else {
        Next::Wait
    }
}

/// What the engine's own REST interface says about the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Not asked this time, or it did not answer: nothing is concluded.
    NotSeen,
    /// It answers and has no job yet.
    NoJob,
    Job {
        state: JobState,
        tasks_running: i64,
        tasks_total: i64,
    },
    /// A Spark application: how many tasks its driver runs, and has had in all, where it told. The
    /// ResourceManager alone decides the state, since a driver registers with it when it is up.
    Driver(Option<(i64, i64)>),
}

/// Whether the application has no application master although the run had one: a ResourceManager
/// that came back, or one that starts the next attempt, reports it as it did before the first start.
pub(crate) fn lacks_master(before: RunState, yarn: AppState) -> bool {
    let waits = matches!(
        yarn,
        AppState::New | AppState::NewSaving | AppState::Submitted | AppState::Accepted
    );
    let had_one = matches!(
        before,
        RunState::Starting | RunState::Running | RunState::Restarting | RunState::Stopping
    );
    waits && had_one
}

fn keeps_state(requested: Option<Requested>) -> bool {
    matches!(requested, Some(Requested::Savepoint | Requested::Drain))
}

/// The state of a run from what the ResourceManager and the engine say. `before` is what is shown
/// now: it stays when nothing contradicts it. `same_attempt`: the attempt that was seen last is
/// still the newest.
pub(crate) fn state(
    before: RunState,
    requested: Option<Requested>,
    yarn: AppState,
    final_status: FinalStatus,
    same_attempt: bool,
    engine: &Engine,
) -> RunState {
    match yarn {
        AppState::New | AppState::NewSaving | AppState::Submitted | AppState::Accepted
            if lacks_master(before, yarn) =>
        {
            if same_attempt {
                before
            } else {
                RunState::Restarting
            }
        }
        AppState::New | AppState::NewSaving | AppState::Submitted | AppState::Accepted => RunState::Queued,
        AppState::Running => match engine {
            Engine::Driver(_) => RunState::Running,
            Engine::NotSeen => match before {
                RunState::Starting | RunState::Running | RunState::Restarting | RunState::Stopping => before,
                RunState::Preparing
                | RunState::Submitting
                | RunState::Queued
                | RunState::Finished
                | RunState::Cancelled
                | RunState::Killed
                | RunState::Failed
                | RunState::LostTrack => RunState::Starting,
            },
            // Between two jobs of a batch script there is none for a moment.
            Engine::NoJob => match before {
                RunState::Running | RunState::Stopping => before,
                _ => RunState::Starting,
            },
            Engine::Job {
                state,
                tasks_running,
                tasks_total,
            } => match state {
                JobState::Cancelling | JobState::Canceled => RunState::Stopping,
                JobState::Failing | JobState::Restarting | JobState::Reconciling => RunState::Restarting,
                // The ResourceManager tells the end; until then what was seen last stands.
                JobState::Finished | JobState::Failed | JobState::Suspended => match before {
                    RunState::Running | RunState::Stopping | RunState::Restarting => before,
                    _ => RunState::Starting,
                },
                JobState::Initializing | JobState::Created | JobState::Other(_) | JobState::Unknown => {
                    RunState::Starting
                }
                // While the savepoint is written behind which it ends, the job itself runs.
                JobState::Running if before == RunState::Stopping && keeps_state(requested) => {
                    RunState::Stopping
                }
                JobState::Running if *tasks_total > 0 && tasks_running == tasks_total => RunState::Running,
                // A bounded job whose first tasks have finished goes on running.
                JobState::Running => match before {
                    RunState::Running | RunState::Restarting => before,
                    _ => RunState::Starting,
                },
            },
        },
        AppState::Finished => match final_status {
            FinalStatus::Succeeded => RunState::Finished,
            FinalStatus::Killed => RunState::Cancelled,
            FinalStatus::Undefined | FinalStatus::Failed | FinalStatus::Ended => RunState::Failed,
        },
        AppState::Failed => RunState::Failed,
        AppState::Killed => match requested {
            Some(Requested::Kill | Requested::Cancel) => RunState::Cancelled,
            Some(Requested::Start | Requested::Savepoint | Requested::Drain) | None => RunState::Killed,
        },
    }
}

#[cfg(test)]
mod tests;
