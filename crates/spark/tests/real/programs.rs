//! Jars and Python files.

use crate::{
    NEWEST, OLDER,
    sandbox::{Sandbox, spec},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Code;
use net::Url;
use spark::{
    Dependency, Program, Role,
    rest::{Client, Observation},
};
use std::time::{Duration, Instant};

const HOSTILE: &[&str] = &[
    "plain",
    "a b",
    "",
    "it's",
    "say \"hi\"",
    "$HOME ${PATH} $(id)",
    "`id`",
    "back\\slash \\$x \\\\ end\\",
    "line1\nline2\ttab",
    "cr\r\nlf",
    "{{PWD}} {{X}} }}{{",
    "<LOG_DIR> <CPS> <ADD_OPENS>",
    "a;b|c&d>e<f #g !h * ~",
    "%s %d",
    "--class",
    "x=y,z",
    "'\\''",
    "SELECT '$x' -- \"`\\`\"\n;",
];
const NEEDS_A_FILE: &[&str] = &["ünï – 日本 😀", "\u{1}\u{1b}[0m\u{7f}", "\u{fffe}"];

fn jar(class: &str) -> Program {
    Program::Jar {
        main_class: format!("io.penstock.spark.testjobs.{class}"),
    }
}

fn echoed(text: &str) -> Vec<String> {
    let mut lines = text.lines();
    let count: usize = lines.next().unwrap().parse().unwrap();
    lines
        .take(count)
        .map(|line| String::from_utf8(STANDARD.decode(line).unwrap()).unwrap())
        .collect()
}

async fn jars_get_their_arguments(home: &str) {
    let sandbox = Sandbox::new(home).await;
    let testjobs = sandbox.testjobs().await;
    let all = [HOSTILE, NEEDS_A_FILE].concat();
    for (name, args) in [("on the command line", HOSTILE), ("in a file", all.as_slice())] {
        let mut spec = spec(&format!("jar <&> {name}"), jar("EchoArgs"));
        let target = sandbox.uri("echoed");
        spec.args = std::iter::once(target.as_str())
            .chain(args.iter().copied())
            .map(str::to_owned)
            .collect();
        let ended = sandbox.run(&spec, Some(("testjobs.jar", &testjobs)), &[]).await;
        ended.succeeded();
        let text = sandbox.read(&target).await;
        assert_eq!(echoed(&text), args, "{name}");
        assert_eq!(text.lines().last(), Some("500500"), "the executors' sum");
        assert_eq!(ended.app.application_type, "SPARK");
    }
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn jars_newest() {
    jars_get_their_arguments(NEWEST).await;
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn jars_older() {
    jars_get_their_arguments(OLDER).await;
}

const PYTHON: &str = r#"
import base64
import sys

from helper import twice
from package import name
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
total = spark.sparkContext.parallelize(range(1000), 4).map(twice).sum()
lines = [str(len(sys.argv) - 2)]
lines += [base64.b64encode(arg.encode()).decode() for arg in sys.argv[2:]]
lines += ["%d %s %s" % (total, name, open("data.txt").read().strip())]
path = spark._jvm.org.apache.hadoop.fs.Path(sys.argv[1])
out = path.getFileSystem(spark._jsc.hadoopConfiguration()).create(path, True)
out.write(bytearray("\n".join(lines).encode()))
out.close()
spark.stop()
"#;

async fn python_gets_arguments_and_modules(home: &str) {
    let sandbox = Sandbox::new(home).await;
    let script = sandbox.own("main.py", PYTHON).await;
    let package = spark::zip::stored(&[("package/__init__.py".to_owned(), b"name = 'zipped'\n".to_vec())]);
    let dependencies = [
        Dependency {
            name: "helper.py".into(),
            role: Role::PyFile,
            file: sandbox
                .own("helper.py", "def twice(n):\n    return n * 2\n")
                .await,
        },
        Dependency {
            name: "package.zip".into(),
            role: Role::PyFile,
            file: sandbox.own("package.zip", package.unwrap()).await,
        },
        Dependency {
            name: "data.txt".into(),
            role: Role::File,
            file: sandbox.own("data.txt", "from a file\n").await,
        },
    ];
    let all = [HOSTILE, NEEDS_A_FILE].concat();
    for (name, args) in [("on the command line", HOSTILE), ("in a file", all.as_slice())] {
        let mut spec = spec(&format!("python {name}"), Program::Python);
        let target = sandbox.uri("echoed-by-python");
        spec.args = std::iter::once(target.as_str())
            .chain(args.iter().copied())
            .map(str::to_owned)
            .collect();
        let ended = sandbox
            .run(&spec, Some(("主 main.py", &script)), &dependencies)
            .await;
        ended.succeeded();
        let text = sandbox.read(&target).await;
        assert_eq!(echoed(&text), args, "{name}");
        assert_eq!(text.lines().last(), Some("999000 zipped from a file"));
    }
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn python_newest() {
    python_gets_arguments_and_modules(NEWEST).await;
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn python_older() {
    python_gets_arguments_and_modules(OLDER).await;
}

const MEMORY: &str = "python memory";

async fn failures_are_explained(home: &str, wanted: impl Fn(&str) -> bool) {
    let sandbox = Sandbox::new(home).await;
    let testjobs = sandbox.testjobs().await;
    let python = sandbox
        .own(
            "fails.py",
            "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\n\ndef broken():\n    raise ValueError(\"boom: it's broken\")\n\n\nbroken()\n",
        )
        .await;
    let missing = sandbox.own("missing.py", "import no_such_module\n").await;
    let greedy = sandbox
        .own(
            "greedy.py",
            "import time\nfrom pyspark.sql import SparkSession\n\n\ndef fill(n):\n    kept = bytearray(b\"x\") * (1200 << 20)\n    time.sleep(60)\n    return len(kept)\n\n\nSparkSession.builder.getOrCreate().sparkContext.parallelize([1], 1).map(fill).collect()\n",
        )
        .await;
    let exits = sandbox.own("exits.py", "import sys\nsys.exit(3)\n").await;
    let fail = |what: &str| (jar("Fail"), vec![what.to_owned()], &testjobs);
    for (name, (program, args, file), code, told) in [
        ("throw", fail("throw"), Code::AppFailed, "boom: it's «broken»"),
        (
            "early",
            fail("early"),
            Code::AppFailed,
            "no such option: it's «broken»",
        ),
        ("exit", fail("exit"), Code::AppFailed, "System.exit"),
        (
            "task",
            fail("task"),
            Code::AppFailed,
            "ArithmeticException: / by zero",
        ),
        (
            "heap",
            fail("heap"),
            Code::OutOfMemory,
            "driver: Java heap space.",
        ),
        ("executor", fail("executor"), Code::AppFailed, "Exit status: 52."),
        ("library", fail("library"), Code::AppFailed, "data source: delta."),
        (
            "class",
            (jar("Nowhere"), vec![], &testjobs),
            Code::MainClassMissing,
            "io.penstock.spark.testjobs.Nowhere",
        ),
        (
            "class by file",
            (jar("Nowhere"), vec!["é".to_owned()], &testjobs),
            Code::MainClassMissing,
            "io.penstock.spark.testjobs.Nowhere",
        ),
        (
            "python",
            (Program::Python, vec![], &python),
            Code::AppFailed,
            "ValueError: boom: it's broken (fails.py, line 6)",
        ),
        (
            "python module",
            (Program::Python, vec![], &missing),
            Code::AppFailed,
            "ModuleNotFoundError: No module named 'no_such_module' (missing.py, line 1)",
        ),
        (
            MEMORY,
            (Program::Python, vec![], &greedy),
            Code::OutOfMemory,
            "physical memory",
        ),
        (
            "python exit",
            (Program::Python, vec![], &exits),
            Code::AppFailed,
            "User application exited with status 3",
        ),
    ] {
        if !wanted(name) {
            continue;
        }
        // Each takes half a minute; one can be asked for.
        if std::env::var("PENSTOCK_TEST_FAILURE").is_ok_and(|only| !only.split(',').any(|one| one == name)) {
            continue;
        }
        let mut spec = spec(&format!("fails: {name}"), program);
        spec.args = args;
        spec.conf.insert("spark.task.maxFailures".into(), "1".into());
        let script = match spec.program {
            Program::Python => format!("{}.py", if name == "python" { "fails" } else { "missing" }),
            _ => "testjobs.jar".to_owned(),
        };
        let ended = sandbox.run(&spec, Some((&script, file)), &[]).await;
        let failure = ended.cause();
        println!("  {}: {failure}", failure.code.as_str());
        assert!(
            failure.code == code && failure.args.values().any(|arg| arg.contains(told)),
            "{name}: {failure:?}\nwanted {code:?} {told}\n{}\n-- out\n{}\n-- err\n{}",
            ended.app.diagnostics,
            ended.out,
            ended.err
        );
        assert!(ended.state().ends_with("/Failed"), "{name}: {}", ended.state());
    }
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn failures_newest() {
    failures_are_explained(NEWEST, |name| name != MEMORY).await;
}

/// Needs a node that ends what takes too much: `yarn.nodemanager.resource.memory.enforced` = false, or
/// it leaves that to control groups.
#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn memory_newest() {
    failures_are_explained(NEWEST, |name| name == MEMORY).await;
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn failures_older() {
    failures_are_explained(OLDER, |name| name != MEMORY).await;
}

async fn a_driver_tells_of_its_work(home: &str) {
    let sandbox = Sandbox::new(home).await;
    let testjobs = sandbox.testjobs().await;
    let mut spec = spec("slow", jar("Slow"));
    spec.args = vec!["20".into()];
    let (id, _) = sandbox
        .submit(&spec, Some(("testjobs.jar", &testjobs)), &[])
        .await;
    let base = Url::parse(&format!(
        "{}/proxy/{id}",
        crate::sandbox::variable("PENSTOCK_SANDBOX_RM")
    ))
    .unwrap();
    let query = vec![
        ("user.name".to_owned(), "penstock".to_owned()),
        ("doAs".to_owned(), "team_a".to_owned()),
    ];
    let client = Client::new(net::Client::new().unwrap(), base, query, &id.to_string());
    let deadline = Instant::now() + Duration::from_secs(120);
    let progress = loop {
        let seen = client.progress().await;
        if let Observation::Known(progress) = seen
            && progress.tasks_completed > 2
        {
            break progress;
        }
        assert!(Instant::now() < deadline, "{seen:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((progress.jobs_running, progress.tasks), (1, 20));
    let Observation::Known(stages) = client.active_stages().await else {
        panic!("no stages")
    };
    assert_eq!((stages.len(), stages[0].num_tasks), (1, 20));
    let Observation::Known(executors) = client.executors().await else {
        panic!("no executors")
    };
    assert!(executors.iter().any(|e| e.id == "driver") && executors.iter().any(|e| e.id == "1"));
    sandbox.rm.kill(id).await.unwrap();
    let app = sandbox.ended(id).await;
    println!("{id} slow {:?}/{:?} {progress:?}", app.state, app.final_status);
    assert_eq!(client.progress().await, Observation::Gone);
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn progress_newest() {
    a_driver_tells_of_its_work(NEWEST).await;
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn progress_older() {
    a_driver_tells_of_its_work(OLDER).await;
}
