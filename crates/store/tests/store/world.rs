//! Two teams that must not see each other, with something of everything.

use domain::{
    Engine, Millis, Role, Scope,
    cluster::{Grant, IdentityMode},
    id::*,
    identity::{Team, User},
    job::{JobKind, JobSpec},
    operation::OperationKind,
};
use std::sync::atomic::{AtomicU64, Ordering};
use store::{
    Db, Tx,
    clusters::{ClusterRow, Summary},
    environments::EnvironmentRow,
    jobs::NewJobRow,
    operations::NewOperation,
    runs::NewRunRow,
};

/// A moment; nothing in the tests looks at a clock.
pub(crate) const NOW: Millis = 1_800_000_000_000;

/// An id no other call gets; later ones sort behind earlier ones.
pub(crate) fn ulid() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:026}", NEXT.fetch_add(1, Ordering::Relaxed))
}

macro_rules! new {
    ($id:ident) => {
        <$id>::from_ulid(&$crate::world::ulid()).unwrap()
    };
}
pub(crate) use new;

/// One team with a member, and what they own.
#[derive(Clone)]
pub(crate) struct Side {
    pub(crate) team: TeamId,
    pub(crate) user: UserId,
    pub(crate) scope: Scope,
    pub(crate) cluster: ClusterId,
    pub(crate) cluster_code: String,
    pub(crate) environment: EnvironmentId,
    pub(crate) job: JobId,
}

pub(crate) fn spec(name: &str, cluster: &str, environment: &EnvironmentId) -> JobSpec {
    JobSpec {
        name: name.to_owned(),
        cluster: cluster.to_owned(),
        queue: "root.default".into(),
        sql: Some("INSERT INTO t SELECT 1".into()),
        ..JobSpec::new(JobKind::FlinkSql, environment.clone())
    }
}

pub(crate) fn cluster(code: &str) -> ClusterRow {
    ClusterRow {
        id: new!(ClusterId),
        code: code.to_owned(),
        name: format!("Cluster {code}"),
        kind: "yarn".into(),
        identity: IdentityMode::Simple,
        service_user: "penstock".into(),
        hdfs_root: "/penstock".into(),
        files: vec![],
        directory: None,
        summary: Summary {
            fs_default: "hdfs://nn:8020".into(),
            resource_managers: vec!["http://rm:8088".into()],
            name_nodes: vec!["http://nn:9870".into()],
        },
        created_at: NOW,
        updated_at: NOW,
        seen_at: None,
        trouble: None,
        trouble_since: None,
        rm_started_on: None,
    }
}

/// A team called `name` with a user, a cluster, an environment and a job of the same name.
pub(crate) async fn side(db: &Db, name: &str) -> Side {
    let team = Team {
        id: new!(TeamId),
        name: name.to_owned(),
    };
    let user = User {
        id: new!(UserId),
        name: format!("user-{name}"),
        admin: false,
        disabled: false,
        teams: vec![],
        created_at: NOW,
    };
    let cluster = cluster(&format!("cluster-{name}"));
    let environment = EnvironmentRow {
        id: new!(EnvironmentId),
        name: format!("env-{name}"),
        team: Some(team.id.clone()),
        engine: Engine::Flink,
        version: "2.3.0".into(),
        directory: "/opt/flink".into(),
        snapshot: 0,
        created_at: NOW,
    };
    let grant = Grant {
        team: team.id.clone(),
        hadoop_user: format!("hadoop-{name}"),
        queues: vec!["root.default".into()],
    };
    let job = NewJobRow {
        id: new!(JobId),
        team: team.id.clone(),
        cluster: cluster.id.clone(),
        spec: spec(&format!("job-{name}"), &cluster.code, &environment.id),
        created_by: user.id.clone(),
        created_at: NOW,
    };
    let mut tx = db.begin().await.unwrap();
    store::teams::insert(&mut tx, &team, NOW).await.unwrap();
    store::users::insert(&mut tx, &user, None).await.unwrap();
    store::users::set_membership(&mut tx, &user.id, &team.id, Role::Developer)
        .await
        .unwrap();
    store::clusters::insert(&mut tx, &cluster).await.unwrap();
    store::clusters::set_grants(&mut tx, &cluster.id, &[grant])
        .await
        .unwrap();
    store::environments::insert(&mut tx, &environment).await.unwrap();
    store::jobs::insert(&mut tx, &job).await.unwrap();
    tx.commit().await.unwrap();
    Side {
        team: team.id,
        scope: Scope::User(user.id.clone()),
        user: user.id,
        cluster: cluster.id,
        cluster_code: cluster.code,
        environment: environment.id,
        job: job.id,
    }
}

impl Side {
    pub(crate) fn new_run(&self) -> NewRunRow {
        NewRunRow {
            id: new!(RunId),
            job: self.job.clone(),
            version: 1,
            team: self.team.clone(),
            cluster: self.cluster.clone(),
            environment: self.environment.clone(),
            snapshot: 1,
            queue: "root.default".into(),
            hadoop_user: "etl".into(),
            tick_ms: 5000,
            engine_job_id: None,
            restored_from: None,
            created_by: self.user.clone(),
            created_at: NOW,
            operation: None,
        }
    }

    pub(crate) async fn insert_run(&self, tx: &mut Tx) -> RunId {
        let run = self.new_run();
        store::runs::insert(tx, &run).await.unwrap();
        run.id
    }

    /// A committed run of the job.
    pub(crate) async fn run(&self, db: &Db) -> RunId {
        let mut tx = db.begin().await.unwrap();
        let id = self.insert_run(&mut tx).await;
        tx.commit().await.unwrap();
        id
    }

    pub(crate) fn new_operation(&self, kind: OperationKind, run: Option<&RunId>) -> NewOperation {
        NewOperation {
            id: new!(OperationId),
            kind,
            run: run.cloned(),
            environment: None,
            cluster: Some(self.cluster.clone()),
            team: Some(self.team.clone()),
            phase: "intent".into(),
            data: serde_json::json!({ "n": 1 }),
            steps: vec![],
            created_by: self.user.clone(),
            created_at: NOW,
            due_at: NOW,
        }
    }
}
