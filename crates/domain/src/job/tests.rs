use super::*;
use crate::Code;

pub(crate) fn spec(sql: &str) -> JobSpec {
    let environment = EnvironmentId::from_ulid("00000000000000000000000001").unwrap();
    JobSpec {
        name: "orders".into(),
        cluster: "sandbox".into(),
        queue: "root.default".into(),
        sql: Some(sql.into()),
        ..JobSpec::new(JobKind::FlinkSql, environment)
    }
}

const GOOD: &str = "CREATE TABLE t (a INT) WITH ('connector'='blackhole'); INSERT INTO t VALUES (1)";

#[test]
fn a_good_definition_has_no_failures() {
    assert_eq!(spec(GOOD).check(), vec![]);
}

#[test]
fn owned_keys_are_found_in_every_spelling() {
    for key in [
        "execution.target",
        " Execution.Target ",
        "$internal.application.main",
        "yarn.ship-files",
        "security.kerberos.login.keytab",
        "env.java.opts.all",
        "containerized.master.env.LD_PRELOAD",
    ] {
        assert!(is_owned_key(Engine::Flink, key), "{key}");
    }
    for key in [
        "execution.runtime-mode",
        "state.backend.type",
        "yarn.application-attempt-failures-validity-interval",
        "restart-strategy.type",
    ] {
        assert!(
            !is_owned_key(Engine::Flink, key) || key.starts_with("yarn.application-attempts"),
            "{key}"
        );
    }
    let mut job = spec(GOOD);
    job.conf.insert("Yarn.Tags".into(), "x".into());
    assert_eq!(job.check()[0].failure.code, Code::ConfKeyOwned);
}

#[test]
fn names_from_hostile_hands_are_refused_or_kept_as_text() {
    for (name, ok) in [
        ("<script>alert(1)</script>", true),
        ("$(rm -rf /)", true),
        ("订单", true),
        ("a\nb", false),
        ("a\u{0}b", false),
        ("\u{202e}gnp", false),
        ("", false),
    ] {
        let mut job = spec(GOOD);
        job.name = name.into();
        assert_eq!(job.check().is_empty(), ok, "{name:?}");
    }
}

fn spark(kind: JobKind) -> JobSpec {
    let program = kind.program().is_some();
    JobSpec {
        kind,
        sql: (!program).then(|| "SELECT 1".into()),
        artifact: program.then(|| ArtifactId::from_ulid("00000000000000000000000001").unwrap()),
        spark: Some(SparkResources::default()),
        ..spec("")
    }
}

#[test]
fn spark_kinds_have_fields_of_their_own() {
    for kind in [JobKind::SparkSql, JobKind::SparkJar, JobKind::PySpark] {
        assert_eq!(spark(kind).check(), vec![], "{}", kind.name());
    }
    let refused = |job: &JobSpec| {
        let failures = job.check();
        let all: Vec<_> = failures
            .iter()
            .map(|f| (f.field.clone(), f.failure.code))
            .collect();
        assert_eq!(all.len(), 1, "{failures:?}");
        all[0].clone()
    };
    let with = |kind, change: &dyn Fn(&mut JobSpec)| {
        let mut job = spark(kind);
        change(&mut job);
        refused(&job)
    };
    let other = |field: &str| (field.to_owned(), Code::FieldOfOtherKind);
    assert_eq!(
        with(JobKind::PySpark, &|job| job.main_class = Some("a.B".into())),
        other("main_class")
    );
    assert_eq!(
        with(JobKind::SparkSql, &|job| job.args.push("x".into())),
        other("args")
    );
    assert_eq!(
        with(JobKind::SparkJar, &|job| job.sql = Some("SELECT 1".into())),
        other("sql")
    );
    assert_eq!(
        with(JobKind::SparkJar, &|job| job.resources.slots = 4),
        other("resources")
    );
    for (key, code) in [
        ("spark.executor.memory", Code::ConfKeyOwned),
        ("execution.runtime-mode", Code::ConfKeyInvalid),
    ] {
        let set = |job: &mut JobSpec| drop(job.conf.insert(key.into(), "1g".into()));
        assert_eq!(with(JobKind::SparkJar, &set), ("conf".into(), code));
    }
    let small = |job: &mut JobSpec| job.spark.get_or_insert_default().driver_mb = 100;
    assert_eq!(
        with(JobKind::SparkJar, &small),
        ("driver_mb".into(), Code::FieldRange)
    );
    let twice = |job: &mut JobSpec| job.files = vec!["/a/x".into(), "/b/y#x".into()];
    assert_eq!(with(JobKind::SparkJar, &twice), ("files".into(), Code::NameTaken));
    let mut flink = spec(GOOD);
    flink.priority = Some(3);
    assert_eq!(refused(&flink), other("priority"));
}

/// What was stored before there was Spark.
#[test]
fn old_definitions_are_still_read() {
    let old = r#"{"name":"orders","kind":"flink_sql","cluster":"sandbox",
        "environment":"env_00000000000000000000000001","queue":"root.default","sql":"INSERT INTO t VALUES (1)",
        "args":[],"conf":{},"resources":{"job_manager_mb":1024,"task_manager_mb":1728,"slots":1,"parallelism":1},
        "tags":[],"am_attempts":1}"#;
    let read: JobSpec = serde_json::from_str(old).unwrap();
    assert_eq!(read, spec("INSERT INTO t VALUES (1)"));
    // And a Flink job is still written without the new fields.
    let written: serde_json::Value = serde_json::to_value(&read).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(old).unwrap());
    for kind in JobKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert_eq!(JobKind::from_name(kind.name()), Some(kind));
    }
}
