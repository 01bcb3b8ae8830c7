//! What an application will do, as a list of steps in the cluster's time.

/// What an application says of itself at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalStatus {
    Undefined,
    Succeeded,
    Failed,
    Killed,
}

impl FinalStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Undefined => "UNDEFINED",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
}

/// One thing that happens to an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// The ResourceManager's store has it, and the scheduler took it.
    Accepted,
    /// The node fetched the files and started the application master; wrong files end it here.
    Launched,
    /// The master registered: RUNNING, and for Flink its REST answers.
    Running,
    /// Flink's job exists, in state RUNNING; none of its tasks runs yet.
    Job,
    /// So many of the job's tasks run.
    Tasks { running: u32, total: u32 },
    /// Flink's own word for the job's state.
    JobState(String),
    /// The savepoint with this trigger is written.
    Savepoint(String),
    /// The job completes a checkpoint in this directory, an address with its file system.
    Checkpoint(String),
    /// The master unregistered: FINISHED with this status.
    Finish(FinalStatus, String),
    /// The master died: FAILED, or the next attempt while some are left.
    Crash(String),
}

/// What becomes of savepoints from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Savepoints {
    /// How long one takes, in milliseconds of the cluster.
    pub ms: i64,
    /// Why none is made.
    pub failure: Option<String>,
    /// A job that was to end behind its savepoint goes on.
    pub stays: bool,
}

impl Default for Savepoints {
    fn default() -> Self {
        Self {
            ms: 30,
            failure: None,
            stays: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds behind the step before; the first one's behind the submission.
    pub after_ms: i64,
    pub then: Move,
}

/// Steps of one application; behind the last one it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script(pub Vec<Step>);

impl Script {
    pub fn then(mut self, after_ms: i64, then: Move) -> Self {
        self.0.push(Step { after_ms, then });
        self
    }

    /// Stays NEW_SAVING.
    pub fn stuck() -> Self {
        Self::default()
    }

    /// Stays ACCEPTED, as in a full queue.
    pub fn queued() -> Self {
        Self::default().then(10, Move::Accepted)
    }

    /// Runs with all tasks within a tenth of a second, and goes on until told otherwise.
    pub fn forever() -> Self {
        Self::queued()
            .then(10, Move::Launched)
            .then(20, Move::Running)
            .then(20, Move::Job)
            .then(30, Move::Tasks { running: 2, total: 2 })
    }

    /// Runs for `ms`, then ends by itself.
    pub fn ending(ms: i64, status: FinalStatus, diagnostics: &str) -> Self {
        Self::forever().then(ms, Move::Finish(status, diagnostics.to_owned()))
    }
}
