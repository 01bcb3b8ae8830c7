//! Every use case, asked for by everybody, with the things of one team. Nothing of a team is seen or
//! changed by the other.

use crate::support::{TEAM_USER, World, jar, person};
use bytes::Bytes;
use domain::{
    Kind, Role, Viewer,
    artifact::{NewUpload, UploadTicket},
    cluster::ClusterInput,
    environment::EnvironmentInput,
    id::{ArtifactId, EnvironmentId, JobId, OperationId, RestorePointId, RunId, TeamId, TokenId, UploadId},
    identity::{NewToken, NewUser},
    job::{JobUpdate, NewJob},
    logs::LogQuery,
    restore::{RestoreKind, SavepointRequest},
    run::{Run, RunQuery, RunState, StartRequest, StopMode, StopRequest},
};
use futures::{FutureExt, future::BoxFuture};
use service::{Result, Service};
use std::{collections::BTreeSet, path::Path};
use testkit::builders;

/// What team `a` has.
#[derive(Clone)]
struct Things {
    team: TeamId,
    cluster: ClusterInput,
    environment: EnvironmentId,
    artifact: ArtifactId,
    upload: UploadId,
    token: TokenId,
    job: JobId,
    run: RunId,
    operation: OperationId,
    point: RestorePointId,
    new_job: NewJob,
    directory: String,
}

impl Things {
    /// What would give them away in an answer to somebody else.
    fn traces(&self) -> Vec<String> {
        vec![
            self.team.to_string(),
            self.environment.to_string(),
            self.artifact.to_string(),
            self.upload.to_string(),
            self.token.to_string(),
            self.job.to_string(),
            self.run.to_string(),
            self.point.to_string(),
            "canary".to_owned(),
        ]
    }
}

type Call = fn(Service, Viewer, Things) -> BoxFuture<'static, Result<String>>;

/// Columns of the table: the other team's viewer, developer and operator, the same of the team, and an
/// administrator. `y`: allowed, whatever comes of it; `n`: not found; `f`: forbidden.
const CALLERS: usize = 7;

macro_rules! cases {
    ($($name:ident $expected:literal |$s:ident, $v:ident, $t:ident| $call:expr;)*) => {
        vec![$((
            stringify!($name),
            $expected,
            (|$s, $v, $t| async move {
                let _ = &$t;
                $call.await.map(|answer| format!("{answer:?}"))
            }.boxed()) as Call,
        )),*]
    };
}

fn part() -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send {
    futures::stream::iter([Ok(Bytes::from_static(b"0123456789"))])
}

fn new_upload(things: &Things) -> NewUpload {
    NewUpload {
        name: "other.jar".into(),
        size: 10,
        sha256: None,
        team: Some(things.team.clone()),
    }
}

fn other_job(things: &Things) -> NewJob {
    let mut new = things.new_job.clone();
    new.spec.name = format!("other {}", things.operation);
    new
}

const LOG: (&str, &str) = ("container_1_0001_01_000001", "jobmanager.log");

