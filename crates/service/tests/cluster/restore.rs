//! What a job can start from: found when a run has ended, looked at again before it is used, kept as
//! long as a run needs it, deleted only when somebody says so.

use crate::{
    savepoint::{listed, running, save},
    support::{TEAM_USER, World, until},
};
use domain::{
    Code,
    id::RestorePointId,
    job::JobUpdate,
    restore::{ClaimMode, RestoreKind, RestorePoint, RestoreState},
    run::{Run, RunState, StartRequest, StopMode},
};
use service::Service as Console;
use testkit::{Move, Service};

async fn start(world: &World, request: StartRequest) -> service::Result<Run> {
    let (viewer, job) = (world.viewer.clone(), world.job.id.clone());
    let call = move |service: Console| async move { service.start_run(&viewer, &job, request, None).await };
    world.life().ask(call).await
}

async fn refused(world: &World, request: StartRequest) -> Code {
    start(world, request).await.unwrap_err().failure.code
}

fn from(text: &str) -> StartRequest {
    StartRequest {
        restore_from: Some(text.to_owned()),
        ..StartRequest::default()
    }
}

async fn dispose(world: &World, id: &RestorePointId) -> service::Result<()> {
    let (viewer, id) = (world.admin.clone(), id.clone());
    let call = move |service: Console| async move { service.dispose_restore_point(&viewer, &id).await };
    world.life().call(call).await.unwrap_or(Ok(()))
}

async fn when_listed(world: &World, count: usize) -> Vec<RestorePoint> {
    until("the restore points are listed", || async {
        Some(listed(world).await).filter(|points| points.len() == count)
    })
    .await
}

fn metadata(point: &RestorePoint) -> String {
    format!("{}/_metadata", point.path)
}

