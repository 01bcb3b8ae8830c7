//! The planner against what Spark's own client computes (3.5.9, 4.2.1) and what a real cluster has run
//! (4.2.1): the same words, files, environment and settings where the console does not differ on purpose.
#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too")]

use hadoop::xml::{LocalResource, ResourceKind, SubmissionContext, Visibility};
use serde::Deserialize;
use spark::{
    Cluster, Dependency, Distribution, Launch, PlacedFile, PlanInput, PrepareInput, Prepared, Program,
    Resources, Role, Spec,
};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Golden {
    version: String,
    name: String,
    r#type: String,
    queue: String,
    attempts: u32,
    memory: u64,
    vcores: u32,
    command: String,
    environment: BTreeMap<String, String>,
    resources: Vec<GoldenResource>,
    #[serde(default)]
    dist_cache: Vec<String>,
    #[serde(default)]
    settings: Vec<String>,
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

impl Golden {
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }

    fn file(&self, key: &str) -> PlacedFile {
        let found = self.resources.iter().find(|r| r.key == key).unwrap();
        PlacedFile {
            uri: found.uri.clone(),
            size: found.size,
            mtime: found.mtime,
            visibility: match found.visibility.as_str() {
                "PUBLIC" => Visibility::Public,
                _ => Visibility::Private,
            },
        }
    }

    fn dependency(&self, key: &str, role: Role) -> Dependency {
        Dependency {
            name: key.rsplit('/').next().unwrap().to_owned(),
            role,
            file: self.file(key),
        }
    }

    fn user(&self) -> &str {
        &self.environment["SPARK_USER"]
    }

    /// Arguments of the program, between the class and the console's own.
    fn args(&self) -> Vec<String> {
        let words = words(&self.command);
        words
            .windows(2)
            .filter(|pair| pair[0] == "--arg")
            .map(|pair| pair[1].clone())
            .collect()
    }
}

/// What the outer and the inner shell make of a command.
fn words(command: &str) -> Vec<String> {
    let mut inner = String::new();
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some('$' | '"' | '`' | '\\') if c == '\\' => inner.push(chars.next().unwrap()),
            _ => inner.push(c),
        }
    }
    let (mut words, mut word, mut begun, mut quoted) = (Vec::new(), String::new(), false, false);
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => (quoted, begun) = (!quoted, true),
            _ if quoted => word.push(c),
            '\\' => word.push(chars.next().unwrap()),
            ' ' => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

fn spec(golden: &Golden, program: Program, conf: &[(&str, &str)], resources: Resources) -> Spec {
    Spec {
        name: golden.name.clone(),
        queue: golden.queue.clone(),
        program,
        args: golden.args(),
        conf: conf
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        resources,
        tags: vec![],
        time_zone: None,
        priority: None,
        node_label: None,
        am_attempts: 1,
        preview_rows: 1000,
    }
}

fn planned(
    golden: &Golden,
    spec: &Spec,
    libraries: &PlacedFile,
    python: &[&str],
    program: &str,
    dependencies: &[Dependency],
) -> (Prepared, SubmissionContext) {
    let distribution = Distribution {
        version: golden.version.parse().unwrap(),
        scala: "2.13".into(),
        java: 17,
        with_hadoop: true,
        python: vec![],
        with_connect: false,
        defaults: vec![],
    };
    let cluster = Cluster {
        hadoop_user: golden.user().to_owned(),
        service_user: "penstock".into(),
        class_path: vec![],
        min_allocation_mb: 128,
        client_xml: vec![("core-site.xml".into(), "<configuration/>".into())],
    };
    let python: Vec<_> = python
        .iter()
        .map(|key| (format!("python/lib/{key}"), golden.file(key)))
        .collect();
    let prepared = Prepared::new(&PrepareInput {
        spec,
        distribution: &distribution,
        cluster: &cluster,
        libraries,
        python: &python,
        program: Some(&golden.file(program)),
        program_name: program,
        runner: &golden.file(program),
        dependencies,
        jdk: None,
        python_home: None,
        conf_dir: "hdfs://nn:8020/prepared",
    })
    .unwrap();
    let archive = PlacedFile {
        uri: prepared.archive_uri.clone(),
        size: prepared.archive.len() as u64,
        mtime: 1,
        visibility: Visibility::Private,
    };
    let launch = Launch::plan(
        &prepared,
        &PlanInput {
            archive: &archive,
            deployment: "d1",
            run: "r1",
            run_dir: "hdfs://nn:8020/runs/r1",
        },
    )
    .unwrap();
    let context = launch.submission("application_1700000000000_0007".parse().unwrap());
    (prepared, context)
}

