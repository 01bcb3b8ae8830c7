//! The same on PostgreSQL.

use crate::{site::Site, streams, world::World};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;

pub(crate) async fn survives(world: Arc<World>) {
    let _turn = world.turn().await;
    let sandbox = world.sandbox().await;
    let server = sandbox.postgres.clone();
    let name = format!("penstock_real_{:016x}", rand::random::<u64>());
    let (base, _) = server.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    order(&server, &format!("CREATE DATABASE {name}")).await;
    let site = Site::open(sandbox, Some(&url)).await;

    let spec = site.spec("flink_sql", json!({ "sql": streams::SCRIPT }));
    let run = site.started(&spec).await;
    site.console.kill();
    site.console.launch(None).await;
    let shown = site.until(&run, &["running"]).await;
    assert_eq!(shown["tasks_running"], shown["tasks_total"], "{shown:#}");
    site.only_application(&run).await;
    streams::read(&site, &run, "jobmanager", "jobmanager.log", true).await;
    // Ended while it watches, it finds the run as it left it.
    site.console.kill();
    site.console.launch(None).await;
    assert_eq!(site.run(&run).await["state"], "running");
    site.stop(&run, "cancel").await;
    site.until(&run, &["cancelled"]).await;
    let app = site.only_application(&run).await;
    assert_eq!(
        (app.state.as_str(), app.final_status.as_str()),
        ("FINISHED", "KILLED")
    );
    site.assert_clean(&run).await;

    site.close(false).await;
    order(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn order(server: &str, statement: &str) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
