//! Death at every point of a start and of a stop, in every kind of trouble: there is exactly one
//! application, the run ends as it should, and nothing is left behind. Judged by what the
//! ResourceManager and HDFS say, not by the console.

use crate::support::{Kind, World, WorldOptions, run_tag, until};
use domain::{
    Engine,
    id::RunId,
    run::{Run, RunQuery, RunState, StartRequest, StopMode, StopRequest},
};
use futures::{FutureExt, StreamExt};
use service::Service;
use std::{collections::BTreeSet, path::Path, time::Duration};
use testkit::{Action, Fault, Move, Script};

/// Scenarios at once.
const PARALLEL: usize = 4;

/// Every crash point there is, read from the source so that a new one cannot be forgotten here.
pub(crate) fn points() -> BTreeSet<String> {
    fn read(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let names = text.split("crash_point!(\"").skip(1);
                for name in names.filter_map(|rest| rest.split('"').next()) {
                    assert!(found.insert(name.to_owned()), "{name} stands twice in the source");
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() >= 20, "{found:?}");
    found
}

/// Points a start can reach.
fn of_start(point: &str) -> bool {
    ["start.", "submit.", "track.", "put."]
        .iter()
        .any(|kind| point.starts_with(kind))
}

/// What else goes wrong during a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Quiet,
    /// The POST is taken, its answer is lost.
    AnswerLost,
    /// The POST is lost.
    PostLost,
    /// The POST is lost, and arrives when everything is over.
    PostLate,
    /// The POST takes longer than anybody waits for its answer, and arrives.
    PostSlow,
    /// A gateway answers the POST that was taken.
    GatewayError,
    /// While the console is dead, the ResourceManager is restarted.
    RestartedAtDeath {
        recovers: bool,
    },
    /// It was restarted since the console died behind the POST; it dies once more afterwards.
    RestartedBefore {
        recovers: bool,
    },
    /// The ResourceManager refuses the submission.
    Refused,
}

const TROUBLES: [Trouble; 11] = [
    Trouble::Quiet,
    Trouble::AnswerLost,
    Trouble::PostLost,
    Trouble::PostLate,
    Trouble::PostSlow,
    Trouble::GatewayError,
    Trouble::RestartedAtDeath { recovers: true },
    Trouble::RestartedAtDeath { recovers: false },
    Trouble::RestartedBefore { recovers: true },
    Trouble::RestartedBefore { recovers: false },
    Trouble::Refused,
];

impl Trouble {
    fn fault(self) -> Option<Fault> {
        Some(Fault::on_submit(match self {
            Trouble::AnswerLost => Action::ProcessThenDrop,
            Trouble::PostLost | Trouble::PostLate => Action::DropBefore,
            Trouble::PostSlow => Action::Delay(2_500),
            Trouble::GatewayError => Action::ProcessThenStatus(502, "bad gateway".into()),
            Trouble::Refused => Action::Status(
                400,
                r#"{"RemoteException":{"exception":"BadRequestException","message":"no","javaClassName":"x"}}"#.into(),
            ),
            Trouble::Quiet | Trouble::RestartedAtDeath { .. } | Trouble::RestartedBefore { .. } => return None,
        }))
    }
}

/// Asks for a start; `None` when the console died before it answered.
async fn start(world: &World) -> Option<Run> {
    let (viewer, job) = (world.viewer.clone(), world.job.id.clone());
    let call = |service: Service| async move {
        service
            .start_run(&viewer, &job, StartRequest::default(), None)
            .await
    };
    world.life().call(call).await.ok().map(|answer| answer.unwrap())
}

/// The only run there is, as the database has it.
async fn stored(world: &World) -> Option<RunId> {
    let query = RunQuery {
        limit: 10,
        ..RunQuery::default()
    };
    let runs = store::runs::list(&world.db, &domain::Scope::All, &query)
        .await
        .unwrap();
    assert!(runs.items.len() <= 1, "{:#?}", runs.items);
    runs.items.first().map(|run| run.id.clone())
}