/// Everything but what the console decides by itself.
fn compare(golden: &Golden, context: &SubmissionContext, files: &[&str]) {
    assert_eq!(
        (&context.name, &context.application_type, &context.queue),
        (&golden.name, &golden.r#type, &golden.queue)
    );
    assert_eq!(
        (context.am_resource.memory_mb, context.am_resource.vcores),
        (golden.memory, golden.vcores)
    );
    assert_eq!(context.max_app_attempts, golden.attempts.max(1));
    assert_eq!(context.tags, ["penstock-d1", "penstock-run-r1"]);
    let mut got = words(&context.container.command);
    got.retain(|word| !word.starts_with("-Dspark.sql.warehouse.dir="));
    let mut want = words(&golden.command);
    while let Some(odd) = want.iter().position(|word| !word.is_ascii()) {
        want.drain(odd - 1..=odd);
    }
    assert_eq!(got, want);
    let environment: BTreeMap<_, _> = context.container.environment.iter().cloned().collect();
    for (name, value) in &golden.environment {
        if name != "SPARK_YARN_STAGING_DIR" {
            assert_eq!(environment.get(name), Some(value), "{name}");
        }
    }
    assert_eq!(
        environment["SPARK_YARN_STAGING_DIR"],
        "hdfs://nn:8020/runs/r1/staging"
    );
    let resource = |key: &str| -> &LocalResource {
        let found = context.container.local_resources.iter().find(|r| r.key == key);
        found.unwrap_or_else(|| panic!("{key} is missing"))
    };
    for key in files {
        let want = golden.resources.iter().find(|r| r.key == *key).unwrap();
        let got = resource(key);
        let kind = match got.kind {
            ResourceKind::File => "FILE",
            ResourceKind::Archive => "ARCHIVE",
        };
        assert_eq!(
            (&got.uri, kind, got.size, got.timestamp),
            (&want.uri, want.kind.as_str(), want.size, want.mtime),
            "{key}"
        );
    }
    assert_eq!(resource("__spark_conf__").kind, ResourceKind::Archive);
}

/// A stored file of an archive.
fn entry(archive: &[u8], name: &str) -> String {
    let mut at = 0;
    while archive[at..].starts_with(b"PK\x03\x04") {
        let number = |from: usize, len: usize| -> usize {
            archive[at + from..at + from + len]
                .iter()
                .rev()
                .fold(0, |sum, b| sum * 256 + usize::from(*b))
        };
        let (size, length) = (number(18, 4), number(26, 2));
        let content = at + 30 + length;
        if &archive[at + 30..content] == name.as_bytes() {
            return String::from_utf8(archive[content..content + size].to_vec()).unwrap();
        }
        at = content + size;
    }
    panic!("no {name} in the archive")
}

#[test]
fn jars_are_launched_as_the_client_does() {
    for text in [
        include_str!("golden/jar-3.5.9.json"),
        include_str!("golden/jar-4.2.1.json"),
    ] {
        let golden = Golden::read(text);
        let resources = Resources {
            driver_mb: 2048,
            driver_cores: 2,
            ..Resources::default()
        };
        let conf = [("spark.driver.extraJavaOptions", "'-Dfoo=b $x' -XX:+UseG1GC")];
        let main_class = "com.example.Main".to_owned();
        let spec = spec(&golden, Program::Jar { main_class }, &conf, resources);
        // The client was given single jars.
        let libraries = PlacedFile {
            uri: "hdfs://nn:8020/libs.zip".into(),
            ..golden.file("__app__.jar")
        };
        let dependencies = [
            golden.dependency("dep.jar", Role::Jar),
            golden.dependency("alias.txt", Role::File),
        ];
        let (prepared, context) = planned(&golden, &spec, &libraries, &[], "__app__.jar", &dependencies);
        compare(&golden, &context, &["__app__.jar", "dep.jar", "alias.txt"]);
        let settings = entry(&prepared.archive, "__spark_conf__.properties");
        assert!(
            settings.contains("spark.yarn.secondary.jars=dep.jar\n"),
            "{settings}"
        );
    }
}

#[test]
fn python_is_launched_as_the_client_does() {
    let golden = Golden::read(include_str!("golden/python-3.5.9.json"));
    let conf = [("spark.yarn.appMasterEnv.PYSPARK_PYTHON", "./env/bin/python")];
    let spec = spec(&golden, Program::Python, &conf, Resources::default());
    let dependencies = [
        golden.dependency("__pyfiles__/util.py", Role::PyFile),
        golden.dependency("pkg.zip", Role::PyFile),
    ];
    let python = ["pyspark.zip", "py4j-0.10.9.7-src.zip"];
    let libraries = golden.file("__spark_libs__");
    let (prepared, context) = planned(&golden, &spec, &libraries, &python, "main.py", &dependencies);
    let files = [
        "__spark_libs__",
        "__pyfiles__/util.py",
        "pkg.zip",
        "pyspark.zip",
        "py4j-0.10.9.7-src.zip",
        "main.py",
    ];
    compare(&golden, &context, &files);
    let cache = entry(&prepared.archive, "__spark_dist_cache__.properties");
    assert!(!cache.contains("main.py"), "the driver's alone: {cache}");
}

#[test]
fn what_a_cluster_has_run_is_planned_again() {
    for (text, program, python) in [
        (include_str!("golden/ran-jar-4.2.1.json"), "__app__.jar", &[][..]),
        (
            include_str!("golden/ran-python-4.2.1.json"),
            "sqlrunner.py",
            &["pyspark.zip", "py4j-0.10.9.9-src.zip"][..],
        ),
    ] {
        let golden = Golden::read(text);
        let kind = if python.is_empty() {
            Program::Jar {
                main_class: "ArgsPi".into(),
            }
        } else {
            Program::Python
        };
        let resources = Resources {
            driver_mb: 768,
            executor_mb: 768,
            executors: 1,
            ..Resources::default()
        };
        let mut spec = spec(&golden, kind, &[], resources);
        // One of them travels in a file here, and the command would be another.
        spec.args.retain(|arg| arg.is_ascii());
        let libraries = golden.file("__spark_libs__");
        let (prepared, context) = planned(&golden, &spec, &libraries, python, program, &[]);
        compare(&golden, &context, &["__spark_libs__", program]);
        let cache = entry(&prepared.archive, "__spark_dist_cache__.properties");
        for line in &golden.dist_cache {
            if !line.starts_with("spark.yarn.cache.confArchive=") {
                assert!(cache.lines().any(|have| have == line), "{line}\n{cache}");
            }
        }
        assert!(cache.ends_with(&format!(
            "spark.yarn.cache.confArchive=hdfs\\://nn\\:8020/prepared/{}\n",
            prepared.archive_name
        )));
        let settings = entry(&prepared.archive, "__spark_conf__.properties");
        for line in &golden.settings {
            assert!(settings.lines().any(|have| have == line), "{line}\n{settings}");
        }
    }
}
