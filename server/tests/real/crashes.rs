//! The console is ended without warning, or an answer is lost: one start stays one application.

use crate::{proxy::Proxy, site::Site, wait::until, world::World};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Longest time between the start's answer and the end of the console: by then the submission is
/// over on an idle machine.
const MOMENT_MS: u64 = 150;
const ROUNDS: u32 = 4;
const ON_THE_CLUSTER: [&str; 3] = ["queued", "starting", "running"];

fn forever(site: &Site) -> Value {
    site.jar("StreamForever", json!([]))
}

pub(crate) async fn any_moment(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    for round in 0..ROUNDS {
        let job = site.job(&forever(site)).await;
        let run = site.start(&job).await;
        // The moment is the point here, not a condition.
        let moment = Duration::from_millis(rand::random_range(0..MOMENT_MS));
        tokio::time::sleep(moment).await;
        site.console.kill();
        site.console.launch(None).await;
        eprintln!("round {round}: ended {} ms after the answer", moment.as_millis());
        site.until(&run, &ON_THE_CLUSTER).await;
        site.only_application(&run).await;
        site.kill(&run).await;
        only_run(site, &job, &run).await;
    }
}

/// The job has this run and no other.
async fn only_run(site: &Site, job: &str, run: &str) {
    let runs = site.dev.get(&format!("/runs?job={job}")).await;
    let ids: Vec<_> = runs["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].clone())
        .collect();
    assert_eq!(ids, [run]);
}

pub(crate) async fn after_post(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    let job = site.job(&forever(site)).await;
    site.console.kill();
    site.console.launch(Some("submit.after_post")).await;
    // The answer may be lost as well: the console ends a moment later.
    let _ = site.dev.try_post(&format!("/jobs/{job}/runs"), &json!({})).await;
    site.console.crashed().await;
    site.console.launch(None).await;
    let runs = site.dev.get(&format!("/runs?job={job}")).await;
    let run = runs["items"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{runs}"));
    site.until(run, &["running"]).await;
    site.only_application(run).await;
    let posts = site.dev.get(&format!("/runs/{run}/events")).await;
    let posts = posts.as_array().unwrap().iter();
    let posts = posts.filter(|event| event["note"] == "submit.posting").count();
    assert_eq!(posts, 1, "what arrived is not sent again");
    site.kill(run).await;
    only_run(site, &job, run).await;
}

pub(crate) async fn while_stopping(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    for point in ["stop.requested", "stop.after_ask"] {
        let job = site.job(&forever(site)).await;
        site.console.kill();
        site.console.launch(Some(point)).await;
        let run = site.start(&job).await;
        site.until(&run, &ON_THE_CLUSTER).await;
        let path = format!("/runs/{run}/stop");
        let _ = site.dev.try_post(&path, &json!({ "mode": "kill" })).await;
        site.console.crashed().await;
        site.console.launch(None).await;
        // The wish survives; nobody has to say it again.
        site.until(&run, &["cancelled"]).await;
        assert_eq!(site.only_application(&run).await.state, "KILLED", "{point}");
        site.assert_clean(&run).await;
    }
}

pub(crate) async fn lost_answer(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    let upstream = site.sandbox.rm.trim_start_matches("http://").to_owned();
    let proxy = Proxy::start(upstream.clone()).await;
    let files: Vec<Value> = ["core-site.xml", "hdfs-site.xml", "yarn-site.xml"]
        .iter()
        .map(|name| {
            let text = std::fs::read_to_string(site.sandbox.client.join(name)).unwrap();
            json!({ "name": name, "content": text.replace(&upstream, &proxy.address) })
        })
        .collect();
    assert!(files[2].to_string().contains(&proxy.address), "{}", files[2]);
    site.register("proxied", json!({ "files": files })).await;
    site.place(&site.environment, "proxied").await;
    let mut spec = forever(site);
    spec["cluster"] = "proxied".into();
    proxy.lose_next();
    let run = site.started(&spec).await;
    site.until(&run, &ON_THE_CLUSTER).await;
    assert_eq!(proxy.seen(), (1, 202), "one submission, whose answer was lost");
    site.only_application(&run).await;
    let events = site.dev.get(&format!("/runs/{run}/events")).await;
    let doubted = events
        .as_array()
        .unwrap()
        .iter()
        .any(|event| event["note"] == "submit.in_doubt");
    assert!(doubted, "{events:#}");
    until("the doubt is over", async || {
        let shown = site.dev.look(&format!("/runs/{run}")).await?;
        if shown["in_doubt_since"].is_null() {
            Ok(())
        } else {
            Err(shown.to_string())
        }
    })
    .await;
    site.kill(&run).await;
    assert_eq!(proxy.seen().0, 1);
}
