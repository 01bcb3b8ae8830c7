//! Savepoints of runs that go on and stops that keep state: whatever dies or is lost, Flink is asked
//! for one, and what lies on HDFS is recorded. Judged by Flink's own count and by HDFS.

use crate::{
    exactly_once::{all, points},
    support::{Kind, TEAM_USER, World, WorldOptions, run_tag, until},
};
use domain::{
    Code, Scope,
    id::RunId,
    operation::{Operation, OperationState},
    restore::{RestorePoint, RestoreState, SavepointFormat, SavepointRequest},
    run::{Run, RunState, StopMode, StopRequest},
};
use service::Service as Console;
use std::collections::BTreeSet;
use testkit::{Action, Deed, Fault, FinalStatus, Savepoints, Service};

pub(crate) async fn running(world: &World) -> (RunId, String) {
    let run = world.start().await.id;
    let shown = world.when_state(&run, RunState::Running).await;
    world.when_closed(&run).await;
    (run, shown.external_id.unwrap())
}

/// Asks for a savepoint; `None` when the console died.
async fn try_save(world: &World, run: &RunId, key: Option<&str>) -> Option<service::Result<Operation>> {
    let (viewer, run, key) = (world.admin.clone(), run.clone(), key.map(str::to_owned));
    let call = move |service: Console| async move {
        service
            .take_savepoint(&viewer, &run, SavepointRequest::default(), key.as_deref())
            .await
    };
    world.life().call(call).await.ok()
}

pub(crate) async fn save(world: &World, run: &RunId) -> Operation {
    try_save(world, run, None).await.unwrap().unwrap()
}

async fn try_stop(world: &World, run: &RunId, request: StopRequest) -> Option<service::Result<Operation>> {
    let (viewer, run) = (world.viewer.clone(), run.clone());
    let call = move |service: Console| async move { service.stop_run(&viewer, &run, request, None).await };
    world.life().call(call).await.ok()
}

async fn stop(world: &World, run: &RunId, mode: StopMode, deadline_s: Option<i64>) -> Operation {
    let request = StopRequest { mode, deadline_s };
    try_stop(world, run, request).await.unwrap().unwrap()
}

pub(crate) async fn listed(world: &World) -> Vec<RestorePoint> {
    let (viewer, job) = (world.viewer.clone(), world.job.id.clone());
    let call = move |service: Console| async move { service.restore_points(&viewer, &job, 0, None).await };
    world.life().ask(call).await.unwrap().items
}

async fn operation(world: &World, wanted: &Operation) -> Operation {
    let found = store::operations::get(&world.db, &Scope::All, &wanted.id).await;
    found.unwrap().unwrap()
}

async fn closed(world: &World, wanted: &Operation) -> Operation {
    until("the operation is closed", || async {
        let found = operation(world, wanted).await;
        (!found.state.is_open()).then_some(found)
    })
    .await
}

/// What lies on HDFS below the directory of the team's savepoints and is whole.
fn on_hdfs(world: &World) -> Vec<String> {
    let below = format!("/penstock/teams/{TEAM_USER}/savepoints");
    let files = world.fake.control().files_below(&below);
    let whole = files
        .iter()
        .filter_map(|file| file.path.strip_suffix("/_metadata"));
    whole.map(str::to_owned).collect()
}

