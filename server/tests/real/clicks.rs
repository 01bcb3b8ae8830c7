//! Many starts at once.

use crate::world::World;
use futures::future::join_all;
use serde_json::json;
use std::{collections::HashSet, sync::Arc};

const CLICKS: usize = 20;

pub(crate) async fn twenty(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let spec = site.jar("StreamForever", json!([]));
    let job = site.job(&spec).await;
    let path = format!("/jobs/{job}/runs");
    // Without a key, all but one are told which run is open.
    let body = json!({});
    let plain = join_all((0..CLICKS).map(|_| site.dev.post(&path, &body))).await;
    let begun: Vec<_> = plain.iter().filter(|answer| answer.status == 202).collect();
    assert_eq!(begun.len(), 1, "{plain:#?}");
    let run = begun[0].body["id"].as_str().unwrap().to_owned();
    for answer in plain.iter().filter(|answer| answer.status != 202) {
        assert_eq!(answer.refusal(), (409, "run_open"), "{}", answer.body);
        assert_eq!(answer.body["args"]["run"], run.as_str(), "{}", answer.body);
    }
    site.until(&run, &["queued", "starting", "running"]).await;
    site.only_application(&run).await;
    site.kill(&run).await;

    // With a key, all are answered with the same run.
    let key = format!("clicks-{job}");
    let keyed = join_all((0..CLICKS).map(|_| site.dev.post_once(&path, &key, &body))).await;
    let runs: HashSet<String> = keyed
        .into_iter()
        .map(|answer| answer.with(202)["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let again = runs.into_iter().next().unwrap();
    assert_ne!(again, run);
    site.until(&again, &["queued", "starting", "running"]).await;
    site.kill(&again).await;
}
