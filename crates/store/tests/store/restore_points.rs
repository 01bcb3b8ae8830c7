//! Restore points: each path once, the newest first, nobody else's.

use crate::{
    databases::on_both,
    world::{NOW, Side, new, side},
};
use domain::{
    Scope,
    id::*,
    operation::OperationKind,
    restore::{ClaimMode, RestoreKind, RestoreState, RestoredFrom, SavepointFormat},
    run::RunState,
};
use store::{Db, Error, restore_points::NewRestorePoint};

fn point(side: &Side, run: &RunId, path: &str, completed_at: i64) -> NewRestorePoint {
    NewRestorePoint {
        id: new!(RestorePointId),
        job: side.job.clone(),
        run: run.clone(),
        team: side.team.clone(),
        cluster: side.cluster.clone(),
        hadoop_user: "etl".into(),
        kind: RestoreKind::Savepoint,
        path: path.into(),
        format: Some(SavepointFormat::Canonical),
        operation: None,
        size: Some(7),
        created_at: NOW,
        completed_at,
    }
}

async fn insert(db: &Db, point: &NewRestorePoint) -> bool {
    let mut tx = db.begin().await.unwrap();
    let new = store::restore_points::insert(&mut tx, point).await.unwrap();
    tx.commit().await.unwrap();
    new
}

