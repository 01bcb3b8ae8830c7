//! What the planner decides by itself, and what it refuses.
#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too")]

use domain::{Code, Failure};
use hadoop::xml::{AclKind, SubmissionContext, Visibility};
use spark::{
    Cluster, Dependency, Distribution, DynamicAllocation, Launch, PlacedFile, PlanInput, PrepareInput,
    Prepared, Program, Resources, Role, Spec, launch::Bundle,
};
use std::collections::BTreeMap;

fn file(name: &str) -> PlacedFile {
    PlacedFile {
        uri: format!("hdfs://nn:8020/files/{name}"),
        size: 7,
        mtime: 1_000_000_000_000,
        visibility: Visibility::Private,
    }
}

fn sql(script: &str) -> Spec {
    Spec {
        name: "orders".into(),
        queue: "root.etl".into(),
        program: Program::Sql {
            script: script.into(),
        },
        args: vec![],
        conf: BTreeMap::new(),
        resources: Resources::default(),
        tags: vec!["Nightly".into()],
        time_zone: None,
        priority: None,
        node_label: None,
        am_attempts: 1,
        preview_rows: 10,
    }
}

fn with(conf: &[(&str, &str)]) -> Spec {
    let mut spec = sql("SELECT 1");
    spec.conf = conf
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    spec
}

#[derive(Default)]
struct Extra<'a> {
    dependencies: &'a [Dependency],
    jdk: Option<&'a Bundle>,
    python_home: Option<&'a Bundle>,
    without_hadoop: bool,
    defaults: Vec<(String, String)>,
}

fn prepare(spec: &Spec, extra: &Extra<'_>) -> Result<Prepared, Failure> {
    let distribution = Distribution {
        version: "4.3.0".parse().unwrap(),
        scala: "2.13".into(),
        java: 17,
        with_hadoop: !extra.without_hadoop,
        python: vec![],
        with_connect: true,
        defaults: extra.defaults.clone(),
    };
    let cluster = Cluster {
        hadoop_user: "team_a".into(),
        service_user: "penstock".into(),
        class_path: vec!["$HADOOP_CONF_DIR".into(), "/hadoop/lib/*".into()],
        min_allocation_mb: 128,
        client_xml: vec![("core-site.xml".into(), "<configuration/>".into())],
    };
    Prepared::new(&PrepareInput {
        spec,
        distribution: &distribution,
        cluster: &cluster,
        libraries: &file("libs.zip"),
        python: &[("python/lib/pyspark.zip".into(), file("pyspark.zip"))],
        program: Some(&file("job.jar")),
        program_name: "job.jar",
        runner: &file("runner.jar"),
        dependencies: extra.dependencies,
        jdk: extra.jdk,
        python_home: extra.python_home,
        conf_dir: "hdfs://nn:8020/prepared/",
    })
}

fn plan(prepared: &Prepared) -> Launch {
    let archive = PlacedFile {
        uri: prepared.archive_uri.clone(),
        ..file("")
    };
    Launch::plan(
        prepared,
        &PlanInput {
            archive: &archive,
            deployment: "D1",
            run: "run_01",
            run_dir: "hdfs://nn:8020/runs/run_01/",
        },
    )
    .unwrap()
}

fn submission(spec: &Spec, extra: &Extra<'_>) -> SubmissionContext {
    plan(&prepare(spec, extra).unwrap()).submission("application_1_0001".parse().unwrap())
}

fn text(prepared: &Prepared) -> String {
    String::from_utf8_lossy(&prepared.archive).into_owned()
}

#[test]
fn a_script_lies_in_the_archive_and_leaves_rows_in_the_runs_directory() {
    let script = "SELECT '`$x`\u{1}' -- 漢字";
    let prepared = prepare(&sql(script), &Extra::default()).unwrap();
    assert!(text(&prepared).contains(script));
    let launch = plan(&prepared);
    assert_eq!(
        launch.results.as_deref(),
        Some("hdfs://nn:8020/runs/run_01/results")
    );
    assert_eq!(launch.tags, ["penstock-d1", "penstock-run-run_01", "nightly"]);
    let context = launch.submission("application_1_0001".parse().unwrap());
    let command = &context.container.command;
    for part in [
        " -Dspark.sql.warehouse.dir=hdfs://nn:8020/runs/run_01/warehouse ",
        " --class io.penstock.spark.SparkSql --jar hdfs://nn:8020/files/runner.jar ",
        " --arg --script-file --arg __spark_conf__/penstock.sql --arg --rows --arg 10 --arg --results --arg hdfs://nn:8020/runs/run_01/results ",
    ] {
        assert!(command.contains(part), "{part}\n{command}");
    }
    assert_eq!(context.max_app_attempts, 1);
    assert_eq!(
        context.container.acls,
        [AclKind::View, AclKind::Modify].map(|kind| (kind, "penstock".to_owned()))
    );
    assert!(context.to_xml().is_ok());
}