/// Waits until the console is dead or the run is where it stays.
async fn settled(world: &World) -> bool {
    let deadline = tokio::time::Instant::now() + crate::support::PATIENCE;
    loop {
        if world.life().is_dead() {
            return true;
        }
        if let Some(run) = stored(world).await {
            let row = store::runs::row(&world.db, &run).await.unwrap().unwrap();
            if row.state == RunState::Running || row.state.is_terminal() {
                return false;
            }
        }
        assert!(tokio::time::Instant::now() < deadline, "the run does not settle");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// Starts a job, dies at `point` amid `trouble`, lives again. Answers the points that were passed.
async fn start_and_die(kind: Kind, engine: Engine, point: &str, trouble: Trouble) -> BTreeSet<String> {
    let mut options = WorldOptions {
        kind,
        engine,
        ..WorldOptions::default()
    };
    // A while in NEW_SAVING: what the ResourceManager has not saved yet, a restart forgets.
    options.cluster.script = Script::default()
        .then(150, Move::Accepted)
        .then(10, Move::Launched)
        .then(20, Move::Running)
        .then(20, Move::Job)
        .then(20, Move::Tasks { running: 2, total: 2 });
    let mut world = World::new(options).await;
    let control = world.fake.control().clone();
    if let Some(fault) = trouble.fault() {
        control.fault(fault);
    }
    let mut reached = BTreeSet::new();
    let before = match trouble {
        Trouble::RestartedBefore { recovers } => {
            world.life().dies_at("submit.after_post");
            start(&world).await;
            assert!(settled(&world).await, "it does not come to the POST");
            reached.extend(world.life().reached());
            control.restart_rm(recovers).await.unwrap();
            world.restart().await;
            true
        }
        _ => false,
    };
    world.life().dies_at(point);
    if !before {
        start(&world).await;
    }
    // The body of the first POST, which a network may hold back.
    let mut first = None;
    while trouble == Trouble::PostLate && first.is_none() && !world.life().is_dead() {
        if let Some(run) = stored(&world).await {
            first = world.body(&run).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let died = settled(&world).await;
    if trouble == Trouble::PostLate && first.is_none() && world.posts() > 0 {
        first = world.body(&stored(&world).await.unwrap()).await;
    }
    reached.extend(world.life().reached());
    if died {
        world.die().await;
        if let Trouble::RestartedAtDeath { recovers } = trouble {
            control.restart_rm(recovers).await.unwrap();
        }
        world.restart().await;
    }
    let run = match stored(&world).await {
        Some(run) => run,
        None => {
            assert_eq!(point, "start.before_commit", "the intent is lost");
            start(&world).await.expect("the console lives").id
        }
    };
    judge_start(&world, &run, trouble, first).await;
    reached.extend(world.life().reached());
    if died && point.starts_with("put.") {
        // Half an upload stays, until nobody can be at it any more.
        world.die().await;
        world.advance(25 * 3_600_000);
        world.restart().await;
        until("the broken upload is swept", || async {
            world.left_over().await.is_empty().then_some(())
        })
        .await;
    }
    assert_eq!(world.left_over().await, [""; 0], "left behind");
    world.end().await;
    reached
}

async fn judge_start(world: &World, run: &RunId, trouble: Trouble, first: Option<String>) {
    if trouble == Trouble::Refused {
        // A POST that may have been sent before the refused one counts as lost only after its time.
        let submit = domain::operation::OperationKind::Submit;
        until("the submission is refused", || async {
            let open = store::operations::open_for_run(&world.db, run, submit)
                .await
                .unwrap();
            open.is_none_or(|row| row.data["refused"].is_object())
                .then_some(())
        })
        .await;
        world.advance(41_000);
    }
    let settled = world
        .when(run, "the run settles", |run| {
            run.state == RunState::Running || run.state.is_terminal()
        })
        .await;
    world.when_closed(run).await;
    if let Some(body) = first {
        world.arrive_late(body).await;
    }
    let checker = world.fake.checker();
    let tag = run_tag(run);
    let accepted = world.fake.control().started_with_tag(&tag);
    let forgets = matches!(
        trouble,
        Trouble::RestartedAtDeath { recovers: false } | Trouble::RestartedBefore { recovers: false }
    );
    match settled.state {
        RunState::Failed if trouble == Trouble::Refused => {
            checker.assert_none(&tag).await;
            assert_eq!(accepted, 0);
        }
        // It was confirmed, and the ResourceManager has forgotten it: it must not start again.
        RunState::LostTrack if forgets => {
            checker.assert_none(&tag).await;
            assert_eq!(accepted, 1);
        }
        RunState::Running => {
            let app = checker.assert_exactly_one(&tag).await;
            assert_eq!(app.state, "RUNNING", "{app:#?}");
            assert_eq!(Some(&app.id), settled.external_id.as_ref());
            assert_eq!(settled.in_doubt_since, None);
            // A ResourceManager that forgets takes its applications with it; what it never saved, too.
            let lives = usize::from(matches!(
                trouble,
                Trouble::RestartedAtDeath { .. } | Trouble::RestartedBefore { .. }
            ));
            assert!(accepted <= 1 + lives, "accepted {accepted} times");
        }
        other => panic!("{other:?}: {settled:#?}"),
    }
}

async fn matrix(kind: Kind, engine: Engine, cases: Vec<(String, Trouble)>) -> BTreeSet<String> {
    let cases = cases.into_iter().map(|(point, trouble)| {
        let label = format!("start, {engine}, {point}, {trouble:?}, {kind:?}");
        (label, async move {
            start_and_die(kind, engine, &point, trouble).await
        })
    });
    all(cases).await
}

/// Runs scenarios, some at once; answers every point that was passed.
///
/// # Panics
/// With the names of those that failed.
pub(crate) async fn all<F>(cases: impl Iterator<Item = (String, F)>) -> BTreeSet<String>
where
    F: Future<Output = BTreeSet<String>>,
{
    let results: Vec<(String, Result<BTreeSet<String>, _>)> = futures::stream::iter(cases)
        .map(|(label, case)| async move {
            let ended = std::panic::AssertUnwindSafe(case).catch_unwind().await;
            if ended.is_err() {
                println!("failed: {label}");
            }
            (label, ended)
        })
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(|(_, ended)| ended.is_ok());
    let bad: Vec<String> = bad.into_iter().map(|(label, _)| label).collect();
    assert!(
        bad.is_empty(),
        "{} of {} failed: {bad:#?}",
        bad.len(),
        bad.len() + good.len()
    );
    good.into_iter()
        .filter_map(|(_, reached)| reached.ok())
        .flatten()
        .collect()
}

/// Points only a submission that was stopped in doubt comes to; `stop_in_doubt` dies there.
pub(crate) const ABANDONING: [&str; 3] = ["submit.before_kill", "submit.after_kill", "submit.before_give_up"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_survives_death_at_every_point() {
    let wanted: BTreeSet<String> = points()
        .into_iter()
        .filter(|point| of_start(point) && !ABANDONING.contains(&point.as_str()))
        .collect();
    let cases = wanted
        .iter()
        .flat_map(|point| TROUBLES.map(|trouble| (point.clone(), trouble)))
        .collect();
    let reached = matrix(Kind::Sqlite, Engine::Flink, cases).await;
    let missed: Vec<_> = wanted.difference(&reached).collect();
    assert!(missed.is_empty(), "no scenario reaches {missed:?}");
}

/// The protocol is the same; what is planned and put on HDFS is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_of_spark_survives_death_at_every_point() {
    let wanted = points()
        .into_iter()
        .filter(|point| of_start(point) && !ABANDONING.contains(&point.as_str()));
    let troubles = [Trouble::Quiet, Trouble::AnswerLost, Trouble::PostLost];
    let cases = wanted.flat_map(|point| troubles.map(|trouble| (point.clone(), trouble)));
    let reached = matrix(Kind::Sqlite, Engine::Spark, cases.collect()).await;
    for point in [
        "put.timed",
        "submit.id_issued",
        "submit.before_post",
        "submit.after_confirm",
    ] {
        assert!(reached.contains(point), "no scenario reaches {point}");
    }
    matrix(
        Kind::Postgres,
        Engine::Spark,
        vec![("submit.after_post".to_owned(), Trouble::AnswerLost)],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_survives_death_on_postgresql() {
    let cases = [
        ("start.before_commit", Trouble::Quiet),
        ("start.requested", Trouble::Quiet),
        ("submit.id_issued", Trouble::Quiet),
        ("submit.before_post", Trouble::Quiet),
        (
            "submit.before_post",
            Trouble::RestartedAtDeath { recovers: false },
        ),
        ("submit.after_post", Trouble::AnswerLost),
        ("submit.after_post", Trouble::PostLost),
        ("submit.before_confirm", Trouble::PostLate),
        ("submit.burn_killed", Trouble::RestartedBefore { recovers: false }),
        (
            "submit.after_confirm",
            Trouble::RestartedAtDeath { recovers: true },
        ),
    ];
    let cases = cases.map(|(point, trouble)| (point.to_owned(), trouble)).to_vec();
    matrix(Kind::Postgres, Engine::Flink, cases).await;
}

/// What else goes wrong during a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopTrouble {
    Quiet,
    AnswerLost,
    RequestLost,
    RestartedAtDeath { recovers: bool },
}

/// Where the run is when somebody stops it, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    KillQueued,
    KillRunning,
    CancelRunning,
}

impl Stop {
    fn mode(self) -> StopMode {
        match self {
            Stop::KillQueued | Stop::KillRunning => StopMode::Kill,
            Stop::CancelRunning => StopMode::Cancel,
        }
    }
}

async fn stop_and_die(kind: Kind, point: &str, stop: Stop, trouble: StopTrouble) -> BTreeSet<String> {
    let mut options = WorldOptions {
        kind,
        ..WorldOptions::default()
    };
    if stop == Stop::KillQueued {
        options.cluster.script = Script::queued();
    }
    let mut world = World::new(options).await;
    let control = world.fake.control().clone();
    let run = world.start().await.id;
    let state = if stop == Stop::KillQueued {
        RunState::Queued
    } else {
        RunState::Running
    };
    world.when_state(&run, state).await;
    let app = world.fake.checker().assert_exactly_one(&run_tag(&run)).await.id;
    let action = match trouble {
        StopTrouble::AnswerLost => Some(Action::ProcessThenDrop),
        StopTrouble::RequestLost => Some(Action::DropBefore),
        StopTrouble::Quiet | StopTrouble::RestartedAtDeath { .. } => None,
    };
    if let Some(action) = action {
        control.fault(Fault::on(testkit::Service::Rm, action.clone()).method("PUT"));
        control.fault(Fault::on(testkit::Service::Flink, action).method("PATCH"));
    }
    world.life().dies_at(point);
    let (viewer, id, mode) = (world.viewer.clone(), run.clone(), stop.mode());
    let request = StopRequest::new(mode);
    let call = |service: Service| async move { service.stop_run(&viewer, &id, request, None).await.unwrap() };
    let answered = world.life().call(call).await.is_ok();
    let died = settled_stop(&world, &run).await;
    let mut reached = world.life().reached();
    if died {
        world.die().await;
        if let StopTrouble::RestartedAtDeath { recovers } = trouble {
            control.restart_rm(recovers).await.unwrap();
        }
        world.restart().await;
    }
    let row = store::runs::row(&world.db, &run).await.unwrap().unwrap();
    if row.requested.is_none() && !row.state.is_terminal() {
        assert!(!answered, "the stop is lost");
        if world.run(&run).await.state.stop_modes().contains(&stop.mode()) {
            // It may have ended meanwhile.
            let _ = world.stop(&run, stop.mode()).await;
        }
    }
    let ended = world
        .when(&run, "the run ends", |run| run.state.is_terminal())
        .await;
    world.when_closed(&run).await;
    let checker = world.fake.checker();
    let forgets = trouble == (StopTrouble::RestartedAtDeath { recovers: false });
    match ended.state {
        // It had been seen to end before the ResourceManager forgot it.
        RunState::Cancelled if forgets && checker.application(&app).await.unwrap().is_none() => {}
        RunState::Cancelled => {
            let seen = checker.assert_exactly_one(&run_tag(&run)).await;
            assert_eq!(
                (seen.id.as_str(), seen.final_status.as_str()),
                (app.as_str(), "KILLED")
            );
            assert!(seen.is_over());
        }
        RunState::LostTrack if forgets => {
            checker.assert_none(&run_tag(&run)).await;
        }
        other => panic!("{other:?}: {ended:#?}"),
    }
    assert_eq!(control.started_with_tag(&run_tag(&run)), 1);
    assert_eq!(world.left_over().await, [""; 0], "left behind");
    reached.extend(world.life().reached());
    world.end().await;
    reached
}

/// Waits until the console is dead or the stopped run has ended with everything that was to do.
async fn settled_stop(world: &World, run: &RunId) -> bool {
    let deadline = tokio::time::Instant::now() + crate::support::PATIENCE;
    loop {
        if world.life().is_dead() {
            return true;
        }
        let row = store::runs::row(&world.db, run).await.unwrap().unwrap();
        let all = store::operations::of_run(&world.db, &domain::Scope::All, run)
            .await
            .unwrap();
        if row.state.is_terminal() && all.iter().all(|one| !one.state.is_open()) {
            return false;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the stop does not settle: {all:#?}"
        );
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

async fn stop_matrix(kind: Kind, cases: Vec<(String, Stop, StopTrouble)>) -> BTreeSet<String> {
    let cases = cases.into_iter().map(|(point, stop, trouble)| {
        let label = format!("{stop:?}, {point}, {trouble:?}, {kind:?}");
        (
            label,
            async move { stop_and_die(kind, &point, stop, trouble).await },
        )
    });
    all(cases).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_survives_death_at_every_point() {
    let troubles = [
        StopTrouble::Quiet,
        StopTrouble::AnswerLost,
        StopTrouble::RequestLost,
        StopTrouble::RestartedAtDeath { recovers: true },
        StopTrouble::RestartedAtDeath { recovers: false },
    ];
    let wanted: BTreeSet<String> = points()
        .into_iter()
        .filter(|point| point.starts_with("stop."))
        .collect();
    let mut cases = Vec::new();
    for point in wanted.iter().map(String::as_str).chain(["track.before_write"]) {
        for stop in [Stop::KillQueued, Stop::KillRunning, Stop::CancelRunning] {
            cases.extend(troubles.map(|trouble| (point.to_owned(), stop, trouble)));
        }
    }
    let reached = stop_matrix(Kind::Sqlite, cases).await;
    let missed: Vec<_> = wanted.difference(&reached).collect();
    assert!(missed.is_empty(), "no scenario reaches {missed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_survives_death_on_postgresql() {
    let cases = [
        ("stop.requested", Stop::KillRunning, StopTrouble::Quiet),
        ("stop.before_ask", Stop::CancelRunning, StopTrouble::Quiet),
        ("stop.after_ask", Stop::KillQueued, StopTrouble::AnswerLost),
        ("stop.before_done", Stop::KillRunning, StopTrouble::RequestLost),
    ];
    let cases = cases.map(|(point, stop, trouble)| (point.to_owned(), stop, trouble));
    stop_matrix(Kind::Postgres, cases.to_vec()).await;
}

/// Every point belongs to one of the matrices.
#[test]
fn no_point_is_left_out() {
    let strange: Vec<String> = points()
        .into_iter()
        .filter(|point| {
            !of_start(point) && !["stop.", "savepoint."].iter().any(|kind| point.starts_with(kind))
        })
        .collect();
    assert!(strange.is_empty(), "no test dies at {strange:?}");
}
