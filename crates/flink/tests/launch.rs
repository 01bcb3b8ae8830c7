//! What the planner decides about a job.
#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too")]

use domain::{
    Code, Failure,
    job::{JobKind, JobSpec},
    restore::ClaimMode,
};
use flink::{
    Cluster, Launch, PlacedFile, PlanInput, PrepareInput, Prepared, Restore, Version,
    launch::{INLINE_SCRIPT_BYTES, script_file},
};
use hadoop::xml::Visibility;
use std::collections::BTreeMap;

fn job(sql: &str) -> JobSpec {
    JobSpec {
        name: "orders".into(),
        cluster: "sandbox".into(),
        queue: "root.default".into(),
        sql: Some(sql.into()),
        ..JobSpec::new(
            JobKind::FlinkSql,
            serde_json::from_str("\"env_00000000000000000000000001\"").unwrap(),
        )
    }
}

fn jar(args: &[&str]) -> JobSpec {
    JobSpec {
        kind: JobKind::FlinkJar,
        sql: None,
        args: args.iter().map(|a| (*a).to_owned()).collect(),
        ..job("")
    }
}

fn prepare_on(version: &str, spec: &JobSpec) -> Result<Prepared, Failure> {
    Prepared::new(&PrepareInput {
        spec,
        version: version.parse::<Version>().unwrap(),
        defaults: &[("env.java.opts.all".into(), "-Da=b".into())],
        program_name: "我的 job.jar",
        program_uri: "hdfs://nn/penstock/artifacts/ab12",
        script_uri: script_file(spec).map(|_| "hdfs://nn/penstock/scripts/cd34"),
        archive_dir: "hdfs://nn/penstock/archive",
    })
}

fn prepare(spec: &JobSpec) -> Result<Prepared, Failure> {
    prepare_on("2.3.0", spec)
}

fn text(prepared: &Prepared) -> String {
    String::from_utf8(prepared.config.bytes.clone()).unwrap()
}

fn file(name: &str) -> PlacedFile {
    PlacedFile {
        uri: format!("hdfs://nn/penstock/environments/e/files/{name}"),
        size: 10,
        mtime: 1_000_000_000_000,
        visibility: Visibility::Public,
    }
}

fn plan(prepared: &Prepared, libraries: &[&str]) -> Result<Launch, Failure> {
    plan_from(prepared, libraries, None)
}

fn plan_from(
    prepared: &Prepared,
    libraries: &[&str],
    restore: Option<Restore<'_>>,
) -> Result<Launch, Failure> {
    let environment: Vec<_> = libraries
        .iter()
        .map(|path| ((*path).to_owned(), file("aa")))
        .collect();
    let cluster = Cluster {
        hadoop_user: "team_a".into(),
        service_user: "penstock".into(),
        file_system: "hdfs://nn".into(),
        class_path: vec!["$HADOOP_CONF_DIR".into()],
        min_allocation_mb: 2048,
    };
    Launch::plan(
        prepared,
        &PlanInput {
            environment: &environment,
            config: &file("config"),
            log4j: &file("log4j"),
            program: &file("ab12"),
            cluster: &cluster,
            deployment: "d",
            run: "r",
            job_id: "00112233445566778899aabbccddeeff",
            restore,
            staging: "hdfs://nn/penstock/teams/team_a/runs/r/",
        },
    )
}

const DIST: &str = "lib/flink-dist-2.3.0.jar";

