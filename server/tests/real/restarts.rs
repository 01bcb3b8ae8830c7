//! The console is ended at a step of a submission or a stop, and the ResourceManager restarts before
//! the console lives again. Judged by what the ResourceManager and HDFS say.

use crate::{outages::sandbox, site::Site, world::World};
use serde_json::json;
use std::sync::Arc;

/// Between these lies everything a submission does to the cluster.
const SUBMIT: [&str; 5] = [
    "submit.id_issued",
    "submit.before_post",
    "submit.after_post",
    "submit.before_confirm",
    "submit.after_confirm",
];
const STOP: [&str; 3] = ["stop.requested", "stop.before_ask", "stop.after_ask"];

/// A submission that was sent and one that was not, and a stop whose answer nobody read.
pub(crate) async fn some(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    start(site, "submit.before_post", true).await;
    start(site, "submit.after_post", true).await;
    stop(site, "stop.after_ask", true).await;
}

/// Every point, with and without the restart.
pub(crate) async fn every(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    for restart in [false, true] {
        for point in SUBMIT {
            start(site, point, restart).await;
        }
        for point in STOP {
            stop(site, point, restart).await;
        }
    }
}

/// The console dies at its crash point; it lives again when the ResourceManager does.
async fn die(site: &Site, point: &str, restart: bool) {
    site.console.crashed().await;
    if restart {
        sandbox("stop", "resourcemanager").await;
        sandbox("start", "resourcemanager").await;
    }
    eprintln!("{point}, ResourceManager restarted: {restart}");
    site.console.launch(None).await;
}

async fn start(site: &Site, point: &str, restart: bool) {
    let job = site.job(&site.jar("StreamForever", json!([]))).await;
    site.console.kill();
    site.console.launch(Some(point)).await;
    // The answer may be lost as well.
    let _ = site.dev.try_post(&format!("/jobs/{job}/runs"), &json!({})).await;
    die(site, point, restart).await;
    let runs = site.dev.get(&format!("/runs?job={job}")).await;
    let runs = runs["items"].as_array().unwrap();
    let [run] = runs.as_slice() else {
        panic!("{point}: {runs:#?}")
    };
    let run = run["id"].as_str().unwrap();
    site.until(run, &["running"]).await;
    let app = site.only_application(run).await;
    assert_eq!(app.state, "RUNNING", "{point}: {app:?}");
    // Its end, and that nothing of it is left on HDFS.
    site.kill(run).await;
}

async fn stop(site: &Site, point: &str, restart: bool) {
    let job = site.job(&site.jar("StreamForever", json!([]))).await;
    site.console.kill();
    site.console.launch(Some(point)).await;
    let run = site.start(&job).await;
    site.until(&run, &["running"]).await;
    let path = format!("/runs/{run}/stop");
    let _ = site.dev.try_post(&path, &json!({ "mode": "kill" })).await;
    die(site, point, restart).await;
    site.until(&run, &["cancelled"]).await;
    let app = site.only_application(&run).await;
    assert_eq!(app.state, "KILLED", "{point}: {app:?}");
    site.assert_clean(&run).await;
}
