use super::*;

const LAUNCH: &str = "Application application_1_0003 failed 1 times (global limit =2; local limit is =1) due to AM Container for appattempt_1_0003_000001 exited with  exitCode: ";

fn of(diagnostics: &str, out: &str, err: &str) -> (Code, String) {
    let failure = explain(&Evidence {
        diagnostics,
        out,
        err,
    });
    let args = failure.args.values().cloned().collect::<Vec<_>>().join("|");
    (failure.code, args)
}

fn diagnostics(text: &str) -> (Code, String) {
    of(text, "", "")
}

#[test]
fn yarn_speaks_of_queues_files_and_sizes() {
    let changed = format!(
        "{LAUNCH}-1000\nFailing this attempt.Diagnostics: [x]Failed to download resource {{ {{ hdfs://nn:8020/p/a.zip, 1, ARCHIVE, null }} }} java.io.IOException: Resource hdfs://nn:8020/p/a.zip changed on src filesystem - expected: \"2001\", was: \"2002\"\nFor more"
    );
    let gone = format!(
        "{LAUNCH}-1000\nFailing this attempt.Diagnostics: [x]java.io.FileNotFoundException: File does not exist: hdfs://nn:8020/p/b.jar\nFor more"
    );
    let killed = format!(
        "{LAUNCH}-104\nFailing this attempt.Diagnostics: [x]Container [pid=12,containerID=container_1_0003_01_000001] is running 1B beyond the 'PHYSICAL' memory limit. Container [pid=12,containerID=container_1_0003_01_000001] is running beyond physical memory limits. Current usage: 1.1 GB of 1 GB physical memory used; 3.0 GB of 2.1 GB virtual memory used. Killing container.\nDump of the process-tree"
    );
    for (text, code, told) in [
        (
            "Application application_1_0002 submitted by user alice to unknown queue: nope",
            Code::QueueUnknown,
            "nope",
        ),
        (
            "User alice does not have permission to submit application_1_0002 to queue root.q1",
            Code::QueueDenied,
            "root.q1|alice",
        ),
        (
            "Invalid resource request! Requested resource type=[memory-mb], Requested resource=<memory:100000, vCores:1>, maximum allowed allocation=<memory:8192, vCores:4>, please note",
            Code::ResourceTooLarge,
            "100000|8192|memory",
        ),
        (
            "User class threw exception: java.lang.IllegalArgumentException: Required executor memory (9000 MB), offHeap memory (0) MB, overhead (900 MB), and PySpark memory (0 MB) is above the max threshold (4096 MB) of this cluster!",
            Code::ResourceTooLarge,
            "9000 MB|4096 MB|memory",
        ),
        (changed.as_str(), Code::FileChanged, "hdfs://nn:8020/p/a.zip"),
        (gone.as_str(), Code::FileGone, "hdfs://nn:8020/p/b.jar"),
    ] {
        assert_eq!(diagnostics(text), (code, told.to_owned()), "{text}");
    }
    let (code, told) = diagnostics(&killed);
    assert_eq!(code, Code::OutOfMemory);
    assert!(
        told.contains("1.1 GB of 1 GB") && !told.contains("Dump"),
        "{told}"
    );
    assert_eq!(refused("something else").code, Code::SubmitRefused);
}

#[test]
fn what_a_driver_ended_with_is_found() {
    for (text, code, told) in [
        (
            include_str!("../../tests/samples/no-class.txt"),
            Code::MainClassMissing,
            "does.not.Exist",
        ),
        (
            include_str!("../../tests/samples/early.txt"),
            Code::AppFailed,
            "no such option: it's «broken»",
        ),
        (
            include_str!("../../tests/samples/task.txt"),
            Code::AppFailed,
            "ArithmeticException: / by zero",
        ),
        (
            "User class threw exception: java.lang.OutOfMemoryError: Java heap space\n\tat a.B.main(B.java:29)",
            Code::OutOfMemory,
            "driver: Java heap space.",
        ),
        (
            "User class threw exception: java.lang.ClassNotFoundException: org.postgresql.Driver\n\tat java.base/java.net.URLClassLoader.findClass(URLClassLoader.java:445)\n\tat com.acme.Job.main(Job.java:3)\n\tat org.apache.spark.deploy.yarn.ApplicationMaster$$anon$2.run(ApplicationMaster.scala:741)",
            Code::AppFailed,
            "ClassNotFoundException: org.postgresql.Driver",
        ),
        (
            "Shutdown hook called before final status was reported.",
            Code::AppFailed,
            "System.exit: Shutdown hook called before final status was reported (exitCode 16)",
        ),
        (
            "User application exited with status 1",
            Code::AppFailed,
            "User application exited with status 1",
        ),
    ] {
        assert_eq!(diagnostics(text), (code, told.to_owned()), "{text}");
    }
    let (code, told) = diagnostics(include_str!("../../tests/samples/analysis.txt"));
    assert_eq!(code, Code::AppFailed);
    assert!(
        told.starts_with("[TABLE_OR_VIEW_NOT_FOUND]") && told.ends_with("line 1 pos 14"),
        "{told}"
    );
}

