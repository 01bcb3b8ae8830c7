//! The schema and the statements on both databases.

use crate::{
    databases::{on_both, on_both_empty},
    world::{NOW, new, side},
};
use domain::{
    id::*,
    identity::{Team, User},
    operation::OperationKind,
    run::RunState,
};
use sqlx::{Executor, SqlSafeStr};
use std::collections::HashSet;
use store::{
    Constraint, Db, Error,
    audit::NewAuditEvent,
    environments::{EnvironmentRow, NewSnapshot},
    runs::NewRunEvent,
};

#[tokio::test]
async fn every_statement_can_be_prepared() {
    on_both(|db| async move {
        let mut names = HashSet::new();
        for statement in store::ALL_STATEMENTS.iter().copied().flatten() {
            assert!(names.insert(statement.name()), "{} twice", statement.name());
            let sql = statement.sql().into_sql_str();
            let prepared = match &db {
                Db::Sqlite { write, .. } => write.prepare(sql).await.map(|_| ()),
                Db::Postgres(pool) => pool.prepare(sql).await.map(|_| ()),
            };
            prepared.unwrap_or_else(|error| panic!("{}: {error}", statement.name()));
        }
        assert!(names.len() > 80, "{}", names.len());
    })
    .await;
}

#[test]
fn every_module_with_statements_is_listed() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = 0;
    let mut open = vec![source];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if std::fs::read_to_string(&path)
                .unwrap()
                .contains("\nstatements! {")
            {
                modules += 1;
            }
        }
    }
    assert_eq!(modules, store::ALL_STATEMENTS.len());
}

#[tokio::test]
async fn migrations_run_twice_and_at_once() {
    on_both_empty(|place| async move {
        let first = place.open().await;
        if place.is_postgres() {
            let second = place.open().await;
            let (a, b) = tokio::join!(first.migrate(), second.migrate());
            a.unwrap();
            b.unwrap();
            second.close().await;
        }
        first.migrate().await.unwrap();
        side(&first, "a").await;
        first.migrate().await.unwrap();
        assert_eq!(
            store::teams::list(&first, &domain::Scope::All)
                .await
                .unwrap()
                .len(),
            1
        );
        first.ping().await.unwrap();
        first.close().await;
        assert!(matches!(first.ping().await, Err(Error::Busy(_))));
    })
    .await;
}

#[tokio::test]
async fn addresses_that_cannot_work_are_refused() {
    for url in ["sqlite::memory:", "sqlite://x?mode=memory", "mysql://h/d", "x"] {
        let opened = Db::connect(url, &store::db::Options::default()).await;
        assert!(matches!(opened, Err(Error::Invalid { .. })), "{url}");
    }
    let away = Db::connect(
        "postgres://nobody@127.0.0.1:9/none",
        &store::db::Options::default(),
    )
    .await;
    assert!(matches!(away, Err(Error::Busy(_))), "{away:?}");
}

/// A server's certificate is checked when the address asks for it.
#[tokio::test]
async fn postgres_is_reached_over_tls() {
    let url = std::env::var("PENSTOCK_TEST_PG").unwrap();
    let certificate = std::env::var("PENSTOCK_TEST_PG_CERT").unwrap();
    let options = store::db::Options::default();
    let trusted = format!("{url}?sslmode=verify-full&sslrootcert={certificate}");
    Db::connect(&trusted, &options)
        .await
        .unwrap()
        .ping()
        .await
        .unwrap();
    let by_another_name = trusted.replace("127.0.0.1", "localhost");
    let strangers = [format!("{url}?sslmode=verify-full"), by_another_name];
    for url in strangers {
        let refused = Db::connect(&url, &options).await;
        assert!(refused.is_err(), "{refused:?}");
    }
}

/// What a write said no to.
fn rule<T: std::fmt::Debug>(result: Result<T, Error>) -> Constraint {
    let error = result.unwrap_err();
    error.constraint().unwrap_or_else(|| panic!("{error:?}"))
}