/// Starts, takes a savepoint, and stops with one: the older and the newer one.
async fn two_savepoints(world: &World) -> [RestorePoint; 2] {
    let (run, _) = running(world).await;
    save(world, &run).await;
    when_listed(world, 1).await;
    world.stop(&run, StopMode::Savepoint).await.unwrap();
    world.when_state(&run, RunState::Finished).await;
    world.when_closed(&run).await;
    let listed = when_listed(world, 2).await;
    let [new, old] = <[RestorePoint; 2]>::try_from(listed).unwrap();
    assert!(new.completed_at >= old.completed_at && new.preselected && !old.preselected);
    [old, new]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_uses_what_was_chosen_and_says_so() {
    let world = World::simple().await;
    let [old, new] = two_savepoints(&world).await;
    // Nobody loses state by a click.
    assert_eq!(refused(&world, StartRequest::default()).await, Code::StateExists);
    let without = |confirm: Option<&str>| StartRequest {
        without_state: true,
        confirm: confirm.map(str::to_owned),
        ..StartRequest::default()
    };
    assert_eq!(refused(&world, without(None)).await, Code::ConfirmationMismatch);
    assert_eq!(
        refused(&world, without(Some("number"))).await,
        Code::ConfirmationMismatch
    );
    let legacy = StartRequest {
        claim_mode: Some(ClaimMode::Legacy),
        ..from(new.id.as_str())
    };
    assert_eq!(refused(&world, legacy).await, Code::FieldInvalid);
    assert_eq!(
        refused(&world, from("rp_00000000000000000000000009")).await,
        Code::NotFound
    );
    assert_eq!(
        refused(&world, from("/penstock/nothing")).await,
        Code::RestorePointGone
    );
    assert_eq!(refused(&world, from("s3://bucket/x")).await, Code::FieldInvalid);
    let chosen = StartRequest {
        claim_mode: Some(ClaimMode::Claim),
        allow_non_restored_state: true,
        ..from(old.id.as_str())
    };
    let run = start(&world, chosen).await.unwrap();
    let restored = run.restored_from.clone().unwrap();
    assert_eq!(
        (restored.point, restored.path.as_str()),
        (Some(old.id.clone()), old.path.as_str())
    );
    world.when_state(&run.id, RunState::Running).await;
    let body = world.body(&run.id).await.unwrap();
    for setting in [
        format!("{} ", old.path),
        "execution.state-recovery.claim-mode=CLAIM ".to_owned(),
        "execution.state-recovery.ignore-unclaimed-state=true ".to_owned(),
    ] {
        assert!(body.contains(&setting), "{setting}: {body}");
    }
    // What it was started from stays as long as it lasts; the other one need not.
    let shown = listed(&world).await;
    assert_eq!(shown[1].used_by, Some(run.id.clone()));
    let kept = dispose(&world, &old.id).await.unwrap_err();
    assert_eq!(kept.failure.code, Code::RestorePointUsed);
    dispose(&world, &new.id).await.unwrap();
    let control = world.fake.control().clone();
    assert!(control.file(&metadata(&new)).is_none() && control.file(&metadata(&old)).is_some());
    world.stop(&run.id, StopMode::Kill).await.unwrap();
    world.when_state(&run.id, RunState::Cancelled).await;
    let shown = listed(&world).await;
    assert_eq!(
        (shown[0].state, shown[1].state),
        (RestoreState::Disposed, RestoreState::Valid)
    );
    assert!(shown[1].preselected && !shown[0].preselected);
    assert_eq!(
        refused(&world, from(new.id.as_str())).await,
        Code::RestorePointGone
    );
    dispose(&world, &old.id).await.unwrap();
    // Without state there is nothing to confirm.
    let run = start(&world, StartRequest::default()).await.unwrap();
    assert_eq!(run.restored_from, None);
    world.when_state(&run.id, RunState::Running).await;
    assert!(!world.body(&run.id).await.unwrap().contains("state-recovery"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_types_the_name_starts_without_state() {
    let world = World::simple().await;
    two_savepoints(&world).await;
    let request = StartRequest {
        without_state: true,
        confirm: Some("numbers".into()),
        ..StartRequest::default()
    };
    let run = start(&world, request).await.unwrap();
    assert_eq!(run.restored_from, None);
    world.when_state(&run.id, RunState::Running).await;
    assert_eq!(listed(&world).await.len(), 2, "nothing is deleted for it");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_from_hdfs_is_neither_suggested_nor_used() {
    let world = World::simple().await;
    let control = world.fake.control().clone();
    let [old, new] = two_savepoints(&world).await;
    assert!(control.remove_file(&metadata(&new)));
    // While HDFS is away, nothing is concluded.
    world.advance(31_000);
    control.down(Service::Nn).await;
    assert!(
        listed(&world)
            .await
            .iter()
            .all(|point| point.state == RestoreState::Valid)
    );
    let code = refused(&world, StartRequest::default()).await;
    assert!(
        matches!(code, Code::StateExists | Code::NnUnreachable),
        "{code:?}"
    );
    control.up(Service::Nn).await.unwrap();
    world.advance(31_000);
    let shown = listed(&world).await;
    assert_eq!(
        (shown[0].state, shown[1].state),
        (RestoreState::Gone, RestoreState::Valid)
    );
    assert!(shown[1].preselected);
    assert_eq!(
        refused(&world, from(new.id.as_str())).await,
        Code::RestorePointGone
    );
    // It goes between the start and the submission: nothing is submitted.
    control.down(Service::Rm).await;
    let typed = format!("hdfs://elsewhere:1{}", old.path);
    assert_eq!(refused(&world, from(&typed)).await, Code::FieldInvalid);
    let run = start(&world, from(&metadata(&old))).await.unwrap();
    assert_eq!(
        run.restored_from.clone().unwrap().point,
        Some(old.id.clone()),
        "a known path"
    );
    world.when(&run.id, "it waits", |run| run.failure.is_some()).await;
    assert!(control.remove_file(&metadata(&old)));
    control.up(Service::Rm).await.unwrap();
    let failed = world.when_state(&run.id, RunState::Failed).await;
    assert_eq!(failed.failure.map(|f| f.code), Some(Code::RestorePointGone));
    assert_eq!(failed.external_id, None);
    // It may come back, for example out of the trash.
    control.put_file(&metadata(&new), "metadata", TEAM_USER, 0o600);
    world.advance(31_000);
    assert_eq!(listed(&world).await[0].state, RestoreState::Valid);
    world.end().await;
}

/// A killed run leaves its checkpoints; a start behind it must know of them at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_checkpoint_of_a_run_is_found_when_it_has_ended() {
    let world = World::simple().await;
    let control = world.fake.control().clone();
    let (run, app) = running(&world).await;
    let dir = format!("/penstock/teams/{TEAM_USER}/checkpoints/c1");
    control.put_dir(
        &format!("/penstock/teams/{TEAM_USER}/checkpoints"),
        TEAM_USER,
        0o700,
    );
    let fs = world.fake.client_xml().core_site.clone();
    let fs = fs
        .split("<value>")
        .find(|part| part.starts_with("hdfs://"))
        .unwrap();
    let fs = fs.split('<').next().unwrap();
    assert!(control.step(&app, Move::Checkpoint(format!("{fs}{dir}/chk-9"))));
    until("the console knows where they lie", || async {
        let row = store::runs::row(&world.db, &run).await.unwrap().unwrap();
        row.checkpoint_dir.filter(|found| found == &dir)
    })
    .await;
    assert!(listed(&world).await.is_empty(), "it still runs");
    // One more that is whole, and one that is not; neither was ever asked for.
    assert!(control.step(&app, Move::Checkpoint(format!("{fs}{dir}/chk-10"))));
    control.put_file(&format!("{dir}/chk-11/part"), "x", TEAM_USER, 0o600);
    world.stop(&run, StopMode::Kill).await.unwrap();
    world.when_state(&run, RunState::Cancelled).await;
    assert_eq!(refused(&world, StartRequest::default()).await, Code::StateExists);
    let found = when_listed(&world, 1).await;
    assert_eq!(
        (found[0].kind, found[0].path.as_str()),
        (RestoreKind::Checkpoint, format!("{dir}/chk-10").as_str())
    );
    assert_eq!(
        (&found[0].format, &found[0].operation, &found[0].run),
        (&None, &None, &run)
    );
    assert!(found[0].preselected);
    // It is the engine's: the console does not delete it.
    let refused = dispose(&world, &found[0].id).await.unwrap_err();
    assert_eq!(refused.failure.code, Code::RestorePointForeign);
    assert!(control.file(&metadata(&found[0])).is_some());
    let again = start(&world, from(found[0].id.as_str())).await.unwrap();
    world.when_state(&again.id, RunState::Running).await;
    world.end().await;
}

/// It ended before anybody asked its engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_nobody_told_of_is_found_where_the_job_is_configured_to_put_it() {
    let world = World::simple().await;
    let dir = format!("/penstock/teams/{TEAM_USER}/checkpoints");
    let mut spec = world.job.spec.clone();
    spec.conf
        .insert("execution.checkpointing.dir".into(), dir.clone());
    let update = JobUpdate {
        base_version: world.job.version,
        spec,
    };
    let (viewer, job) = (world.viewer.clone(), world.job.id.clone());
    let call = move |service: Console| async move { service.update_job(&viewer, &job, update).await };
    world.life().ask(call).await.unwrap();
    let (run, _) = running(&world).await;
    let engine_job = world.run(&run).await.engine_job_id.unwrap();
    let kept = format!("{dir}/{engine_job}/chk-3");
    let control = world.fake.control();
    control.put_file(&format!("{kept}/_metadata"), "checkpoint", TEAM_USER, 0o600);
    world.stop(&run, StopMode::Kill).await.unwrap();
    world.when_state(&run, RunState::Cancelled).await;
    assert_eq!(refused(&world, StartRequest::default()).await, Code::StateExists);
    assert_eq!(when_listed(&world, 1).await[0].path, kept);
    world.end().await;
}

/// Died between the word and the deed: said again, it is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disposal_that_was_cut_short_is_finished_by_the_next() {
    let mut world = World::simple().await;
    let control = world.fake.control().clone();
    let [old, _] = two_savepoints(&world).await;
    world.life().dies_at("savepoint.disposed");
    let _ = dispose(&world, &old.id).await;
    assert!(world.life().is_dead());
    world.restart().await;
    assert_eq!(listed(&world).await[1].state, RestoreState::Disposed);
    assert!(control.file(&metadata(&old)).is_some());
    dispose(&world, &old.id).await.unwrap();
    assert!(control.file(&old.path).is_none());
    world.end().await;
}
