use super::*;

const LAUNCH: &str = "Application application_1_0003 failed 1 times (global limit =2; local limit is =1) due to AM Container for appattempt_1_0003_000001 exited with  exitCode: ";

fn diagnostics(text: &str) -> (Code, String) {
    let failure = explain(&Evidence {
        diagnostics: text,
        ..Evidence::default()
    });
    let args = failure.args.values().cloned().collect::<Vec<_>>().join("|");
    (failure.code, args)
}

#[test]
fn yarn_speaks_of_queues_files_and_sizes() {
    let changed = format!(
        "{LAUNCH}-1000\nFailing this attempt.Diagnostics: [2026-11-21 11:24:26.576]Failed to download resource {{ {{ hdfs://nn:8020/p/lib/a.jar, 1000000000001, FILE, null }},pending,[(container_e03_1_0003_01_000001)],4237368733062,DOWNLOADING}} java.io.IOException: Resource hdfs://nn:8020/p/lib/a.jar changed on src filesystem - expected: \"2001-09-09T01:46:40.001+0000\", was: \"2001-09-09T01:46:40.000+0000\", current time: \"2026-11-21T11:24:26.573+0000\"\nFor more detailed output"
    );
    let gone = format!(
        "{LAUNCH}-1000\nFailing this attempt.Diagnostics: [2026-11-21 11:24:27.181]Failed to download resource {{ {{ hdfs://nn:8020/p/b.jar, 1000000000000, FILE, null }},pending,[(container_e03_1_0003_01_000001)],4237958567226,DOWNLOADING}} java.io.FileNotFoundException: File does not exist: hdfs://nn:8020/p/b.jar\nFor more detailed output"
    );
    for (text, code, args) in [
        (
            "Application application_1_0002 submitted by user alice to unknown queue: nope",
            Code::QueueUnknown,
            "nope",
        ),
        (
            "Application application_1_0002 submitted by user alice to non-leaf queue: root",
            Code::QueueUnknown,
            "root",
        ),
        (
            "org.apache.hadoop.security.AccessControlException: User alice does not have permission to submit application_1_0002 to queue root.q1",
            Code::QueueDenied,
            "root.q1|alice",
        ),
        (
            "User alice cannot submit applications to queue root.q1",
            Code::QueueDenied,
            "root.q1|alice",
        ),
        (
            "Invalid resource request! Cannot allocate containers as requested resource is greater than maximum allowed allocation. Requested resource type=[memory-mb], Requested resource=<memory:100000, vCores:1>, maximum allowed allocation=<memory:8192, vCores:4>, please note",
            Code::ResourceTooLarge,
            "100000|8192|memory",
        ),
        (changed.as_str(), Code::FileChanged, "hdfs://nn:8020/p/lib/a.jar"),
        (gone.as_str(), Code::FileGone, "hdfs://nn:8020/p/b.jar"),
        (
            "Failed to submit application_1_0002 to YARN : root.q1 is STOPPED. Cannot accept submission of application: application_1_0002",
            Code::AppRejected,
            "Failed to submit application_1_0002 to YARN : root.q1 is STOPPED. Cannot accept submission of application: application_1_0002",
        ),
    ] {
        assert_eq!(diagnostics(text), (code, args.to_owned()), "{text}");
    }
}

/// What nodes of several versions write when a container uses more than it asked for.
#[test]
fn a_container_over_its_limit_is_understood() {
    let usage = "Current usage: 1.1 GB of 1 GB physical memory used; 4.7 GB of 2.1 GB virtual memory used.";
    for (exit, words) in [
        (-104, "is running 94359552B beyond the 'PHYSICAL' memory limit."),
        (-103, "is running 71436800B beyond the 'VIRTUAL' memory limit."),
        (-104, "is running beyond physical memory limits."),
        (-103, "is running beyond virtual memory limits."),
    ] {
        let said = format!("Container [pid=925,containerID=container_e14_1_0003_01_000001] {words} {usage}");
        let rest = "Killing container.\nDump of the process-tree for container_e14_1_0003_01_000001 :\n\t|- PID PPID PGRPID SESSID CMD_NAME USER_MODE_TIME(MILLIS)";
        let whole = format!(
            "{LAUNCH}{exit}\nFailing this attempt.Diagnostics: [2026-11-20 21:19:01.468]{said} {rest}\nContainer killed on request. Exit code is 143"
        );
        assert_eq!(diagnostics(&whole), (Code::OutOfMemory, said.clone()), "{words}");
        // A worker's end stands in the master's log alone.
        let log = format!(
            "2026-11-20 21:19:01,138 INFO  org.apache.flink.yarn.YarnResourceManagerDriver [] - Closing TaskExecutor connection container_e14_1_0003_01_000001 because: [2026-11-20 21:19:01.159]{said} {rest}"
        );
        let failure = explain(&Evidence {
            log: &log,
            ..Evidence::default()
        });
        assert_eq!(
            (failure.code, &failure.args["reason"]),
            (Code::OutOfMemory, &said),
            "{words}"
        );
    }
}

#[test]
fn a_refusal_is_understood() {
    let failure = refused(
        "java.lang.Exception: org.apache.hadoop.security.AccessControlException: User team_a does not have permission to submit application_1_0004 to queue root.nope",
    );
    assert_eq!(
        (failure.code, failure.args["queue"].as_str()),
        (Code::QueueDenied, "root.nope")
    );
    assert_eq!(refused("something else").code, Code::SubmitRefused);
}