fn slow(world: &World, ms: i64) {
    world.fake.control().savepoints(Savepoints {
        ms,
        ..Savepoints::default()
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_savepoint_is_taken_while_the_run_goes_on() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = World::new(WorldOptions {
            kind,
            ..WorldOptions::default()
        })
        .await;
        slow(&world, 500);
        let (run, app) = running(&world).await;
        let first = try_save(&world, &run, Some("once")).await.unwrap().unwrap();
        // Asked again, by whomever, it is the same one.
        let again = try_save(&world, &run, Some("once")).await.unwrap().unwrap();
        assert_eq!(
            (again.id.clone(), save(&world, &run).await.id),
            (first.id.clone(), first.id.clone())
        );
        let done = closed(&world, &first).await;
        assert_eq!((done.state, &done.failure), (OperationState::Done, &None));
        assert!(
            done.steps.iter().all(|step| step.state == OperationState::Done),
            "{done:#?}"
        );
        assert_eq!(world.fake.control().savepoints_of(&app).len(), 1);
        let listed = listed(&world).await;
        let [point] = listed.as_slice() else {
            panic!("{listed:#?}")
        };
        assert_eq!(on_hdfs(&world), std::slice::from_ref(&point.path));
        let dir = format!("/penstock/teams/{TEAM_USER}/savepoints/{}", first.id);
        assert!(point.path.starts_with(&format!("{dir}/")), "{point:#?}");
        let made = world.fake.control().file(&dir).unwrap();
        assert_eq!((made.owner.as_str(), made.permission), (TEAM_USER, 0o700));
        assert_eq!((point.state, point.preselected), (RestoreState::Valid, true));
        assert_eq!(
            (point.size, point.format),
            (Some(8), Some(SavepointFormat::Canonical))
        );
        assert_eq!((&point.run, &point.operation), (&run, &Some(first.id)));
        assert_eq!((point.version, &point.used_by), (1, &None));
        assert_eq!(world.run(&run).await.state, RunState::Running);
        // With another key, it is another one.
        let second = try_save(&world, &run, Some("twice")).await.unwrap().unwrap();
        closed(&world, &second).await;
        assert_eq!(world.fake.control().savepoints_of(&app).len(), 2);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_keeps_state_and_a_drain_says_that_it_is_one() {
    for (mode, drained) in [(StopMode::Savepoint, false), (StopMode::Drain, true)] {
        let world = World::simple().await;
        slow(&world, 600);
        let (run, app) = running(&world).await;
        let asked = stop(&world, &run, mode, None).await;
        let stopping = world.when_state(&run, RunState::Stopping).await;
        assert_eq!(stopping.requested, Some(mode.requested()));
        let ended = world.when_state(&run, RunState::Finished).await;
        assert_eq!(ended.final_status.as_deref(), Some("SUCCEEDED"));
        let done = closed(&world, &asked).await;
        assert_eq!((done.state, done.failure), (OperationState::Done, None));
        let drains = world
            .fake
            .control()
            .deeds()
            .into_iter()
            .find_map(|(_, deed)| match deed {
                Deed::SavepointStarted { stops, drains, .. } => Some((stops, drains)),
                _ => None,
            });
        assert_eq!(drains, Some((true, drained)));
        assert_eq!(world.fake.control().savepoints_of(&app).len(), 1);
        let paths: Vec<String> = listed(&world).await.into_iter().map(|point| point.path).collect();
        assert_eq!(paths, on_hdfs(&world));
        world.end().await;
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Save,
    Stop(StopMode),
}

/// What becomes of it, and what else goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Quiet,
    AnswerLost,
    RequestLost,
    GatewayError,
    /// Flink cannot take savepoints.
    Refused,
    /// HDFS is away when the console comes back.
    NameNodeAway,
}

const TROUBLES: [Trouble; 6] = [
    Trouble::Quiet,
    Trouble::AnswerLost,
    Trouble::RequestLost,
    Trouble::GatewayError,
    Trouble::Refused,
    Trouble::NameNodeAway,
];

async fn wish_and_die(kind: Kind, point: &str, wish: Wish, trouble: Trouble) -> BTreeSet<String> {
    let mut world = World::new(WorldOptions {
        kind,
        ..WorldOptions::default()
    })
    .await;
    let control = world.fake.control().clone();
    let (run, app) = running(&world).await;
    let action = match trouble {
        Trouble::AnswerLost => Some(Action::ProcessThenDrop),
        Trouble::RequestLost => Some(Action::DropBefore),
        Trouble::GatewayError => Some(Action::ProcessThenStatus(502, "bad gateway".into())),
        Trouble::Quiet | Trouble::Refused | Trouble::NameNodeAway => None,
    };
    if let Some(action) = action {
        control.fault(Fault::on(Service::Flink, action).method("POST"));
    }
    if trouble == Trouble::Refused {
        control.savepoints(Savepoints {
            failure: Some("java.io.IOException: the disk is full".into()),
            ..Savepoints::default()
        });
    }
    world.life().dies_at(point);
    let ask = async |world: &World| match wish {
        Wish::Save => try_save(world, &run, None).await,
        Wish::Stop(mode) => try_stop(world, &run, StopRequest::new(mode)).await,
    };
    let answered = ask(&world).await.map(|answer| answer.unwrap());
    let over = |world: &World| {
        let (db, run) = (world.db.clone(), run.clone());
        async move {
            let all = store::operations::of_run(&db, &Scope::All, &run).await.unwrap();
            let newest = all.into_iter().next().unwrap();
            (!newest.state.is_open()).then_some(newest)
        }
    };
    let died = until("it is over, or the console dead", || async {
        let asked = answered.is_some() || world.life().is_dead();
        if world.life().is_dead() {
            Some(true)
        } else {
            // There it dies behind the record that closes the operation.
            let dies = point == "savepoint.recorded" && trouble != Trouble::Refused;
            over(&world).await.filter(|_| asked && !dies).map(|_| false)
        }
    })
    .await;
    let mut reached = world.life().reached();
    if died {
        world.die().await;
        if trouble == Trouble::NameNodeAway {
            control.down(Service::Nn).await;
        }
        world.restart().await;
        if trouble == Trouble::NameNodeAway {
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
            control.up(Service::Nn).await.unwrap();
        }
    }
    let mut kept = store::operations::of_run(&world.db, &Scope::All, &run)
        .await
        .unwrap();
    if kept.len() < 2 {
        assert!(answered.is_none(), "the wish is lost");
        kept = vec![ask(&world).await.unwrap().unwrap()];
    }
    let ended = closed(&world, &kept[0]).await;
    assert_eq!(control.savepoints_of(&app).len(), 1, "{ended:#?}");
    let fails = trouble == Trouble::Refused;
    let wanted = match wish {
        Wish::Stop(_) if !fails => RunState::Finished,
        Wish::Stop(_) | Wish::Save => RunState::Running,
    };
    let shown = world
        .when(&run, "the run is as it should be", |run: &Run| {
            run.state == wanted && run.requested.is_none_or(|_| run.state.is_terminal())
        })
        .await;
    assert_eq!(shown.external_id.as_deref(), Some(app.as_str()));
    let paths: Vec<String> = listed(&world).await.into_iter().map(|point| point.path).collect();
    assert_eq!(paths, on_hdfs(&world));
    if fails {
        assert_eq!((ended.state, paths.len()), (OperationState::Failed, 0));
        let failure = ended.failure.unwrap();
        assert_eq!(failure.code, Code::SavepointFailed);
        assert!(failure.to_string().contains("the disk is full"), "{failure}");
    } else {
        assert_eq!(
            (ended.state, ended.failure, paths.len()),
            (OperationState::Done, None, 1)
        );
    }
    assert_eq!(control.started_with_tag(&run_tag(&run)), 1);
    assert_eq!(control.kills(&app), 0);
    assert_eq!(world.left_over().await, [""; 0], "left behind");
    reached.extend(world.life().reached());
    world.end().await;
    reached
}

async fn matrix(kind: Kind, cases: Vec<(String, Wish, Trouble)>) -> BTreeSet<String> {
    all(cases.into_iter().map(|(point, wish, trouble)| {
        let label = format!("{wish:?}, {point}, {trouble:?}, {kind:?}");
        (
            label,
            async move { wish_and_die(kind, &point, wish, trouble).await },
        )
    }))
    .await
}

/// The story of restore points dies there.
const ELSEWHERE: &str = "savepoint.disposed";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_savepoint_survives_death_at_every_point() {
    let wanted: BTreeSet<String> = points()
        .into_iter()
        .filter(|point| point.starts_with("savepoint.") && point != ELSEWHERE)
        .collect();
    let mut cases = Vec::new();
    for point in &wanted {
        for wish in [Wish::Save, Wish::Stop(StopMode::Savepoint)] {
            cases.extend(TROUBLES.map(|trouble| (point.clone(), wish, trouble)));
        }
        cases.push((point.clone(), Wish::Stop(StopMode::Drain), Trouble::AnswerLost));
    }
    let reached = matrix(Kind::Sqlite, cases).await;
    let missed: Vec<_> = wanted.difference(&reached).collect();
    assert!(missed.is_empty(), "no scenario reaches {missed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_savepoint_survives_death_on_postgresql() {
    let stop = Wish::Stop(StopMode::Savepoint);
    let cases = [
        ("savepoint.requested", Wish::Save, Trouble::RequestLost),
        ("savepoint.after_post", stop, Trouble::AnswerLost),
        ("savepoint.before_record", Wish::Save, Trouble::Quiet),
        ("savepoint.recorded", stop, Trouble::NameNodeAway),
        ("savepoint.before_stop_fail", stop, Trouble::Refused),
    ];
    let cases = cases.map(|(point, wish, trouble)| (point.to_owned(), wish, trouble));
    matrix(Kind::Postgres, cases.to_vec()).await;
}

/// Nothing is ended when the time is over; what Flink does later all the same is recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_its_deadline_a_stop_has_failed_and_the_run_goes_on() {
    let world = World::simple().await;
    let control = world.fake.control().clone();
    slow(&world, 4_000);
    let (run, app) = running(&world).await;
    let asked = stop(&world, &run, StopMode::Savepoint, Some(1)).await;
    world.when_state(&run, RunState::Stopping).await;
    let failed = closed(&world, &asked).await;
    assert_eq!(failed.state, OperationState::Failed);
    assert_eq!(failed.failure.as_ref().map(|f| f.code), Some(Code::StopDeadline));
    assert_eq!(failed.failure.unwrap().args["seconds"], "1");
    let shown = world
        .when(&run, "it is shown running", |run| run.state == RunState::Running)
        .await;
    assert_eq!(shown.requested, None);
    assert_eq!(control.kills(&app), 0);
    world.when_state(&run, RunState::Finished).await;
    let found = until("the late savepoint is found", || async {
        Some(listed(&world).await).filter(|points| !points.is_empty())
    })
    .await;
    assert_eq!(found[0].path, on_hdfs(&world)[0]);
    assert_eq!(found[0].operation, Some(asked.id));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_does_not_end_behind_its_savepoint_goes_on() {
    let world = World::simple().await;
    let control = world.fake.control().clone();
    control.savepoints(Savepoints {
        stays: true,
        ..Savepoints::default()
    });
    let (run, app) = running(&world).await;
    let asked = stop(&world, &run, StopMode::Drain, Some(2)).await;
    until("the savepoint is recorded", || async {
        (listed(&world).await.len() == 1).then_some(())
    })
    .await;
    let failed = closed(&world, &asked).await;
    assert_eq!(failed.failure.map(|f| f.code), Some(Code::StopDeadline));
    world.when_state(&run, RunState::Running).await;
    // It can be asked again, and ended.
    control.savepoints(Savepoints::default());
    let again = stop(&world, &run, StopMode::Savepoint, None).await;
    assert_ne!(again.id, asked.id);
    world.when_state(&run, RunState::Finished).await;
    closed(&world, &again).await;
    assert_eq!(
        (control.savepoints_of(&app).len(), listed(&world).await.len()),
        (2, 2)
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_overtakes_a_stop_that_keeps_state() {
    let world = World::simple().await;
    slow(&world, 60_000);
    let (run, _) = running(&world).await;
    let asked = stop(&world, &run, StopMode::Savepoint, None).await;
    world.when_state(&run, RunState::Stopping).await;
    // The gentler way does not take the surer one's place.
    let kill = stop(&world, &run, StopMode::Kill, None).await;
    assert_eq!(kill.id, asked.id);
    let ended = world.when_state(&run, RunState::Cancelled).await;
    assert_eq!(ended.failure, None);
    assert_eq!(closed(&world, &kill).await.state, OperationState::Done);
    assert!(listed(&world).await.is_empty() && on_hdfs(&world).is_empty());
    world.end().await;
}

/// Between the order and the record, parts of the cluster are away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_flink_cannot_say_any_more_is_read_from_hdfs() {
    // Flink answers nothing after it has the order.
    let world = World::simple().await;
    let control = world.fake.control().clone();
    let (run, app) = running(&world).await;
    let away = Fault::on(Service::Flink, Action::DropBefore)
        .method("GET")
        .path_has("/savepoints/");
    // The first look finds nothing, so that the order is sent.
    control.fault(away.nth(2).always());
    let asked = save(&world, &run).await;
    assert_eq!(closed(&world, &asked).await.state, OperationState::Done);
    assert_eq!(listed(&world).await.len(), 1);
    assert_eq!(control.savepoints_of(&app).len(), 1);
    control.calm();
    // The ResourceManager is away while the job ends, then HDFS.
    slow(&world, 300);
    let asked = stop(&world, &run, StopMode::Savepoint, None).await;
    world.when_state(&run, RunState::Stopping).await;
    control.down(Service::Rm).await;
    until("the second savepoint is recorded", || async {
        (listed(&world).await.len() == 2).then_some(())
    })
    .await;
    control.down(Service::Nn).await;
    assert!(operation(&world, &asked).await.state.is_open());
    control.up(Service::Rm).await.unwrap();
    world.when_state(&run, RunState::Finished).await;
    control.up(Service::Nn).await.unwrap();
    assert_eq!(closed(&world, &asked).await.state, OperationState::Done);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ends_without_its_savepoint_says_so() {
    let world = World::simple().await;
    let control = world.fake.control().clone();
    slow(&world, 60_000);
    let (run, app) = running(&world).await;
    let asked = save(&world, &run).await;
    until("Flink has it", || async {
        (!control.savepoints_of(&app).is_empty()).then_some(())
    })
    .await;
    control.finish(&app, FinalStatus::Failed, "");
    let failed = closed(&world, &asked).await;
    assert_eq!(failed.failure.map(|f| f.code), Some(Code::SavepointMissing));
    assert_eq!(world.when_state(&run, RunState::Failed).await.requested, None);
    // Of what has ended there is nothing to keep.
    let refused = try_save(&world, &run, None).await.unwrap().unwrap_err();
    assert_eq!(refused.failure.code, Code::NotInState);
    let request = StopRequest {
        mode: StopMode::Savepoint,
        deadline_s: Some(0),
    };
    let refused = try_stop(&world, &run, request).await.unwrap().unwrap_err();
    assert_eq!(refused.failure.code, Code::FieldRange);
    world.end().await;
}
