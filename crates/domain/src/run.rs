//! A run: one intent to run a job version, exactly one application on the cluster. Its states,
//! what each allows, and what is shown of it.

use crate::{
    Engine, Failure, Millis,
    id::{ClusterId, EnvironmentId, JobId, OperationId, RunId, TeamId, UserId},
    job::JobKind,
    restore::{ClaimMode, RestoredFrom},
    validate,
};
use serde::{Deserialize, Serialize};

/// How a state looks: icon, form and colour of its chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Run,
    Ok,
    Fail,
    Prog,
    Wait,
    Stop,
    Unk,
}

impl Family {
    /// The value of `data-f` in the style sheet.
    pub fn name(self) -> &'static str {
        match self {
            Family::Run => "run",
            Family::Ok => "ok",
            Family::Fail => "fail",
            Family::Prog => "prog",
            Family::Wait => "wait",
            Family::Stop => "stop",
            Family::Unk => "unk",
        }
    }
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $family:ident, terminal: $terminal:literal, stop: $stop:expr;)*) => {
        /// What was last observed of a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum RunState { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl RunState {
            pub const ALL: &'static [RunState] = &[$(RunState::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(RunState::$name => $text,)* }
            }

            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|s| s.name() == name)
            }

            pub fn family(self) -> Family {
                match self { $(RunState::$name => Family::$family,)* }
            }

            /// Whether the run has ended for good.
            pub fn is_terminal(self) -> bool {
                match self { $(RunState::$name => $terminal,)* }
            }

            /// The ways to stop that the state allows.
            pub fn stop_modes(self) -> &'static [StopMode] {
                match self { $(RunState::$name => $stop,)* }
            }
        }
    };
}

named_schema!(RunState, name);

const KILL: &[StopMode] = &[StopMode::Kill];
const CANCEL_OR_KILL: &[StopMode] = &[StopMode::Cancel, StopMode::Kill];
/// The engine takes a savepoint only while every task runs.
const ANY: &[StopMode] = &StopMode::ALL;

states! {
    /// The submit operation has no application id yet.
    Preparing = "preparing", Prog, terminal: false, stop: KILL;
    /// An id is persisted; the ResourceManager has not yet confirmed the application for good.
    Submitting = "submitting", Prog, terminal: false, stop: KILL;
    /// ResourceManager NEW … ACCEPTED.
    Queued = "queued", Wait, terminal: false, stop: KILL;
    /// ResourceManager RUNNING, tasks not all running.
    Starting = "starting", Prog, terminal: false, stop: CANCEL_OR_KILL;
    /// Flink: as many tasks running as there are, and at least one. Spark: the driver has registered.
    Running = "running", Run, terminal: false, stop: ANY;
    /// The engine restarts the job after a failure.
    Restarting = "restarting", Prog, terminal: false, stop: CANCEL_OR_KILL;
    /// The engine has accepted a stop.
    Stopping = "stopping", Prog, terminal: false, stop: KILL;
    Finished = "finished", Ok, terminal: true, stop: &[];
    /// Ended because somebody asked the console to.
    Cancelled = "cancelled", Stop, terminal: true, stop: &[];
    /// Ended by somebody outside the console.
    Killed = "killed", Fail, terminal: true, stop: &[];
    Failed = "failed", Fail, terminal: true, stop: &[];
    /// The ResourceManager authoritatively does not know it and nothing tells how it ended.
    LostTrack = "lost_track", Unk, terminal: true, stop: &[];
}

/// How a run is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StopMode {
    /// The engine takes a savepoint, then ends the job: it can go on from there.
    Savepoint,
    /// As with a savepoint, after the sources said that nothing more comes: windows and timers fire.
    Drain,
    /// The engine ends the job without keeping state.
    Cancel,
    /// YARN ends the application.
    Kill,
}

impl RunState {
    /// The ways to stop a run of an engine that the state allows.
    pub fn stop_modes_of(self, engine: Engine) -> &'static [StopMode] {
        match engine {
            Engine::Flink => self.stop_modes(),
            Engine::Spark if self.is_terminal() => &[],
            Engine::Spark => StopMode::of(engine),
        }
    }
}

