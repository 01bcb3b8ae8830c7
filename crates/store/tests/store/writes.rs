//! Two who write the same thing: one wins, and the other is told.

use crate::{
    databases::{on_both, on_both_empty},
    world::{NOW, new, side, spec},
};
use domain::{
    Failure, Scope,
    id::*,
    operation::{LogLine, OperationKind, OperationState, Step},
    run::{Requested, RunState, Usage},
};
use serde_json::json;
use std::time::Duration;
use store::{Constraint, Db, Error, db::Options, jobs::JobChange};

#[tokio::test]
async fn of_two_writers_of_a_run_one_wins() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let id = a.run(&db).await;
        let mut row = store::runs::row(&db, &id).await.unwrap().unwrap();
        assert_eq!((row.state, row.row_version), (RunState::Preparing, 1));
        assert_eq!(row.requested, Some(Requested::Start));
        row.state = RunState::Submitting;
        row.external_id = Some("application_1_0001".into());
        row.launch = Some(json!({ "command": "java" }));
        row.prepared = Some(json!([1]));
        row.failure = Some(Failure::new(domain::Code::Internal).with("reason", "x"));
        row.usage = Usage {
            memory_mb_seconds: i64::MAX,
            ..Usage::default()
        };
        let write = |state| {
            let (db, mut row) = (db.clone(), row.clone());
            async move {
                row.state = state;
                let mut tx = db.begin().await.unwrap();
                let won = store::runs::update(&mut tx, &row, 1).await.unwrap();
                tx.commit().await.unwrap();
                won
            }
        };
        let won = tokio::join!(write(RunState::Submitting), write(RunState::Queued));
        assert!(won.0 ^ won.1, "{won:?}");
        let stored = store::runs::row(&db, &id).await.unwrap().unwrap();
        row.state = stored.state;
        row.row_version = 2;
        assert_eq!(stored, row);

        // What a list leaves out, a write of its row keeps.
        let mut light = store::runs::open_rows(&db, &a.cluster).await.unwrap().remove(0);
        assert_eq!((&light.launch, &light.prepared), (&None, &None));
        light.tasks_running = Some(3);
        let mut tx = db.begin().await.unwrap();
        assert!(store::runs::update(&mut tx, &light, 2).await.unwrap());
        tx.commit().await.unwrap();
        let stored = store::runs::row(&db, &id).await.unwrap().unwrap();
        assert_eq!(stored.launch, row.launch);
        assert_eq!(stored.tasks_running, Some(3));
        assert_eq!(store::runs::launch(&db, &a.scope, &id).await.unwrap(), row.launch);
    })
    .await;
}

#[tokio::test]
async fn a_job_has_one_open_run_however_many_start_it() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let start = || {
            let (db, run) = (db.clone(), a.new_run());
            async move {
                let mut tx = db.begin().await.unwrap();
                store::runs::insert(&mut tx, &run).await?;
                tx.commit().await
            }
        };
        let results = futures::future::join_all((0..8).map(|_| start())).await;
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 7));
        for error in lost {
            assert_eq!(error.unwrap_err().constraint(), Some(Constraint::OpenRun));
        }
        // Once it has ended, the next may start.
        let mut row = store::runs::open_row_of_job(&db, &a.job).await.unwrap().unwrap();
        row.state = RunState::Finished;
        row.ended_at = Some(NOW);
        let mut tx = db.begin().await.unwrap();
        assert!(store::runs::update(&mut tx, &row, 1).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store::runs::open_row_of_job(&db, &a.job).await.unwrap(), None);
        start().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_deleted_job_is_not_started_and_a_started_one_not_deleted() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let delete = || async {
            let mut tx = db.begin().await.unwrap();
            let gone = store::jobs::delete(&mut tx, &a.job, NOW).await.unwrap();
            tx.commit().await.unwrap();
            gone
        };
        let start = || async {
            let mut tx = db.begin().await.unwrap();
            store::runs::insert(&mut tx, &a.new_run()).await?;
            tx.commit().await
        };
        let (gone, started) = tokio::join!(delete(), start());
        assert!(gone ^ started.is_ok(), "{gone} {started:?}");
        if let Err(error) = &started {
            assert_eq!(error.constraint(), Some(Constraint::Reference));
        } else {
            let mut row = store::runs::open_row_of_job(&db, &a.job).await.unwrap().unwrap();
            row.ended_at = Some(NOW);
            let mut tx = db.begin().await.unwrap();
            store::runs::update(&mut tx, &row, 1).await.unwrap();
            tx.commit().await.unwrap();
            assert!(delete().await);
        }
        assert!(!delete().await);
        assert_eq!(store::jobs::get(&db, &Scope::All, &a.job).await.unwrap(), None);
        assert!(
            store::jobs::rows(&db, &Scope::All, None)
                .await
                .unwrap()
                .is_empty()
        );
        let head = store::jobs::head(&db, &a.job).await.unwrap().unwrap();
        assert_eq!(head.deleted_at, Some(NOW));
    })
    .await;
}