#[test]
fn lost_executors_are_told_with_their_reason() {
    let job = "User class threw exception: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage 0.0 (TID 3) (node1 executor 4): ";
    let killed = format!(
        "{job}ExecutorLostFailure (executor 4 exited caused by one of the running tasks) Reason: Container killed by YARN for exceeding physical memory limits. 1.1 GB of 1 GB physical memory used. Consider boosting spark.executor.memoryOverhead.\nDriver stacktrace:\n\tat x"
    );
    assert_eq!(
        diagnostics(&killed),
        (
            Code::OutOfMemory,
            "executor 4: Container killed by YARN for exceeding physical memory limits. 1.1 GB of 1 GB physical memory used.".into()
        )
    );
    let halted = format!(
        "{job}ExecutorLostFailure (executor 4 exited caused by one of the running tasks) Reason: Container from a bad node: container_1_0011_01_000005 on host: node1. Exit status: 52. Possible causes: OutOfMemoryError Diagnostics: [2026-11-21 14:40:08.489]Exception from container-launch.\nDriver stacktrace:\n\tat x"
    );
    assert_eq!(
        diagnostics(&halted),
        (
            Code::AppFailed,
            "executor 4 exited caused by one of the running tasks. Reason: Container from a bad node: container_1_0011_01_000005 on host: node1. Exit status: 52. Possible causes: OutOfMemoryError".into()
        )
    );
    let log = "26/11/21 14:40:08 WARN YarnAllocator: Container from a bad node: container_1_0011_01_000002 on host: localhost. Exit status: 52. Possible causes: OutOfMemoryError Diagnostics: [x]Exception\n";
    assert_eq!(
        of("Max number of executor failures (3) reached", "", log),
        (
            Code::AppFailed,
            "Max number of executor failures (3) reached. Container from a bad node: container_1_0011_01_000002 on host: localhost. Exit status: 52. Possible causes: OutOfMemoryError".into()
        )
    );
    let heap = format!("{job}java.lang.OutOfMemoryError: Java heap space\n\tat x");
    assert_eq!(
        diagnostics(&heap),
        (Code::OutOfMemory, "node1 executor 4: Java heap space.".into())
    );
}

#[test]
fn a_failing_statement_is_named() {
    let thrown = "User class threw exception: io.penstock.spark.ScriptException: statement 2 of 3 (line 3: SELECT *) failed: [TABLE_OR_VIEW_NOT_FOUND] The table or view `nope` cannot be found.\nSearch path: x; line 4 pos 7\n\tat io.penstock.spark.SparkSql.run(SparkSql.java:1)\nCaused by: y";
    let failure = explain(&Evidence {
        diagnostics: thrown,
        ..Evidence::default()
    });
    assert_eq!(
        ["statement", "line", "reason"].map(|name| failure.args[name].as_str()),
        [
            "2",
            "3",
            "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nope` cannot be found.\nSearch path: x; line 4 pos 7"
        ]
    );
    let event = "penstock-event {\"index\":4,\"of\":5,\"line\":9,\"kind\":\"insert\",\"state\":\"failed\",\"millis\":1,\"error\":\"no\"}";
    assert_eq!(
        of("User class threw exception: x", event, ""),
        (Code::SqlFailed, "9|no|4".into())
    );
    let open = "User class threw exception: io.penstock.spark.ScriptException: line 2, column 8: text is not closed\n\tat x";
    assert_eq!(
        diagnostics(open),
        (Code::SqlFailed, "2|line 2, column 8: text is not closed|?".into())
    );
}

#[test]
fn python_is_quoted_with_the_place_in_the_program() {
    let out = "hello\nTraceback (most recent call last):\n  File \"/tmp/c/fails.py\", line 9, in <module>\n    broken()\n  File \"/tmp/c/fails.py\", line 6, in broken\n    raise ValueError(\"boom\")\nValueError: boom\n";
    assert_eq!(
        of("User application exited with status 1", out, ""),
        (Code::AppFailed, "ValueError: boom (fails.py, line 6)".into())
    );
    let analysis = "Traceback (most recent call last):\n  File \"/tmp/c/job.py\", line 3, in <module>\n    spark.table(\"nope\").show()\n  File \"/tmp/c/pyspark.zip/pyspark/sql/session.py\", line 1, in table\n  File \"/tmp/c/py4j-src.zip/py4j/java_gateway.py\", line 1, in __call__\npyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table cannot be found.;\n'UnresolvedRelation [nope], [], false\n\n";
    assert_eq!(
        of("", analysis, "").1,
        "pyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table cannot be found. (job.py, line 3)"
    );
}

#[test]
fn an_exit_code_alone_is_no_reason() {
    let silent = format!(
        "{LAUNCH}1\nFailing this attempt.Diagnostics: x]Exception from container-launch.\nContainer id: c\nExit code: 1\n\n[x]Container exited with a non-zero exit code 1. Error file: prelaunch.err.\nLast 4096 bytes of prelaunch.err :\n. Failing the application."
    );
    assert_eq!(diagnostics(&silent).0, Code::AppFailedSilently);
    assert_eq!(diagnostics("").0, Code::AppFailedSilently);
    let shell = format!(
        "{silent}\nLast 4096 bytes of stderr :\n/bin/bash: line 1: /jdk/bin/java: No such file or directory"
    );
    assert_eq!(
        diagnostics(&shell),
        (
            Code::AppFailed,
            "/bin/bash: line 1: /jdk/bin/java: No such file or directory".into()
        )
    );
}

#[test]
fn no_text_is_too_odd() {
    for odd in [
        "statement 1 of 2 (line ",
        "User class threw exception: ",
        "Traceback (most recent call last):\n  File \"",
        "Container killed by YARN for exceeding ",
        "java.lang.ClassNotFoundException: ",
        "ExecutorLostFailure (",
        "Invalid resource request Requested resource=<",
        "26/11/20 21:19:01 ERROR é",
    ] {
        for end in (0..=odd.len()).filter(|end| odd.is_char_boundary(*end)) {
            let text = format!("{}\u{0}é", &odd[..end]);
            let _ = of(&text, &text, &text);
        }
    }
}
