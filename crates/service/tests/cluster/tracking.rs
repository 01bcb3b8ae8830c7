//! What the cluster does becomes the state of the run, each change with the answer that proved it.

use crate::support::{Kind, World, WorldOptions, until};
use domain::{
    Code,
    id::RunId,
    run::{RunEvent, RunState, StopMode},
};
use std::time::Duration;
use testkit::{Action, Fault, FinalStatus, Move, Options, Script};

async fn events(world: &World, run: &RunId) -> Vec<RunEvent> {
    store::runs::events(&world.db, &domain::Scope::All, run)
        .await
        .unwrap()
}

/// States in the order the run had them. Each change begins where the one before ended, and says why.
async fn path(world: &World, run: &RunId) -> Vec<RunState> {
    let changes: Vec<RunEvent> = events(world, run)
        .await
        .into_iter()
        .filter(|event| event.kind == "state")
        .collect();
    let mut before = RunState::Preparing;
    let mut path = vec![before];
    for change in &changes {
        assert_eq!(change.from, Some(before), "{changes:#?}");
        before = change.to.unwrap();
        path.push(before);
        let proved = change.evidence.as_ref().is_some_and(|proof| proof.is_object());
        assert!(proved, "without proof: {change:#?}");
        assert!(
            ["rm", "flink", "archive", "console"].contains(&change.source.as_str()),
            "{change:#?}"
        );
    }
    path.dedup();
    path
}

async fn world(kind: Kind, script: Script) -> World {
    let cluster = Options {
        script,
        ..Options::default()
    };
    World::new(WorldOptions {
        kind,
        cluster,
        ..WorldOptions::default()
    })
    .await
}

/// Slow enough for every state to be seen.
fn slow() -> Script {
    Script::default()
        .then(100, Move::Accepted)
        .then(600, Move::Launched)
        .then(50, Move::Running)
        .then(600, Move::Job)
        .then(600, Move::Tasks { running: 2, total: 2 })
}

const TO_RUNNING: [RunState; 5] = [
    RunState::Preparing,
    RunState::Submitting,
    RunState::Queued,
    RunState::Starting,
    RunState::Running,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_is_shown_with_its_proof() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = world(kind, slow()).await;
        let control = world.fake.control().clone();
        let run = world.start().await.id;
        let running = world.when_state(&run, RunState::Running).await;
        assert_eq!(path(&world, &run).await, TO_RUNNING);
        assert_eq!((running.tasks_running, running.tasks_total), (Some(2), Some(2)));
        assert!(running.started_at.is_some() && running.tracking_url.is_some());
        assert_eq!(running.requested, None, "the start has been confirmed");
        let app = running.external_id.unwrap();
        control.step(&app, Move::JobState("RESTARTING".into()));
        world.when_state(&run, RunState::Restarting).await;
        control.step(&app, Move::Tasks { running: 2, total: 2 });
        world.when_state(&run, RunState::Running).await;
        control.finish(&app, FinalStatus::Succeeded, "");
        let ended = world.when_state(&run, RunState::Finished).await;
        let mut wanted = TO_RUNNING.to_vec();
        wanted.extend([RunState::Restarting, RunState::Running, RunState::Finished]);
        assert_eq!(path(&world, &run).await, wanted);
        assert!(ended.ended_at.is_some_and(|at| at <= world.now()));
        assert_eq!(ended.final_status.as_deref(), Some("SUCCEEDED"));
        assert_eq!((ended.failure, ended.tasks_running), (None, None));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_ended_it_is_told_apart() {
    // Somebody else.
    let first = world(Kind::Sqlite, Script::forever()).await;
    let run = first.start().await.id;
    let app = first
        .when_state(&run, RunState::Running)
        .await
        .external_id
        .unwrap();
    kill(&first, &app).await;
    let killed = first.when_state(&run, RunState::Killed).await;
    assert_eq!(killed.final_status.as_deref(), Some("KILLED"));
    assert!(killed.failure.unwrap().to_string().contains("killed by user"));
    path(&first, &run).await;
    // Us, by YARN and by Flink.
    for mode in [StopMode::Kill, StopMode::Cancel] {
        let run = first.start().await.id;
        first.when_state(&run, RunState::Running).await;
        first.stop(&run, mode).await.unwrap();
        let ended = first.when_state(&run, RunState::Cancelled).await;
        assert_eq!(ended.failure, None);
        path(&first, &run).await;
        first.when_closed(&run).await;
    }
    // The job itself, which says so.
    let run = first.start().await.id;
    let app = first
        .when_state(&run, RunState::Running)
        .await
        .external_id
        .unwrap();
    let control = first.fake.control();
    control.exception(
        &app,
        "java.lang.IllegalStateException: the sink is full\n\tat x.Y.z(Y.java:1)",
    );
    control.finish(&app, FinalStatus::Failed, "");
    first.when_state(&run, RunState::Failed).await;
    let failed = first
        .when(&run, "the cause is found", |run| {
            run.failure
                .as_ref()
                .is_some_and(|why| why.to_string().contains("the sink is full"))
        })
        .await;
    assert_eq!(failed.final_status.as_deref(), Some("FAILED"));
    // A master that died.
    let run = first.start().await.id;
    let app = first
        .when_state(&run, RunState::Running)
        .await
        .external_id
        .unwrap();
    first
        .fake
        .control()
        .crash(&app, "exited with  exitCode: 239\nFailing this attempt.");
    let failed = first.when_state(&run, RunState::Failed).await;
    assert!(failed.failure.is_some());
    first.end().await;
}

/// As somebody with the rights kills it from a shell.
async fn kill(world: &World, app: &str) {
    let mut url = net::Url::parse(&world.fake.rm_url).unwrap();
    url.set_path(&format!("/ws/v1/cluster/apps/{app}/state"));
    let request = net::Client::new().unwrap().put(url).query("user.name", "hadoop");
    let wanted = serde_json::json!({ "state": "KILLED" });
    let reply = request.json(&wanted).send().await.unwrap();
    assert!(reply.status.is_success(), "{}", reply.status);
}

/// Ended while the console was away, and forgotten before it came back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_resource_manager_forgot_is_read_from_the_archive() {
    let cases = [
        (Some(FinalStatus::Succeeded), RunState::Finished),
        (Some(FinalStatus::Failed), RunState::Failed),
        (None, RunState::LostTrack),
    ];
    for (status, state) in cases {
        let mut world = world(Kind::Sqlite, Script::forever()).await;
        let control = world.fake.control().clone();
        let run = world.start().await.id;
        let app = world
            .when_state(&run, RunState::Running)
            .await
            .external_id
            .unwrap();
        world.when_closed(&run).await;
        world.die().await;
        match status {
            Some(status) => assert!(control.finish(&app, status, "")),
            // Without a farewell there is no archive.
            None => assert!(control.crash(&app, "the node is gone")),
        }
        control.restart_rm(false).await.unwrap();
        world.restart().await;
        let ended = world.when_state(&run, state).await;
        path(&world, &run).await;
        let last = events(&world, &run)
            .await
            .into_iter()
            .rfind(|event| event.kind == "state")
            .unwrap();
        if status.is_some() {
            assert_eq!(last.source, "archive");
        } else {
            assert_eq!(ended.failure.map(|failure| failure.code), Some(Code::LostTrack));
            assert_eq!(last.source, "rm");
        }
        assert_eq!(ended.tasks_running, None);
        world.end().await;
    }
}

