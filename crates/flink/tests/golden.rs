//! The planner against what Flink's own client computes (1.18.1, 1.20.5) and what a real cluster has
//! run (2.3.0), byte for byte where the console does not differ on purpose.
#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too")]

use domain::job::{JobKind, JobSpec};
use flink::{Cluster, Launch, PlacedFile, PlanInput, PrepareInput, Prepared, Version, distribution};
use hadoop::{
    ApplicationId,
    xml::{AclKind, ResourceKind, SubmissionContext, Visibility},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Golden {
    version: String,
    name: String,
    r#type: String,
    attempts: u32,
    memory: u64,
    vcores: u32,
    command: String,
    environment: BTreeMap<String, String>,
    resources: Vec<GoldenResource>,
}

#[derive(Deserialize)]
struct GoldenResource {
    key: String,
    uri: String,
    kind: String,
    visibility: String,
    size: u64,
    mtime: i64,
}

impl GoldenResource {
    fn file(&self) -> PlacedFile {
        PlacedFile {
            uri: self.uri.clone(),
            size: self.size,
            mtime: self.mtime,
            visibility: match self.visibility.as_str() {
                "PUBLIC" => Visibility::Public,
                _ => Visibility::Application,
            },
        }
    }
}

impl Golden {
    fn read(version: &str) -> Self {
        let text = match version {
            "1.18.1" => include_str!("golden/flink-1.18.1.json"),
            "1.20.5" => include_str!("golden/flink-1.20.5.json"),
            _ => include_str!("golden/flink-2.3.0.json"),
        };
        serde_json::from_str(text).unwrap()
    }

    fn resource(&self, key: &str) -> &GoldenResource {
        self.resources.iter().find(|r| r.key == key).unwrap()
    }

    fn application(&self) -> ApplicationId {
        self.environment["_APP_ID"].parse().unwrap()
    }

    /// Entries of the class path behind Flink's own.
    fn hadoop(&self) -> Vec<String> {
        let own = &self.environment["_FLINK_CLASSPATH"];
        let rest = self.environment["CLASSPATH"]
            .strip_prefix(&format!("{own}:"))
            .unwrap();
        rest.split(':').map(str::to_owned).collect()
    }
}

const JOB_ID: &str = "cc0102030405060708090a0b0c0d0e0f";

fn spec(kind: JobKind, name: &str) -> JobSpec {
    JobSpec {
        name: name.into(),
        cluster: "sandbox".into(),
        queue: "root.default".into(),
        sql: (kind == JobKind::FlinkSql).then(|| "INSERT INTO b SELECT * FROM a".into()),
        ..JobSpec::new(
            kind,
            serde_json::from_str("\"env_00000000000000000000000001\"").unwrap(),
        )
    }
}

/// The planner's answer for the situation a golden file was made in.
fn planned(golden: &Golden, spec: &JobSpec, program: &str, options: &str) -> (Prepared, SubmissionContext) {
    let program = golden.resource(program);
    let defaults = [("env.java.opts.all".to_owned(), options.to_owned())];
    let prepared = Prepared::new(&PrepareInput {
        spec,
        version: golden.version.parse::<Version>().unwrap(),
        defaults: &defaults,
        program_name: &program.key,
        program_uri: &program.uri,
        script_uri: None,
        archive_dir: "hdfs://nn:8020/penstock/archive",
    })
    .unwrap();
    let environment: Vec<(String, PlacedFile)> = golden
        .resources
        .iter()
        .filter(|r| distribution::is_shipped(&r.key))
        .map(|r| (r.key.clone(), r.file()))
        .collect();
    let user = &golden.environment["HADOOP_USER_NAME"];
    let home = &golden.environment["_CLIENT_HOME_DIR"];
    let cluster = Cluster {
        hadoop_user: user.clone(),
        service_user: "penstock".into(),
        file_system: home.strip_suffix(&format!("/user/{user}")).unwrap().to_owned(),
        class_path: golden.hadoop(),
        min_allocation_mb: 128,
    };
    let launch = Launch::plan(
        &prepared,
        &PlanInput {
            environment: &environment,
            config: &golden.resource(prepared.config_key).file(),
            log4j: &golden.resource("log4j.properties").file(),
            program: &program.file(),
            cluster: &cluster,
            deployment: "D1",
            run: "01J9ZZZZZZZZZZZZZZZZZZZZZZ",
            job_id: JOB_ID,
            restore: None,
            staging: &golden.environment["_FLINK_YARN_FILES"],
        },
    )
    .unwrap();
    (prepared, launch.submission(golden.application()))
}

fn compare(golden: &Golden, submission: &SubmissionContext) {
    let own = format!(
        " -D high-availability.cluster-id={} -D '\\$internal.pipeline.job-id={JOB_ID}' 1> ",
        golden.application()
    );
    let container = &submission.container;
    assert_eq!(container.command, golden.command.replacen(" 1> ", &own, 1));
    let files = |list: &str| list.split(';').map(str::to_owned).collect::<BTreeSet<_>>();
    let mut names = BTreeSet::new();
    for (name, value) in &container.environment {
        names.insert(name.as_str());
        if name == "_CLIENT_SHIP_FILES" {
            assert_eq!(files(value), files(&golden.environment[name]));
        } else {
            assert_eq!(value, &golden.environment[name], "{name}");
        }
    }
    assert_eq!(names, golden.environment.keys().map(String::as_str).collect());
    let mut resources: Vec<_> = container.local_resources.iter().collect();
    resources.sort_by(|a, b| a.key.cmp(&b.key));
    let mut wanted: Vec<_> = golden.resources.iter().collect();
    wanted.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(resources.len(), wanted.len());
    for (resource, wanted) in resources.iter().zip(wanted) {
        assert_eq!((&resource.key, &resource.uri), (&wanted.key, &wanted.uri));
        assert_eq!((resource.size, resource.timestamp), (wanted.size, wanted.mtime));
        assert_eq!(resource.kind == ResourceKind::File, wanted.kind == "FILE");
        assert_eq!(
            resource.visibility == Visibility::Public,
            wanted.visibility == "PUBLIC"
        );
    }
    assert_eq!(submission.application_type, golden.r#type);
    assert_eq!(submission.max_app_attempts, golden.attempts);
    assert_eq!(
        (submission.am_resource.memory_mb, submission.am_resource.vcores),
        (golden.memory, golden.vcores)
    );
    assert!(!submission.keep_containers && submission.attempt_failures_validity_ms.is_none());
    assert_eq!(
        container.acls,
        [AclKind::View, AclKind::Modify].map(|kind| (kind, "penstock".to_owned()))
    );
    assert_eq!(
        submission.tags[..2],
        ["penstock-d1", "penstock-run-01j9zzzzzzzzzzzzzzzzzzzzzz"]
    );
    submission.to_xml().unwrap();
}

fn lines(prepared: &Prepared) -> BTreeSet<String> {
    let text = String::from_utf8(prepared.config.bytes.clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_jar_on_1_20_is_launched_as_the_client_does() {
    let golden = Golden::read("1.20.5");
    let mut job = spec(JobKind::FlinkJar, &golden.name);
    job.resources.job_manager_mb = 1600;
    job.main_class = Some("com.acme.Main".into());
    job.args = vec!["a b".into(), "# \"x\"\n".into()];
    job.tags = vec!["T1".into()];
    let (prepared, submission) = planned(
        &golden,
        &job,
        "my-job.jar",
        "--add-exports=java.base/sun.net.util=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED",
    );
    compare(&golden, &submission);
    assert_eq!(submission.tags[2], "t1");
    let lines = lines(&prepared);
    for line in [
        r#""execution.target": "yarn-application""#,
        r#""internal.cluster.execution-mode": "NORMAL""#,
        r#""jobmanager.memory.process.size": "1600m""#,
        r#""pipeline.jars": ["mockfs://nn:8020/jobs/my-job.jar"]"#,
        r#""pipeline.name": "demo""#,
        r#""$internal.application.main": "com.acme.Main""#,
        r##""$internal.application.program-args": ["a b", "# \"x\"\n"]"##,
        r#""jobmanager.archive.fs.dir": "hdfs://nn:8020/penstock/archive""#,
        r#""web.submit.enable": "false""#,
    ] {
        assert!(lines.contains(line), "{line}\n{lines:#?}");
    }
}

#[test]
fn a_jar_on_1_18_is_launched_as_the_client_does() {
    let golden = Golden::read("1.18.1");
    let mut job = spec(JobKind::FlinkJar, &golden.name);
    job.resources.job_manager_mb = 1600;
    job.args = vec!["--x".into(), "a;b".into()];
    let (prepared, submission) = planned(
        &golden,
        &job,
        "my-job.jar",
        "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    );
    compare(&golden, &submission);
    let lines = lines(&prepared);
    for line in [
        "pipeline.jars: mockfs://nn:8020/jobs/my-job.jar",
        "$internal.application.program-args: --x;'a;b'",
        "taskmanager.memory.process.size: 1728m",
    ] {
        assert!(lines.contains(line), "{line}\n{lines:#?}");
    }
}

#[test]
fn a_script_on_2_3_is_launched_as_it_ran_on_a_cluster() {
    let golden = Golden::read("2.3.0");
    let mut job = spec(JobKind::FlinkSql, &golden.name);
    job.resources.task_manager_mb = 1024;
    job.time_zone = Some("Asia/Shanghai".into());
    let (prepared, submission) = planned(&golden, &job, "penstock-runner.jar", distribution::JAVA_OPTIONS);
    compare(&golden, &submission);
    let lines = lines(&prepared);
    for line in [
        r#""jobmanager.memory.process.size": "1024m""#,
        r#""taskmanager.memory.process.size": "1024m""#,
        r#""taskmanager.memory.managed.size": "64m""#,
        r#""taskmanager.numberOfTaskSlots": "1""#,
        r#""parallelism.default": "1""#,
        r#""table.local-time-zone": "Asia/Shanghai""#,
        r#""$internal.application.main": "io.penstock.runner.FlinkSql""#,
        r#""$internal.application.program-args": ["--script-base64", "SU5TRVJUIElOVE8gYiBTRUxFQ1QgKiBGUk9NIGE=", "--job-name", "runner-2.3.0"]"#,
        r#""execution.submit-failed-job-on-application-error": "true""#,
    ] {
        assert!(lines.contains(line), "{line}\n{lines:#?}");
    }
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("cluster-id") || line.contains("job-id"))
    );
}
