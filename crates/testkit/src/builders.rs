//! Valid things of the domain, to change in one member where a test needs it.

use crate::ClientXml;
use domain::{
    cluster::{ClusterInput, Grant, IdentityMode, XmlFile},
    id::{ArtifactId, EnvironmentId, TeamId},
    job::{JobKind, JobSpec},
};

/// A streaming script with one INSERT.
pub const SQL: &str = "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen');\n\
CREATE TABLE nowhere (n BIGINT) WITH ('connector' = 'blackhole');\n\
INSERT INTO nowhere SELECT n FROM numbers;\n";

/// A Flink SQL job for `root.default` of the cluster `cluster`.
pub fn sql_job(name: &str, cluster: &str, environment: EnvironmentId) -> JobSpec {
    JobSpec {
        name: name.to_owned(),
        cluster: cluster.to_owned(),
        queue: "root.default".to_owned(),
        sql: Some(SQL.to_owned()),
        ..JobSpec::new(JobKind::FlinkSql, environment)
    }
}

/// A Spark SQL job for `root.default` of the cluster `cluster`.
pub fn spark_sql_job(name: &str, cluster: &str, environment: EnvironmentId) -> JobSpec {
    JobSpec {
        name: name.to_owned(),
        cluster: cluster.to_owned(),
        queue: "root.default".to_owned(),
        sql: Some("SELECT count(*) FROM range(10)".to_owned()),
        ..JobSpec::new(JobKind::SparkSql, environment)
    }
}

/// A Flink jar job.
pub fn jar_job(name: &str, cluster: &str, environment: EnvironmentId, artifact: ArtifactId) -> JobSpec {
    JobSpec {
        kind: JobKind::FlinkJar,
        sql: None,
        artifact: Some(artifact),
        main_class: Some("com.example.Main".to_owned()),
        ..sql_job(name, cluster, environment)
    }
}

/// Registration of a fake cluster, with one team that runs as `team_a` in both queues.
pub fn cluster_input(code: &str, xml: &ClientXml, team: TeamId) -> ClusterInput {
    let files = xml.files().map(|(name, content)| XmlFile {
        name: name.to_owned(),
        content: content.to_owned(),
    });
    ClusterInput {
        code: code.to_owned(),
        name: code.to_owned(),
        files: files.to_vec(),
        directory: None,
        hdfs_root: "/penstock".to_owned(),
        identity: IdentityMode::SimpleDoas,
        service_user: "penstock".to_owned(),
        grants: vec![Grant {
            team,
            hadoop_user: "team_a".to_owned(),
            queues: vec!["root.default".to_owned(), "root.adhoc".to_owned()],
        }],
    }
}