fn table() -> Vec<(&'static str, &'static str, Call)> {
    cases! {
        me "yyyyyyy" |s, v, t| s.me(&v);
        logged_out "yyyyyyy" |s, v, t| s.logged_out(&v);
        subscribe "yyyyyyy" |s, v, t| async { s.subscribe(&v).map(drop) };
        tokens "yyyyyyy" |s, v, t| s.tokens(&v);
        create_token "yyyyyyy" |s, v, t| s.create_token(
            &v, NewToken { name: "own".into(), days: 1 }).map(|made| made.map(|made| made.token));
        revoke_token "nnnnnnn" |s, v, t| s.revoke_token(&v, &t.token);
        teams "yyyyyyy" |s, v, t| s.teams(&v);
        users "ffffffy" |s, v, t| s.users(&v);
        audit "ffffffy" |s, v, t| s.audit(&v, 100, None);
        create_team "ffffffy" |s, v, t| s.create_team(&v, "b");
        create_user "ffffffy" |s, v, t| s.create_user(
            &v, NewUser { name: "dev".into(), password: None, admin: false, teams: Vec::new() });

        clusters "yyyyyyy" |s, v, t| s.clusters(&v);
        cluster "nnnyyyy" |s, v, t| s.cluster(&v, "canary");
        queues "nnnyyyy" |s, v, t| s.queues(&v, "canary");
        nodes "nnnyyyy" |s, v, t| s.nodes(&v, "canary");
        check_cluster "ffnffyy" |s, v, t| s.check_cluster(&v, "canary");
        create_cluster "ffffffy" |s, v, t| s.create_cluster(&v, t.cluster);
        update_cluster "ffffffy" |s, v, t| s.update_cluster(&v, "canary", t.cluster);

        environments "yyyyyyy" |s, v, t| s.environments(&v);
        environment "nnnyyyy" |s, v, t| s.environment(&v, &t.environment);
        snapshot "nnnyyyy" |s, v, t| s.snapshot(&v, &t.environment, 1);
        place_environment "nnnffyy" |s, v, t| s.place_environment(&v, &t.environment, "canary", None);
        create_environment "ffffffy" |s, v, t| s.create_environment(
            &v, EnvironmentInput { name: "canary-flink".into(), team: Some(t.team.clone()), directory: t.directory.clone() });

        artifacts "yyyyyyy" |s, v, t| s.artifacts(&v);
        artifact "nnnyyyy" |s, v, t| s.artifact(&v, &t.artifact);
        start_upload "ffffyyy" |s, v, t| s.start_upload(&v, new_upload(&t));
        upload_status "nnnnnnn" |s, v, t| s.upload_status(&v, &t.upload);
        put_part "nnnnnnn" |s, v, t| s.put_part(&v, &t.upload, 0, part());
        complete_upload "nnnnnnn" |s, v, t| s.complete_upload(&v, &t.upload);
        store_artifact "ffffyyy" |s, v, t| s.store_artifact(
            &v, Some(t.team.clone()), "other.jar", futures::stream::iter([Ok(Bytes::from(jar()))]));

        jobs "yyyyyyy" |s, v, t| s.jobs(&v);
        job_rows "yyyyyyy" |s, v, t| s.job_rows(&v, std::slice::from_ref(&t.job));
        job "nnnyyyy" |s, v, t| s.job(&v, &t.job);
        job_versions "nnnyyyy" |s, v, t| s.job_versions(&v, &t.job);
        preview_job "nnnyyyy" |s, v, t| s.preview_job(&v, &t.job);
        create_job "ffffyyy" |s, v, t| s.create_job(&v, other_job(&t), None);
        check_job "ffffyyy" |s, v, t| s.check_job(&v, other_job(&t));
        preview_spec "ffffyyy" |s, v, t| s.preview_spec(&v, other_job(&t));
        update_job "nnnfyyy" |s, v, t| s.update_job(
            &v, &t.job, JobUpdate { base_version: 99, spec: t.new_job.spec.clone() });
        // It runs, so that nobody really deletes it.
        delete_job "nnnfyyy" |s, v, t| s.delete_job(&v, &t.job);

        runs "yyyyyyy" |s, v, t| s.runs(&v, RunQuery { job: Some(t.job.clone()), ..RunQuery::default() });
        run "nnnyyyy" |s, v, t| s.run(&v, &t.run);
        run_events "nnnyyyy" |s, v, t| s.run_events(&v, &t.run);
        run_launch "nnnyyyy" |s, v, t| s.run_launch(&v, &t.run);
        run_changes "nnnyyyy" |s, v, t| s.run_changes(&v, &t.run);
        operation "nnnyyyy" |s, v, t| s.operation(&v, &t.operation);
        log_containers "nnnffyy" |s, v, t| s.log_containers(&v, &t.run);
        // There is no such container.
        log_page "nnnffnn" |s, v, t| s.log_page(&v, &t.run, LOG.0, LOG.1, LogQuery::default());
        log_download "nnnffnn" |s, v, t| s.log_download(&v, &t.run, LOG.0, LOG.1).map(|it| it.map(drop));
        run_statements "nnnffyy" |s, v, t| s.run_statements(&v, &t.run);
        // It is no script of Spark's.
        statement_rows "nnnffnn" |s, v, t| s.statement_rows(&v, &t.run, 1);
        start_run "nnnfyyy" |s, v, t| s.start_run(&v, &t.job, StartRequest::default(), None);
        restore_points "nnnyyyy" |s, v, t| s.restore_points(&v, &t.job, 10, None);
        take_savepoint "nnnffyy" |s, v, t| s.take_savepoint(&v, &t.run, SavepointRequest::default(), None);
        dispose_restore_point "nnnffyy" |s, v, t| s.dispose_restore_point(&v, &t.point);
        stop_run "nnnffyy" |s, v, t| s.stop_run(&v, &t.run, StopRequest::new(StopMode::Kill), None);
    }
}

