//! A stop while nobody knows whether the submission arrived: nothing is sent any more, what turns up
//! is killed on sight, and the run ends only when nothing can turn up.

use crate::{
    exactly_once::{ABANDONING, all},
    support::{Kind, World, WorldOptions, run_tag, until},
};
use domain::{
    id::RunId,
    run::{RunState, StopMode, StopRequest},
};
use service::Service as Console;
use std::{collections::BTreeSet, time::Duration};
use testkit::{Action, Fault, Service};

/// What became of the POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Post {
    Answered,
    AnswerLost,
    Lost,
    Late,
}

const POSTS: [Post; 4] = [Post::Answered, Post::AnswerLost, Post::Lost, Post::Late];

async fn terminal(world: &World, run: &RunId) -> bool {
    store::runs::row(&world.db, run)
        .await
        .unwrap()
        .unwrap()
        .state
        .is_terminal()
}

/// Consecutive looks of the submission that found nothing.
async fn absences(world: &World, run: &RunId) -> i64 {
    let submit = domain::operation::OperationKind::Submit;
    let open = store::operations::open_for_run(&world.db, run, submit)
        .await
        .unwrap();
    open.and_then(|row| row.data.get("absences").and_then(|n| n.as_i64()))
        .unwrap_or(0)
}

async fn stop_in_doubt(kind: Kind, point: &str, post: Post) -> BTreeSet<String> {
    let mut world = World::new(WorldOptions {
        kind,
        ..WorldOptions::default()
    })
    .await;
    let control = world.fake.control().clone();
    let action = match post {
        Post::Answered => None,
        Post::AnswerLost => Some(Action::ProcessThenDrop),
        Post::Lost | Post::Late => Some(Action::DropBefore),
    };
    if let Some(action) = action {
        control.fault(Fault::on_submit(action));
    }
    // The ResourceManager cannot be asked about applications, so that the doubt stays.
    let deaf = Fault::on(Service::Rm, Action::Status(503, "starting".into()));
    control.fault(deaf.method("GET").path("/ws/v1/cluster/apps").always());
    let run = world.start().await.id;
    let tag = run_tag(&run);
    until("the POST is sent", || async {
        (world.posts() == 1).then_some(())
    })
    .await;
    if post != Post::Answered {
        world
            .when(&run, "it is in doubt", |run| run.in_doubt_since.is_some())
            .await;
    }
    world.stop(&run, StopMode::Kill).await.unwrap();
    assert!(!terminal(&world, &run).await, "ended while nobody knows");
    let mut posts = world.posts();
    world.life().dies_at(point);
    control.calm();
    if post == Post::Lost || post == Post::Late {
        // Looks that find nothing prove nothing yet: the POST may still be on its way.
        until("two looks", || async {
            (world.life().is_dead() || absences(&world, &run).await >= 2).then_some(())
        })
        .await;
        assert!(
            !terminal(&world, &run).await,
            "ended although the POST may still arrive"
        );
    }
    if post == Post::Late {
        world.arrive_late(world.body(&run).await.unwrap()).await;
        posts += 1;
    }
    world.advance(41_000);
    let deadline = tokio::time::Instant::now() + crate::support::PATIENCE;
    while !terminal(&world, &run).await && !world.life().is_dead() {
        assert!(tokio::time::Instant::now() < deadline, "it does not end");
        // Wakes the reconcilers, whose timers run by the host's clock; nothing else comes of it.
        let (viewer, id) = (world.viewer.clone(), run.clone());
        let request = StopRequest::new(StopMode::Kill);
        let call = |service: Console| async move { service.stop_run(&viewer, &id, request, None).await };
        let _ = world.life().call(call).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut reached = world.life().reached();
    if world.life().is_dead() {
        world.restart().await;
    }
    let ended = world
        .when(&run, "the run ends", |run| run.state.is_terminal())
        .await;
    world.when_closed(&run).await;
    assert_eq!(ended.state, RunState::Cancelled);
    assert_eq!(ended.in_doubt_since, None);
    assert_eq!(world.posts(), posts, "posted after the stop");
    let apps = world.fake.checker().applications_by_tag(&tag).await.unwrap();
    if post == Post::Lost {
        assert!(apps.is_empty(), "{apps:#?}");
    } else {
        assert_eq!(apps.len(), 1, "{apps:#?}");
        assert_eq!(apps[0].state, "KILLED");
    }
    assert_eq!(world.left_over().await, [""; 0], "left behind");
    reached.extend(world.life().reached());
    world.end().await;
    reached
}

async fn matrix(kind: Kind, points: &[&str]) -> BTreeSet<String> {
    let cases = points.iter().flat_map(|point| POSTS.map(|post| (*point, post)));
    all(cases.map(|(point, post)| {
        let label = format!("{point}, {post:?}, {kind:?}");
        (label, stop_in_doubt(kind, point, post))
    }))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_after_a_stop_and_what_arrives_is_killed() {
    let mut points = vec!["nowhere"];
    points.extend(ABANDONING);
    let reached = matrix(Kind::Sqlite, &points).await;
    for point in ABANDONING {
        assert!(reached.contains(point), "no scenario reaches {point}");
    }
    matrix(Kind::Postgres, &["nowhere"]).await;
}

/// Before anything was sent a stop ends the run at once, and nothing ever is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_before_the_first_post_sends_nothing() {
    let world = World::simple().await;
    world.fake.control().down(Service::Rm).await;
    let run = world.start().await.id;
    world
        .when(&run, "it waits for the cluster", |run| run.failure.is_some())
        .await;
    world.stop(&run, StopMode::Kill).await.unwrap();
    let ended = world.run(&run).await;
    assert_eq!((ended.state, ended.failure), (RunState::Cancelled, None));
    world.fake.control().up(Service::Rm).await.unwrap();
    world.when_closed(&run).await;
    world.fake.checker().assert_none(&run_tag(&run)).await;
    assert_eq!(world.posts(), 0);
    world.end().await;
}
