//! Why an application failed, in one code a person can act on, from the texts it left behind.

use crate::stack;
use domain::{Code, Failure};
use serde::Deserialize;

/// The texts there are; whatever is missing stays empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Of the ResourceManager.
    pub diagnostics: &'a str,
    /// Stack traces of the engine, its archive or its REST interface; the most telling first.
    pub stacks: &'a [String],
    /// Ends of the JobManager's log, standard output and standard error.
    pub log: &'a str,
    pub out: &'a str,
    pub err: &'a str,
}

/// Longest reason, in characters.
const MAX_REASON: usize = 1000;

type Rule = fn(&str) -> Option<Failure>;

/// What YARN says of an application that never ran, or was ended by a node.
const YARN: &[Rule] = &[
    queue_unknown,
    queue_denied,
    too_large,
    file_changed,
    file_gone,
    memory_exceeded,
    rejected,
];

/// What the engine says.
const ENGINE: &[Rule] = &[main_class, too_large, memory_exceeded, out_of_memory];

/// The reason of a failed application. Without any, [`Code::AppFailedSilently`].
pub fn explain(evidence: &Evidence<'_>) -> Failure {
    let first = |rules: &[Rule], text: &str| rules.iter().find_map(|rule| rule(text));
    if let Some(failure) = first(YARN, evidence.diagnostics) {
        return failure;
    }
    if let Some(failure) = last_event(evidence.out) {
        return failure;
    }
    let stacks = evidence.stacks.iter().map(String::as_str);
    let texts = || {
        stacks
            .clone()
            .chain([evidence.err, evidence.log, evidence.diagnostics])
    };
    if let Some(failure) = texts().find_map(statement) {
        return failure;
    }
    if let Some(failure) = texts().find_map(|text| first(ENGINE, text)) {
        return failure;
    }
    let root = stacks
        .clone()
        .find_map(stack::root)
        .or_else(|| in_log(evidence.log))
        .or_else(|| in_log(evidence.err))
        .or_else(|| in_log(evidence.diagnostics));
    if let Some(cause) = root {
        return failed(&cause.text());
    }
    match said(evidence.diagnostics).or_else(|| said(evidence.err)) {
        Some(text) => failed(&text),
        None => Code::AppFailedSilently.into(),
    }
}

/// What the ResourceManager meant when it refused a submission at once.
pub fn refused(message: &str) -> Failure {
    YARN.iter()
        .find_map(|rule| rule(message))
        .unwrap_or_else(|| Failure::new(Code::SubmitRefused).with("reason", short(message)))
}

fn failed(reason: &str) -> Failure {
    Failure::new(Code::AppFailed).with("reason", short(reason))
}

fn short(text: &str) -> String {
    let text = text.trim();
    let mut out: String = text.chars().take(MAX_REASON).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

/// What stands between two texts, within one line.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let from = text.find(before)? + before.len();
    let line = text[from..].lines().next()?;
    let end = if after.is_empty() {
        line.len()
    } else {
        line.find(after)?
    };
    Some(line[..end].trim())
}

/// The line that contains `what`, from there on.
fn from<'a>(text: &'a str, what: &str) -> Option<&'a str> {
    text[text.find(what)?..].lines().next()
}

fn queue_unknown(text: &str) -> Option<Failure> {
    let queue = between(text, "to unknown queue: ", "")
        .or_else(|| between(text, "to non-leaf queue: ", ""))
        .or_else(|| between(text, "to non-existent queue: ", ""))?;
    let queue = queue.split([' ', ',']).next()?.trim_end_matches('.');
    Some(Failure::new(Code::QueueUnknown).with("queue", queue))
}

fn queue_denied(text: &str) -> Option<Failure> {
    let denied = |user: &str, queue: &str| {
        let queue = queue.split([' ', ',', ';']).next().unwrap_or(queue);
        Failure::new(Code::QueueDenied)
            .with("user", user)
            .with("queue", queue.trim_end_matches('.'))
    };
    if let Some(line) = between(text, "User ", " cannot submit applications to queue ") {
        let queue = between(text, " cannot submit applications to queue ", "")?;
        return Some(denied(line, queue));
    }
    let user = between(text, "User ", " does not have permission to submit ")?;
    let queue = between(text, " to queue ", "")?;
    Some(denied(user, queue))
}

fn too_large(text: &str) -> Option<Failure> {
    let text = &text[text.find("Invalid resource request")?..];
    let (resource, field) = match between(text, "Requested resource type=[", "]") {
        Some("vcores") => ("vCores", "vCores:"),
        _ => ("memory", "memory:"),
    };
    let number = |of: &str| {
        let value = &text[text.find(of)? + of.len()..];
        let value = &value[value.find(field)? + field.len()..];
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    };
    Some(
        Failure::new(Code::ResourceTooLarge)
            .with("resource", resource)
            .with(
                "asked",
                number("Requested resource=<").unwrap_or_else(|| "?".into()),
            )
            .with(
                "max",
                number("maximum allowed allocation=<").unwrap_or_else(|| "?".into()),
            ),
    )
}