#[test]
fn the_job_id_is_fixed_where_there_is_one_job() {
    let two = "INSERT INTO a SELECT 1; INSERT INTO b SELECT 2;";
    let batch = "SET 'execution.runtime-mode' = 'batch';";
    for (sql, mode, fixed) in [
        (two.to_owned(), None, true),
        (format!("{batch}{two}"), None, false),
        (two.to_owned(), Some("BATCH"), false),
        (
            format!("SET 'execution.runtime-mode'='streaming';{two}"),
            Some("batch"),
            true,
        ),
        (format!("{batch} INSERT INTO a SELECT 1"), None, true),
        (
            format!("{batch} INSERT INTO a SELECT 1; SELECT * FROM a"),
            None,
            false,
        ),
        (
            format!("{batch} EXECUTE STATEMENT SET BEGIN {two} END;"),
            None,
            true,
        ),
    ] {
        let mut spec = job(&sql);
        if let Some(mode) = mode {
            spec.conf.insert("execution.runtime-mode".into(), mode.into());
        }
        let prepared = prepare(&spec).unwrap();
        assert_eq!(prepared.fixes_job_id, fixed, "{sql} {mode:?}");
        assert_eq!(
            text(&prepared).contains("submit-failed-job-on-application-error"),
            fixed
        );
        let launch = plan(&prepared, &[DIST]).unwrap();
        assert_eq!(launch.job_id.is_some(), fixed);
        let command = launch
            .submission("application_1_0001".parse().unwrap())
            .container
            .command;
        assert_eq!(command.contains("pipeline.job-id"), fixed, "{command}");
        assert!(command.contains(" -D high-availability.cluster-id=application_1_0001 "));
    }
    let mut spec = job(&format!("{batch}{two}"));
    spec.conf
        .insert("high-availability.type".into(), "zookeeper".into());
    assert_eq!(prepare(&spec).unwrap_err().code, Code::FieldInvalid);
    let mut spec = jar(&[]);
    assert!(prepare(&spec).unwrap().fixes_job_id);
    spec.conf.insert("execution.runtime-mode".into(), "BATCH".into());
    assert!(!prepare(&spec).unwrap().fixes_job_id);
}

#[test]
fn the_configuration_depends_on_the_job_alone() {
    let spec = job("INSERT INTO a SELECT 1");
    let (a, b) = (prepare(&spec).unwrap(), prepare(&spec).unwrap());
    assert_eq!(a.config, b.config);
    assert_eq!(a.config.sha256.len(), 64);
    let mut other = spec.clone();
    other.resources.parallelism = 2;
    assert_ne!(prepare(&other).unwrap().config.sha256, a.config.sha256);
    // Where a run differs is not in the file.
    other = spec;
    other.tags = vec!["x".into()];
    other.queue = "root.other".into();
    assert_eq!(prepare(&other).unwrap().config, a.config);
}

#[test]
fn own_settings_pass_and_the_planner_has_the_last_word() {
    let mut spec = job("INSERT INTO a SELECT 1");
    spec.conf.insert("state.backend.type".into(), "rocksdb".into());
    spec.conf.insert("parallelism.default".into(), "99".into());
    spec.conf.insert("yarn.appmaster.vcores".into(), "3".into());
    spec.resources.task_manager_vcores = Some(4);
    let prepared = prepare(&spec).unwrap();
    let text = text(&prepared);
    assert!(text.contains("\"state.backend.type\": \"rocksdb\""));
    assert!(text.contains("\"parallelism.default\": \"1\"") && !text.contains("99"));
    assert!(text.contains("\"yarn.containers.vcores\": \"4\""));
    let launch = plan(&prepared, &[DIST]).unwrap();
    assert_eq!((launch.resource.memory_mb, launch.resource.vcores), (2048, 3));
    spec.conf.insert("yarn.appmaster.vcores".into(), "many".into());
    assert_eq!(prepare(&spec).unwrap_err().code, Code::FieldInvalid);
}

