//! Parts of the cluster go and come back: what is shown grows old and nothing else; what was asked
//! for happens afterwards, once; what cannot be done says why.

use crate::support::{TEAM_USER, World, WorldOptions, run_tag, until};
use domain::{
    Code,
    run::{Run, RunState, StopMode, Trust},
};
use std::time::{Duration, Instant};
use testkit::{Action, Control, Fault, FinalStatus, Move, Options, QueueOptions, Script, Service};

/// Ways to be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    Down(Service),
    Standby(Service),
    Garbage(Service),
    Errors(Service),
    /// Every answer takes long.
    Slow(Service),
}

impl Away {
    async fn begin(self, control: &Control) {
        let all = |service, action| control.fault(Fault::on(service, action).always());
        match self {
            Away::Down(service) => control.down(service).await,
            Away::Standby(service) => control.standby(service),
            Away::Garbage(service) => all(service, Action::Garbage),
            Away::Errors(service) => all(service, Action::Status(500, "it broke".into())),
            Away::Slow(service) => all(service, Action::Delay(200)),
        }
    }

    async fn end(self, control: &Control) {
        match self {
            Away::Down(service) => control.up(service).await.unwrap(),
            Away::Standby(service) => control.activate(service),
            Away::Garbage(_) | Away::Errors(_) | Away::Slow(_) => control.calm(),
        }
    }
}

const RM_AWAY: [Away; 4] = [
    Away::Down(Service::Rm),
    Away::Standby(Service::Rm),
    Away::Garbage(Service::Rm),
    Away::Errors(Service::Rm),
];

