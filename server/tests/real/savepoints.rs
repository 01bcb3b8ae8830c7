//! State that outlives its run: savepoints, stops that keep state, and starts from what was kept. That a
//! run goes on where another ended is proved by what both wrote: each number of a sequence once.

use crate::{
    api::Api,
    site::{Flink, Site},
    wait::until,
    world::World,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Writes 1, 2, 3, … to HDFS; where it is, is its state.
fn counting(site: &Site, name: &str) -> Value {
    let sql = format!(
        "CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '40', \
         'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '100000');\n\
         CREATE TABLE written (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv', \
         'sink.rolling-policy.rollover-interval' = '1 s', 'sink.rolling-policy.check-interval' = '1 s');\n\
         INSERT INTO written SELECT id FROM numbers;\n",
        site.data_uri(name),
    );
    let conf = json!({
        "execution.checkpointing.interval": "1 s",
        "execution.checkpointing.dir": site.data_uri(&format!("{name}-checkpoints")),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    });
    site.spec("flink_sql", json!({ "sql": sql, "conf": conf }))
}

/// The numbers in files that are complete, in order.
async fn written(site: &Site, name: &str) -> Result<Vec<u64>, String> {
    let below = format!("{}/{name}", site.data);
    let mut numbers = Vec::new();
    for file in site.checker().files_below(&below).await? {
        let hidden = file
            .path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .starts_with(['.', '_']);
        if file.is_dir || hidden || file.length == 0 {
            continue;
        }
        let text = String::from_utf8(site.checker().read(&file.path).await?).unwrap();
        numbers.extend(text.lines().map(|line| line.trim().parse::<u64>().unwrap()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Waits until a number above `than` is written; answers the highest.
async fn beyond(site: &Site, name: &str, than: u64) -> u64 {
    until(&format!("more than {than} is written"), async || {
        let numbers = written(site, name).await.unwrap_or_default();
        match numbers.last() {
            Some(last) if *last > than => Ok(*last),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

async fn done(api: &Api, operation: &Value) -> Value {
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    until("the operation is done", async || {
        let shown = api.look(&path).await?;
        match shown["state"].as_str() {
            Some("done") => Ok(shown),
            Some("failed") => panic!("{shown:#}"),
            _ => Err(shown.to_string()),
        }
    })
    .await
}

async fn points(site: &Site, job: &str) -> Vec<Value> {
    let page = site.dev.get(&format!("/jobs/{job}/restore-points")).await;
    page["items"].as_array().unwrap().clone()
}

/// Stops a run, keeping its state; waits until it has ended and all is recorded.
async fn stop(site: &Site, run: &str, mode: &str) -> Value {
    let body = json!({ "mode": mode, "deadline_s": 120 });
    let operation = site.dev.post(&format!("/runs/{run}/stop"), &body).await.with(202);
    site.until(run, &["finished"]).await;
    let app = site.only_application(run).await;
    assert_eq!(
        (app.state.as_str(), app.final_status.as_str()),
        ("FINISHED", "SUCCEEDED")
    );
    done(&site.dev, &operation).await
}

/// Starts a job from a restore point; answers the run.
async fn start_from(site: &Site, job: &str, point: &Value) -> String {
    let body = json!({ "restore_from": point["id"] });
    let run = site.dev.post(&format!("/jobs/{job}/runs"), &body).await.with(202);
    assert_eq!(run["restored_from"]["path"], point["path"], "{run:#}");
    run["id"].as_str().unwrap().to_owned()
}

/// Whole savepoints on HDFS, of every operation of the site.
async fn savepoints(site: &Site) -> Vec<String> {
    let below = format!("{}/teams/{}/savepoints", site.root, crate::sandbox::TEAM_USER);
    let files = site.checker().files_below(&below).await.unwrap();
    let whole = files
        .iter()
        .filter_map(|file| file.path.strip_suffix("/_metadata"));
    whole.map(str::to_owned).collect()
}

pub(crate) async fn continued(world: Arc<World>, flink: Flink) {
    let (site, ..) = &world.shared().await;
    let name = &format!("{flink:?}-counted");
    let job = site.job(&site.on(flink, counting(site, name)).await).await;
    let first = site.start(&job).await;
    site.until(&first, &["running"]).await;
    beyond(site, name, 0).await;

    // A savepoint while it runs, asked for twice with one key; a developer may not.
    let path = format!("/runs/{first}/savepoints");
    assert_eq!(
        site.dev.post(&path, &json!({})).await.refusal(),
        (403, "forbidden")
    );
    let taken = site.admin.post_once(&path, &first, &json!({})).await.with(202);
    let again = site.admin.post_once(&path, &first, &json!({})).await.with(202);
    assert_eq!(taken["id"], again["id"]);
    done(&site.admin, &taken).await;
    let kept = points(site, &job).await;
    assert_eq!(kept.len(), 1, "{kept:#?}");
    assert_eq!(
        (&kept[0]["kind"], &kept[0]["state"]),
        (&json!("savepoint"), &json!("valid"))
    );
    assert!(kept[0]["size"].as_i64() > Some(0), "{:#}", kept[0]);
    assert_eq!(site.run(&first).await["state"], "running");

    // Stopped with its state.
    stop(site, &first, "savepoint").await;
    let kept = points(site, &job).await;
    let newest = kept.iter().find(|point| point["preselected"] == true).unwrap();
    assert_eq!(
        (&newest["kind"], &newest["run"]),
        (&json!("savepoint"), &json!(first))
    );
    assert_ne!(newest["operation"], taken["id"]);
    let refused = site.dev.post(&format!("/jobs/{job}/runs"), &json!({})).await;
    assert_eq!(refused.refusal(), (409, "state_exists"));

    // It goes on, and is killed; its last checkpoint stays.
    let second = start_from(site, &job, newest).await;
    site.until(&second, &["running"]).await;
    let before = written(site, name).await.unwrap().last().copied().unwrap();
    beyond(site, name, before + 40).await;
    site.kill(&second).await;
    let checkpoint = until("the last checkpoint is found", async || {
        let kept = points(site, &job).await;
        let newest = kept.into_iter().find(|point| point["preselected"] == true);
        newest
            .clone()
            .filter(|point| point["kind"] == "checkpoint" && point["run"] == second)
            .ok_or_else(|| format!("{newest:?}"))
    })
    .await;

    // From the checkpoint to its end: every number once.
    let third = start_from(site, &job, &checkpoint).await;
    site.until(&third, &["running"]).await;
    let before = written(site, name).await.unwrap().last().copied().unwrap();
    beyond(site, name, before + 40).await;
    stop(site, &third, "drain").await;
    let numbers = written(site, name).await.unwrap();
    let last = numbers.len() as u64;
    assert!(last > before + 40, "{last}");
    let wrong = numbers.iter().zip(1..).find(|(number, wanted)| *number != wanted);
    assert_eq!(wrong, None, "a number is missing or there twice, of {last}");

    // Nothing was deleted by itself; what somebody disposes of is.
    let first_taken = points(site, &job)
        .await
        .into_iter()
        .find(|point| point["operation"] == taken["id"]);
    let first_taken = first_taken.unwrap();
    let path = first_taken["path"].as_str().unwrap();
    assert!(savepoints(site).await.iter().any(|there| there == path));
    let id = first_taken["id"].as_str().unwrap();
    assert_eq!(
        site.dev.delete(&format!("/restore-points/{id}")).await.status,
        403
    );
    assert_eq!(
        site.admin.delete(&format!("/restore-points/{id}")).await.status,
        204
    );
    assert!(!savepoints(site).await.iter().any(|there| there == path));
}

/// The console is ended behind the order, and before it writes down what came of it: the stop is
/// carried out all the same, with one savepoint.
pub(crate) async fn killed_while_stopping(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    for (name, point) in [
        ("ordered", "savepoint.after_post"),
        ("found", "savepoint.before_record"),
    ] {
        let job = site.job(&counting(site, name)).await;
        let run = site.start(&job).await;
        site.until(&run, &["running"]).await;
        beyond(site, name, 0).await;
        site.console.kill();
        site.console.launch(Some(point)).await;
        let before = savepoints(site).await;
        let path = format!("/runs/{run}/stop");
        let _ = site.dev.try_post(&path, &json!({ "mode": "savepoint" })).await;
        site.console.crashed().await;
        site.console.launch(None).await;
        site.until(&run, &["finished"]).await;
        let kept = until("the savepoint is recorded", async || {
            let kept = points(site, &job).await;
            if kept.is_empty() {
                Err("none".to_owned())
            } else {
                Ok(kept)
            }
        })
        .await;
        let there = savepoints(site).await;
        assert_eq!(there.len(), before.len() + 1, "{point}: {there:?}");
        let recorded = kept.iter().filter(|point| point["kind"] == "savepoint");
        let recorded: Vec<&str> = recorded.map(|point| point["path"].as_str().unwrap()).collect();
        let new: Vec<&str> = there
            .iter()
            .map(String::as_str)
            .filter(|path| !before.iter().any(|old| old == path))
            .collect();
        assert_eq!(recorded, new, "{point}");
    }
}
