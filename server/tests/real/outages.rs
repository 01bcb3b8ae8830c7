//! Daemons of the cluster go away and come back: states stay as they are, they only age. Others who
//! use the sandbox notice; the long story is told only on demand.

use crate::{
    site::Site,
    wait::{until, within},
    world::World,
};
use serde_json::{Value, json};
use std::{process::Command, sync::Arc, time::Duration};

/// As the stories' console is told.
const TICK: Duration = Duration::from_secs(1);

pub(crate) async fn all(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    let run = site.started(&site.jar("StreamForever", json!([]))).await;
    site.until(&run, &["running"]).await;
    for daemon in ["namenode", "datanode"] {
        sandbox("stop", daemon).await;
        ages_or_stays(site, &run).await;
        sandbox("start", daemon).await;
        site.until(&run, &["running"]).await;
    }

    sandbox("stop", "resourcemanager").await;
    until("the console says that the cluster is away", async || {
        let cluster = site.dev.look("/clusters/sandbox").await?;
        if cluster["trouble"].is_null() {
            Err(cluster.to_string())
        } else {
            Ok(())
        }
    })
    .await;
    let before = site.run(&run).await;
    // A start is taken and waits.
    let job = site.job(&site.jar("StreamForever", json!([]))).await;
    let waiting = site.start(&job).await;
    ages_or_stays(site, &run).await;
    let shown = site.run(&waiting).await;
    assert_eq!(shown["state"], "preparing", "{shown:#}");
    sandbox("start", "resourcemanager").await;
    within(Duration::from_secs(60), "the run is seen again", async || {
        let now = site.dev.look(&format!("/runs/{run}")).await?;
        if now["observed_at"].as_i64() > before["observed_at"].as_i64() {
            Ok(())
        } else {
            Err(now.to_string())
        }
    })
    .await;
    // A recovered application is ACCEPTED until its ApplicationMaster has registered again.
    site.until(&run, &["running"]).await;
    site.only_application(&run).await;
    site.until(&waiting, &["queued", "starting", "running"]).await;
    site.only_application(&waiting).await;
    site.kill(&waiting).await;
    site.kill(&run).await;
}

/// Each daemon is away for some ticks; the run is seen again within two of them.
pub(crate) async fn short(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    let run = site.started(&site.jar("StreamForever", json!([]))).await;
    site.until(&run, &["running"]).await;
    let seen = async || {
        let shown = site.run(&run).await;
        assert_eq!(shown["state"], "running", "{shown:#}");
        shown["observed_at"].as_i64().unwrap()
    };
    for daemon in ["datanode", "namenode", "resourcemanager"] {
        sandbox("stop", daemon).await;
        // What was on its way when the daemon ended has been read by then.
        tokio::time::sleep(TICK).await;
        let before = seen().await;
        tokio::time::sleep(3 * TICK).await;
        let away = seen().await;
        if daemon == "resourcemanager" {
            assert_eq!(away, before, "nobody can have seen it");
        } else {
            assert!(away > before, "the {daemon} is not needed to watch a run");
        }
        sandbox("start", daemon).await;
        // Two ticks, and what one answer may take on a busy host.
        within(
            2 * TICK + Duration::from_secs(3),
            "the run is seen again",
            async || {
                let now = seen().await;
                if now > away { Ok(()) } else { Err(now.to_string()) }
            },
        )
        .await;
    }
    let states = site.states(&run).await;
    assert_eq!(states.last().map(String::as_str), Some("running"), "{states:?}");
    assert_eq!(
        states.iter().filter(|state| *state == "running").count(),
        1,
        "{states:?}"
    );
    site.only_application(&run).await;
    site.kill(&run).await;
}

/// For some ticks the run's state is what it was.
async fn ages_or_stays(site: &Site, run: &str) {
    for _ in 0..8 {
        let shown: Value = site.run(run).await;
        assert_eq!(shown["state"], "running", "{shown:#}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

pub(crate) async fn sandbox(verb: &'static str, daemon: &'static str) {
    let task = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO"))
            .args(["xtask", "sandbox", verb, daemon])
            .status()
            .unwrap()
    });
    assert!(task.await.unwrap().success(), "{verb} {daemon}");
}
