//! A start that is asked for many times at once happens once.

use crate::support::{Kind, Life, World, WorldOptions, run_tag};
use domain::{
    Code,
    run::{Run, RunState, StartRequest, StopMode, StopRequest},
};
use service::Service;
use std::collections::BTreeSet;

const CLICKS: usize = 20;

async fn click(life: &Life, world: &World, version: Option<i64>, key: Option<&str>) -> service::Result<Run> {
    let (viewer, job, key) = (world.viewer.clone(), world.job.id.clone(), key.map(str::to_owned));
    let request = StartRequest {
        version,
        ..StartRequest::default()
    };
    let call =
        |service: Service| async move { service.start_run(&viewer, &job, request, key.as_deref()).await };
    life.ask(call).await
}

async fn judge(world: &World, run: &Run) {
    world.when_state(&run.id, RunState::Running).await;
    world.when_closed(&run.id).await;
    let app = world.fake.checker().assert_exactly_one(&run_tag(&run.id)).await;
    assert_eq!(world.fake.control().started_with_tag(&run_tag(&run.id)), 1);
    assert_eq!(world.fake.control().posts(&app.id), 1);
    let all = world.fake.control().apps();
    assert_eq!(all.len(), 1, "another application was started: {all:#?}");
}

async fn clicks(kind: Kind) {
    let world = World::new(WorldOptions {
        kind,
        ..WorldOptions::default()
    })
    .await;
    let answers =
        futures::future::join_all((0..CLICKS).map(|_| click(world.life(), &world, None, None))).await;
    let (started, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(started.len(), 1);
    let run = started.into_iter().next().unwrap().unwrap();
    for error in refused.into_iter().filter_map(Result::err) {
        assert_eq!(error.failure.code, Code::RunOpen);
        assert_eq!(error.failure.args["run"], run.id.as_str());
    }
    judge(&world, &run).await;
    world.end().await;
}

async fn clicks_with_a_key(kind: Kind) {
    let world = World::new(WorldOptions {
        kind,
        ..WorldOptions::default()
    })
    .await;
    let key = Some("the same click");
    let answers =
        futures::future::join_all((0..CLICKS).map(|_| click(world.life(), &world, None, key))).await;
    let runs: BTreeSet<String> = answers
        .into_iter()
        .map(|run| run.unwrap().id.to_string())
        .collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    // The key belongs to what it was first used for.
    let other = click(world.life(), &world, Some(1), key).await.unwrap_err();
    assert_eq!(other.failure.code, Code::IdempotencyMismatch);
    let run = click(world.life(), &world, None, key).await.unwrap();
    let (viewer, id) = (world.viewer.clone(), run.id.clone());
    let request = StopRequest::new(StopMode::Kill);
    let call = |service: Service| async move {
        service
            .stop_run(&viewer, &id, request, Some("the same click"))
            .await
    };
    let stop = world.life().ask(call).await.unwrap_err();
    assert_eq!(stop.failure.code, Code::IdempotencyMismatch);
    judge(&world, &run).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_clicks_are_one_run() {
    clicks(Kind::Sqlite).await;
    clicks(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_clicks_with_one_key_are_answered_with_the_same_run() {
    clicks_with_a_key(Kind::Sqlite).await;
    clicks_with_a_key(Kind::Postgres).await;
}

/// Two consoles on one database both carry out what is asked for, without a leader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consoles_start_one_application() {
    let world = World::new(WorldOptions {
        kind: Kind::Postgres,
        ..WorldOptions::default()
    })
    .await;
    let twin = Life::begin(&world.plan).await;
    let lives = [world.life(), &twin];
    let calls = (0..CLICKS).map(|n| click(lives[n % 2], &world, None, None));
    let started: Vec<_> = futures::future::join_all(calls)
        .await
        .into_iter()
        .filter_map(Result::ok)
        .collect();
    assert_eq!(started.len(), 1);
    judge(&world, &started[0]).await;
    // Both stop it, one stop is made of it.
    let stops = lives.map(|life| {
        let (viewer, id) = (world.viewer.clone(), started[0].id.clone());
        let request = StopRequest::new(StopMode::Kill);
        life.ask(move |service: Service| async move { service.stop_run(&viewer, &id, request, None).await })
    });
    let stops = futures::future::join_all(stops).await;
    let ids: BTreeSet<String> = stops
        .into_iter()
        .filter_map(Result::ok)
        .map(|stop| stop.id.to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    world.when_state(&started[0].id, RunState::Cancelled).await;
    world.when_closed(&started[0].id).await;
    twin.kill().await;
    world.end().await;
}
