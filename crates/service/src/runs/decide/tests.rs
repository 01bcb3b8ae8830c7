use super::*;

fn submission(posts: u32) -> Submission {
    Submission {
        application: Some("application_1_1".into()),
        rm_started_on: 7,
        ended_at_issue: 100,
        remembered: 1000,
        posts,
        last_post_at: 1_000,
        ..Submission::default()
    }
}

fn known(state: AppState) -> Seen {
    Seen::Known {
        application: "application_1_1".into(),
        state,
    }
}

const ALL_YARN: [AppState; 8] = [
    AppState::New,
    AppState::NewSaving,
    AppState::Submitted,
    AppState::Accepted,
    AppState::Running,
    AppState::Finished,
    AppState::Failed,
    AppState::Killed,
];

#[test]
fn nothing_is_posted_while_the_resource_manager_cannot_be_believed() {
    for posts in [0, 1, 5] {
        assert_eq!(
            next(
                Phase::Submitting,
                &submission(posts),
                &Seen::Inconclusive,
                9_999_999
            ),
            Next::Wait
        );
    }
}

#[test]
fn a_known_application_is_never_posted_again() {
    for state in ALL_YARN {
        let step = next(Phase::Submitting, &submission(1), &known(state), 2_000);
        assert!(
            matches!(step, Next::Confirm { .. } | Next::Wait),
            "{state:?}: {step:?}"
        );
        assert_eq!(matches!(step, Next::Confirm { .. }), state.is_durable());
    }
}

#[test]
fn absence_is_believed_only_from_the_same_start_with_room_to_remember() {
    let absent = |rm_started_on, ended| Seen::Absent { rm_started_on, ended };
    assert_eq!(
        next(Phase::Submitting, &submission(0), &absent(8, 5000), 0),
        Next::Post
    );
    assert_eq!(
        next(Phase::Submitting, &submission(1), &absent(7, 1099), 0),
        Next::Post
    );
    assert_eq!(
        next(Phase::Submitting, &submission(1), &absent(7, 1100), 0),
        Next::Burn
    );
    assert_eq!(
        next(Phase::Submitting, &submission(1), &absent(8, 100), 0),
        Next::Burn
    );
}

#[test]
fn a_refusal_after_an_earlier_post_waits_for_what_may_arrive() {
    let refused = Submission {
        refused: Some(domain::Code::SubmitRefused.into()),
        ..submission(2)
    };
    let absent = Seen::Absent {
        rm_started_on: 7,
        ended: 0,
    };
    let landed = 1_000 + IN_FLIGHT_MS;
    assert_eq!(next(Phase::Submitting, &refused, &absent, landed - 1), Next::Wait);
    let looked = Submission {
        absences: ABSENCES - 1,
        ..refused.clone()
    };
    assert_eq!(next(Phase::Submitting, &looked, &absent, landed), Next::GiveUp);
    let arrived = next(Phase::Submitting, &refused, &known(AppState::Accepted), landed);
    assert!(matches!(arrived, Next::Confirm { .. }));
}

#[test]
fn a_stop_in_doubt_never_posts() {
    for posts in [0, 1, 2] {
        for seen in [
            Seen::Inconclusive,
            Seen::Absent {
                rm_started_on: 7,
                ended: 0,
            },
            Seen::Absent {
                rm_started_on: 9,
                ended: 9999,
            },
        ] {
            for now in [0, 1_000, 10_000_000] {
                assert!(matches!(
                    next(Phase::Abandoning, &submission(posts), &seen, now),
                    Next::Wait | Next::GiveUp
                ));
            }
        }
    }
    for state in ALL_YARN {
        let step = next(Phase::Abandoning, &submission(1), &known(state), 0);
        assert_eq!(matches!(step, Next::Kill { .. }), !state.is_final());
    }
}

#[test]
fn an_abandoned_submission_is_given_up_only_when_nothing_can_still_arrive() {
    let absent = Seen::Absent {
        rm_started_on: 7,
        ended: 0,
    };
    let mut sub = submission(1);
    assert_eq!(
        next(Phase::Abandoning, &sub, &absent, 1_000 + IN_FLIGHT_MS - 1),
        Next::Wait
    );
    assert_eq!(
        next(Phase::Abandoning, &sub, &absent, 1_000 + IN_FLIGHT_MS),
        Next::Wait
    );
    sub.absences = ABSENCES - 1;
    assert_eq!(
        next(Phase::Abandoning, &sub, &absent, 1_000 + IN_FLIGHT_MS),
        Next::GiveUp
    );
    assert_eq!(next(Phase::Abandoning, &submission(0), &absent, 0), Next::GiveUp);
}

