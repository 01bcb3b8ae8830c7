//! A POST without an answer is looked for before anything is sent again.

use crate::support::{World, run_tag, until};
use domain::run::RunState;
use testkit::{Action, Fault};

/// What reached the ResourceManager and was taken is never sent a second time, whether the answer was
/// lost on the way or with the console.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrived_is_found_and_not_sent_again() {
    for trouble in [
        Some(Action::ProcessThenDrop),
        Some(Action::ProcessThenStatus(502, "bad gateway".into())),
        None,
    ] {
        let mut world = World::simple().await;
        match &trouble {
            Some(action) => world.fake.control().fault(Fault::on_submit(action.clone())),
            None => world.life().dies_at("submit.after_post"),
        }
        let run = world.start().await.id;
        if trouble.is_none() {
            until("the console dies", || async {
                world.life().is_dead().then_some(())
            })
            .await;
            world.restart().await;
        }
        world.when_state(&run, RunState::Running).await;
        world.when_closed(&run).await;
        world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
        assert_eq!(world.posts(), 1, "{trouble:?}");
        world.end().await;
    }
}

/// Between two POSTs stands a look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_is_looked_for_before_it_is_sent_again() {
    let world = World::simple().await;
    world.fake.control().fault(Fault::on_submit(Action::DropBefore));
    let run = world.start().await.id;
    let running = world.when_state(&run, RunState::Running).await;
    world.when_closed(&run).await;
    world.fake.checker().assert_exactly_one(&run_tag(&run)).await;
    let apps = "/ws/v1/cluster/apps";
    let history = world.fake.control().history();
    let posts: Vec<usize> = (0..history.len())
        .filter(|n| history[*n].method == "POST" && history[*n].path.trim_end_matches('/') == apps)
        .collect();
    let [first, second] = posts.as_slice() else {
        panic!("{} POSTs", posts.len())
    };
    let between = &history[*first..*second];
    let by_id = format!("{apps}/{}", running.external_id.unwrap());
    assert!(
        between.iter().any(|r| r.method == "GET" && r.path == by_id),
        "no look for the id"
    );
    world.end().await;
}