impl StopMode {
    /// From the gentlest to the surest.
    pub const ALL: [StopMode; 4] = [
        StopMode::Savepoint,
        StopMode::Drain,
        StopMode::Cancel,
        StopMode::Kill,
    ];

    /// What an engine knows at all: Spark on YARN neither keeps state nor ends a job by itself.
    pub fn of(engine: Engine) -> &'static [StopMode] {
        match engine {
            Engine::Flink => ANY,
            Engine::Spark => KILL,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            StopMode::Savepoint => "savepoint",
            StopMode::Drain => "drain",
            StopMode::Cancel => "cancel",
            StopMode::Kill => "kill",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// Whether state is kept.
    pub fn keeps_state(self) -> bool {
        match self {
            StopMode::Savepoint | StopMode::Drain => true,
            StopMode::Cancel | StopMode::Kill => false,
        }
    }

    /// Whether this one, asked for later, takes the place of `other`: a surer way does.
    pub fn overtakes(self, other: StopMode) -> bool {
        let rank = |mode| match mode {
            StopMode::Savepoint | StopMode::Drain => 0,
            StopMode::Cancel => 1,
            StopMode::Kill => 2,
        };
        rank(self) > rank(other)
    }

    pub fn requested(self) -> Requested {
        match self {
            StopMode::Savepoint => Requested::Savepoint,
            StopMode::Drain => Requested::Drain,
            StopMode::Cancel => Requested::Cancel,
            StopMode::Kill => Requested::Kill,
        }
    }
}

/// What somebody asked for and the cluster has not confirmed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Requested {
    Start,
    /// Stop with a savepoint.
    Savepoint,
    Drain,
    Cancel,
    Kill,
}

impl Requested {
    pub fn name(self) -> &'static str {
        match self {
            Requested::Start => "start",
            Requested::Savepoint => "savepoint",
            Requested::Drain => "drain",
            Requested::Cancel => "cancel",
            Requested::Kill => "kill",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [
            Requested::Start,
            Requested::Savepoint,
            Requested::Drain,
            Requested::Cancel,
            Requested::Kill,
        ]
        .into_iter()
        .find(|r| r.name() == name)
    }
}

/// Ticks without an answer after which a shown state is stale, and how long after the last answer
/// the state is shown as unknown.
pub const STALE_TICKS: i64 = 3;
pub const UNKNOWN_AFTER_MS: Millis = 60_000;

/// How far a shown state can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    Fresh,
    Stale,
    /// The cluster has not answered since.
    UnknownSince(Millis),
}

/// A run as lists and the detail page show it and REST answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    pub id: RunId,
    pub job: JobId,
    pub job_name: String,
    pub kind: JobKind,
    /// Version of the job that runs.
    pub version: i64,
    pub team: TeamId,
    pub team_name: String,
    pub cluster: ClusterId,
    pub cluster_code: String,
    pub environment: EnvironmentId,
    pub environment_name: String,
    /// Snapshot of the environment the run is pinned to.
    pub snapshot: i64,
    pub queue: String,
    pub state: RunState,
    pub state_since: Millis,
    pub requested: Option<Requested>,
    pub requested_at: Option<Millis>,
    /// A submission whose answer is not known, since when.
    pub in_doubt_since: Option<Millis>,
    pub observed_at: Option<Millis>,
    /// Who said so: `rm`, `flink`, `spark`, `archive`, `console`.
    pub observed_by: Option<String>,
    /// How often the cluster is asked, in milliseconds; with `observed_at` it gives the trust.
    pub tick_ms: Millis,
    /// The YARN application id.
    pub external_id: Option<String>,
    pub engine_job_id: Option<String>,
    pub final_status: Option<String>,
    pub failure: Option<Failure>,
    pub tracking_url: Option<String>,
    pub tasks_running: Option<i64>,
    pub tasks_total: Option<i64>,
    /// Attempts of the ApplicationMaster seen so far.
    pub attempts: i64,
    pub created_by: UserId,
    pub created_by_name: String,
    pub created_at: Millis,
    pub started_at: Option<Millis>,
    pub ended_at: Option<Millis>,
    pub usage: Usage,
    /// The state the run was started from.
    #[serde(default)]
    pub restored_from: Option<RestoredFrom>,
    /// Grows with every change of the row; the live stream carries it.
    pub row_version: i64,
    /// The operation that changes the run now, or did last.
    pub operation: Option<OperationId>,
}

