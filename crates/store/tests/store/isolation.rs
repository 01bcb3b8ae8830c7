//! Two teams: whatever one owns, the other reads nothing of it.

use crate::{
    databases::on_both,
    world::{NOW, Side, new, side},
};
use domain::{
    Role, Scope,
    cluster::Grant,
    id::*,
    operation::OperationKind,
    run::{RunQuery, RunState},
};
use serde_json::json;
use store::{
    Db,
    artifacts::NewArtifact,
    environments::{EnvironmentPlacementRow, NewSnapshot},
    runs::NewRunEvent,
    uploads::UploadRow,
};

struct Owned {
    run: RunId,
    operation: OperationId,
    artifact: ArtifactId,
    upload: UploadId,
}

fn sha(letter: char) -> String {
    letter.to_string().repeat(64)
}

async fn fill(db: &Db, side: &Side) -> Owned {
    let mut tx = db.begin().await.unwrap();
    let run = side.insert_run(&mut tx).await;
    let mut row = store::runs::row(&mut tx, &run).await.unwrap().unwrap();
    row.launch = Some(json!({}));
    assert!(store::runs::update(&mut tx, &row, 1).await.unwrap());
    let event = NewRunEvent {
        at: NOW,
        kind: "state".into(),
        from: None,
        to: Some(RunState::Preparing),
        source: "console".into(),
        note: None,
        evidence: Some(json!({ "a": "\0" })),
    };
    store::runs::append_event(&mut tx, &run, &event).await.unwrap();
    let operation = side.new_operation(OperationKind::Submit, Some(&run));
    store::operations::insert(&mut tx, &operation).await.unwrap();
    let artifact = NewArtifact {
        id: new!(ArtifactId),
        team: side.team.clone(),
        name: "job.jar".into(),
        sha256: sha('a'),
        size: 1,
        main_classes: vec!["a.Main".into()],
        manifest_class: None,
        created_by: side.user.clone(),
        created_at: NOW,
    };
    assert_eq!(store::artifacts::insert(&mut tx, &artifact).await.unwrap(), 1);
    let upload = UploadRow {
        id: new!(UploadId),
        team: side.team.clone(),
        user: side.user.clone(),
        name: "job.jar".into(),
        size: 1,
        sha256: None,
        part_size: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    store::uploads::insert(&mut tx, &upload).await.unwrap();
    let snapshot = NewSnapshot {
        environment: side.environment.clone(),
        number: 1,
        files: vec![],
        defaults: vec![],
        created_by: side.user.clone(),
        created_at: NOW,
        reason: None,
    };
    store::environments::insert_snapshot(&mut tx, &snapshot)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    Owned {
        run,
        operation: operation.id,
        artifact: artifact.id,
        upload: upload.id,
    }
}

/// How many things of `owner` this scope reads, one after the other: each is 0 or 1.
async fn seen(db: &Db, scope: &Scope, owner: &Side, owned: &Owned) -> Vec<(&'static str, usize)> {
    let ids = [owner.job.clone()];
    let all = RunQuery::default();
    let narrowed = RunQuery {
        job: Some(owner.job.clone()),
        cluster: Some(owner.cluster_code.clone()),
        states: vec![RunState::Preparing],
        ..RunQuery::default()
    };
    let code = &owner.cluster_code;
    let team = |t: &TeamId| usize::from(t == &owner.team);
    vec![
        (
            "run",
            store::runs::get(db, scope, &owned.run)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        ("runs", {
            let page = store::runs::list(db, scope, &all).await.unwrap();
            page.items.iter().map(|r| team(&r.team)).sum()
        }),
        (
            "runs narrowed",
            store::runs::list(db, scope, &narrowed).await.unwrap().items.len(),
        ),
        (
            "events",
            store::runs::events(db, scope, &owned.run).await.unwrap().len(),
        ),
        (
            "launch",
            store::runs::launch(db, scope, &owned.run)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        (
            "operation",
            store::operations::get(db, scope, &owned.operation)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        (
            "operations of the run",
            store::operations::of_run(db, scope, &owned.run)
                .await
                .unwrap()
                .len(),
        ),
        (
            "job",
            store::jobs::get(db, scope, &owner.job)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        (
            "jobs by id",
            store::jobs::rows(db, scope, Some(&ids)).await.unwrap().len(),
        ),
        ("jobs", {
            let rows = store::jobs::rows(db, scope, None).await.unwrap();
            rows.iter().filter(|r| r.id == owner.job).count()
        }),
        (
            "versions",
            store::jobs::versions(db, scope, &owner.job).await.unwrap().len(),
        ),
        (
            "cluster",
            store::clusters::by_code(db, scope, code)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        ("clusters", {
            let list = store::clusters::list(db, scope).await.unwrap();
            list.iter().filter(|c| &c.code == code).count()
        }),
        (
            "environment",
            store::environments::get(db, scope, &owner.environment)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        ("environments", {
            let list = store::environments::list(db, scope).await.unwrap();
            list.iter().filter(|e| e.id == owner.environment).count()
        }),
        (
            "snapshot",
            store::environments::snapshot(db, scope, &owner.environment, 1)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        (
            "artifact",
            store::artifacts::get(db, scope, &owned.artifact)
                .await
                .unwrap()
                .iter()
                .count(),
        ),
        ("artifacts", {
            let list = store::artifacts::list(db, scope).await.unwrap();
            list.iter().map(|a| team(&a.team)).sum()
        }),
        ("teams", {
            let list = store::teams::list(db, scope).await.unwrap();
            list.iter().map(|t| team(&t.id)).sum()
        }),
    ]
}

#[tokio::test]
async fn a_team_reads_its_own_and_nothing_else() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        let (of_a, of_b) = (fill(&db, &a).await, fill(&db, &b).await);
        let nobody = Scope::User(new!(UserId));
        for (owner, owned, other) in [(&a, &of_a, &b), (&b, &of_b, &a)] {
            for (what, count) in seen(&db, &owner.scope, owner, owned).await {
                assert_eq!(count, 1, "own {what}");
            }
            for (what, count) in seen(&db, &Scope::All, owner, owned).await {
                assert_eq!(count, 1, "all: {what}");
            }
            for (what, count) in seen(&db, &other.scope, owner, owned).await {
                assert_eq!(count, 0, "{what} of another team");
            }
            for (what, count) in seen(&db, &nobody, owner, owned).await {
                assert_eq!(count, 0, "{what} without a team");
            }
            let upload = |user| store::uploads::get(&db, user, &owned.upload);
            assert!(upload(&owner.user).await.unwrap().is_some());
            assert!(upload(&other.user).await.unwrap().is_none());
        }
        // Content is found by its hash in the own team only.
        let found = store::artifacts::find_content(&db, &a.team, &sha('a'))
            .await
            .unwrap();
        assert_eq!(found.unwrap().id, of_a.artifact);
        let found = store::artifacts::find(&db, &b.team, "job.jar", &sha('a'))
            .await
            .unwrap();
        assert_eq!(found.unwrap().id, of_b.artifact);

        // Rights end with the membership.
        let mut tx = db.begin().await.unwrap();
        assert!(
            store::users::remove_membership(&mut tx, &a.user, &a.team)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        for (what, count) in seen(&db, &a.scope, &a, &of_a).await {
            assert_eq!(count, 0, "{what} after leaving");
        }
    })
    .await;
}

#[tokio::test]
async fn a_shared_cluster_shows_each_team_its_own_share() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        a.run(&db).await;
        let grant = |side: &Side, user: &str| Grant {
            team: side.team.clone(),
            hadoop_user: user.into(),
            queues: vec!["root.x".into()],
        };
        let mut tx = db.begin().await.unwrap();
        let grants = [grant(&a, "ua"), grant(&b, "ub")];
        store::clusters::set_grants(&mut tx, &a.cluster, &grants)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let seen = |scope: Scope| {
            let (db, code) = (db.clone(), a.cluster_code.clone());
            async move {
                let one = store::clusters::by_code(&db, &scope, &code)
                    .await
                    .unwrap()
                    .unwrap();
                let list = store::clusters::list(&db, &scope).await.unwrap();
                assert!(list.contains(&one));
                let users: Vec<String> = one.grants.into_iter().map(|g| g.hadoop_user).collect();
                (users, one.open_runs)
            }
        };
        assert_eq!(seen(a.scope.clone()).await, (vec!["ua".into()], 1));
        assert_eq!(seen(b.scope.clone()).await, (vec!["ub".into()], 0));
        assert_eq!(seen(Scope::All).await, (vec!["ua".into(), "ub".into()], 1));
        assert_eq!(
            store::clusters::grant(&db, &a.cluster, &b.team).await.unwrap(),
            Some(grant(&b, "ub"))
        );
        assert_eq!(store::clusters::grants(&db, &a.cluster).await.unwrap(), grants);
        let mut tx = db.begin().await.unwrap();
        store::clusters::set_grants(&mut tx, &a.cluster, &[])
            .await
            .unwrap();
        assert_eq!(
            store::clusters::by_code(&mut tx, &a.scope, &a.cluster_code)
                .await
                .unwrap(),
            None
        );
    })
    .await;
}

#[tokio::test]
async fn a_shared_environment_is_seen_without_the_clusters_of_others() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        let shared = store::environments::EnvironmentRow {
            id: new!(EnvironmentId),
            name: "shared".into(),
            team: None,
            engine: domain::Engine::Flink,
            version: "2.3.0".into(),
            directory: "/opt".into(),
            snapshot: 0,
            created_at: NOW,
        };
        let placement = |side: &Side| EnvironmentPlacementRow {
            environment: shared.id.clone(),
            cluster: side.cluster.clone(),
            snapshot: None,
            files_done: 1,
            files_total: 2,
            bytes_done: 3,
            bytes_total: i64::MAX,
            operation: None,
            failure: None,
        };
        let mut tx = db.begin().await.unwrap();
        store::environments::insert(&mut tx, &shared).await.unwrap();
        for side in [&a, &b, &a] {
            store::environments::put_placement(&mut tx, &placement(side))
                .await
                .unwrap();
        }
        let file = domain::environment::ManifestFile {
            path: "lib/a.jar".into(),
            sha256: sha('b'),
            size: 7,
            crc32: None,
        };
        let snapshot = NewSnapshot {
            environment: shared.id.clone(),
            number: 1,
            files: vec![file.clone(), file.clone()],
            defaults: vec![("k".into(), "v".into())],
            created_by: a.user.clone(),
            created_at: NOW,
            reason: Some("first".into()),
        };
        store::environments::insert_snapshot(&mut tx, &snapshot)
            .await
            .unwrap();
        for (won, why) in [(true, "the base"), (false, "not the newest any more")] {
            let set = store::environments::set_snapshot(&mut tx, &shared.id, 0, 1, "2.3.1").await;
            assert_eq!(set.unwrap(), won, "{why}");
        }
        tx.commit().await.unwrap();

        for (scope, codes) in [
            (&a.scope, vec!["cluster-a"]),
            (&b.scope, vec!["cluster-b"]),
            (&Scope::All, vec!["cluster-a", "cluster-b"]),
        ] {
            let one = store::environments::get(&db, scope, &shared.id)
                .await
                .unwrap()
                .unwrap();
            let seen: Vec<&str> = one.placements.iter().map(|p| p.cluster_code.as_str()).collect();
            assert_eq!(seen, codes);
            assert_eq!((one.files, one.bytes, one.snapshot), (2, 14, 1));
            assert_eq!(one.version, "2.3.1");
            assert!(
                store::environments::list(&db, scope)
                    .await
                    .unwrap()
                    .contains(&one)
            );
        }
        let read = store::environments::snapshot(&db, &b.scope, &shared.id, 1)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((read.files, read.defaults), (snapshot.files, snapshot.defaults));
        assert_eq!(read.created_by_name, "user-a");
        let kept = store::environments::placement(&db, &shared.id, &a.cluster)
            .await
            .unwrap();
        assert_eq!(kept, Some(placement(&a)));
        let of_cluster = store::environments::placements_of_cluster(&db, &b.cluster)
            .await
            .unwrap();
        assert_eq!(of_cluster, [placement(&b)]);
    })
    .await;
}

