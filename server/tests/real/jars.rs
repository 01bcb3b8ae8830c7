//! Programs in a jar: what they are called with, and how they are ended.

use crate::{site::Flink, world::World};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::sync::Arc;

/// Everything a shell, a YAML file or YARN's own replacing could change.
const HOSTILE: [&str; 24] = [
    "",
    " ",
    "two words",
    "  edges  ",
    "\"quoted\"",
    "it's",
    "\\back\\slash\\",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "line\nbreak\n",
    "tab\there",
    "a;b&&c|d>e<f",
    "*?[a]",
    "#comment",
    "--name=value",
    "key: [value, {a: b}]",
    "%PATH%",
    "{{X}}",
    "<LOG_DIR>",
    "<CPS>",
    "gr\u{fc}\u{df}e \u{4f60}\u{597d} \u{1f600}",
    "!exclaim \u{a0}",
];

pub(crate) async fn arguments(world: Arc<World>, flink: Flink) {
    let (site, ..) = &world.shared().await;
    let name = format!("{flink:?}-echo.txt");
    let mut args = vec![site.data_uri(&name)];
    args.extend(HOSTILE.map(str::to_owned));
    let spec = site.jar("EchoArgs", json!(args));
    let run = site.started(&site.on(flink, spec).await).await;
    site.until(&run, &["finished"]).await;
    let app = site.only_application(&run).await;
    assert_eq!(app.final_status, "SUCCEEDED", "{app:?}");
    let path = format!("{}/{name}", site.data);
    let text = String::from_utf8(site.checker().read(&path).await.unwrap()).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(HOSTILE.len().to_string().as_str()));
    let arrived: Vec<String> = lines
        .map(|line| String::from_utf8(STANDARD.decode(line).unwrap()).unwrap())
        .collect();
    assert_eq!(arrived, HOSTILE);
    site.assert_clean(&run).await;
}

pub(crate) async fn killed_by_us(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let run = site.started(&site.jar("StreamForever", json!([]))).await;
    let shown = site.until(&run, &["running"]).await;
    assert_eq!(shown["tasks_running"], shown["tasks_total"], "{shown:#}");
    site.kill(&run).await;
}

pub(crate) async fn killed_by_another(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let run = site.started(&site.jar("StreamForever", json!([]))).await;
    site.until(&run, &["running"]).await;
    let app = site.only_application(&run).await;
    site.sandbox.kill(&app.id).await;
    let shown = site.until(&run, &["killed"]).await;
    assert!(shown["requested"].is_null(), "{shown:#}");
    assert_eq!(site.only_application(&run).await.state, "KILLED");
    site.assert_clean(&run).await;
}
