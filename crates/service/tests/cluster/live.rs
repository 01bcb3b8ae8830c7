//! The live stream tells nobody of a cluster that none of their teams may use.

use crate::support::{World, person};
use domain::{
    Role,
    cluster::{ClusterInput, Grant},
    event::Topic,
};
use service::events::{Message, Subscription};
use std::time::Duration;
use testkit::builders;

/// The next event about a cluster, if one comes soon.
async fn cluster_event(stream: &mut Subscription, patience: Duration) -> Option<String> {
    let next = async {
        loop {
            match stream.next().await.expect("the console lives") {
                Message::Changed(event) if event.topic == Topic::Cluster => return event.id,
                Message::Changed(_) | Message::Resync => {}
            }
        }
    };
    tokio::time::timeout(patience, next).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_are_told_only_to_those_who_may_use_them() {
    const LONG: Duration = Duration::from_secs(20);
    let world = World::simple().await;
    let admin = world.admin.clone();
    let made = world.life().ask(|service| async move {
        let team = service.create_team(&admin, "b").await.unwrap().id;
        let viewer = person(&service, &admin, "other", "b", Role::Operator).await;
        (team, viewer)
    });
    let (other_team, other) = made.await;
    let stream = |viewer: domain::Viewer| {
        let call = |service: service::Service| async move { service.subscribe(&viewer).unwrap() };
        world.life().ask(call)
    };
    let mut granted = stream(world.viewer.clone()).await;
    let mut all = stream(world.admin.clone()).await;
    let mut without = stream(other.clone()).await;
    for _ in 0..3 {
        assert_eq!(cluster_event(&mut granted, LONG).await.as_deref(), Some("fake"));
        assert_eq!(cluster_event(&mut all, LONG).await.as_deref(), Some("fake"));
    }
    let soon = Duration::from_millis(300);
    assert_eq!(
        cluster_event(&mut without, soon).await,
        None,
        "told without a grant"
    );

    // A change of the grants holds for streams that are open.
    let grants = |teams: Vec<domain::id::TeamId>| {
        let mut input: ClusterInput =
            builders::cluster_input("fake", &world.fake.client_xml(), world.team.clone());
        let first = input.grants[0].clone();
        let grants = teams.into_iter().map(|team| Grant {
            team,
            ..first.clone()
        });
        input.grants = grants.collect();
        let admin = world.admin.clone();
        let call = |service: service::Service| async move {
            service.update_cluster(&admin, "fake", input).await.unwrap()
        };
        world.life().ask(call)
    };
    grants(vec![world.team.clone(), other_team]).await;
    assert_eq!(cluster_event(&mut without, LONG).await.as_deref(), Some("fake"));
    grants(vec![world.team.clone()]).await;
    // What was sent before stands in the stream still and is judged by what holds now.
    assert_eq!(
        cluster_event(&mut without, soon).await,
        None,
        "told after the grant went"
    );
    assert_eq!(cluster_event(&mut granted, LONG).await.as_deref(), Some("fake"));
    world.end().await;
}
