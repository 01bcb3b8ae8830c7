//! What cannot work, and what is said about it.

use crate::{
    site::{Flink, QUEUE_NOWHERE, Site},
    streams::SCRIPT,
    world::World,
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn refused(world: Arc<World>) {
    let (site, ..) = &world.shared().await;

    let path = format!("/artifacts?name=letter.jar&team={}", site.team);
    let answer = site.dev.upload(&path, b"Dear Sir or Madam".to_vec()).await;
    assert_eq!(answer.refusal(), (400, "jar_invalid"), "{}", answer.body);

    let stranger = site.spec("flink_sql", json!({ "sql": SCRIPT, "queue": "root.theirs" }));
    let answer = site.create(&stranger).await;
    assert_eq!(answer.refusal(), (403, "queue_not_allowed"), "{}", answer.body);

    let sizes = json!({ "job_manager_mb": 100_000, "task_manager_mb": 1024, "slots": 1, "parallelism": 1 });
    let greedy = site.spec("flink_sql", json!({ "sql": SCRIPT, "resources": sizes }));
    let shown = fails(site, &greedy, "resource_too_large").await;
    assert_eq!(shown["failure"]["args"]["max"], "4096 MiB", "{shown:#}");

    let nowhere = site.spec("flink_sql", json!({ "sql": SCRIPT, "queue": QUEUE_NOWHERE }));
    // With ACLs on, YARN answers for a queue it does not have as for one the user may not use; its
    // scheduler tells which it is.
    let shown = fails(site, &nowhere, "queue_unknown").await;
    assert_eq!(shown["failure"]["args"]["queue"], QUEUE_NOWHERE, "{shown:#}");
}

/// Starts it, and sees it fail without an application that lives.
async fn fails(site: &Site, spec: &Value, code: &str) -> Value {
    let run = site.started(spec).await;
    let shown = site.until_failed(&run, code).await;
    let tag = format!("penstock-run-{run}");
    let apps = site.checker().applications_by_tag(&tag).await.unwrap();
    assert!(apps.iter().all(|app| app.state == "FAILED"), "{apps:?}");
    site.assert_clean(&run).await;
    shown
}

pub(crate) async fn sql(world: Arc<World>, flink: Flink) {
    let (site, ..) = &world.shared().await;
    let script = format!("{SCRIPT}INSERT INTO sink SELEC id, v FROM source;\n");
    let spec = site.spec("flink_sql", json!({ "sql": script }));
    let run = site.started(&site.on(flink, spec).await).await;
    let shown = site.until_failed(&run, "sql_failed").await;
    let args = &shown["failure"]["args"];
    assert_eq!(args["line"], "4", "{shown:#}");
    assert_eq!(args["statement"], "4", "{shown:#}");
    assert!(site.only_application(&run).await.is_over());
    site.assert_clean(&run).await;
}

pub(crate) async fn main_class(world: Arc<World>, flink: Flink) {
    let (site, ..) = &world.shared().await;
    let spec = site.jar("NoSuchClass", json!([]));
    let run = site.started(&site.on(flink, spec).await).await;
    let shown = site.until_failed(&run, "main_class_missing").await;
    assert_eq!(
        shown["failure"]["args"]["class"], "io.penstock.testjobs.NoSuchClass",
        "{shown:#}"
    );
    let app = site.only_application(&run).await;
    assert_eq!(app.final_status, "FAILED", "{app:?}");
    site.assert_clean(&run).await;
}
