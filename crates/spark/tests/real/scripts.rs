//! SQL scripts.

use crate::{
    NEWEST, OLDER,
    sandbox::{Sandbox, spec},
};
use domain::Code;
use serde_json::json;
use spark::{Program, events};

fn script(sql: &str) -> Program {
    Program::Sql { script: sql.into() }
}

async fn scripts_run_to_their_end(home: &str) {
    let sandbox = Sandbox::new(home).await;
    let sql = "-- it's a script; with `everything`\n\
        SET spark.sql.shuffle.partitions=1;\n\
        CREATE TABLE t (id BIGINT, s STRING) USING parquet;\n\
        INSERT INTO t VALUES (1, 'a;b'), (2, \"it's $HOME `id`\"), (9007199254740993, '日本 😀');\n\
        INSERT INTO t\n  SELECT id + 10, 'more' FROM range(5);\n\
        SELECT id, s AS id, CAST(id AS DECIMAL(38,2)) d, TIMESTAMP '2026-11-20 12:00:00' ts, NULL n, array(1, 2) a\n  FROM t ORDER BY id DESC;\n\
        SELECT count(*) FROM t";
    let spec = spec("script «good»", script(sql));
    let ended = sandbox.run(&spec, None, &[]).await;
    ended.succeeded();
    let results = ended.results.clone().unwrap();
    let summary = events::summary(&sandbox.read(&format!("{results}/{}", events::SUMMARY_FILE)).await);
    let seen: Vec<_> = summary
        .iter()
        .map(|e| (e.index, e.line, e.kind.as_str(), e.state.as_str(), e.rows))
        .collect();
    assert_eq!(
        seen,
        [
            (1, 2, "set", "finished", None),
            (2, 3, "ddl", "finished", None),
            (3, 4, "insert", "finished", Some(3)),
            (4, 5, "insert", "finished", Some(5)),
            (5, 7, "query", "finished", Some(3)),
            (6, 9, "query", "finished", Some(1)),
        ]
    );
    let logged: Vec<_> = events::statement_events(&ended.out)
        .filter(|event| event.state != "started")
        .collect();
    assert_eq!(logged, summary);
    let rows = sandbox.rows(&ended, 5).await;
    let columns: Vec<_> = rows
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.kind.as_str()))
        .collect();
    assert_eq!(
        columns,
        [
            ("id", "bigint"),
            ("id", "string"),
            ("d", "decimal(38,2)"),
            ("ts", "timestamp"),
            ("n", "void"),
            ("a", "array<int>")
        ]
    );
    assert_eq!(
        rows.rows[0],
        [
            json!("9007199254740993"),
            json!("日本 😀"),
            json!("9007199254740993.00"),
            json!("2026-11-20T12:00:00.000+08:00"),
            json!(null),
            json!([1, 2])
        ]
    );
    assert!(rows.truncated && rows.rows.len() == 3);
    assert_eq!(sandbox.rows(&ended, 6).await.rows, [[json!("8")]]);
    // The time zone's noon there is four in the morning in the console's.
    println!("{} rows {:?}", ended.id, rows.rows[2]);
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn scripts_newest() {
    scripts_run_to_their_end(NEWEST).await;
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn scripts_older() {
    scripts_run_to_their_end(OLDER).await;
}

async fn failing_scripts_name_the_statement(home: &str) {
    let sandbox = Sandbox::new(home).await;
    for (name, sql, statement, line, told) in [
        (
            "table",
            "SELECT 1;\n\nSELECT *\n  FROM nope;\nSELECT 3",
            "2",
            "3",
            &["`nope`", "line 4"][..],
        ),
        (
            "syntax",
            "SELECT 1;\nSELECT 2;\n  SELEC 3;",
            "3",
            "3",
            &["PARSE_SYNTAX_ERROR", "(line 3, pos 2)"],
        ),
        (
            "task",
            "SELECT assert_true(id < 3, 'too large') FROM range(5)",
            "1",
            "1",
            &["too large"],
        ),
        ("text", "SELECT 1;\nSELECT 'a", "?", "2", &["text is not closed"]),
    ] {
        let spec = spec(&format!("script fails: {name}"), script(sql));
        let ended = sandbox.run(&spec, None, &[]).await;
        let failure = ended.cause();
        println!("  {}: {failure}", failure.code.as_str());
        let context = || format!("{name}: {failure:?}\n{}\n{}", ended.app.diagnostics, ended.out);
        assert_eq!(ended.state(), "Finished/Failed", "{}", context());
        assert_eq!(failure.code, Code::SqlFailed, "{}", context());
        assert_eq!(
            (failure.args["statement"].as_str(), failure.args["line"].as_str()),
            (statement, line),
            "{}",
            context()
        );
        for word in told {
            assert!(failure.args["reason"].contains(word), "{word}: {}", context());
        }
        assert!(!failure.args["reason"].contains("Project ["), "{}", context());
    }
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn failing_scripts_newest() {
    failing_scripts_name_the_statement(NEWEST).await;
}

#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn failing_scripts_older() {
    failing_scripts_name_the_statement(OLDER).await;
}