impl Run {
    /// How far the state can be trusted at `now`.
    pub fn trust(&self, now: Millis) -> Trust {
        let Some(seen) = self.observed_at else {
            return Trust::Fresh;
        };
        let age = now - seen;
        if self.state.is_terminal() || age <= STALE_TICKS * self.tick_ms {
            Trust::Fresh
        } else if age >= UNKNOWN_AFTER_MS {
            Trust::UnknownSince(seen)
        } else {
            Trust::Stale
        }
    }
}

/// What a run used of the cluster so far, as the ResourceManager counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    pub memory_mb_seconds: i64,
    pub vcore_seconds: i64,
    pub containers: i64,
    pub allocated_mb: i64,
    pub allocated_vcores: i64,
}

/// One entry of a run's history, with the answer that proved it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunEvent {
    pub seq: i64,
    pub at: Millis,
    /// `state`, `requested`, `submit`, `in_doubt`, `stop`, `savepoint`, `note`.
    pub kind: String,
    pub from: Option<RunState>,
    pub to: Option<RunState>,
    /// Who said so: `rm`, `flink`, `spark`, `archive`, `console`, or the name of a user.
    pub source: String,
    /// A fixed key of the text shown, for example `submit.accepted`.
    pub note: Option<String>,
    /// The redacted answer behind it.
    pub evidence: Option<serde_json::Value>,
}

/// Which runs a list asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunQuery {
    pub job: Option<JobId>,
    pub cluster: Option<String>,
    pub states: Vec<RunState>,
    pub limit: u32,
    pub after: Option<String>,
}

/// Body of a start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StartRequest {
    /// The version to run; the newest when absent.
    pub version: Option<i64>,
    /// Id of a restore point of the job, or a directory on HDFS with a `_metadata` file.
    pub restore_from: Option<String>,
    /// Whose the restored state is afterwards; `no_claim` when absent.
    pub claim_mode: Option<ClaimMode>,
    /// State that no operator takes is left out instead of failing the run.
    pub allow_non_restored_state: bool,
    /// Starts empty although the job has restore points; needs `confirm`.
    pub without_state: bool,
    /// The job's name, typed.
    pub confirm: Option<String>,
}

/// Body of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    pub mode: StopMode,
    /// Seconds a stop with savepoint or drain may take; then it has failed and the run goes on. 600 when absent.
    #[serde(default)]
    pub deadline_s: Option<i64>,
}

impl StopRequest {
    pub const DEADLINE_S: i64 = 600;
    pub const MAX_DEADLINE_S: i64 = 24 * 3600;

    pub fn new(mode: StopMode) -> Self {
        Self {
            mode,
            deadline_s: None,
        }
    }

    pub fn check(&self) -> Result<(), Failure> {
        let seconds = self.deadline_s.unwrap_or(Self::DEADLINE_S);
        validate::range("deadline_s", seconds, 1, Self::MAX_DEADLINE_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_runs_cannot_be_stopped_and_open_ones_can() {
        for state in RunState::ALL {
            assert_eq!(
                state.stop_modes().is_empty(),
                state.is_terminal(),
                "{}",
                state.name()
            );
            assert_eq!(RunState::from_name(state.name()), Some(*state));
            for engine in Engine::ALL {
                let modes = state.stop_modes_of(engine);
                assert_eq!(modes.is_empty(), state.is_terminal(), "{}", state.name());
                assert!(modes.iter().all(|mode| state.stop_modes().contains(mode)));
            }
        }
    }

    #[test]
    fn state_is_kept_only_of_what_runs() {
        for state in RunState::ALL {
            let keeps = state.stop_modes().iter().any(|mode| mode.keeps_state());
            assert_eq!(keeps, *state == RunState::Running, "{}", state.name());
        }
        for mode in StopMode::ALL {
            assert_eq!(StopMode::from_name(mode.name()), Some(mode));
            assert_eq!(Requested::from_name(mode.name()), Some(mode.requested()));
            assert_eq!(StopMode::Kill.overtakes(mode), mode != StopMode::Kill);
            assert!(!StopMode::Drain.overtakes(mode));
        }
    }
}