/// Every use case a face can call for somebody, read from the source.
fn methods() -> BTreeSet<String> {
    fn read(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for start in ["    pub async fn ", "    pub fn "] {
                for rest in text.split(start).skip(1) {
                    let (head, _) = rest.split_once('{').unwrap();
                    if head.contains("viewer: &Viewer") {
                        let name = head.split(['(', '<']).next().unwrap();
                        found.insert(name.to_owned());
                    }
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

#[test]
fn every_use_case_is_in_the_table() {
    let tested: BTreeSet<String> = table().into_iter().map(|(name, ..)| name.to_owned()).collect();
    assert_eq!(methods(), tested);
}

/// A savepoint of the run, as if it had been taken.
async fn world_point(db: &store::Db, team: &TeamId, run: &Run) -> RestorePointId {
    let id = RestorePointId::from_ulid("00000000000000000000000001").unwrap();
    let point = store::restore_points::NewRestorePoint {
        id: id.clone(),
        job: run.job.clone(),
        run: run.id.clone(),
        team: team.clone(),
        cluster: run.cluster.clone(),
        hadoop_user: TEAM_USER.into(),
        kind: RestoreKind::Savepoint,
        path: format!("/penstock/canary/teams/{TEAM_USER}/savepoints/op/savepoint-1"),
        format: None,
        operation: None,
        size: None,
        created_at: run.created_at,
        completed_at: run.created_at,
    };
    let mut tx = db.begin().await.unwrap();
    assert!(store::restore_points::insert(&mut tx, &point).await.unwrap());
    tx.commit().await.unwrap();
    id
}

async fn things(world: &World) -> (Things, Vec<Viewer>) {
    let db = world.db.clone();
    let (admin, owner, xml) = (world.admin.clone(), world.viewer.clone(), world.fake.client_xml());
    let (team, directory) = (world.team.clone(), world.environment.directory.clone());
    let made = world.life().ask(move |service| async move {
        service.create_team(&admin, "b").await.unwrap();
        let mut viewers = Vec::new();
        for team in ["b", "a"] {
            for role in Role::ALL {
                let name = format!("{team}-{}", role.name());
                viewers.push(person(&service, &admin, &name, team, role).await);
            }
        }
        viewers.push(admin.clone());
        let mut cluster = builders::cluster_input("canary", &xml, team.clone());
        cluster.hdfs_root = "/penstock/canary".into();
        service.create_cluster(&admin, cluster.clone()).await.unwrap();
        let input = EnvironmentInput {
            name: "canary".into(),
            team: Some(team.clone()),
            directory: directory.clone(),
        };
        let environment = service.create_environment(&admin, input).await.unwrap().id;
        let body = futures::stream::iter([Ok(Bytes::from(jar()))]);
        let artifact = service
            .store_artifact(&owner, None, "canary.jar", body)
            .await
            .unwrap()
            .id;
        let upload = NewUpload {
            name: "canary-upload.jar".into(),
            size: 10,
            sha256: None,
            team: None,
        };
        let UploadTicket::Open { id: upload, .. } = service.start_upload(&owner, upload).await.unwrap()
        else {
            panic!("the content is new")
        };
        let token = NewToken {
            name: "canary".into(),
            days: 1,
        };
        let token = service.create_token(&owner, token).await.unwrap().token.id;
        let new_job = NewJob {
            team: Some(team.clone()),
            spec: builders::sql_job("canary", "canary", environment.clone()),
        };
        let job = service
            .create_job(&owner, new_job.clone(), None)
            .await
            .unwrap()
            .id;
        let run = service
            .start_run(&owner, &job, StartRequest::default(), None)
            .await
            .unwrap();
        let point = world_point(&db, &team, &run).await;
        let things = Things {
            team,
            cluster,
            environment,
            artifact,
            upload,
            token,
            job,
            run: run.id,
            operation: run.operation.unwrap(),
            point,
            new_job,
            directory,
        };
        (things, viewers)
    });
    made.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_team_is_seen_or_changed_by_another() {
    let world = World::simple().await;
    let (things, viewers) = things(&world).await;
    assert_eq!(viewers.len(), CALLERS);
    world.when_state(&things.run, RunState::Running).await;
    let before = world.job.clone();
    let mut wrong = Vec::new();
    for (name, expected, call) in table() {
        let mut seen = String::new();
        for (at, viewer) in viewers.iter().enumerate() {
            let (viewer, things) = (viewer.clone(), things.clone());
            let traces = things.traces();
            let answer = world
                .life()
                .ask(move |service| call(service, viewer, things))
                .await;
            let text = match &answer {
                Ok(text) => text.clone(),
                Err(error) => format!("{:?}", error.failure),
            };
            seen.push(match &answer {
                Err(error) if error.failure.kind() == Kind::NotFound => 'n',
                Err(error) if error.failure.kind() == Kind::Forbidden => 'f',
                Err(error) if error.failure.kind() == Kind::Internal => panic!("{name}: {error}"),
                _ => 'y',
            });
            // What the other team is told names nothing of this one.
            if at < 3
                && let Some(trace) = traces.iter().find(|trace| text.contains(trace.as_str()))
            {
                wrong.push(format!("{name} tells caller {at} of {trace}: {text}"));
            }
        }
        if seen != expected {
            wrong.push(format!("{name}: {seen} instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The team's operator stopped it at last; nobody before.
    world.when_state(&things.run, RunState::Cancelled).await;
    let job = before.id.clone();
    let viewer = world.viewer.clone();
    let after = world
        .life()
        .ask(|service| async move { service.job(&viewer, &job).await.unwrap() })
        .await;
    assert_eq!(after, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn developers_stop_what_they_started_themselves() {
    let world = World::simple().await;
    let run = world.start().await.id;
    world.when_state(&run, RunState::Running).await;
    world.stop(&run, StopMode::Kill).await.unwrap();
    world.when_state(&run, RunState::Cancelled).await;
    world.end().await;
}
