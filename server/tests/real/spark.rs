//! Spark: each kind of job to its end, good and failing, killed, and started once whatever happens to
//! the console.

use crate::{
    site::Site,
    wait::{PATIENCE, until, within},
    world::World,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The first start on a node unpacks the whole distribution there.
const FIRST_START: Duration = PATIENCE.saturating_mul(2);

/// A definition with small sizes, and `more` in it.
async fn spec(site: &Site, kind: &str, more: Value) -> Value {
    let environment = site.spark().await;
    let mut spec = site.spec(kind, more);
    let fields = spec.as_object_mut().unwrap();
    fields.remove("resources");
    fields.insert("environment".into(), environment.into());
    fields.insert(
        "spark".into(),
        json!({ "driver_mb": 512, "executor_mb": 512, "executors": 1 }),
    );
    spec
}

async fn jar(site: &Site, main_class: &str, args: Value) -> Value {
    let jar = std::fs::read(&site.sandbox.spark_test_jobs).unwrap();
    let artifact = site.upload("penstock-spark-testjobs.jar", jar).await;
    let main_class = format!("io.penstock.spark.testjobs.{main_class}");
    let more = json!({ "artifact": artifact, "main_class": main_class, "args": args });
    spec(site, "spark_jar", more).await
}

/// Waits for the end, which the first of all runs may take long for.
async fn ended(site: &Site, run: &str) -> Value {
    let path = format!("/runs/{run}");
    within(FIRST_START, &format!("{run} ends"), async || {
        let shown = site.dev.look(&path).await?;
        if shown["ended_at"].is_i64() {
            Ok(shown)
        } else {
            Err(shown.to_string())
        }
    })
    .await
}

async fn succeeded(site: &Site, run: &str) -> Value {
    let shown = ended(site, run).await;
    assert_eq!(
        (&shown["state"], &shown["final_status"]),
        (&json!("finished"), &json!("SUCCEEDED")),
        "{shown:#}"
    );
    let app = site.only_application(run).await;
    assert_eq!(
        (app.state.as_str(), app.final_status.as_str()),
        ("FINISHED", "SUCCEEDED")
    );
    shown
}

/// The lines of a file the team's user has.
async fn lines(site: &Site, path: &str) -> Vec<String> {
    let text = String::from_utf8(site.checker().read(path).await.unwrap()).unwrap();
    text.lines().map(str::to_owned).collect()
}

pub(crate) async fn script(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let script = "-- it's a script; with `everything`\n\
        CREATE TABLE t (id BIGINT, s STRING) USING parquet;\n\
        INSERT INTO t VALUES (1, 'a;b'), (2, \"it's $HOME\"), (9007199254740993, '\u{65e5}\u{672c}');\n\
        INSERT INTO t SELECT id + 10, 'more' FROM range(5);\n\
        SELECT id, s, TIMESTAMP '2026-11-20 12:00:00' ts FROM t WHERE id < 10 OR id > 100 ORDER BY id;\n\
        SELECT count(*) FROM t";
    let more = json!({ "sql": script, "time_zone": "Asia/Shanghai" });
    let run = site.started(&spec(site, "spark_sql", more).await).await;
    succeeded(site, &run).await;

    let statements = site.dev.get(&format!("/runs/{run}/statements")).await;
    let seen: Vec<_> = statements
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (
                s["kind"].as_str().unwrap(),
                s["state"].as_str().unwrap(),
                s["rows"].as_i64(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("ddl", "finished", None),
            ("insert", "finished", Some(3)),
            ("insert", "finished", Some(5)),
            ("query", "finished", Some(3)),
            ("query", "finished", Some(1)),
        ]
    );
    let rows = site.dev.get(&format!("/runs/{run}/statements/4/rows")).await;
    let names: Vec<_> = rows["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, ["id", "s", "ts"]);
    assert_eq!(
        rows["rows"],
        json!([
            ["1", "a;b", "2026-11-20T12:00:00.000+08:00"],
            ["2", "it's $HOME", "2026-11-20T12:00:00.000+08:00"],
            [
                "9007199254740993",
                "\u{65e5}\u{672c}",
                "2026-11-20T12:00:00.000+08:00"
            ],
        ])
    );
    let count = site.dev.get(&format!("/runs/{run}/statements/5/rows")).await;
    assert_eq!(count["rows"], json!([["8"]]));
    let missing = site.dev.look(&format!("/runs/{run}/statements/2/rows")).await;
    assert!(missing.unwrap_err().starts_with("404"));

    // The rows stay; tables of a catalog that ended with the application do not.
    let path = format!("{}/teams/{}/runs", site.root, crate::sandbox::TEAM_USER);
    until("only the rows are left", async || {
        let files = site.checker().files_below(&path).await?;
        let mine: Vec<_> = files.iter().filter(|file| file.path.contains(&run)).collect();
        let results = mine.iter().any(|file| file.path.contains("/results/"));
        let others = mine
            .iter()
            .any(|file| file.path.contains("/warehouse") || file.path.contains("/staging"));
        if results && !others {
            Ok(())
        } else {
            Err(format!("{mine:?}"))
        }
    })
    .await;
}

const HOSTILE: [&str; 13] = [
    "",
    "two words",
    "\"quoted\"",
    "it's",
    "$HOME $(id) `id`",
    "line\nbreak\n",
    "a;b&&c|d>e<f",
    "*?[a]",
    "--name=value",
    "{{X}}",
    "<LOG_DIR>",
    "<CPS>",
    "gr\u{fc}\u{df}e \u{4f60}\u{597d} \u{1f600}",
];

pub(crate) async fn arguments(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    // Once on the command line, once out of a file.
    for (file, hostile) in [("echo-line.txt", &HOSTILE[..12]), ("echo-file.txt", &HOSTILE[..])] {
        let mut args = vec![site.data_uri(file)];
        args.extend(hostile.iter().map(|arg| (*arg).to_owned()));
        let run = site.started(&jar(site, "EchoArgs", json!(args)).await).await;
        succeeded(site, &run).await;
        let all = lines(site, &format!("{}/{file}", site.data)).await;
        assert_eq!(
            all.first().map(String::as_str),
            Some(hostile.len().to_string().as_str())
        );
        let arrived: Vec<String> = all[1..=hostile.len()]
            .iter()
            .map(|line| String::from_utf8(STANDARD.decode(line).unwrap()).unwrap())
            .collect();
        assert_eq!(arrived, hostile);
        // What the executors added up.
        assert_eq!(all.last().map(String::as_str), Some("500500"));
        site.assert_clean(&run).await;
    }
}

const MAIN: &str = "\
import sys
import helper
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
words = [line.strip() for line in open('words.txt', encoding='utf-8')]
rows = spark.createDataFrame([(word, helper.length(word)) for word in words], 'word string, n int')
out = rows.orderBy('n').rdd.map(lambda row: helper.line(row.word, row.n)).coalesce(1)
out.saveAsTextFile(sys.argv[1])
spark.stop()
";

const HELPER: &str = "\
def length(word):
    return len(word)


def line(word, n):
    return f'{n} {word}'
";

pub(crate) async fn python(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let main = site.upload("main.py", MAIN.into()).await;
    let helper = site.upload("helper.py", HELPER.into()).await;
    site.write("words.txt", "four\nn\u{fc}n\nelevenwords\n").await;
    let file = format!("{}/words.txt", site.data);
    let more = json!({
        "artifact": main, "args": [site.data_uri("words")], "dependencies": [helper], "files": [file],
    });
    let run = site.started(&spec(site, "pyspark", more).await).await;
    succeeded(site, &run).await;
    let mut all = Vec::new();
    for file in site
        .checker()
        .files_below(&format!("{}/words", site.data))
        .await
        .unwrap()
    {
        if file.path.contains("/part-") {
            all.extend(lines(site, &file.path).await);
        }
    }
    assert_eq!(all, ["3 n\u{fc}n", "4 four", "11 elevenwords"]);
    site.assert_clean(&run).await;
}

pub(crate) async fn failing(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let script = json!({ "sql": "SELECT 1;\n\nSELECT *\n  FROM nope;\nSELECT 3" });
    let script = spec(site, "spark_sql", script).await;
    let program = site
        .upload(
            "fails.py",
            "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\n1 / 0\n".into(),
        )
        .await;
    let python = spec(site, "pyspark", json!({ "artifact": program })).await;
    let throws = jar(site, "Fail", json!(["throw"])).await;
    let nowhere = jar(site, "NoSuchClass", json!([])).await;
    for (spec, code, told) in [
        (
            &script,
            "sql_failed",
            &[("statement", "2"), ("line", "3"), ("reason", "`nope`")][..],
        ),
        (
            &python,
            "app_failed",
            &[("reason", "ZeroDivisionError"), ("reason", "fails.py, line 3")],
        ),
        (
            &throws,
            "app_failed",
            &[("reason", "boom: it's \u{ab}broken\u{bb}")],
        ),
        (
            &nowhere,
            "main_class_missing",
            &[("class", "io.penstock.spark.testjobs.NoSuchClass")],
        ),
    ] {
        let run = site.started(spec).await;
        let shown = ended(site, &run).await;
        assert_eq!(shown["state"], "failed", "{shown:#}");
        until(&format!("{run} tells {told:?}"), async || {
            let shown = site.dev.look(&format!("/runs/{run}")).await?;
            let failure = &shown["failure"];
            let right = told.iter().all(|(name, part)| {
                failure["args"][name]
                    .as_str()
                    .is_some_and(|text| text.contains(part))
            });
            if failure["code"] == code && right {
                Ok(())
            } else {
                Err(failure.to_string())
            }
        })
        .await;
        assert!(site.only_application(&run).await.is_over());
    }
}

pub(crate) async fn killed(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let run = site.started(&jar(site, "Slow", json!(["600"])).await).await;
    let path = format!("/runs/{run}");
    let shown = within(FIRST_START, "tasks run", async || {
        let shown = site.dev.look(&path).await?;
        assert!(shown["ended_at"].is_null(), "{shown:#}");
        if shown["state"] == "running" && shown["tasks_running"].as_i64() > Some(0) {
            Ok(shown)
        } else {
            Err(shown.to_string())
        }
    })
    .await;
    assert_eq!(
        (&shown["observed_by"], &shown["tasks_total"]),
        (&json!("spark"), &json!(600)),
        "{shown:#}"
    );
    for role in ["driver", "executor"] {
        crate::streams::read_for(site, &run, role, "stderr", true, "org.apache.spark").await;
    }
    for mode in ["cancel", "savepoint", "drain"] {
        let answer = site
            .dev
            .post(&format!("/runs/{run}/stop"), &json!({ "mode": mode }))
            .await;
        assert_eq!(answer.refusal(), (400, "not_of_engine"), "{}", answer.body);
    }
    let path = format!("/runs/{run}/savepoints");
    let answer = site.admin.post(&path, &json!({})).await;
    assert_eq!(answer.refusal(), (400, "not_of_engine"), "{}", answer.body);
    site.kill(&run).await;
    crate::streams::read_for(site, &run, "driver", "stderr", false, "org.apache.spark").await;
}

pub(crate) async fn refused(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    let good = spec(site, "spark_sql", json!({ "sql": "SELECT 1" })).await;
    let with = |field: &str, value: Value| {
        let mut spec = good.clone();
        spec["name"] = format!("refused {field} {}", rand::random::<u32>()).into();
        spec[field] = value;
        spec
    };
    for (spec, status, code) in [
        (
            with("environment", site.environment.clone().into()),
            400,
            "environment_engine",
        ),
        (with("sql", "SELECT 'a".into()), 400, "sql_unterminated"),
        (
            with("conf", json!({ "spark.executor.memory": "9g" })),
            400,
            "conf_key_owned",
        ),
        (with("main_class", "a.B".into()), 400, "field_of_other_kind"),
        (with("spark", json!({ "driver_mb": 1 })), 400, "field_range"),
    ] {
        let answer = site.create(&spec).await;
        assert_eq!(answer.refusal(), (status, code), "{}", answer.body);
    }
    let greedy = with("spark", json!({ "driver_mb": 512, "executor_mb": 100_000 }));
    let run = site.started(&greedy).await;
    let shown = site.until_failed(&run, "resource_too_large").await;
    assert_eq!(shown["failure"]["args"]["max"], "4096 MiB", "{shown:#}");
    let nowhere = with("files", json!(["/nowhere/a.csv"]));
    let run = site.started(&nowhere).await;
    site.until_failed(&run, "hdfs_not_found").await;
    let path = format!("/jobs/{}/preview", site.job(&good).await);
    let preview = site.dev.post(&path, &json!({})).await.with(200);
    assert_eq!(preview["application_type"], "SPARK", "{preview:#}");
}

/// The console dies in the middle of a submission.
pub(crate) async fn once(world: Arc<World>) {
    let (site, _guard) = &world.alone().await;
    let spec = jar(site, "Slow", json!(["600"])).await;
    for point in ["submit.before_post", "submit.after_post"] {
        let mut spec = spec.clone();
        spec["name"] = format!("once {point}").into();
        let job = site.job(&spec).await;
        site.console.kill();
        site.console.launch(Some(point)).await;
        // The answer may be lost as well: the console ends a moment later.
        let _ = site.dev.try_post(&format!("/jobs/{job}/runs"), &json!({})).await;
        site.console.crashed().await;
        site.console.launch(None).await;
        let runs = site.dev.get(&format!("/runs?job={job}")).await;
        assert_eq!(runs["items"].as_array().unwrap().len(), 1, "{point}");
        let run = runs["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/runs/{run}");
        within(FIRST_START, &format!("{point}: {run} runs"), async || {
            let shown = site.dev.look(&path).await?;
            assert!(shown["ended_at"].is_null(), "{point}: {shown:#}");
            if shown["state"] == "running" {
                Ok(())
            } else {
                Err(shown.to_string())
            }
        })
        .await;
        site.only_application(&run).await;
        site.kill(&run).await;
    }
}

const SCRIPT: &str = include_str!("../../../sandbox/examples/airports_by_state.sql");
const PROGRAM: &str = include_str!("../../../sandbox/examples/airports_by_state.py");
const AIRPORTS: &str = "\
iata,name,city,state,country,latitude,longitude
AAA,One,Here,TX,USA,30.5,-95.0
BBB,\"Two, or so\",There,AK,USA,60.25,-150.0
CCC,Three,Else,TX,USA,33.125,-97.0
DDD,Four,Palau,NA,Palau,7.5,134.5
EEE,Five,Where,TX,USA,29.0,-98.0
";

/// What the demo offers, as jobs of each kind: all come to the same.
pub(crate) async fn examples(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    each_kind(site, site.spark().await).await;
}

pub(crate) async fn examples_on_the_oldest(world: Arc<World>) {
    let (site, ..) = &world.shared().await;
    each_kind(site, site.older_spark().await).await;
}

async fn each_kind(site: &Site, environment: String) {
    site.write("airports.csv", AIRPORTS).await;
    let (input, result) = (site.data_uri("airports.csv"), |kind: &str| {
        site.data_uri(&format!("by-state-{kind}"))
    });
    let sql = SCRIPT
        .replace("{input}", &input)
        .replace("{result}", &result("spark_sql"));
    let program = site.upload("airports_by_state.py", PROGRAM.into()).await;
    let more = json!({ "artifact": program, "args": [input, result("pyspark")] });
    let all = [
        ("spark_sql", spec(site, "spark_sql", json!({ "sql": sql })).await),
        (
            "spark_jar",
            jar(site, "AirportsByState", json!([input, result("spark_jar")])).await,
        ),
        ("pyspark", spec(site, "pyspark", more).await),
    ];
    for (kind, mut spec) in all {
        spec["environment"] = environment.clone().into();
        let run = site.started(&spec).await;
        succeeded(site, &run).await;
        let mut rows = Vec::new();
        for file in site
            .checker()
            .files_below(&format!("{}/by-state-{kind}", site.data))
            .await
            .unwrap()
        {
            if file.path.contains("/part-") {
                rows.extend(lines(site, &file.path).await);
            }
        }
        assert_eq!(rows, ["AK,1,60.25", "TX,3,33.125"], "{kind}");
    }
}
