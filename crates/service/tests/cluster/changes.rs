//! What changed since a job last worked.

use crate::support::{Kind, World, WorldOptions};
use domain::{
    Engine,
    id::RunId,
    job::JobUpdate,
    run::{RunState, StopMode},
};
use testkit::{Move, Options, Script};

async fn told(kind: Kind) {
    let world = World::new(WorldOptions {
        kind,
        ..WorldOptions::default()
    })
    .await;
    let viewer = world.viewer.clone();
    let service = |run: domain::id::RunId| {
        let viewer = viewer.clone();
        async {
            world
                .life()
                .ask(|service| async move { service.run_changes(&viewer, &run).await })
                .await
                .unwrap()
        }
    };

    let first = world.start().await;
    world.when_state(&first.id, RunState::Running).await;
    let alone = service(first.id.clone()).await;
    assert_eq!(alone.since, None);
    assert!(
        alone.definition.is_empty() && alone.launch.is_empty(),
        "{alone:#?}"
    );
    world.stop(&first.id, StopMode::Kill).await.unwrap();
    world.when_state(&first.id, RunState::Cancelled).await;
    world.when_closed(&first.id).await;

    // The same again: nothing differs, though ids and directories do.
    let second = world.start().await;
    world.when_state(&second.id, RunState::Running).await;
    let same = service(second.id.clone()).await;
    assert_eq!(same.since.unwrap().id, first.id);
    assert_eq!((same.definition, same.launch), (Vec::new(), Vec::new()));
    world.stop(&second.id, StopMode::Kill).await.unwrap();
    world.when_state(&second.id, RunState::Cancelled).await;
    world.when_closed(&second.id).await;

    let mut spec = world.job.spec.clone();
    spec.resources.parallelism += 1;
    let update = JobUpdate {
        base_version: 1,
        spec,
    };
    let (who, job) = (world.viewer.clone(), world.job.id.clone());
    world
        .life()
        .ask(|service| async move { service.update_job(&who, &job, update).await })
        .await
        .unwrap();
    let third = world.start().await;
    world.when_state(&third.id, RunState::Running).await;
    let changed = service(third.id.clone()).await;
    assert_eq!(changed.since.unwrap().id, second.id);
    let paths: Vec<&str> = changed.definition.iter().map(|c| c.path.as_str()).collect();
    assert_eq!(paths, ["version", "resources.parallelism"]);
    let sent: Vec<&str> = changed.launch.iter().map(|c| c.path.as_str()).collect();
    assert_eq!(sent, ["conf.parallelism.default"], "{:#?}", changed.launch);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn since_it_last_worked_is_told_sqlite() {
    told(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn since_it_last_worked_is_told_postgres() {
    told(Kind::Postgres).await;
}

/// Ends a first run in a state by a kill, and starts a second: which run that is compared with.
async fn since_killed_when(options: WorldOptions, state: RunState) -> (RunId, Option<RunId>) {
    let world = World::new(options).await;
    let first = world.start().await;
    world.when_state(&first.id, state).await;
    world.stop(&first.id, StopMode::Kill).await.unwrap();
    world.when_state(&first.id, RunState::Cancelled).await;
    world.when_closed(&first.id).await;
    let (viewer, second) = (world.viewer.clone(), world.start().await.id);
    let found = world
        .life()
        .ask(|service| async move { service.run_changes(&viewer, &second).await })
        .await
        .unwrap();
    world.end().await;
    (first.id, found.since.map(|run| run.id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spark_run_that_ran_until_it_was_killed_worked() {
    let spark = WorldOptions {
        engine: Engine::Spark,
        placed: true,
        ..WorldOptions::default()
    };
    let (first, since) = since_killed_when(spark, RunState::Running).await;
    assert_eq!(since, Some(first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_in_its_queue_did_not_work() {
    let waiting = WorldOptions {
        cluster: Options {
            script: Script::default().then(100, Move::Accepted),
            ..Options::default()
        },
        ..WorldOptions::default()
    };
    let (_, since) = since_killed_when(waiting, RunState::Queued).await;
    assert_eq!(since, None);
}
