//! Of a ResourceManager.

use super::*;

/// Applications in `queue`, to which `rm`'s user may submit. `stranger` is a user without rights on
/// them, where the cluster checks such rights.
///
/// # Panics
/// When the ResourceManager behaves otherwise.
pub async fn rm_contract(rm: &ResourceManager, queue: &str, stranger: Option<Identity>) {
    cluster(rm, queue).await;
    unknown_queue(rm).await;
    let id = rm.new_application().await.unwrap().application_id;
    // Numbers begin anew with every start of a ResourceManager that remembers what ran before.
    let tag = format!("Penstock-Contract-{}-{}", id.cluster_timestamp, id.number);
    assert!(matches!(rm.app(id).await, Err(Error::NotFound { .. })));
    assert_eq!(rm.observe(id).await, Observation::Gone);
    assert!(matches!(rm.kill(id).await, Err(Error::NotFound { .. })));
    assert!(
        rm.apps_by_tag(&tag, &AppQuery::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );

    let mut context = submission(id, queue, &["contract", &tag], "sleep 120".into());
    context.container.acls = vec![(AclKind::View, " ".into()), (AclKind::Modify, " ".into())];
    let xml = context.to_xml().unwrap();
    let result = rm.submit(xml.as_bytes()[..100].to_vec()).await;
    assert!(matches!(result, Err(Error::BadRequest { .. })), "{result:?}");
    assert_eq!(
        rm.observe(id).await,
        Observation::Gone,
        "a refused body leaves nothing behind"
    );
    for _ in 0..2 {
        rm.submit(xml.clone()).await.unwrap();
    }
    let app = accepted(rm, id).await;
    assert_eq!(
        (app.name.as_str(), app.application_type.as_str()),
        ("contract <&> ü", "CONTRACT")
    );
    assert_eq!((app.final_status, app.finished_time), (FinalStatus::Undefined, 0));
    assert!(app.has_tag(&tag) && app.application_tags.contains(&tag.to_lowercase()));
    assert!(
        app.queue == queue || app.queue.ends_with(&format!(".{queue}")),
        "{}",
        app.queue
    );

    let live = AppQuery {
        states: vec![AppState::Accepted, AppState::Running],
        ..AppQuery::default()
    };
    let found = rm.apps_by_tag(&tag, &live).await.unwrap();
    assert_eq!(
        (
            found.items.iter().map(|app| app.id).collect::<Vec<_>>(),
            found.unreadable
        ),
        (vec![id], 0)
    );
    let ended = AppQuery {
        states: vec![AppState::Killed],
        ..AppQuery::default()
    };
    assert!(rm.apps_by_tag(&tag, &ended).await.unwrap().items.is_empty());
    eventually("the first attempt", async || {
        let attempts = rm.attempts(id).await.unwrap();
        assert_eq!(attempts.unreadable, 0);
        attempts
            .items
            .first()
            .and_then(|attempt| attempt.container_id.clone())
    })
    .await;

    if let Some(stranger) = stranger {
        let result = rm.with_identity(stranger).kill(id).await;
        assert!(matches!(result, Err(Error::Forbidden { .. })), "{result:?}");
    }
    let killed = eventually("the end", async || {
        Some(rm.kill(id).await.unwrap()).filter(|killed| killed.done)
    })
    .await;
    assert_eq!(killed.state, "KILLED");
    let Observation::Known(app) = rm.observe(id).await else {
        panic!("the killed application is not known")
    };
    assert_eq!(
        (app.state, app.final_status),
        (AppState::Killed, FinalStatus::Killed)
    );
    assert!(app.finished_time > 0 && app.state.is_final());
    assert_eq!(rm.apps_by_tag(&tag, &ended).await.unwrap().items.len(), 1);
    rm.submit(xml).await.unwrap();
    assert_eq!(
        rm.app(id).await.unwrap().state,
        AppState::Killed,
        "an id never starts twice"
    );
}

async fn cluster(rm: &ResourceManager, queue: &str) {
    let info = rm.cluster_info().await.unwrap();
    assert!(info.is_active() && info.started_on > 0 && !info.hadoop_version.is_empty());
    let new = rm.new_application().await.unwrap();
    assert_eq!(new.application_id.cluster_timestamp as i64, info.started_on);
    assert!(new.maximum_resource_capability.memory > 0);
    let scheduler = rm.scheduler().await.unwrap();
    let found = scheduler.root.find(queue).expect("the queue");
    assert!(found.leaf && found.name == queue.rsplit('.').next().unwrap_or_default());
    let nodes = rm.nodes().await.unwrap();
    assert!(
        nodes
            .items
            .iter()
            .any(|node| node.state == "RUNNING" && node.node_http_address.is_some())
    );
    assert_eq!(nodes.unreadable, 0);
    assert!(rm.metrics().await.unwrap().total_mb > 0);
    assert!(
        rm.conf_value("yarn.application.classpath")
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(rm.conf_value("penstock.no.such.setting").await, Ok(None));
    let unknown: ApplicationId = "application_1_0001".parse().unwrap();
    assert_eq!(rm.observe(unknown).await, Observation::Gone);
}

/// A submission to a queue that does not exist is refused at once where the user may not submit to the
/// root, in the words of a closed queue, and rejected afterwards where it may. The scheduler tells.
async fn unknown_queue(rm: &ResourceManager) {
    const NAME: &str = "root.no-such-queue";
    assert!(rm.scheduler().await.unwrap().root.find(NAME).is_none());
    let id = rm.new_application().await.unwrap().application_id;
    let context = submission(id, NAME, &["contract"], "true".into());
    match rm.submit(context.to_xml().unwrap()).await {
        Err(Error::BadRequest { message }) => {
            assert!(
                message.contains("permission") && message.contains(NAME),
                "{message}"
            );
            assert_eq!(rm.observe(id).await, Observation::Gone);
        }
        Ok(()) => {
            let app = eventually("the rejection", async || match rm.observe(id).await {
                Observation::Known(app) => app.state.is_final().then_some(app),
                _ => None,
            })
            .await;
            assert!(app.diagnostics.contains("unknown queue"), "{}", app.diagnostics);
        }
        other => panic!("{other:?}"),
    }
}

pub(super) async fn accepted(rm: &ResourceManager, id: ApplicationId) -> App {
    eventually("acceptance", async || match rm.observe(id).await {
        Observation::Known(app) => {
            assert!(!app.state.is_final(), "{}", app.diagnostics);
            app.state.is_durable().then_some(app)
        }
        other => panic!("{other:?}"),
    })
    .await
}