#[test]
fn tables_stay_where_a_catalog_keeps_them() {
    for conf in [
        ("spark.sql.warehouse.dir", "hdfs://nn/w"),
        ("spark.sql.catalogImplementation", "hive"),
    ] {
        let context = submission(&with(&[conf]), &Extra::default());
        assert!(!context.container.command.contains("warehouse.dir"), "{conf:?}");
    }
}

#[test]
fn the_archive_is_named_by_its_content() {
    let name = |spec: &Spec| prepare(spec, &Extra::default()).unwrap().archive_name;
    let spec = sql("SELECT 1");
    let first = prepare(&spec, &Extra::default()).unwrap();
    assert_eq!(first.archive_name, name(&spec));
    assert_eq!(first.archive, prepare(&spec, &Extra::default()).unwrap().archive);
    assert_eq!(
        first.archive_uri,
        format!("hdfs://nn:8020/prepared/{}", first.archive_name)
    );
    let mut others = vec![sql("SELECT 2"), with(&[("spark.x", "1")])];
    others.push(Spec {
        time_zone: Some("UTC".into()),
        ..spec.clone()
    });
    others.push(Spec {
        resources: Resources {
            executors: 3,
            ..Resources::default()
        },
        ..spec.clone()
    });
    for other in others {
        assert_ne!(name(&other), first.archive_name, "{other:?}");
    }
    // A run's tag is no part of it, and another file's archive is refused.
    let wrong = Launch::plan(
        &first,
        &PlanInput {
            archive: &file("other.zip"),
            deployment: "d",
            run: "r",
            run_dir: "hdfs://nn/r",
        },
    );
    assert_eq!(wrong.unwrap_err().code, Code::FieldInvalid);
}

#[test]
fn settings_of_the_console_cannot_be_given() {
    for (key, code) in [
        ("spark.yarn.queue", Code::ConfKeyOwned),
        ("Spark.Master", Code::ConfKeyOwned),
        ("spark.yarn.cache.filenames", Code::ConfKeyOwned),
        ("spark.jars.packages", Code::ConfKeyOwned),
        ("spark.yarn.appMasterEnv.SPARK_USER", Code::ConfKeyOwned),
        ("hive.metastore.uris", Code::ConfKeyInvalid),
        ("spark.a\nspark.master", Code::ConfKeyInvalid),
    ] {
        let failure = prepare(&with(&[(key, "x")]), &Extra::default()).unwrap_err();
        assert_eq!((failure.code, failure.args["key"].as_str()), (code, key));
    }
    let failure = prepare(
        &with(&[("spark.driver.extraJavaOptions", "-Da=1 -Xmx9g")]),
        &Extra::default(),
    );
    assert_eq!(
        failure.unwrap_err().args["field"],
        "spark.driver.extraJavaOptions"
    );
    let mut odd = sql("SELECT 1");
    odd.args = vec!["x".into()];
    assert_eq!(
        prepare(&odd, &Extra::default()).unwrap_err().args["field"],
        "args"
    );
}

#[test]
fn files_with_harmful_names_are_refused() {
    for (name, role) in [
        ("a b.jar", Role::Jar),
        ("a,b.jar", Role::Jar),
        ("a#b.txt", Role::File),
        ("a';id.jar", Role::Overlay),
        ("..", Role::File),
        ("__spark_libs__", Role::File),
    ] {
        let dependencies = [Dependency {
            name: name.into(),
            role,
            file: file("x"),
        }];
        let extra = Extra {
            dependencies: &dependencies,
            ..Extra::default()
        };
        let failure = prepare(&sql("SELECT 1"), &extra).unwrap_err();
        assert_eq!(failure.code, Code::FieldInvalid, "{name}");
    }
}

#[test]
fn an_environment_brings_jars_java_and_python() {
    let dependency = |name: &str, role| Dependency {
        name: name.into(),
        role,
        file: file(name),
    };
    let dependencies = [
        dependency("driver.jar", Role::Overlay),
        dependency("udf.jar", Role::Jar),
        dependency("model.tgz", Role::Archive),
    ];
    let bundle = |name: &str, home: &str| Bundle {
        file: file(name),
        home: home.into(),
    };
    let (jdk, python) = (bundle("jdk.tgz", "jdk-21/"), bundle("py.tgz", ""));
    let extra = Extra {
        dependencies: &dependencies,
        jdk: Some(&jdk),
        python_home: Some(&python),
        without_hadoop: true,
        ..Extra::default()
    };
    let spec = with(&[("spark.driver.extraClassPath", "/opt/x/*")]);
    let prepared = prepare(&spec, &extra).unwrap();
    let settings = text(&prepared);
    for line in [
        "spark.driver.extraClassPath=/opt/x/*\\:{{PWD}}/__overlay__/*\n",
        "spark.executor.extraClassPath={{PWD}}/__overlay__/*\n",
        "spark.executorEnv.JAVA_HOME={{PWD}}/__jdk__/jdk-21\n",
        "spark.pyspark.python=./__python__/bin/python\n",
        "spark.yarn.populateHadoopClasspath=true\n",
        "spark.yarn.secondary.jars=udf.jar\n",
    ] {
        assert!(settings.contains(line), "{line}");
    }
    let context = submission(&spec, &extra);
    let environment: BTreeMap<_, _> = context.container.environment.into_iter().collect();
    assert_eq!(environment["JAVA_HOME"], "{{PWD}}/__jdk__/jdk-21");
    assert_eq!(environment["PYSPARK_PYTHON"], "./__python__/bin/python");
    assert_eq!(
        environment["CLASSPATH"],
        "/opt/x/*:{{PWD}}/__overlay__/*<CPS>{{PWD}}<CPS>{{PWD}}/__spark_conf__<CPS>{{PWD}}/__spark_libs__/*<CPS>$HADOOP_CONF_DIR<CPS>/hadoop/lib/*<CPS>{{PWD}}/__spark_conf__/__hadoop_conf__"
    );
    let keys: Vec<_> = context
        .container
        .local_resources
        .iter()
        .map(|resource| resource.key.as_str())
        .collect();
    for key in [
        "__overlay__/driver.jar",
        "udf.jar",
        "model.tgz",
        "__jdk__",
        "__python__",
    ] {
        assert!(keys.contains(&key), "{key} {keys:?}");
    }
}