#[tokio::test]
async fn people_tokens_and_epochs() {
    on_both(|db| async move {
        let a = side(&db, "a").await;
        let b = side(&db, "b").await;
        assert!(store::users::any(&db).await.unwrap());
        let mut tx = db.begin().await.unwrap();
        store::users::set_membership(&mut tx, &a.user, &b.team, Role::Viewer)
            .await
            .unwrap();
        store::users::set_membership(&mut tx, &a.user, &b.team, Role::Operator)
            .await
            .unwrap();
        assert_eq!(
            store::users::set_password(&mut tx, &a.user, Some("hash"))
                .await
                .unwrap(),
            Some(1)
        );
        assert_eq!(
            store::users::set_disabled(&mut tx, &a.user, true).await.unwrap(),
            Some(2)
        );
        assert_eq!(
            store::users::set_admin(&mut tx, &a.user, true).await.unwrap(),
            Some(3)
        );
        assert_eq!(store::users::bump_epoch(&mut tx, &a.user).await.unwrap(), Some(4));
        assert_eq!(
            store::users::bump_epoch(&mut tx, &new!(UserId)).await.unwrap(),
            None
        );
        tx.commit().await.unwrap();
        let row = store::users::by_name(&db, "user-a").await.unwrap().unwrap();
        assert_eq!((row.epoch, row.disabled, row.admin), (4, true, true));
        assert_eq!(row.password_hash.as_deref(), Some("hash"));
        assert!(!format!("{row:?}").contains("hash"));
        assert_eq!(store::users::by_name(&db, "USER-A").await.unwrap(), None);
        let roles: Vec<(String, Role)> = store::users::memberships(&db, &a.user)
            .await
            .unwrap()
            .into_iter()
            .map(|m| (m.team_name, m.role))
            .collect();
        assert_eq!(
            roles,
            [("a".into(), Role::Developer), ("b".into(), Role::Operator)]
        );
        let users = store::users::list(&db).await.unwrap();
        assert_eq!(users.iter().map(|u| u.teams.len()).collect::<Vec<_>>(), [2, 1]);

        let token = store::tokens::NewToken {
            id: new!(TokenId),
            user: a.user.clone(),
            name: "ci".into(),
            secret_hash: sha('c'),
            created_at: NOW,
            expires_at: NOW + 10,
        };
        let mut tx = db.begin().await.unwrap();
        store::tokens::insert(&mut tx, &token).await.unwrap();
        tx.commit().await.unwrap();
        store::tokens::touch(&db, &token.id, NOW + 1).await.unwrap();
        store::tokens::touch(&db, &token.id, NOW).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let mut revoke = async |user: &UserId| {
            store::tokens::revoke(&mut tx, user, &token.id, NOW + 2)
                .await
                .unwrap()
        };
        assert!(!revoke(&b.user).await, "another user's token");
        assert!(revoke(&a.user).await);
        assert!(!revoke(&a.user).await, "revoked already");
        tx.commit().await.unwrap();
        let row = store::tokens::by_hash(&db, &sha('c')).await.unwrap().unwrap();
        assert_eq!((row.user, row.revoked_at), (a.user.clone(), Some(NOW + 2)));
        assert_eq!(row.last_used_at, Some(NOW + 1));
        assert_eq!(store::tokens::by_hash(&db, &sha('d')).await.unwrap(), None);
        assert_eq!(store::tokens::list(&db, &a.user).await.unwrap().len(), 1);
        assert!(store::tokens::list(&db, &b.user).await.unwrap().is_empty());
    })
    .await;
}
