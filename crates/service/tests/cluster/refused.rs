//! A submission that is refused, or answered with errors, while an earlier POST of it may still arrive.

use crate::support::{World, run_tag, until};
use domain::{
    Code,
    id::RunId,
    operation::OperationKind,
    run::{RunState, StopMode},
};
use testkit::{Action, Fault, Service};

const NO: &str =
    r#"{"RemoteException":{"exception":"BadRequestException","message":"not now","javaClassName":"x"}}"#;

/// A run whose first POST got lost on the way and whose second one is refused.
async fn refused_in_doubt() -> (World, RunId) {
    let world = World::simple().await;
    let control = world.fake.control();
    control.fault(Fault::on_submit(Action::DropBefore));
    control.fault(Fault::on_submit(Action::Status(400, NO.into())).nth(2).always());
    let run = world.start().await.id;
    until("the second POST is refused", || async {
        let open = store::operations::open_for_run(&world.db, &run, OperationKind::Submit);
        let data = open.await.unwrap().expect("it is open").data;
        data["refused"].is_object().then_some(())
    })
    .await;
    assert_eq!(world.posts(), 2);
    (world, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_fails_only_when_nothing_can_arrive_any_more() {
    let (world, run) = refused_in_doubt().await;
    assert_eq!(world.run(&run).await.state, RunState::Submitting);
    world.advance(41_000);
    let failed = world.when_state(&run, RunState::Failed).await;
    assert_eq!(failed.failure.unwrap().code, Code::SubmitRefused);
    assert_eq!(failed.in_doubt_since, None);
    world.when_closed(&run).await;
    assert_eq!(world.posts(), 2, "posted after the refusal");
    world.fake.checker().assert_none(&run_tag(&run)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_after_all_is_the_run() {
    let (world, run) = refused_in_doubt().await;
    world.fake.control().calm();
    world.arrive_late(world.body(&run).await.unwrap()).await;
    let running = world.when_state(&run, RunState::Running).await;
    assert_eq!((running.failure, running.in_doubt_since), (None, None));
    world.when_closed(&run).await;
    world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_meanwhile_it_is_cancelled() {
    let (world, run) = refused_in_doubt().await;
    world.stop(&run, StopMode::Kill).await.unwrap();
    world.advance(41_000);
    world.when_state(&run, RunState::Cancelled).await;
    world.when_closed(&run).await;
    world.fake.checker().assert_none(&run_tag(&run)).await;
    world.end().await;
}

/// A server that answers every POST with an error, the last one although it took it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_behind_an_error_is_not_left_alone() {
    let world = World::simple().await;
    let control = world.fake.control();
    let broken = || "broken".to_owned();
    control.fault(Fault::on_submit(Action::Status(500, broken())).times(7));
    control.fault(Fault::on_submit(Action::ProcessThenStatus(500, broken())).nth(8));
    let run = world.start().await.id;
    let running = world
        .when(&run, "it settles", |run| {
            run.state == RunState::Running || run.state.is_terminal()
        })
        .await;
    assert_eq!(running.state, RunState::Running);
    world.when_closed(&run).await;
    world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
    assert_eq!(world.posts(), 8);
    world.end().await;
}

/// Errors for ever end, and nothing is left in doubt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_without_end_end() {
    let both = [Action::Status(500, "broken".into()), Action::Garbage].map(|action| async move {
        let world = World::simple().await;
        world.fake.control().fault(Fault::on_submit(action).always());
        let run = world.start().await.id;
        until("nothing more is sent", || async {
            let open = store::operations::open_for_run(&world.db, &run, OperationKind::Submit);
            let data = open.await.unwrap().expect("it is open").data;
            data["refused"].is_object().then_some(())
        })
        .await;
        world.advance(41_000);
        let failed = world.when_state(&run, RunState::Failed).await;
        assert_eq!(failed.failure.unwrap().code, Code::RemoteAnswer);
        world.when_closed(&run).await;
        assert_eq!(world.posts(), 8);
        world.end().await;
    });
    futures::future::join_all(both).await;
}

/// A kill overtakes the wish to cancel, also when the job's own address does not answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_overtakes_a_cancel() {
    let world = World::simple().await;
    let run = world.start().await.id;
    world.when_state(&run, RunState::Running).await;
    world.when_closed(&run).await;
    let deaf = Fault::on(Service::Flink, Action::DropBefore).method("PATCH");
    world.fake.control().fault(deaf.always());
    let cancel = world.stop(&run, StopMode::Cancel).await.unwrap();
    until("it was asked", || async {
        let operation = store::operations::row(&world.db, &cancel.id)
            .await
            .unwrap()
            .unwrap();
        operation.failure.is_some().then_some(())
    })
    .await;
    let kill = world.stop(&run, StopMode::Kill).await.unwrap();
    assert_eq!(kill.id, cancel.id);
    world.when_state(&run, RunState::Cancelled).await;
    world.when_closed(&run).await;
    let app = world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
    assert_eq!(app.state, "KILLED");
    world.end().await;
}