#[test]
fn state_to_start_from_is_told_in_the_words_of_the_version() {
    let uri = "hdfs://nn/penstock/teams/team_a/savepoints/op_1/savepoint-cc01-2 3";
    let restore = |claim_mode| Restore {
        uri,
        claim_mode,
        allow_non_restored_state: true,
    };
    let quoted = format!("-D '{{}}={uri}'");
    for (version, path, mode, ignore) in [
        (
            "1.18.1",
            "execution.savepoint.path",
            "execution.savepoint-restore-mode",
            "execution.savepoint.ignore-unclaimed-state",
        ),
        (
            "1.19.3",
            "execution.savepoint.path",
            "execution.savepoint-restore-mode",
            "execution.savepoint.ignore-unclaimed-state",
        ),
        (
            "1.20.5",
            "execution.state-recovery.path",
            "execution.state-recovery.claim-mode",
            "execution.state-recovery.ignore-unclaimed-state",
        ),
        (
            "2.3.0",
            "execution.state-recovery.path",
            "execution.state-recovery.claim-mode",
            "execution.state-recovery.ignore-unclaimed-state",
        ),
    ] {
        let prepared = prepare_on(version, &job("INSERT INTO a SELECT 1")).unwrap();
        let dist = format!("lib/flink-dist-{version}.jar");
        let command = |claim_mode| {
            let launch = plan_from(&prepared, &[&dist], Some(restore(claim_mode)))?;
            Ok::<_, Failure>(
                launch
                    .submission("application_1_0001".parse().unwrap())
                    .container
                    .command,
            )
        };
        let wanted = format!(
            " {} -D {mode}=NO_CLAIM -D {ignore}=true 1> ",
            quoted.replace("{}", path)
        );
        let told = command(ClaimMode::NoClaim).unwrap();
        assert!(told.contains(&wanted), "{told}");
        assert!(
            command(ClaimMode::Claim)
                .unwrap()
                .contains(&format!("{mode}=CLAIM "))
        );
        let legacy = command(ClaimMode::Legacy);
        assert_eq!(legacy.is_ok(), version.starts_with("1."), "{version}");
        // The prepared file is the same whatever a run starts from.
        assert!(!text(&prepared).contains(path));
    }
}

#[test]
fn high_availability_keeps_containers() {
    let mut spec = job("INSERT INTO a SELECT 1");
    spec.conf
        .insert("high-availability.type".into(), "zookeeper".into());
    spec.am_attempts = 3;
    let launch = plan(&prepare(&spec).unwrap(), &[DIST]).unwrap();
    let submission = launch.submission("application_1_0001".parse().unwrap());
    assert!(submission.keep_containers);
    assert_eq!(
        (
            submission.max_app_attempts,
            submission.attempt_failures_validity_ms
        ),
        (3, Some(10_000))
    );
}