/// An answer that cannot be believed is not an absence: only two plain ones in a row are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_the_archive_cannot_be_read() {
    let mut world = world(Kind::Sqlite, Script::forever()).await;
    let control = world.fake.control().clone();
    let run = world.start().await.id;
    let app = world
        .when_state(&run, RunState::Running)
        .await
        .external_id
        .unwrap();
    world.die().await;
    control.finish(&app, FinalStatus::Succeeded, "");
    control.restart_rm(false).await.unwrap();
    control.down(testkit::Service::Nn).await;
    world.restart().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(world.run(&run).await.state, RunState::Running);
    control.up(testkit::Service::Nn).await.unwrap();
    world.when_state(&run, RunState::Finished).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_while_nothing_changes() {
    let world = world(Kind::Sqlite, Script::forever()).await;
    let run = world.start().await.id;
    world.when_state(&run, RunState::Running).await;
    world.when_closed(&run).await;
    let store::Db::Sqlite { read, .. } = &world.db else {
        panic!("SQLite counts its changes")
    };
    let mut connection = read.acquire().await.unwrap();
    // Grows with every commit of another connection.
    let mut version = async || -> i64 {
        let query = sqlx::query_scalar("PRAGMA data_version");
        query.fetch_one(&mut *connection).await.unwrap()
    };
    // The last of what the start changed.
    let mut before = version().await;
    for left in (0..20).rev() {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let now = version().await;
        if now == before {
            break;
        }
        assert!(left > 0, "the writes of the start do not end");
        before = now;
    }
    let asked = |world: &World| {
        let history = world.fake.control().history();
        history
            .iter()
            .filter(|request| request.path.starts_with("/ws/v1/cluster/apps"))
            .count()
    };
    let (questions, seen) = (asked(&world), world.run(&run).await.observed_at);
    until("many ticks", || async {
        (asked(&world) > questions + 15).then_some(())
    })
    .await;
    assert_eq!(version().await, before, "something was written");
    assert!(world.run(&run).await.observed_at > seen, "yet the age is known");
    drop(connection);
    world.end().await;
}

/// A list that leaves a run out proves nothing, nor does an answer that is none: it is asked for by its
/// id, and stays what it was until that is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_list_leaves_out_is_asked_for_by_its_id() {
    let world = world(Kind::Sqlite, Script::forever()).await;
    let control = world.fake.control().clone();
    let run = world.start().await.id;
    let app = world
        .when_state(&run, RunState::Running)
        .await
        .external_id
        .unwrap();
    world.when_closed(&run).await;
    let of_rm = |action| Fault::on(testkit::Service::Rm, action).method("GET").always();
    let list = || of_rm(Action::Status(200, r#"{"apps":null}"#.into())).path_is("/ws/v1/cluster/apps");
    let one = format!("/ws/v1/cluster/apps/{app}");
    control.fault(list());
    control.fault(of_rm(Action::Status(500, "broken".into())).path_is(&one));
    let asked = || {
        let history = control.history();
        history.iter().filter(|request| request.path == one).count()
    };
    let before = asked();
    until("it is asked for", || async {
        (asked() > before + 4).then_some(())
    })
    .await;
    assert_eq!(world.run(&run).await.state, RunState::Running);
    control.calm();
    control.fault(list());
    kill(&world, &app).await;
    world.when_state(&run, RunState::Killed).await;
    world.end().await;
}