#[test]
fn states_follow_the_engine() {
    let job = |state, running, total| Engine::Job {
        state,
        tasks_running: running,
        tasks_total: total,
    };
    use RunState::*;
    let table = [
        (
            Submitting,
            None,
            AppState::Accepted,
            FinalStatus::Undefined,
            Engine::NotSeen,
            Queued,
        ),
        (
            Queued,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            Engine::NotSeen,
            Starting,
        ),
        (
            Queued,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            Engine::NoJob,
            Starting,
        ),
        (
            Starting,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Running, 0, 0),
            Starting,
        ),
        (
            Starting,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Running, 1, 2),
            Starting,
        ),
        (
            Starting,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Running, 2, 2),
            Running,
        ),
        (
            Running,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Running, 1, 2),
            Running,
        ),
        (
            Running,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            Engine::NotSeen,
            Running,
        ),
        (
            Running,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Restarting, 0, 2),
            Restarting,
        ),
        (
            Running,
            Some(Requested::Cancel),
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Cancelling, 2, 2),
            Stopping,
        ),
        (
            Stopping,
            Some(Requested::Savepoint),
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Running, 2, 2),
            Stopping,
        ),
        (
            Stopping,
            None,
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Running, 2, 2),
            Running,
        ),
        (
            Running,
            Some(Requested::Drain),
            AppState::Running,
            FinalStatus::Undefined,
            job(JobState::Running, 2, 2),
            Running,
        ),
        (
            Stopping,
            Some(Requested::Drain),
            AppState::Finished,
            FinalStatus::Succeeded,
            Engine::NotSeen,
            Finished,
        ),
        (
            Stopping,
            Some(Requested::Savepoint),
            AppState::Killed,
            FinalStatus::Killed,
            Engine::NotSeen,
            Killed,
        ),
        (
            Stopping,
            Some(Requested::Cancel),
            AppState::Finished,
            FinalStatus::Killed,
            Engine::NotSeen,
            Cancelled,
        ),
        (
            Running,
            None,
            AppState::Finished,
            FinalStatus::Succeeded,
            Engine::NotSeen,
            Finished,
        ),
        (
            Running,
            None,
            AppState::Finished,
            FinalStatus::Failed,
            Engine::NotSeen,
            Failed,
        ),
        (
            Running,
            None,
            AppState::Failed,
            FinalStatus::Failed,
            Engine::NotSeen,
            Failed,
        ),
        (
            Running,
            None,
            AppState::Killed,
            FinalStatus::Killed,
            Engine::NotSeen,
            Killed,
        ),
        (
            Running,
            Some(Requested::Start),
            AppState::Killed,
            FinalStatus::Killed,
            Engine::NotSeen,
            Killed,
        ),
        (
            Queued,
            Some(Requested::Kill),
            AppState::Killed,
            FinalStatus::Killed,
            Engine::NotSeen,
            Cancelled,
        ),
    ];
    for (before, requested, yarn, status, engine, after) in table {
        assert_eq!(
            state(before, requested, yarn, status, true, &engine),
            after,
            "{before:?} {yarn:?} {status:?} {engine:?}"
        );
    }
}

#[test]
fn a_resource_manager_that_came_back_changes_nothing() {
    use RunState::*;
    let seen = |before, same| {
        let none = FinalStatus::Undefined;
        state(before, None, AppState::Accepted, none, same, &Engine::NotSeen)
    };
    for before in [Starting, Running, Restarting, Stopping] {
        assert_eq!(seen(before, true), before);
        assert_eq!(seen(before, false), Restarting);
    }
    for before in [Submitting, Queued] {
        assert_eq!((seen(before, true), seen(before, false)), (Queued, Queued));
    }
}

#[test]
fn of_a_spark_run_yarn_alone_decides() {
    let open = RunState::ALL.iter().filter(|state| !state.is_terminal());
    for before in open {
        for figures in [None, Some((0, 0)), Some((1, 4))] {
            let engine = Engine::Driver(figures);
            let told = |yarn, status| state(*before, None, yarn, status, true, &engine);
            assert_eq!(told(AppState::Running, FinalStatus::Undefined), RunState::Running);
            assert_eq!(
                told(AppState::Finished, FinalStatus::Succeeded),
                RunState::Finished
            );
            assert_eq!(told(AppState::Finished, FinalStatus::Failed), RunState::Failed);
            assert_eq!(told(AppState::Killed, FinalStatus::Killed), RunState::Killed);
            // A ResourceManager that recovers says what it said before the first start.
            let waits = told(AppState::Accepted, FinalStatus::Undefined);
            let had_one = lacks_master(*before, AppState::Accepted);
            assert_eq!(waits, if had_one { *before } else { RunState::Queued });
        }
    }
}