fn file_changed(text: &str) -> Option<Failure> {
    let at = text.find(" changed on src filesystem")?;
    let path = text[..at].rsplit([' ', '\n', '\t']).next()?;
    Some(Failure::new(Code::FileChanged).with("path", path))
}

/// Only of files the node fetches: a program may miss files of its own.
fn file_gone(text: &str) -> Option<Failure> {
    if !text.contains("exitCode: -1000") && !text.contains("due to -1000") {
        return None;
    }
    let path = between(text, "File does not exist: ", "")?;
    let path = path.split([' ', '\t', '"']).next()?;
    Some(Failure::new(Code::FileGone).with("path", path))
}

fn memory_exceeded(text: &str) -> Option<Failure> {
    let at = [
        "B beyond the 'PHYSICAL' memory limit",
        "B beyond the 'VIRTUAL' memory limit",
        "is running beyond physical memory limits",
        "is running beyond virtual memory limits",
    ]
    .iter()
    .find_map(|words| text.find(words))?;
    let start = text[..at]
        .rfind("Container [")
        .or_else(|| text[..at].rfind('\n'))?;
    let reason = text[start..].lines().find(|line| !line.trim().is_empty())?;
    let reason = reason
        .split_once(" Killing container")
        .map_or(reason, |(reason, _)| reason);
    Some(Failure::new(Code::OutOfMemory).with("reason", short(reason)))
}

fn out_of_memory(text: &str) -> Option<Failure> {
    let reason = between(text, "java.lang.OutOfMemoryError: ", "")
        .filter(|reason| !reason.is_empty())
        .or_else(|| from(text, "java.lang.OutOfMemoryError").map(|_| "OutOfMemoryError"))?;
    Some(Failure::new(Code::OutOfMemory).with("reason", short(&format!("{}.", reason.trim_end_matches('.')))))
}

fn rejected(text: &str) -> Option<Failure> {
    const SIGNS: &[&str] = &[
        "Failed to submit application",
        "rejected by queue placement policy",
        "Cannot accept submission of application",
        "is STOPPED. Cannot accept",
        "already has ",
        "Application submission is not",
    ];
    // An application that had a container was not rejected.
    let ran = text.contains("AM Container for") || text.contains("appattempt_");
    let sign = SIGNS.iter().find(|sign| !ran && text.contains(**sign))?;
    let line = text.lines().find(|line| line.contains(sign))?;
    Some(Failure::new(Code::AppRejected).with("reason", short(line)))
}

fn main_class(text: &str) -> Option<Failure> {
    let missing = |class: &str| Some(Failure::new(Code::MainClassMissing).with("class", class));
    if let Some(class) = between(text, "The program's entry point class '", "' was not found") {
        return missing(class);
    }
    if text.contains("' entry was found in the jar file") && text.contains("Main-Class") {
        return missing("Main-Class (META-INF/MANIFEST.MF)");
    }
    let class = between(text, "Could not find or load main class ", "")?;
    missing(class.split_whitespace().next()?)
}

/// The SQL runner names the statement: `statement 2 of 3 (line 7: INSERT …) failed: <reason>`, or
/// `… (line 7): <reason>` for what it refuses.
fn statement(text: &str) -> Option<Failure> {
    let mut rest = text;
    while let Some(at) = rest.find("statement ") {
        rest = &rest[at + "statement ".len()..];
        if let Some(failure) = named_statement(rest) {
            return Some(failure);
        }
    }
    let line = between(text, "ScriptException: line ", ", column ")?;
    let reason = from(text, "ScriptException: line ")?.strip_prefix("ScriptException: ")?;
    line.parse::<u32>().ok()?;
    Some(sql_failed("?", line, reason))
}

fn named_statement(text: &str) -> Option<Failure> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (index, rest) = text.split_at(digits(text));
    let rest = match rest.strip_prefix(" of ") {
        Some(rest) => &rest[digits(rest)..],
        None => rest,
    };
    let rest = rest.strip_prefix(" (line ")?;
    let (line, rest) = rest.split_at(digits(rest));
    if index.is_empty() || line.is_empty() {
        return None;
    }
    let first = rest.lines().next()?;
    let marks = [") failed: ", "): "];
    let mark = marks.iter().find(|mark| first.contains(**mark))?;
    let after = &rest[rest.find(mark)? + mark.len()..];
    // The reason may have several lines, up to the frames of the trace.
    let reason: Vec<&str> = after
        .lines()
        .take_while(|line| {
            !line.starts_with("\tat ") && !line.starts_with("\t... ") && !line.starts_with("Caused by: ")
        })
        .take(12)
        .collect();
    Some(sql_failed(index, line, &reason.join("\n")))
}