#[tokio::test]
async fn of_two_saves_of_a_version_one_wins() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let save = |name: &'static str| {
            let (db, a) = (db.clone(), a.clone());
            async move {
                let change = JobChange {
                    cluster: a.cluster.clone(),
                    spec: spec(name, &a.cluster_code, &a.environment),
                    by: a.user.clone(),
                    at: NOW + 5,
                };
                let mut tx = db.begin().await.unwrap();
                let won = store::jobs::update(&mut tx, &a.job, 1, &change).await.unwrap();
                tx.commit().await.unwrap();
                won
            }
        };
        let won = tokio::join!(save("one"), save("two"));
        assert!(won.0 ^ won.1);
        let name = if won.0 { "one" } else { "two" };
        let job = store::jobs::get(&db, &a.scope, &a.job).await.unwrap().unwrap();
        assert_eq!((job.version, job.spec.name.as_str()), (2, name));
        assert_eq!(
            (job.updated_at, job.created_by_name.as_str()),
            (NOW + 5, "user-a")
        );
        let versions = store::jobs::versions(&db, &a.scope, &a.job).await.unwrap();
        assert_eq!(versions.iter().map(|v| v.number).collect::<Vec<_>>(), [2, 1]);
        let first = store::jobs::version(&db, &a.job, 1).await.unwrap().unwrap();
        assert_eq!(first.spec.name, "job-a");
    })
    .await;
}

#[tokio::test]
async fn an_operation_is_due_until_it_is_done() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let run = a.run(&db).await;
        let new = a.new_operation(OperationKind::Submit, Some(&run));
        let mut tx = db.begin().await.unwrap();
        store::operations::insert(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        let due = |now| store::operations::due(&db, OperationKind::Submit, now, 10);
        assert!(due(NOW - 1).await.unwrap().is_empty());
        assert!(
            store::operations::due(&db, OperationKind::Stop, NOW, 10)
                .await
                .unwrap()
                .is_empty()
        );
        let mut row = due(NOW).await.unwrap().remove(0);
        assert_eq!(
            store::operations::next_due(&db, OperationKind::Submit)
                .await
                .unwrap(),
            Some(NOW)
        );
        row.state = OperationState::InDoubt;
        row.phase = "post".into();
        row.due_at = NOW + 1000;
        row.attempt = 1;
        row.steps = vec![Step {
            name: "post".into(),
            state: OperationState::Running,
            started_at: Some(NOW),
            ended_at: None,
            progress: None,
        }];
        row.log = vec![LogLine {
            at: NOW,
            text: "sent\n订单".into(),
        }];
        let write = |row: store::operations::OperationRow| async {
            let row = row;
            let mut tx = db.begin().await.unwrap();
            let won = store::operations::update(&mut tx, &row, 1).await.unwrap();
            tx.commit().await.unwrap();
            won
        };
        let won = tokio::join!(write(row.clone()), write(row.clone()));
        assert!(won.0 ^ won.1);
        row.row_version = 2;
        assert_eq!(store::operations::row(&db, &row.id).await.unwrap().unwrap(), row);
        assert!(due(NOW).await.unwrap().is_empty());
        let open = store::operations::open_for_run(&db, &run, OperationKind::Submit)
            .await
            .unwrap();
        assert_eq!(open.as_ref(), Some(&row));

        row.state = OperationState::Done;
        let mut tx = db.begin().await.unwrap();
        assert!(store::operations::update(&mut tx, &row, 2).await.unwrap());
        // A done one makes room for the next.
        let next = a.new_operation(OperationKind::Submit, Some(&run));
        store::operations::insert(&mut tx, &next).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(due(NOW + 5000).await.unwrap().len(), 1);
        let shown = store::operations::of_run(&db, &a.scope, &run).await.unwrap();
        assert_eq!(
            shown.iter().map(|o| &o.id).collect::<Vec<_>>(),
            [&next.id, &row.id]
        );
    })
    .await;
}