/// What must stay as it is while nobody can be asked.
fn kept(run: &Run) -> impl PartialEq + std::fmt::Debug + use<> {
    let ended = (run.ended_at, run.final_status.clone(), run.failure.clone());
    // Figures of what it uses, and with them the row's version, may move until the last answer.
    (run.state, run.state_since, run.attempts, run.requested, ended)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_changes_nothing_but_the_age() {
    // Long enough that a busy host makes nothing stale by itself.
    let tick = Duration::from_millis(800);
    let world = World::new(WorldOptions {
        tick,
        ..WorldOptions::default()
    })
    .await;
    let control = world.fake.control().clone();
    let run = world.start().await.id;
    world.when_state(&run, RunState::Running).await;
    world.when_closed(&run).await;
    for away in RM_AWAY {
        let before = world
            .when(&run, "it is fresh", |run| run.trust(world.now()) == Trust::Fresh)
            .await;
        away.begin(&control).await;
        world
            .when(&run, "it is stale", |run| run.trust(world.now()) == Trust::Stale)
            .await;
        world.advance(domain::run::UNKNOWN_AFTER_MS + 1_000);
        let shown = world
            .when(&run, "it is unknown", |run| {
                matches!(run.trust(world.now()), Trust::UnknownSince(_))
            })
            .await;
        // A week changes nothing either.
        world.advance(7 * 86_400_000);
        tokio::time::sleep(2 * tick).await;
        let after = world.run(&run).await;
        assert_eq!(kept(&after), kept(&before), "{away:?}");
        assert_eq!(after.observed_at, shown.observed_at, "{away:?}");
        away.end(&control).await;
        let back = Instant::now();
        world
            .when(&run, "it is fresh again", |run| {
                run.trust(world.now()) == Trust::Fresh
            })
            .await;
        // Two ticks, and what one answer may take on a busy host.
        assert!(
            back.elapsed() < 2 * tick + Duration::from_millis(1_500),
            "{away:?}: {:?}",
            back.elapsed()
        );
        let after = world.run(&run).await;
        assert_eq!(after.state, RunState::Running, "{away:?}");
    }
    // What is only needed to start and to read logs may be away unnoticed.
    for service in [Service::Nn, Service::Dn, Service::Nm] {
        let before = world.run(&run).await;
        control.down(service).await;
        tokio::time::sleep(4 * tick).await;
        let after = world.run(&run).await;
        assert_eq!(kept(&after), kept(&before), "{service:?}");
        assert_eq!(after.trust(world.now()), Trust::Fresh, "{service:?}");
        control.up(service).await.unwrap();
    }
    let app = world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
    assert_eq!(app.state, "RUNNING");
    world.end().await;
}

/// Until the application master has found it again, it reports a running application as a waiting one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_manager_that_recovers_changes_nothing() {
    // Several ticks long.
    let cluster = Options {
        resync_ms: 1_000,
        ..Options::default()
    };
    let world = World::new(WorldOptions {
        cluster,
        ..WorldOptions::default()
    })
    .await;
    let control = world.fake.control().clone();
    let run = world.start().await.id;
    world.when_state(&run, RunState::Running).await;
    world.when_closed(&run).await;
    let before = world.run(&run).await;
    control.restart_rm(true).await.unwrap();
    let app = before.external_id.clone().unwrap();
    let mut reported = std::collections::BTreeSet::new();
    loop {
        let seen = world
            .fake
            .checker()
            .application(&app)
            .await
            .unwrap()
            .unwrap()
            .state;
        let back = seen == "RUNNING";
        reported.insert(seen);
        assert_eq!(kept(&world.run(&run).await), kept(&before));
        if back {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(reported.contains("ACCEPTED"), "{reported:?}");
    let after = world.when_state(&run, RunState::Running).await;
    assert_eq!(kept(&after), kept(&before));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_meanwhile_is_right_within_two_ticks() {
    let tick = Duration::from_millis(500);
    for (away, status, state) in [
        (
            Away::Down(Service::Rm),
            FinalStatus::Succeeded,
            RunState::Finished,
        ),
        (Away::Standby(Service::Rm), FinalStatus::Failed, RunState::Failed),
    ] {
        let world = World::new(WorldOptions {
            tick,
            ..WorldOptions::default()
        })
        .await;
        let control = world.fake.control().clone();
        let run = world.start().await.id;
        let app = world
            .when_state(&run, RunState::Running)
            .await
            .external_id
            .unwrap();
        away.begin(&control).await;
        assert!(control.finish(&app, status, "the end"));
        tokio::time::sleep(2 * tick).await;
        assert_eq!(world.run(&run).await.state, RunState::Running);
        away.end(&control).await;
        let back = Instant::now();
        world.when_state(&run, state).await;
        assert!(
            back.elapsed() < 2 * tick + Duration::from_secs(1),
            "{away:?}: {:?}",
            back.elapsed()
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_the_cluster_and_happens_once() {
    let cases = [
        (Away::Down(Service::Rm), Code::RmUnreachable),
        (Away::Standby(Service::Rm), Code::RmNoActive),
        (Away::Garbage(Service::Rm), Code::RemoteAnswer),
        (Away::Errors(Service::Rm), Code::RemoteAnswer),
        (Away::Down(Service::Nn), Code::NnUnreachable),
        (Away::Standby(Service::Nn), Code::NnNoActive),
        (Away::Errors(Service::Nn), Code::RemoteAnswer),
    ];
    for (away, code) in cases {
        let world = World::simple().await;
        let control = world.fake.control().clone();
        away.begin(&control).await;
        let run = world.start().await.id;
        let waiting = world
            .when(&run, "it says what it waits for", |run| run.failure.is_some())
            .await;
        assert_eq!(waiting.failure.unwrap().code, code, "{away:?}");
        assert_eq!(waiting.state, RunState::Preparing, "{away:?}");
        away.end(&control).await;
        let running = world.when_state(&run, RunState::Running).await;
        assert_eq!(
            (running.failure, running.in_doubt_since),
            (None, None),
            "{away:?}"
        );
        world.when_closed(&run).await;
        world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
        assert_eq!(world.posts(), 1, "{away:?}");
        assert_eq!(world.left_over().await, [""; 0], "{away:?}");
        world.end().await;
    }
}

/// A slow cluster is no broken one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_cluster_is_waited_for() {
    for service in [Service::Rm, Service::Nn] {
        let world = World::new(WorldOptions {
            placed: true,
            ..WorldOptions::default()
        })
        .await;
        let control = world.fake.control().clone();
        let away = Away::Slow(service);
        away.begin(&control).await;
        let run = world.start().await.id;
        until("the POST is sent", || async {
            (world.posts() == 1).then_some(())
        })
        .await;
        away.end(&control).await;
        let running = world.when_state(&run, RunState::Running).await;
        assert_eq!(
            (running.failure, running.in_doubt_since),
            (None, None),
            "{service:?}"
        );
        world.when_closed(&run).await;
        world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
        assert_eq!(world.posts(), 1, "{service:?}");
        world.end().await;
    }
}

/// What HDFS refuses is told while it is waited for, and ends the run when it does not pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_with_files_is_told_and_ends_in_time() {
    type Set = fn(&Control, bool);
    let cases: [(Set, Code); 5] = [
        (|control, on| control.safe_mode(on), Code::NnSafeMode),
        (
            |control, on| control.quota("/penstock", on.then_some(10)),
            Code::HdfsQuota,
        ),
        (|control, on| control.no_space(on), Code::HdfsNoSpace),
        (
            |control, on| {
                let (owner, mode) = if on {
                    ("hadoop", 0o755)
                } else {
                    ("penstock", 0o755)
                };
                control.put_dir("/penstock", owner, mode);
            },
            Code::RootMissing,
        ),
        (
            |control, on| {
                let user = if on { "hadoop" } else { TEAM_USER };
                control.put_dir(&format!("/penstock/teams/{TEAM_USER}"), user, 0o700);
            },
            Code::HdfsForbidden,
        ),
    ];
    for (set, code) in cases {
        for passes in [true, false] {
            let world = World::simple().await;
            let control = world.fake.control().clone();
            set(&control, true);
            let run = world.start().await.id;
            if code == Code::HdfsForbidden {
                // Nothing here gets better by itself.
                if passes {
                    world.end().await;
                    continue;
                }
            } else {
                let waiting = world
                    .when(&run, "it says what is wrong", |run| run.failure.is_some())
                    .await;
                assert_eq!(waiting.failure.unwrap().code, code);
                assert_eq!(waiting.state, RunState::Preparing);
            }
            if passes {
                set(&control, false);
                let running = world.when_state(&run, RunState::Running).await;
                assert_eq!(running.failure, None);
            } else {
                world.advance(11 * 60_000);
                let failed = world.when_state(&run, RunState::Failed).await;
                assert_eq!(failed.failure.unwrap().code, code);
                assert_eq!(failed.in_doubt_since, None);
                assert_eq!(world.posts(), 0);
            }
            world.when_closed(&run).await;
            control.quota("/penstock", None);
            assert_eq!(world.left_over().await, [""; 0], "{code:?}");
            world.end().await;
        }
    }
}

/// What the cluster refuses, at once or later, has its own code, and leaves nothing in doubt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_have_their_own_codes() {
    let unknown = |open_root| Options {
        queues: vec![QueueOptions::open("root.adhoc", 100.0)],
        open_root,
        ..Options::default()
    };
    let closed = Options {
        queues: vec![QueueOptions {
            submit: vec!["nobody".into()],
            ..QueueOptions::open("root.default", 100.0)
        }],
        open_root: false,
        ..Options::default()
    };
    let small = Options {
        max_memory_mb: 512,
        ..Options::default()
    };
    // The application master comes late enough to meet files that were changed after the submission.
    let late = Options {
        script: Script::queued()
            .then(1_000, Move::Launched)
            .then(20, Move::Running)
            .then(20, Move::Job)
            .then(30, Move::Tasks { running: 2, total: 2 }),
        ..Options::default()
    };
    let cases = [
        ("unknown queue", unknown(true), Code::QueueUnknown),
        ("unknown queue, refused", unknown(false), Code::QueueUnknown),
        ("closed queue", closed, Code::QueueDenied),
        ("too much memory", small, Code::ResourceTooLarge),
        ("changed file", late.clone(), Code::FileChanged),
        ("missing file", late, Code::FileGone),
    ];
    for (name, cluster, code) in cases {
        let world = World::new(WorldOptions {
            cluster,
            ..WorldOptions::default()
        })
        .await;
        let control = world.fake.control().clone();
        let run = world.start().await.id;
        let files = ["changed file", "missing file"].contains(&name);
        if files {
            world.when_state(&run, RunState::Queued).await;
            let below = control.files_below("/penstock/environments");
            let jar = below
                .into_iter()
                .find(|file| file.path.contains("flink-dist"))
                .unwrap();
            if code == Code::FileGone {
                assert!(control.remove_file(&jar.path));
            } else {
                control.put_file(&jar.path, "flink-dist-2.3.0.jar", "penstock", 0o644);
            }
        }
        let failed = world.when_state(&run, RunState::Failed).await;
        let failure = failed.failure.unwrap();
        assert_eq!(failure.code, code, "{name}: {failure}");
        assert!(!failure.to_string().contains('?'), "{name}: {failure}");
        assert_eq!(failed.in_doubt_since, None, "{name}");
        world.when_closed(&run).await;
        let apps = world
            .fake
            .checker()
            .applications_by_tag(&run_tag(&run))
            .await
            .unwrap();
        assert!(
            apps.iter().all(testkit::checker::SeenApp::is_over),
            "{name}: {apps:#?}"
        );
        if files {
            // As the message says: started again, the console puts the right file back.
            let again = world.start().await.id;
            world.when_state(&again, RunState::Running).await;
            let left = world.left_over().await;
            assert_eq!(left, [""; 0], "{name}");
        }
        world.end().await;
    }
}

/// A wish to stop does not end because the cluster is away for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_outlasts_an_outage() {
    let world = World::simple().await;
    let control = world.fake.control().clone();
    let run = world.start().await.id;
    world.when_state(&run, RunState::Running).await;
    world.when_closed(&run).await;
    control.down(Service::Rm).await;
    world.stop(&run, StopMode::Kill).await.unwrap();
    let stop = domain::operation::OperationKind::Stop;
    let asked = |least: i64| {
        let (db, run) = (world.db.clone(), run.clone());
        async move {
            let open = store::operations::open_for_run(&db, &run, stop).await.unwrap();
            open.expect("the stop was given up")
                .attempt
                .ge(&least)
                .then_some(())
        }
    };
    // Far more tries than any patience with a cluster that answers and refuses.
    for least in 1..70 {
        until("it asks again", || asked(least)).await;
        world.advance(6_000);
        let _ = world.stop(&run, StopMode::Kill).await;
    }
    let waiting = world.run(&run).await;
    assert_eq!(waiting.state, RunState::Running);
    assert_eq!(waiting.requested, Some(domain::run::Requested::Kill));
    control.up(Service::Rm).await.unwrap();
    world.when_state(&run, RunState::Cancelled).await;
    world.when_closed(&run).await;
    world.end().await;
}