async fn end(db: &Db, run: &RunId) {
    let mut tx = db.begin().await.unwrap();
    let mut row = store::runs::row(&mut tx, run).await.unwrap().unwrap();
    row.state = RunState::Finished;
    row.ended_at = Some(NOW);
    let version = row.row_version;
    assert!(store::runs::update(&mut tx, &row, version).await.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_path_is_recorded_once_and_the_newest_comes_first() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let run = a.run(&db).await;
        let operation = a.new_operation(OperationKind::Savepoint, Some(&run));
        let mut tx = db.begin().await.unwrap();
        store::operations::insert(&mut tx, &operation).await.unwrap();
        tx.commit().await.unwrap();
        let mut first = point(&a, &run, "/p/1", NOW + 10);
        first.operation = Some(operation.id.clone());
        assert!(insert(&db, &first).await);
        let again = point(&a, &run, "/p/1", NOW + 99);
        assert!(!insert(&db, &again).await, "the same path");
        // Two of the same moment, one of before.
        let mut checkpoint = point(&a, &run, "/p/2", NOW + 10);
        checkpoint.kind = RestoreKind::Checkpoint;
        checkpoint.format = None;
        assert!(insert(&db, &checkpoint).await);
        assert!(insert(&db, &point(&a, &run, "/p/0", NOW)).await);
        let mut read = Vec::new();
        let mut after = None;
        loop {
            let page = store::restore_points::list(&db, &a.scope, &a.job, 1, after.as_deref())
                .await
                .unwrap();
            read.extend(page.items.into_iter().map(|row| row.point.path));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(read, ["/p/2", "/p/1", "/p/0"]);
        let kept = store::restore_points::get(&db, &a.scope, &first.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((kept.point.completed_at, kept.point.size), (NOW + 10, Some(7)));
        assert_eq!((kept.point.version, kept.point.snapshot), (1, 1));
        assert_eq!(kept.point.operation, Some(operation.id));
        assert_eq!(
            (kept.point.state, kept.point.used_by),
            (RestoreState::Valid, None)
        );
        for bad in [
            "",
            "1",
            "x-rp_00000000000000000000000001",
            "1-run_00000000000000000000000001",
        ] {
            let refused = store::restore_points::list(&db, &a.scope, &a.job, 1, Some(bad)).await;
            assert!(matches!(refused, Err(Error::Invalid { .. })), "{bad}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_gone_is_not_the_newest_and_what_was_disposed_of_stays_so() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let run = a.run(&db).await;
        let (old, new) = (point(&a, &run, "/p/1", NOW), point(&a, &run, "/p/2", NOW + 1));
        assert!(insert(&db, &old).await && insert(&db, &new).await);
        let newest = || async {
            let found = store::restore_points::newest_valid(&db, &a.scope, &a.job)
                .await
                .unwrap();
            found.map(|row| row.point.path)
        };
        let set = |id: RestorePointId, state| {
            let db = db.clone();
            async move {
                let mut tx = db.begin().await.unwrap();
                store::restore_points::lock(&mut tx, &id).await.unwrap();
                let set = store::restore_points::set_state(&mut tx, &id, state, NOW + 5, None)
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
                set
            }
        };
        assert_eq!(newest().await.as_deref(), Some("/p/2"));
        assert!(set(new.id.clone(), RestoreState::Gone).await);
        assert_eq!(newest().await.as_deref(), Some("/p/1"));
        assert!(set(old.id.clone(), RestoreState::Disposed).await);
        assert!(!set(old.id.clone(), RestoreState::Valid).await);
        assert_eq!(newest().await, None);
        let kept = store::restore_points::get(&db, &a.scope, &new.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((kept.point.verified_at, kept.point.size), (NOW + 5, Some(7)));
    })
    .await;
}

#[tokio::test]
async fn a_run_that_was_started_from_it_holds_it_as_long_as_it_lasts() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let first = a.run(&db).await;
        let point = point(&a, &first, "/p/1", NOW);
        assert!(insert(&db, &point).await);
        end(&db, &first).await;
        let from = RestoredFrom {
            point: Some(point.id.clone()),
            path: "/p/1".into(),
            claim_mode: ClaimMode::NoClaim,
            allow_non_restored_state: true,
        };
        let mut second = a.new_run();
        second.restored_from = Some(from.clone());
        let mut tx = db.begin().await.unwrap();
        store::runs::insert(&mut tx, &second).await.unwrap();
        tx.commit().await.unwrap();
        let used = || async {
            let row = store::restore_points::get(&db, &a.scope, &point.id)
                .await
                .unwrap();
            row.unwrap().point.used_by
        };
        assert_eq!(used().await, Some(second.id.clone()));
        let shown = store::runs::get(&db, &a.scope, &second.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(shown.restored_from, Some(from.clone()));
        let row = store::runs::row(&db, &second.id).await.unwrap().unwrap();
        assert_eq!(row.restored_from, Some(from));
        end(&db, &second.id).await;
        assert_eq!(used().await, None);
    })
    .await;
}

#[tokio::test]
async fn an_ended_run_is_looked_through_once() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let run = a.run(&db).await;
        let wanted = || async { store::runs::to_collect(&db, 10).await.unwrap().len() };
        store::runs::set_checkpoint_dir(&db, &run, "/c/1").await.unwrap();
        assert_eq!(wanted().await, 0, "it has not ended");
        end(&db, &run).await;
        let found = store::runs::to_collect(&db, 10).await.unwrap().remove(0);
        assert_eq!(found.checkpoint_dir.as_deref(), Some("/c/1"));
        let mut tx = db.begin().await.unwrap();
        store::runs::set_collected(&mut tx, &run).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(wanted().await, 0);
        store::runs::set_checkpoint_dir(&db, &run, "/c/2").await.unwrap();
        assert_eq!(wanted().await, 0, "it had ended before");
        let mut tx = db.begin().await.unwrap();
        store::runs::set_to_collect(&mut tx, &run).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(wanted().await, 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_sees_the_restore_points_of_another_team() {
    on_both(|db| async move {
        let (a, b) = (side(&db, "a").await, side(&db, "b").await);
        let run = a.run(&db).await;
        let point = point(&a, &run, "/p/1", NOW);
        assert!(insert(&db, &point).await);
        for (scope, seen) in [(Scope::All, 1), (a.scope.clone(), 1), (b.scope.clone(), 0)] {
            let page = store::restore_points::list(&db, &scope, &a.job, 0, None)
                .await
                .unwrap();
            assert_eq!(page.items.len(), seen);
            let one = store::restore_points::get(&db, &scope, &point.id).await.unwrap();
            let path = store::restore_points::by_path(&db, &scope, &a.cluster, "/p/1")
                .await
                .unwrap();
            let newest = store::restore_points::newest_valid(&db, &scope, &a.job)
                .await
                .unwrap();
            assert_eq!([one, path, newest].iter().flatten().count(), 3 * seen);
        }
    })
    .await;
}