fn sql_failed(statement: &str, line: &str, reason: &str) -> Failure {
    Failure::new(Code::SqlFailed)
        .with("statement", statement)
        .with("line", line)
        .with("reason", short(reason))
}

/// One line of the SQL runner's progress, `penstock-event {…}`. A job's own code can print such
/// lines too: they inform, they prove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StatementEvent {
    /// Number of the statement, from 1, and how many there are.
    pub index: u32,
    pub of: u32,
    pub line: u32,
    #[serde(default)]
    pub end_line: Option<u32>,
    #[serde(default)]
    pub kind: String,
    /// `started`, `submitted`, `finished`, `failed`, `cancelled`.
    pub state: String,
    #[serde(default)]
    pub millis: Option<i64>,
    #[serde(default)]
    pub rows: Option<i64>,
    #[serde(default)]
    pub job: Option<String>,
    #[serde(default)]
    pub error: Option<String>,
}

/// The events in a standard output.
pub fn statement_events(out: &str) -> impl Iterator<Item = StatementEvent> {
    out.lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("penstock-event ")?).ok())
}

fn last_event(out: &str) -> Option<Failure> {
    let event = statement_events(out)
        .filter(|event| event.state == "failed")
        .last()?;
    let reason = event.error.unwrap_or_default();
    Some(sql_failed(
        &event.index.to_string(),
        &event.line.to_string(),
        &reason,
    ))
}

/// The cause in a log: of the trace that is called fatal, else of the last error, else of the last
/// trace at all.
fn in_log(log: &str) -> Option<stack::Cause> {
    // What a JobManager logs while it shuts down, and at every question about an unknown job.
    const NOISE: &[&str] = &[
        "ClusterUncaughtExceptionHandler",
        "Exception occurred in REST handler",
        "closed classloader",
    ];
    const FATAL: &[&str] = &[
        "Fatal error",
        "failed unexpectedly",
        "Application FAILED",
        "Could not create application program",
        "Could not execute application",
        "to FAILED",
        "to FAILING",
        "Could not start cluster entrypoint",
    ];
    let traces: Vec<(&str, &str)> = stack::in_log(log)
        .into_iter()
        .filter(|(before, _)| !NOISE.iter().any(|noise| before.contains(noise)))
        .collect();
    let is_fatal = |before: &str| FATAL.iter().any(|sign| before.contains(sign));
    let chosen = traces
        .iter()
        .rev()
        .find(|(before, _)| is_fatal(before))
        .or_else(|| traces.iter().rev().find(|(before, _)| before.contains(" ERROR ")))
        .or(traces.last())?;
    stack::root(chosen.1)
}

/// What is left of a text when everything YARN always writes is taken away.
fn said(text: &str) -> Option<String> {
    const ALWAYS: &[&str] = &[
        "Application application_",
        "Failing this attempt",
        "Failing the application",
        "Exception from container-launch",
        "Container id: ",
        "Exit code: ",
        "Container exited with a non-zero exit code",
        "Last 4096 bytes of",
        "For more detailed output",
        "Then click on links to logs",
        "Error file: ",
        "SLF4J: ",
        "WARNING: ",
        "Picked up ",
        ". Failing",
    ];
    let kept: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !ALWAYS.iter().any(|always| line.contains(always)))
        .collect();
    // The end says why; the beginning is often only what came before.
    let tail = &kept[kept.len().saturating_sub(6)..];
    (!tail.is_empty()).then(|| tail.join("\n"))
}

#[cfg(test)]
mod tests {
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
        let usage =
            "Current usage: 1.1 GB of 1 GB physical memory used; 4.7 GB of 2.1 GB virtual memory used.";
        for (exit, words) in [
            (-104, "is running 94359552B beyond the 'PHYSICAL' memory limit."),
            (-103, "is running 71436800B beyond the 'VIRTUAL' memory limit."),
            (-104, "is running beyond physical memory limits."),
            (-103, "is running beyond virtual memory limits."),
        ] {
            let said =
                format!("Container [pid=925,containerID=container_e14_1_0003_01_000001] {words} {usage}");
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
            out: include_str!("../tests/samples/batch-events.txt"),
            stacks: &[include_str!("../tests/samples/batch-division.txt").to_owned()],
            ..Evidence::default()
        });
        let by_log = explain(&Evidence {
            log: include_str!("../tests/samples/script-fails.log"),
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
        let stacks = [include_str!("../tests/samples/batch-division.txt").to_owned()];
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
            log: include_str!("../tests/samples/main-fails.log"),
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
            log: include_str!("../tests/samples/main-class.log"),
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
}