#[tokio::test]
async fn a_look_that_changes_nothing_moves_only_its_time() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        let (mine, other) = (a.run(&db).await, b.run(&db).await);
        let mut ids: Vec<RunId> = (0..60).map(|_| new!(RunId)).collect();
        ids.push(mine.clone());
        ids.push(other.clone());
        let observed = |id: RunId| async {
            let id = id;
            let row = store::runs::row(&db, &id).await.unwrap().unwrap();
            (row.observed_at, row.observed_by, row.row_version)
        };
        store::runs::touch_observed(&db, &a.cluster, &ids, NOW, "rm")
            .await
            .unwrap();
        assert_eq!(observed(mine.clone()).await, (Some(NOW), Some("rm".into()), 1));
        // Not on that cluster.
        assert_eq!(observed(other).await, (None, None, 1));
        store::runs::touch_observed(&db, &a.cluster, &ids, NOW - 1, "flink")
            .await
            .unwrap();
        assert_eq!(observed(mine).await, (Some(NOW), Some("rm".into()), 1));
    })
    .await;
}

#[tokio::test]
async fn a_login_link_signs_in_once() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let mut tx = db.begin().await.unwrap();
        for (hash, expires_at) in [("h1", NOW + 1), ("h2", NOW)] {
            store::login_links::insert(&mut tx, hash, &a.user, expires_at)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        let spend = |hash: &'static str| {
            let db = db.clone();
            async move {
                let mut tx = db.begin().await.unwrap();
                let user = store::login_links::consume(&mut tx, hash, NOW).await.unwrap();
                tx.commit().await.unwrap();
                user
            }
        };
        let users = futures::future::join_all((0..10).map(|_| spend("h1"))).await;
        let users: Vec<UserId> = users.into_iter().flatten().collect();
        assert_eq!(users, std::slice::from_ref(&a.user));
        assert_eq!(spend("h2").await, None, "expired");
        assert_eq!(spend("h3").await, None, "never made");
    })
    .await;
}