#[tokio::test]
async fn each_rule_has_its_name() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        let open = a.run(&db).await;

        let mut tx = db.begin().await.unwrap();
        let twin = store::runs::insert(&mut tx, &a.new_run()).await;
        assert_eq!(rule(twin), Constraint::OpenRun);
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let team = Team {
            id: new!(TeamId),
            name: "a".into(),
        };
        assert_eq!(
            rule(store::teams::insert(&mut tx, &team, NOW).await),
            Constraint::TeamName
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let user = User {
            id: new!(UserId),
            name: "user-a".into(),
            admin: false,
            disabled: false,
            teams: vec![],
            created_at: NOW,
        };
        assert_eq!(
            rule(store::users::insert(&mut tx, &user, None).await),
            Constraint::UserName
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let cluster = crate::world::cluster(&a.cluster_code);
        assert_eq!(
            rule(store::clusters::insert(&mut tx, &cluster).await),
            Constraint::ClusterCode
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let environment = EnvironmentRow {
            id: new!(EnvironmentId),
            name: "env-a".into(),
            team: None,
            engine: domain::Engine::Flink,
            version: "2.3.0".into(),
            directory: "/x".into(),
            snapshot: 0,
            created_at: NOW,
        };
        assert_eq!(
            rule(store::environments::insert(&mut tx, &environment).await),
            Constraint::EnvironmentName
        );
        drop(tx);

        let snapshot = NewSnapshot {
            environment: a.environment.clone(),
            number: 1,
            files: vec![],
            defaults: vec![],
            created_by: a.user.clone(),
            created_at: NOW,
            reason: None,
        };
        let mut tx = db.begin().await.unwrap();
        store::environments::insert_snapshot(&mut tx, &snapshot)
            .await
            .unwrap();
        assert_eq!(
            rule(store::environments::insert_snapshot(&mut tx, &snapshot).await),
            Constraint::SnapshotNumber
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let job = store::jobs::NewJobRow {
            id: new!(JobId),
            team: a.team.clone(),
            cluster: a.cluster.clone(),
            spec: crate::world::spec("job-a", "x", &a.environment),
            created_by: a.user.clone(),
            created_at: NOW,
        };
        assert_eq!(
            rule(store::jobs::insert(&mut tx, &job).await),
            Constraint::JobName
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let stop = a.new_operation(OperationKind::Stop, Some(&open));
        store::operations::insert(&mut tx, &stop).await.unwrap();
        let again = a.new_operation(OperationKind::Stop, Some(&open));
        assert_eq!(
            rule(store::operations::insert(&mut tx, &again).await),
            Constraint::OpenOperation
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let mut place = a.new_operation(OperationKind::Place, None);
        place.environment = Some(a.environment.clone());
        store::operations::insert(&mut tx, &place).await.unwrap();
        place.id = new!(OperationId);
        assert_eq!(
            rule(store::operations::insert(&mut tx, &place).await),
            Constraint::OpenOperation
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let other = b.insert_run(&mut tx).await;
        for id in [&open, &other] {
            let mut row = store::runs::row(&mut tx, id).await.unwrap().unwrap();
            row.external_id = Some("application_1_0001".into());
            let written = store::runs::update(&mut tx, &row, 1).await;
            if id == &other {
                assert_eq!(rule(written), Constraint::ExternalId);
            } else {
                assert!(written.unwrap());
            }
        }
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let mut orphan = a.new_run();
        orphan.job = new!(JobId);
        assert_eq!(
            rule(store::runs::insert(&mut tx, &orphan).await),
            Constraint::Reference
        );
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let nobody =
            store::users::set_membership(&mut tx, &new!(UserId), &a.team, domain::Role::Viewer).await;
        assert_eq!(rule(nobody), Constraint::Reference);
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        let mut twin = a.new_run();
        twin.job = b.job.clone();
        twin.id = open.clone();
        assert_eq!(rule(store::runs::insert(&mut tx, &twin).await), Constraint::Key);
    })
    .await;
}

#[tokio::test]
async fn history_is_append_only() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let run = a.run(&db).await;
        let mut tx = db.begin().await.unwrap();
        let event = NewRunEvent {
            at: NOW,
            kind: "state".into(),
            from: None,
            to: Some(RunState::Preparing),
            source: "console".into(),
            note: None,
            evidence: None,
        };
        store::runs::append_event(&mut tx, &run, &event).await.unwrap();
        let event = NewAuditEvent {
            id: new!(AuditId),
            at: NOW,
            actor: "li".into(),
            user: None,
            action: "run.start".into(),
            object: None,
            team: None,
            request_id: None,
            detail: serde_json::json!({}),
        };
        store::audit::append(&mut tx, &event).await.unwrap();
        tx.commit().await.unwrap();
        for sql in [
            "UPDATE run_events SET kind = 'x'",
            "DELETE FROM run_events",
            "UPDATE audit_events SET actor = 'x'",
            "DELETE FROM audit_events",
        ] {
            let refused = match &db {
                Db::Sqlite { write, .. } => write.execute(sql).await.map(|_| ()),
                Db::Postgres(pool) => pool.execute(sql).await.map(|_| ()),
            };
            assert_eq!(
                rule(refused.map_err(Error::from)),
                Constraint::AppendOnly,
                "{sql}"
            );
        }
        if let Db::Postgres(pool) = &db {
            for table in ["TRUNCATE run_events", "TRUNCATE audit_events"] {
                let refused = pool.execute(table).await.map_err(Error::from);
                assert_eq!(rule(refused), Constraint::AppendOnly);
            }
        }
        assert_eq!(store::runs::events(&db, &a.scope, &run).await.unwrap().len(), 1);
        assert_eq!(store::audit::list(&db, 0, None).await.unwrap().items.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_reader_of_sqlite_cannot_write() {
    on_both(|db| async move {
        if let Db::Sqlite { read, .. } = &db {
            assert!(read.execute("DELETE FROM meta").await.is_err());
        }
    })
    .await;
}

#[tokio::test]
async fn text_postgresql_cannot_store_is_refused_by_both() {
    on_both(|db| async move {
        let mut tx = db.begin().await.unwrap();
        let refused = store::meta::put(&mut tx, "key", "a\0b").await;
        assert!(matches!(refused, Err(Error::Invalid { .. })));
        // The transaction goes on: nothing was sent. All other text comes back as it went in.
        for text in [
            "",
            "订单 😀 \u{202e}",
            "'; DROP TABLE runs; --",
            "\u{1}\u{fffd}\u{10ffff}",
        ] {
            store::meta::put(&mut tx, "key", text).await.unwrap();
            assert_eq!(store::meta::get(&mut tx, "key").await.unwrap().unwrap(), text);
        }
        let kept = store::meta::get_or_insert(&mut tx, "id", "first").await.unwrap();
        assert_eq!(kept, "first");
        let kept = store::meta::get_or_insert(&mut tx, "id", "second").await.unwrap();
        assert_eq!(kept, "first");
        tx.commit().await.unwrap();
        assert_eq!(store::meta::get(&db, "no\0key").await.map_err(|_| ()), Err(()));
    })
    .await;
}
