//! Spark on the fake cluster: what differs from Flink around the same protocol.

use crate::support::{World, WorldOptions, run_tag};
use domain::{
    Code, Engine, Viewer,
    job::{JobKind, JobSpec, NewJob},
    restore::SavepointRequest,
    run::{RunState, StartRequest, StopMode},
};
use service::Service;
use testkit::builders;

async fn world() -> World {
    World::new(WorldOptions {
        engine: Engine::Spark,
        placed: true,
        ..WorldOptions::default()
    })
    .await
}

async fn check(world: &World, spec: JobSpec) -> Vec<(String, Code)> {
    let (viewer, team) = (world.viewer.clone(), world.team.clone());
    let new = NewJob {
        team: Some(team),
        spec,
    };
    let call = |service: Service| async move { service.check_job(&viewer, new).await };
    let failures = world.life().ask(call).await.unwrap();
    failures.into_iter().map(|f| (f.field, f.failure.code)).collect()
}

#[tokio::test]
async fn a_run_is_running_when_its_driver_is_and_can_only_be_killed() {
    let world = world().await;
    assert_eq!(world.environment.engine, Engine::Spark);
    let run = world.start().await;
    let shown = world.when_state(&run.id, RunState::Running).await;
    assert_eq!((shown.kind, shown.engine_job_id), (JobKind::SparkSql, None));
    for mode in [StopMode::Savepoint, StopMode::Drain, StopMode::Cancel] {
        let refused = world.stop(&run.id, mode).await.unwrap_err();
        assert_eq!(refused.failure.code, Code::NotOfEngine, "{mode:?}");
    }
    let (viewer, id): (Viewer, _) = (world.admin.clone(), run.id.clone());
    let call = |service: Service| async move {
        service
            .take_savepoint(&viewer, &id, SavepointRequest::default(), None)
            .await
    };
    let refused = world.life().ask(call).await.unwrap_err();
    assert_eq!(refused.failure.code, Code::NotOfEngine);
    world.stop(&run.id, StopMode::Kill).await.unwrap();
    world.when_state(&run.id, RunState::Cancelled).await;
    let app = world.fake.checker().assert_exactly_one(&run_tag(&run.id)).await;
    assert_eq!(app.state, "KILLED");

    // The second start has nothing to choose, and may not choose either.
    let (viewer, job) = (world.viewer.clone(), world.job.id.clone());
    let request = StartRequest {
        restore_from: Some("/penstock/x".into()),
        ..StartRequest::default()
    };
    let call = |service: Service| async move { service.start_run(&viewer, &job, request, None).await };
    let refused = world.life().ask(call).await.unwrap_err();
    assert_eq!(refused.failure.code, Code::NotOfEngine);
    world.start().await;
    world.end().await;
}

#[tokio::test]
async fn jars_are_one_archive_and_are_put_back() {
    let world = world().await;
    let archive = || async {
        let files = world
            .fake
            .checker()
            .files_below("/penstock/environments")
            .await
            .unwrap();
        files
            .into_iter()
            .filter(|file| !file.is_dir && file.path.ends_with("-jars.zip"))
            .collect::<Vec<_>>()
    };
    let [placed] = &archive().await[..] else {
        panic!("one archive");
    };
    let bytes = world.fake.checker().read(&placed.path).await.unwrap();
    assert!(bytes.starts_with(b"PK\x03\x04"));
    let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    // Name and content: the files of the test hold their own names.
    assert!(has(b"spark-core_2.13-4.3.0.jarspark-core_2.13-4.3.0.jar"));
    assert!(world.fake.control().remove_file(&placed.path));
    assert!(archive().await.is_empty());
    let run = world.start().await;
    world.when_state(&run.id, RunState::Running).await;
    let again = archive().await;
    assert_eq!(
        again
            .iter()
            .map(|f| (&f.path, f.length, f.modified))
            .collect::<Vec<_>>(),
        [(&placed.path, placed.length, placed.modified)]
    );
    world.end().await;
}

#[tokio::test]
async fn a_job_needs_an_environment_of_its_engine() {
    let world = world().await;
    let environment = world.environment.id.clone();
    let flink = builders::sql_job("other", "fake", environment.clone());
    assert_eq!(
        check(&world, flink).await,
        [("environment".to_owned(), Code::EnvironmentEngine)]
    );
    let spark = builders::spark_sql_job("other", "fake", environment);
    assert_eq!(check(&world, spark).await, []);
    world.end().await;
}
