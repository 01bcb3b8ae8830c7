//! A batch script: what one statement wrote, the next reads.

use crate::{site::Flink, world::World};
use serde_json::json;
use std::sync::Arc;

pub(crate) async fn in_order(world: Arc<World>, flink: Flink) {
    let (site, ..) = &world.shared().await;
    let directory = |name: &str| format!("{flink:?}-{name}");
    let (a, b) = (site.data_uri(&directory("a")), site.data_uri(&directory("b")));
    let table = |name: &str, path: &str| {
        format!(
            "CREATE TABLE {name} (id INT, word STRING) WITH (\n  'connector' = 'filesystem', \
             'path' = '{path}', 'format' = 'csv'\n);\n"
        )
    };
    let script = format!(
        "SET 'execution.runtime-mode' = 'batch';\n{}{}\
         INSERT INTO a VALUES (1, 'one'), (2, 'two'), (3, 'drei; vier'), (4, 'f\u{fc}nf \u{4e94}'), (4, 'it''s');\n\
         -- Reads what the statement above has written; semicolons in texts end nothing.\n\
         INSERT INTO b SELECT id * 10, word FROM a WHERE id > 1;\n",
        table("a", &a),
        table("b", &b),
    );
    let spec = site.spec("flink_sql", json!({ "sql": script }));
    let run = site.started(&site.on(flink, spec).await).await;
    let shown = site.until(&run, &["finished"]).await;
    assert_eq!(shown["final_status"], "SUCCEEDED", "{shown:#}");
    let app = site.only_application(&run).await;
    assert_eq!(
        (app.state.as_str(), app.final_status.as_str()),
        ("FINISHED", "SUCCEEDED")
    );
    let mut rows = Vec::new();
    for file in site
        .checker()
        .files_below(&format!("{}/{}", site.data, directory("b")))
        .await
        .unwrap()
    {
        if file.is_dir || file.length == 0 {
            continue;
        }
        let text = String::from_utf8(site.checker().read(&file.path).await.unwrap()).unwrap();
        for line in text.lines() {
            let (id, word) = line.split_once(',').unwrap();
            rows.push((id.to_owned(), word.trim_matches('"').to_owned()));
        }
    }
    rows.sort();
    let expected = [
        ("20", "two"),
        ("30", "drei; vier"),
        ("40", "f\u{fc}nf \u{4e94}"),
        ("40", "it's"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, word)| ((*id).to_owned(), (*word).to_owned()))
        .collect();
    assert_eq!(rows, expected);
    site.assert_clean(&run).await;
}