#[tokio::test]
async fn an_idempotency_key_is_claimed_once() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        let claim = |user: UserId, object: String| {
            let db = db.clone();
            async move {
                let mut tx = db.begin().await.unwrap();
                let mine = store::idempotency::claim(&mut tx, &user, "k", "start", &object, NOW)
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
                mine.then_some(object)
            }
        };
        let made = futures::future::join_all((0..8).map(|n| claim(a.user.clone(), format!("o{n}")))).await;
        let made: Vec<String> = made.into_iter().flatten().collect();
        assert_eq!(made.len(), 1);
        let known = store::idempotency::find(&db, &a.user, "k")
            .await
            .unwrap()
            .unwrap();
        assert_eq!((known.object, known.route.as_str()), (made[0].clone(), "start"));
        assert!(claim(b.user.clone(), "theirs".into()).await.is_some());
        let mut tx = db.begin().await.unwrap();
        assert_eq!(store::idempotency::purge(&mut tx, NOW).await.unwrap(), 0);
        assert_eq!(store::idempotency::purge(&mut tx, NOW + 1).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_transaction_wrote_nothing_and_frees_the_writer() {
    on_both(|db| async move {
        for _ in 0..3 {
            let mut tx = db.begin().await.unwrap();
            store::meta::put(&mut tx, "key", "value").await.unwrap();
            assert_eq!(store::meta::get(&db, "key").await.unwrap(), None);
            drop(tx);
        }
        let mut tx = db.begin().await.unwrap();
        assert_eq!(store::meta::get(&mut tx, "key").await.unwrap(), None);
        tx.rollback().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_value_the_vocabulary_does_not_know_hides_only_its_row() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        let (good, bad) = (a.run(&db).await, b.run(&db).await);
        let sql = "UPDATE runs SET state = 'levitating' WHERE id = $1";
        match &db {
            store::Db::Sqlite { write, .. } => {
                sqlx::query(sql).bind(bad.as_str()).execute(write).await.unwrap();
            }
            store::Db::Postgres(pool) => {
                sqlx::query(sql).bind(bad.as_str()).execute(pool).await.unwrap();
            }
        }
        let error = store::runs::row(&db, &bad).await.unwrap_err();
        assert!(
            matches!(&error, Error::Inconsistent { table: "runs", column: "state", id } if id == bad.as_str()),
            "{error:?}"
        );
        let page = store::runs::list(&db, &Scope::All, &Default::default()).await.unwrap();
        assert_eq!(page.items.iter().map(|r| &r.id).collect::<Vec<_>>(), [&good]);
        let jobs = store::jobs::rows(&db, &Scope::All, None).await.unwrap();
        assert_eq!(jobs.len(), 2, "the job of the bad run stays");
    })
    .await;
}

#[tokio::test]
async fn a_writer_that_waits_too_long_is_told_so() {
    on_both_empty(|place| async move {
        let options = Options {
            max_connections: 1,
            acquire_timeout: Duration::from_millis(1500),
            ..Options::default()
        };
        let db = Db::connect(&place.url, &options).await.unwrap();
        db.migrate().await.unwrap();
        let first = db.begin().await.unwrap();
        let second = db.begin().await;
        assert!(
            matches!(&second, Err(error) if error.is_transient()),
            "{second:?}"
        );
        first.rollback().await.unwrap();
        db.begin().await.unwrap().commit().await.unwrap();
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up() {
    on_both_empty(|place| async move {
        if !place.is_postgres() {
            return;
        }
        let options = Options {
            statement_timeout: Duration::from_millis(200),
            ..Options::default()
        };
        let db = Db::connect(&place.url, &options).await.unwrap();
        db.migrate().await.unwrap();
        let mut holder = db.begin().await.unwrap();
        store::meta::put(&mut holder, "key", "1").await.unwrap();
        let mut waiter = db.begin().await.unwrap();
        let given_up = store::meta::put(&mut waiter, "key", "2").await;
        assert!(matches!(given_up, Err(Error::Busy(_))), "{given_up:?}");
        drop(waiter);
        holder.commit().await.unwrap();
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_named_and_harms_nothing() {
    on_both(|db| async move {
        let Db::Sqlite { write, .. } = &db else { return };
        let mut tx = db.begin().await.unwrap();
        store::meta::put(&mut tx, "key", "kept").await.unwrap();
        tx.commit().await.unwrap();
        // SQLite raises the limit to the pages in use, so none is left.
        sqlx::query("PRAGMA max_page_count = 1")
            .execute(write)
            .await
            .unwrap();
        let mut tx = db.begin().await.unwrap();
        let full = store::meta::put(&mut tx, "key", &"x".repeat(1 << 20)).await;
        assert!(matches!(full, Err(Error::Full(_))), "{full:?}");
        drop(tx);
        assert_eq!(store::meta::get(&db, "key").await.unwrap().unwrap(), "kept");
        // A new connection knows no limit: the disk has room again.
        let mut tx = db.begin().await.unwrap();
        store::meta::put(&mut tx, "key", "room again").await.unwrap();
        tx.commit().await.unwrap();
    })
    .await;
}
