//! Trouble while an environment is placed is told by the name of who makes it.

use crate::support::{World, until};
use domain::{Code, operation::OperationState};
use testkit::{Action, Fault, Service};

/// A DataNode that is away is not the NameNode's trouble, in whatever half of the writing it shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_datanode_that_is_away_is_told_as_such() {
    for op in [None, Some("CREATE"), Some("GETFILECHECKSUM")] {
        let world = World::simple().await;
        let control = world.fake.control().clone();
        match op {
            None => control.down(Service::Dn).await,
            Some(op) => control.fault(Fault::on(Service::Dn, Action::DropBefore).op(op).always()),
        }
        let (admin, id) = (world.admin.clone(), world.environment.id.clone());
        let place = move |service: service::Service| async move {
            service.place_environment(&admin, &id, "fake", None).await
        };
        let operation = world.life().ask(place).await.unwrap().id;
        let shown = || {
            let (admin, id) = (world.admin.clone(), operation.clone());
            let call = move |service: service::Service| async move { service.operation(&admin, &id).await };
            async { world.life().ask(call).await.unwrap() }
        };
        let failure = until("it says what is wrong", || async { shown().await.failure }).await;
        assert_eq!(failure.code, Code::DnUnreachable, "{op:?}: {failure}");
        assert!(shown().await.state.is_open(), "{op:?}");
        match op {
            None => control.up(Service::Dn).await.unwrap(),
            Some(_) => control.calm(),
        }
        until("the environment is placed", || async {
            (shown().await.state == OperationState::Done).then_some(())
        })
        .await;
        world.end().await;
    }
}