#[test]
fn an_exit_code_alone_is_no_reason() {
    let silent = "2\nFailing this attempt.Diagnostics: [2026-11-21 10:49:51.069]Exception from container-launch.\nContainer id: container_e01_1_0019_01_000001\nExit code: 2\n\n[2026-11-21 10:49:51.071]Container exited with a non-zero exit code 2. Error file: prelaunch.err.\nLast 4096 bytes of prelaunch.err :\n\nFor more detailed output, check the application tracking page: http://rm:8088/cluster/app/application_1_0019 Then click on links to logs of each attempt.\n. Failing the application.";
    assert_eq!(
        diagnostics(&format!("{LAUNCH}{silent}")).0,
        Code::AppFailedSilently
    );
    assert_eq!(diagnostics("").0, Code::AppFailedSilently);
    let stderr = "1\nFailing this attempt.Diagnostics: Exception from container-launch.\nLast 4096 bytes of stderr :\n/bin/bash: line 1: /usr/java/bin/java: No such file or directory\n. Failing the application.";
    let (code, reason) = diagnostics(&format!("{LAUNCH}{stderr}"));
    assert_eq!(
        (code, reason.as_str()),
        (
            Code::AppFailed,
            "/bin/bash: line 1: /usr/java/bin/java: No such file or directory"
        )
    );
}

#[test]
fn a_failing_statement_is_named() {
    let by_events = explain(&Evidence {
        out: include_str!("../../tests/samples/batch-events.txt"),
        stacks: &[include_str!("../../tests/samples/batch-division.txt").to_owned()],
        ..Evidence::default()
    });
    let by_log = explain(&Evidence {
        log: include_str!("../../tests/samples/script-fails.log"),
        ..Evidence::default()
    });
    let args = |f: &Failure| ["statement", "line", "reason"].map(|name| f.args[name].clone());
    assert_eq!(by_events.code, Code::SqlFailed);
    assert_eq!(args(&by_events), ["5", "5", "/ by zero"]);
    assert_eq!(by_log.code, Code::SqlFailed);
    assert_eq!(
        args(&by_log),
        ["2", "3", "At line 3, column 32: Object 'y' not found"]
    );
    for (text, wanted) in [
        (
            "statement 3 (line 9): the statement set is empty",
            ["3", "9", "the statement set is empty"],
        ),
        (
            "io.penstock.runner.ScriptException: line 4, column 7: string is not closed\n\tat x",
            ["?", "4", "line 4, column 7: string is not closed"],
        ),
        (
            "statement 1 of 2 (line 1: CREATE (a) failed: x): no",
            ["1", "1", "x): no"],
        ),
    ] {
        let failure = explain(&Evidence {
            err: text,
            ..Evidence::default()
        });
        assert_eq!(args(&failure), wanted.map(str::to_owned), "{text}");
    }
}

#[test]
fn the_engine_is_quoted_by_its_deepest_cause() {
    let stacks = [include_str!("../../tests/samples/batch-division.txt").to_owned()];
    let failure = explain(&Evidence {
        stacks: &stacks,
        diagnostics: "",
        ..Evidence::default()
    });
    assert_eq!(
        (failure.code, failure.args["reason"].as_str()),
        (Code::AppFailed, "ArithmeticException: / by zero")
    );
    let failure = explain(&Evidence {
        log: include_str!("../../tests/samples/main-fails.log"),
        ..Evidence::default()
    });
    assert_eq!(failure.args["reason"], "boom: it's «broken»");
    for (text, code) in [
        (
            "org.apache.flink.util.FlinkException: Could not load the provided entrypoint class.\n\tat x\nCaused by: org.apache.flink.client.program.ProgramInvocationException: The program's entry point class 'com.acme.Main' was not found in the jar file.\n\tat y\nCaused by: java.lang.ClassNotFoundException: com.acme.Main",
            Code::MainClassMissing,
        ),
        (
            "java.lang.RuntimeException: x\nCaused by: java.lang.OutOfMemoryError: Java heap space\n\tat y",
            Code::OutOfMemory,
        ),
        (
            "java.lang.ClassNotFoundException: org.apache.kafka.Consumer\n\tat y",
            Code::AppFailed,
        ),
    ] {
        let stacks = [text.to_owned()];
        let failure = explain(&Evidence {
            stacks: &stacks,
            ..Evidence::default()
        });
        assert_eq!(failure.code, code, "{failure}");
    }
}

#[test]
fn a_missing_main_class_is_named_from_the_log() {
    let failure = explain(&Evidence {
        diagnostics: &format!("{LAUNCH}1\nExit code: 1\n"),
        log: include_str!("../../tests/samples/main-class.log"),
        ..Evidence::default()
    });
    assert_eq!(
        (failure.code, failure.args["class"].as_str()),
        (Code::MainClassMissing, "no.such.Main")
    );
}

#[test]
fn no_text_is_too_odd() {
    let odd = "statement 1 of 2 (line ";
    for end in 0..=odd.len() {
        let text = format!("{}\u{0}é", &odd[..end]);
        let _ = explain(&Evidence {
            diagnostics: &text,
            log: &text,
            out: "penstock-event {",
            err: &text,
            stacks: std::slice::from_ref(&text),
        });
    }
}