#[test]
fn sizes_labels_and_priority_are_passed_on() {
    let mut spec = sql("SELECT 1");
    spec.priority = Some(5);
    spec.node_label = Some("gpu".into());
    spec.resources = Resources {
        driver_mb: 2048,
        driver_cores: 2,
        driver_overhead_mb: Some(1024),
        dynamic: Some(DynamicAllocation {
            min: 1,
            max: 4,
            cached_idle_seconds: Some(300),
            ..DynamicAllocation::default()
        }),
        ..Resources::default()
    };
    let context = submission(&spec, &Extra::default());
    assert_eq!(
        (context.am_resource.memory_mb, context.am_resource.vcores),
        (3072, 2)
    );
    assert_eq!(
        (context.priority, context.node_label.as_deref()),
        (Some(5), Some("gpu"))
    );
    let settings = text(&prepare(&spec, &Extra::default()).unwrap());
    for line in [
        "spark.driver.memoryOverhead=1024m\n",
        "spark.dynamicAllocation.enabled=true\n",
        "spark.dynamicAllocation.maxExecutors=4\n",
        "spark.dynamicAllocation.cachedExecutorIdleTimeout=300s\n",
        "spark.shuffle.service.enabled=false\n",
        "spark.yarn.executor.nodeLabelExpression=gpu\n",
        "spark.ui.view.acls=penstock\n",
        "spark.acls.enable=true\n",
    ] {
        assert!(settings.contains(line), "{line}");
    }
}

#[test]
fn options_and_environment_reach_the_driver() {
    let extra = Extra {
        defaults: vec![("spark.driver.defaultJavaOptions".into(), "-Dfirst=1".into())],
        ..Extra::default()
    };
    let spec = with(&[
        (
            "spark.driver.extraJavaOptions",
            "-Xlog:gc:<LOG_DIR>/gc.log -XX:HeapDumpPath=/d/{{APP_ID}} '-Da=b $c'",
        ),
        ("spark.yarn.appMasterEnv.GREETING", "it's \"`x`\" $HOME"),
        ("spark.driver.extraLibraryPath", "/native"),
    ]);
    let context = submission(&spec, &extra);
    let command = &context.container.command;
    assert!(
        command.contains(
            "{{PWD}}/tmp -Dfirst=1 -Xlog:gc:<LOG_DIR>/gc.log '-XX:HeapDumpPath=/d/application_1_0001' '-Da=b \\$c' -Dspark.yarn.app"
        ),
        "{command}"
    );
    let environment: BTreeMap<_, _> = context.container.environment.into_iter().collect();
    assert_eq!(environment["GREETING"], "it's \\\"\\`x\\`\\\" $HOME");
    assert_eq!(environment["LD_LIBRARY_PATH"], "/native:$LD_LIBRARY_PATH");
}

#[test]
fn nothing_secret_is_shown() {
    let mut spec = with(&[
        ("spark.hadoop.fs.s3a.secret.key", "hunter2"),
        ("spark.yarn.appMasterEnv.DB_PASSWORD", "hunter2"),
        ("spark.driver.extraJavaOptions", "-Ddb.password=hunter2 -Dx=1"),
    ]);
    spec.program = Program::Jar {
        main_class: "a.B".into(),
    };
    spec.args = ["--password", "hunter2", "--url", "jdbc:x?password=hunter2&y=1"]
        .map(str::to_owned)
        .to_vec();
    let launch = plan(&prepare(&spec, &Extra::default()).unwrap());
    let shown = launch.redacted(None);
    let all = format!("{shown:?}");
    assert!(!all.contains("hunter2"), "{all}");
    assert!(shown.command.contains("--arg --url") && shown.command.contains("-Dx=1"));
    assert_eq!((shown.memory_mb, shown.max_attempts), (1408, 1));
    assert!(
        shown
            .conf
            .iter()
            .any(|(key, value)| key == "spark.executor.memory" && value == "1024m")
    );
    // What is sent is not what is shown.
    let sent = launch.submission("application_1_0001".parse().unwrap());
    assert!(sent.container.command.contains("hunter2"));
}
