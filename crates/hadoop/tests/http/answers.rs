//! Real answers, read; and the shapes other versions give them.

use crate::support::{Server, json};
use hadoop::{
    ApplicationId, Endpoints, Identity,
    rm::{AppQuery, ResourceManager},
    types::{AppState, FinalStatus},
};

async fn serving(body: &str) -> (ResourceManager, Server) {
    let body = body.to_owned();
    let server = Server::start(move |_| json("200 OK", &body)).await;
    let endpoints = Endpoints::new(std::slice::from_ref(&server.address)).unwrap();
    (
        ResourceManager::new(net::Client::new().unwrap(), endpoints, Identity::simple("etl")),
        server,
    )
}

macro_rules! fixture {
    ($name:literal) => {
        serving(include_str!(concat!("../fixtures/", $name)))
    };
}

fn id() -> ApplicationId {
    "application_1795207336844_0016".parse().unwrap()
}

#[tokio::test]
async fn applications() {
    let (rm, _server) = fixture!("app_running.json").await;
    let app = rm.app(id()).await.unwrap();
    assert_eq!(
        (app.state, app.final_status, app.allocated_mb),
        (AppState::Running, FinalStatus::Undefined, 2560)
    );
    assert_eq!(app.am_rpc_address.as_deref(), Some("node1.example:33865"));
    assert_eq!(app.application_tags, ["penstock"]);
    assert_eq!(app.finished_time, 0);

    let (rm, _server) = fixture!("app_finished_failed.json").await;
    let app = rm.app(id()).await.unwrap();
    assert_eq!(
        (app.state, app.final_status, app.allocated_mb),
        (AppState::Finished, FinalStatus::Failed, -1)
    );
    assert!(app.diagnostics.starts_with("User class threw exception"));

    let (rm, _server) = fixture!("app_am_crash.json").await;
    let app = rm.app(id()).await.unwrap();
    assert_eq!(
        (app.state, app.final_status),
        (AppState::Failed, FinalStatus::Failed)
    );
    assert!(app.am_rpc_address.is_none());
}

#[tokio::test]
async fn lists_of_applications() {
    let (rm, server) = fixture!("apps_tag.json").await;
    let query = AppQuery {
        states: vec![AppState::Running],
        limit: Some(7),
        ..AppQuery::default()
    };
    let apps = rm.apps_by_tag("PENSTOCK", &query).await.unwrap();
    assert!(
        apps.items.len() > 10 && apps.unreadable == 0,
        "{}",
        apps.items.len()
    );
    assert!(
        server.seen()[0].contains("applicationTags=penstock&states=RUNNING&limit=7&deSelects="),
        "{:?}",
        server.seen()
    );
    let only = rm
        .apps_by_tag("penstock-run-a1", &AppQuery::default())
        .await
        .unwrap();
    assert_eq!(only.items.len(), 1);

    for empty in [
        "{\"apps\":{}}",
        "{\"apps\":null}",
        "{\"apps\":\"\"}",
        "{\"apps\":{\"app\":null}}",
        "{\"apps\":{\"app\":[]}}",
    ] {
        let (rm, _server) = serving(empty).await;
        assert!(
            rm.apps(None, &AppQuery::default())
                .await
                .unwrap()
                .items
                .is_empty(),
            "{empty}"
        );
    }
    let (rm, _server) = serving("{}").await;
    assert!(
        rm.apps(None, &AppQuery::default()).await.is_err(),
        "no list is not an empty list"
    );
}