#[test]
fn a_long_script_travels_as_a_file() {
    let long = format!("INSERT INTO a SELECT 1 /* {} */", "x".repeat(INLINE_SCRIPT_BYTES));
    let spec = job(&long);
    let content = script_file(&spec).unwrap();
    assert_eq!(content.bytes, long.as_bytes());
    let text = text(&prepare(&spec).unwrap());
    assert!(text.contains(r#"["--script-uri", "hdfs://nn/penstock/scripts/cd34", "--job-name", "orders"]"#));
    assert!(text.len() < 4000);
    assert!(script_file(&job("INSERT INTO a SELECT 1")).is_none());
}

#[test]
fn the_old_file_refuses_arguments_it_would_cut() {
    let failure = prepare_on("1.18.1", &jar(&["ok", "a#b"])).unwrap_err();
    assert_eq!(
        (failure.code, failure.args["field"].as_str()),
        (Code::FieldCharacters, "args")
    );
    assert!(prepare_on("1.18.1", &jar(&["a b;c'd"])).is_ok());
    assert!(prepare_on("1.19.0", &jar(&["a#b\n"])).is_ok());
    // A SQL job's text and name are encoded.
    let mut spec = job("INSERT INTO a SELECT '#' -- x\n");
    spec.name = "orders #1 订单".into();
    let text = text(&prepare_on("1.18.1", &spec).unwrap());
    assert!(text.is_ascii() && text.contains("--job-name-base64;"), "{text}");
    // A jar's name that cannot be written is left to the program.
    let mut spec = jar(&[]);
    spec.name = "orders #1".into();
    assert!(prepare_on("1.18.1", &spec).is_ok());
    // In the node's character set only with a word to the JVM.
    let launch = plan(&prepare_on("1.18.1", &jar(&["é"])).unwrap(), &[DIST]).unwrap();
    assert!(launch.redacted(None).command.contains(" -Dfile.encoding=UTF-8 "));
}

#[test]
fn a_program_is_linked_under_a_harmless_name() {
    let prepared = prepare(&jar(&[])).unwrap();
    assert_eq!(prepared.program_key, "___job.jar");
    assert!(text(&prepared).contains("\"pipeline.jars\": [\"file:///___job.jar\"]"));
    let submission = plan(&prepared, &[DIST])
        .unwrap()
        .submission("application_1_0001".parse().unwrap());
    let program = submission
        .container
        .local_resources
        .iter()
        .find(|r| r.key == "___job.jar")
        .unwrap();
    assert!(program.uri.ends_with("/ab12"));
    let (_, class_path) = submission
        .container
        .environment
        .iter()
        .find(|(name, _)| name == "CLASSPATH")
        .unwrap();
    assert_eq!(
        class_path,
        ":___job.jar:lib/flink-dist-2.3.0.jar:config.yaml::$HADOOP_CONF_DIR"
    );
}

#[test]
fn environments_that_cannot_be_launched_are_refused_with_counts() {
    let prepared = prepare(&jar(&[])).unwrap();
    assert_eq!(
        plan(&prepared, &["lib/a.jar"]).unwrap_err().code,
        Code::EnvironmentIncomplete
    );
    for bad in [
        "lib/a b.jar",
        "lib/a'b.jar",
        "lib/$x.jar",
        "lib/a;b.jar",
        "lib/\u{7f}.jar",
    ] {
        let failure = plan(&prepared, &[DIST, bad]).unwrap_err();
        assert_eq!(failure.code, Code::EnvironmentIncomplete, "{bad}");
    }
    assert_eq!(
        plan(&prepared, &[DIST, DIST]).unwrap_err().code,
        Code::EnvironmentIncomplete
    );
    let many: Vec<String> = (0..900).map(|n| format!("lib/library-number-{n}.jar")).collect();
    let mut paths: Vec<&str> = many.iter().map(String::as_str).collect();
    paths.push(DIST);
    let failure = plan(&prepared, &paths).unwrap_err();
    assert_eq!(failure.code, Code::LaunchTooLarge);
    assert_eq!(failure.args["files"], "904");
    assert!(failure.args["bytes"].parse::<usize>().unwrap() > 131_072);
    // Command line tools of a distribution are not sent along.
    let launch = plan(
        &prepared,
        &[DIST, "opt/flink-python.jar", "bin/flink", "conf/config.yaml"],
    )
    .unwrap();
    assert_eq!(launch.redacted(None).files.len(), 4);
}

#[test]
fn a_preview_shows_no_secret() {
    let mut spec = job(
        "CREATE TABLE a (x INT) WITH ('connector'='jdbc', 'password'='hunter2', 'url'='jdbc:x?token=hunter2'); INSERT INTO a SELECT 1",
    );
    spec.conf.insert("s3.secret-key".into(), "hunter2".into());
    spec.conf
        .insert("metrics.reporter.x.url".into(), "http://u:hunter2@h/".into());
    let launch = plan(&prepare(&spec).unwrap(), &[DIST]).unwrap();
    let preview = launch.redacted(None);
    let all = serde_json::to_string(&preview).unwrap();
    assert!(!all.contains("hunter2"), "{all}");
    let conf: BTreeMap<_, _> = preview.conf.iter().cloned().collect();
    assert_eq!(conf["s3.secret-key"], "******");
    assert!(conf["$internal.application.program-args"].contains("'connector'='jdbc', 'password'='******'"));
    assert_eq!(preview.acls.len(), 2);
    let jar = jar(&["--db-password", "hunter2", "--mode", "fast"]);
    let preview = plan(&prepare(&jar).unwrap(), &[DIST]).unwrap().redacted(None);
    let conf: BTreeMap<_, _> = preview.conf.into_iter().collect();
    assert_eq!(
        conf["$internal.application.program-args"],
        "[--db-password, ******, --mode, fast]"
    );
}
