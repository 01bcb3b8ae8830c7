//! A submission that takes long holds up none but itself.

use crate::support::{World, run_tag, until};
use domain::{
    job::NewJob,
    run::{RunState, StartRequest},
};
use testkit::{Action, Fault, builders};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_post_holds_up_no_other_run() {
    let world = World::simple().await;
    // What both need lies on the cluster.
    let first = world.start().await.id;
    world.when_state(&first, RunState::Running).await;
    world.stop(&first, domain::run::StopMode::Kill).await.unwrap();
    world.when_state(&first, RunState::Cancelled).await;
    world.when_closed(&first).await;

    let (viewer, team, environment) = (
        world.viewer.clone(),
        world.team.clone(),
        world.environment.id.clone(),
    );
    let call = |service: service::Service| async move {
        let new = NewJob {
            team: Some(team),
            spec: builders::sql_job("letters", "fake", environment),
        };
        service.create_job(&viewer, new, None).await
    };
    let other = world.life().ask(call).await.unwrap().id;

    let before = world.posts();
    world.fake.control().fault(Fault::on_submit(Action::Delay(1_900)));
    let slow = world.start().await.id;
    until("the slow POST is on its way", || async {
        (world.posts() > before).then_some(())
    })
    .await;
    let viewer = world.viewer.clone();
    let call = |service: service::Service| async move {
        service
            .start_run(&viewer, &other, StartRequest::default(), None)
            .await
    };
    let quick = world.life().ask(call).await.unwrap().id;
    let through = world
        .when(&quick, "the other run is accepted", |run| {
            !matches!(run.state, RunState::Preparing | RunState::Submitting)
        })
        .await;
    assert!(!through.state.is_terminal(), "{through:#?}");
    assert_eq!(
        world.run(&slow).await.state,
        RunState::Submitting,
        "it waited for the slow one"
    );
    for run in [&slow, &quick] {
        world.when_state(run, RunState::Running).await;
        world.when_closed(run).await;
        world.fake.checker().assert_exactly_one(&run_tag(run)).await;
    }
    assert_eq!(world.posts(), before + 2);
    world.end().await;
}