#[tokio::test]
async fn one_bad_entry_does_not_hide_the_others() {
    let good = r#"{"id":"application_1_0001","state":"ACCEPTED","finalStatus":"UNDEFINED","allocatedMB":"12","applicationTags":"a,b","resourceSecondsMap":{"entry":1,"entry":2},"unknown":{"x":[]},"progress":"NaN"}"#;
    let bad = r#"{"id":"application_1_0002","state":"DANCING","finalStatus":"UNDEFINED"}"#;
    let (rm, _server) = serving(&format!(r#"{{"apps":{{"app":[{bad},{good},7,null]}}}}"#)).await;
    let apps = rm.apps(None, &AppQuery::default()).await.unwrap();
    assert_eq!((apps.items.len(), apps.unreadable), (1, 3));
    assert_eq!(
        (apps.items[0].allocated_mb, apps.items[0].application_tags.len()),
        (12, 2)
    );
    // A single entry may come without the list.
    let (rm, _server) = serving(&format!(r#"{{"apps":{{"app":{good}}}}}"#)).await;
    assert_eq!(rm.apps(None, &AppQuery::default()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn attempts_and_containers() {
    let (rm, _server) = fixture!("appattempts.json").await;
    let attempts = rm.attempts(id()).await.unwrap();
    let attempt = &attempts.items[0];
    assert_eq!(
        attempt.container_id.as_ref().unwrap().as_str(),
        "container_1795207336844_0016_01_000001"
    );
    let name = attempt.app_attempt_id.clone().unwrap();
    let (rm, _server) = fixture!("appattempts_none.json").await;
    assert!(rm.attempts(id()).await.unwrap().items.is_empty());

    let (rm, server) = fixture!("attempt_containers.json").await;
    let containers = rm.containers(id(), &name).await.unwrap();
    assert_eq!((containers.items.len(), containers.unreadable), (2, 0));
    let one = &containers.items[0];
    assert_eq!(
        (one.allocated_mb, one.node_http_address.as_deref()),
        (1408, Some("http://node1.example:19042"))
    );
    assert!(server.seen()[0].contains("/appattempts/appattempt_1795207336844_0016_000001/containers?"));
}

#[tokio::test]
async fn the_cluster() {
    let (rm, _server) = fixture!("info.json").await;
    let info = rm.cluster_info().await.unwrap();
    assert_eq!(
        (info.started_on, info.hadoop_version.as_str()),
        (1795207336844, "3.4.2")
    );
    let (rm, _server) = fixture!("new_application.json").await;
    let new = rm.new_application().await.unwrap();
    assert_eq!(
        (new.application_id.number, new.maximum_resource_capability.memory),
        (19, 8192)
    );
    let (rm, _server) = fixture!("metrics.json").await;
    let metrics = rm.metrics().await.unwrap();
    assert_eq!(
        (metrics.apps_completed, metrics.total_mb, metrics.active_nodes),
        (14, 12288, 1)
    );
    let (rm, _server) = fixture!("nodes.json").await;
    let nodes = rm.nodes().await.unwrap();
    assert_eq!((nodes.items.len(), nodes.items[0].used_memory_mb), (1, 3584));
    let (rm, _server) = fixture!("conf_one.json").await;
    let value = rm.conf_value("yarn.application.classpath").await.unwrap();
    assert_eq!(value.as_deref(), Some("/opt/hadoop/conf,/opt/hadoop/lib/*"));
}

#[tokio::test]
async fn a_standby_is_not_the_cluster() {
    let (rm, _server) =
        serving(&include_str!("../fixtures/info.json").replace("\"ACTIVE\"", "\"STANDBY\"")).await;
    assert!(matches!(
        rm.cluster_info().await,
        Err(hadoop::Error::NoActive { .. })
    ));
}

#[tokio::test]
async fn capacity_queues() {
    let (rm, _server) = fixture!("scheduler.json").await;
    let scheduler = rm.scheduler().await.unwrap();
    assert_eq!(
        (scheduler.kind.as_str(), scheduler.root.name.as_str()),
        ("capacityScheduler", "root")
    );
    let queue = scheduler.root.find("default").unwrap();
    assert_eq!(scheduler.root.find("root.default"), Some(queue));
    assert!(queue.leaf && !scheduler.root.leaf && scheduler.root.find("nope").is_none());
    assert_eq!(
        (queue.state.as_deref(), queue.active_apps, queue.used.memory),
        (Some("RUNNING"), 2, 3584)
    );
    assert_eq!(
        (queue.limit.unwrap().memory, queue.max_allocation.unwrap().memory),
        (12288, 8192)
    );
    assert!((queue.capacity.unwrap() - 60.0).abs() < 0.01);
    assert_eq!(scheduler.root.active_apps, 2);
}

#[tokio::test]
async fn fair_and_fifo_queues() {
    let leaf = r#"{"type":"fairSchedulerLeafQueueInfo","queueName":"root.etl","usedResources":{"memory":"10","vCores":1},"maxResources":{"memory":100,"vCores":2},"numActiveApps":3,"numPendingApps":1}"#;
    for children in [
        format!(r#"{{"queue":[{leaf}]}}"#),
        format!(r#"{{"queue":{leaf}}}"#),
        format!("[{leaf}]"),
    ] {
        let body = format!(
            r#"{{"scheduler":{{"schedulerInfo":{{"type":"fairScheduler","rootQueue":{{"queueName":"root","childQueues":{children}}}}}}}}}"#
        );
        let (rm, _server) = serving(&body).await;
        let scheduler = rm.scheduler().await.unwrap();
        let queue = scheduler.root.find("etl").unwrap();
        assert_eq!(
            (
                queue.path.as_str(),
                queue.used.memory,
                queue.active_apps,
                queue.leaf
            ),
            ("root.etl", 10, 3, true)
        );
        assert_eq!(scheduler.root.pending_apps, 1);
    }
    let (rm, _server) = serving(
        r#"{"scheduler":{"schedulerInfo":{"type":"fifoScheduler","capacity":1.0,"qstate":"RUNNING"}}}"#,
    )
    .await;
    let root = rm.scheduler().await.unwrap().root;
    assert!(root.leaf && root.name == "default");
}

#[tokio::test]
async fn containers_of_a_node_and_their_logs() {
    let body = include_str!("../fixtures/nm_containers.json");
    let server = Server::start(move |line| match line.contains("/logs?") {
        false => json("200 OK", body),
        // Newer nodes list what is already aggregated as well.
        true => json(
            "200 OK",
            r#"{"containerLogsInfo":[
                {"containerLogInfo":[{"fileName":"stderr","fileSize":"12"},{"fileName":"stdout","fileSize":3}],"logAggregationType":"LOCAL"},
                {"containerLogInfo":{"fileName":"old","fileSize":1},"logAggregationType":"AGGREGATED"}]}"#,
        ),
    })
    .await;
    let http = net::Client::new().unwrap();
    let nm = hadoop::nm::NodeManager::new(http, &server.address, Identity::simple("etl")).unwrap();
    let containers = nm.containers().await.unwrap();
    assert_eq!((containers.items.len(), containers.unreadable), (3, 0));
    assert_eq!(containers.items[2].container_log_files.len(), 7);
    let files = nm.logs(&containers.items[0].id).await.unwrap().items;
    assert_eq!(
        files
            .iter()
            .map(|f| (f.name.as_str(), f.size))
            .collect::<Vec<_>>(),
        [("stderr", 12), ("stdout", 3)]
    );
}
