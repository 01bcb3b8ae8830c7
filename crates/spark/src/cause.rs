//! Why an application failed, in one code a person can act on, from the texts it left behind.

mod yarn;

use crate::{events, stack};
use domain::{Code, Failure};

/// The texts there are; whatever is missing stays empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Of the ResourceManager.
    pub diagnostics: &'a str,
    /// Ends of the driver's standard output and standard error, which is its log.
    pub out: &'a str,
    pub err: &'a str,
}

/// Longest reason, in characters.
const MAX_REASON: usize = 1000;

type Rule = fn(&str) -> Option<Failure>;

/// What the engine says.
const ENGINE: &[Rule] = &[
    main_class,
    yarn::too_large,
    yarn::memory_exceeded,
    out_of_memory,
    executor_lost,
];

/// The reason of a failed application. Without any, [`Code::AppFailedSilently`].
pub fn explain(evidence: &Evidence<'_>) -> Failure {
    let Evidence {
        diagnostics,
        out,
        err,
    } = *evidence;
    if let Some(failure) = yarn::RULES.iter().find_map(|rule| rule(diagnostics)) {
        return failure;
    }
    let event = events::statement_events(out)
        .filter(|event| event.state == "failed")
        .last();
    if let Some(event) = event {
        return sql_failed(
            &event.index.to_string(),
            &event.line.to_string(),
            &event.error.unwrap_or_default(),
        );
    }
    if let Some(failure) = [diagnostics, err].into_iter().find_map(statement) {
        return failure;
    }
    // The client of a Python driver only says that it ended; why stands in its output.
    if let Some(reason) = traceback(out).or_else(|| traceback(err)) {
        return python(&reason, out);
    }
    if let Some(failure) = executors_lost(diagnostics, err) {
        return failure;
    }
    let engine = |text: &str| ENGINE.iter().find_map(|rule| rule(text));
    if let Some(failure) = engine(diagnostics).or_else(|| engine(err)) {
        return failure;
    }
    if let Some(status) = exited(diagnostics).or_else(|| exited(err)) {
        return failed(&status);
    }
    let thrown = in_diagnostics(diagnostics)
        .or_else(|| in_log(err))
        .or_else(|| in_log(diagnostics));
    if let Some(thrown) = thrown {
        return failed(&innermost(&thrown.text()));
    }
    match said(diagnostics).or_else(|| said(err)) {
        Some(text) => failed(&text),
        None => Code::AppFailedSilently.into(),
    }
}

/// What the ResourceManager meant when it refused a submission at once.
pub fn refused(message: &str) -> Failure {
    yarn::RULES
        .iter()
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

/// The class Spark was told to start: a class that goes missing later is a missing dependency.
fn main_class(text: &str) -> Option<Failure> {
    let missing = |class: &str| Some(Failure::new(Code::MainClassMissing).with("class", class));
    let starts = [
        "ApplicationMaster.startUserApplication(",
        "io.penstock.spark.Main.main(",
    ];
    let at = text.find("java.lang.ClassNotFoundException: ")?;
    let mut lines = text[at..].lines();
    let class = lines.next()?.rsplit(": ").next()?;
    let frames: Vec<&str> = lines.take_while(|line| line.starts_with("\tat ")).collect();
    let near = frames
        .iter()
        .position(|line| starts.iter().any(|s| line.contains(s)))?;
    // Whatever runs between the loader and there belongs to the program.
    frames[..near]
        .iter()
        .all(|line| line.contains("java.") || line.contains("org.apache.spark.util"))
        .then_some(())?;
    missing(class)
}

fn out_of_memory(text: &str) -> Option<Failure> {
    let failure = |reason: &str| {
        let reason = format!("{}.", reason.trim().trim_end_matches('.'));
        Some(Failure::new(Code::OutOfMemory).with("reason", short(&reason)))
    };
    let at = text.find("java.lang.OutOfMemoryError")?;
    let line = text[at..].lines().next()?;
    let what = line
        .strip_prefix("java.lang.OutOfMemoryError: ")
        .unwrap_or("OutOfMemoryError");
    // Whose heap it was stands in front.
    let before = text[..at].lines().next_back().unwrap_or_default();
    let executor = before
        .rsplit('(')
        .filter_map(|part| Some(part.split_once(')')?.0))
        .find(|host| host.contains(" executor "));
    match executor {
        Some(host) => failure(&format!("{host}: {what}")),
        None => failure(&format!("driver: {what}")),
    }
}

/// An executor that went away and took the job with it.
fn executor_lost(text: &str) -> Option<Failure> {
    let at = text.find("ExecutorLostFailure (")?;
    let line = text[at..].lines().next()?;
    // `executor 4 exited caused by one of the running tasks) Reason: …`
    let reason = line
        .trim_start_matches("ExecutorLostFailure (")
        .replacen(')', ".", 1);
    Some(failed(without_diagnostics(&reason)))
}

/// Too many executors went away; why stands in the log before.
fn executors_lost(diagnostics: &str, log: &str) -> Option<Failure> {
    const SIGNS: [&str; 2] = ["Container from a bad node: ", "Container marked as failed: "];
    let at = diagnostics.find("Max number of executor failures (")?;
    let line = diagnostics[at..].lines().next()?;
    if let Some(failure) = yarn::memory_exceeded(log) {
        return Some(failure);
    }
    let last = log
        .lines()
        .rev()
        .find_map(|line| SIGNS.iter().find_map(|sign| line.get(line.find(sign)?..)));
    Some(failed(&match last {
        Some(why) => format!("{line}. {}", without_diagnostics(why)),
        None => line.to_owned(),
    }))
}

/// What a node says of a container's end repeats the whole log behind this.
fn without_diagnostics(text: &str) -> &str {
    text.split(" Diagnostics: ").next().unwrap_or(text).trim()
}

/// `System.exit` and the end of a Python driver without a traceback.
fn exited(text: &str) -> Option<String> {
    if let Some(status) = between(text, "User application exited with ", "") {
        return Some(format!("User application exited with {status}"));
    }
    if text.contains("Shutdown hook called before final status was reported") {
        let code = between(text, "exitCode: ", ",").unwrap_or("16");
        return Some(format!(
            "System.exit: Shutdown hook called before final status was reported (exitCode {code})"
        ));
    }
    None
}

/// The SQL runner names the statement: `statement 2 of 3 (line 7: INSERT …) failed: <reason>`.
fn statement(text: &str) -> Option<Failure> {
    let mut rest = text;
    while let Some(at) = rest.find("statement ") {
        rest = &rest[at + "statement ".len()..];
        if let Some(failure) = named_statement(rest) {
            return Some(failure);
        }
    }
    let line = between(text, "ScriptException: line ", ", column ")?;
    line.parse::<u32>().ok()?;
    let reason = between(text, "ScriptException: ", "")?;
    Some(sql_failed("?", line, reason))
}

fn named_statement(text: &str) -> Option<Failure> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (index, rest) = text.split_at(digits(text));
    let rest = rest.strip_prefix(" of ")?;
    let rest = rest[digits(rest)..].strip_prefix(" (line ")?;
    let (line, rest) = rest.split_at(digits(rest));
    if index.is_empty() || line.is_empty() {
        return None;
    }
    let mark = ") failed: ";
    let after = &rest[rest.find(mark)? + mark.len()..];
    // The reason may have several lines, up to the frames of the trace.
    let reason: Vec<&str> = after
        .lines()
        .take_while(|line| !line.starts_with("\tat ") && !line.starts_with("Caused by: "))
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

/// The last line of Python's last traceback, with the place in the program it came from.
fn traceback(text: &str) -> Option<String> {
    let at = text.rfind("Traceback (most recent call last):")?;
    let mut place = "";
    let mut lines = text[at..].lines().skip(1).peekable();
    while let Some(line) = lines.peek() {
        if let Some(rest) = line.strip_prefix("  File ") {
            // The library's own frames tell less than the program's.
            if !rest.contains("/pyspark") && !rest.contains("py4j") && !rest.contains("<frozen") {
                place = rest;
            }
        } else if !line.starts_with(' ') && !line.is_empty() {
            break;
        }
        lines.next();
    }
    let reason: Vec<&str> = lines
        .take_while(|line| {
            stack::log_line(line).is_none()
                && !line.starts_with("\tat ")
                && !line.starts_with("JVM stacktrace")
        })
        .take(12)
        .collect();
    let reason = stack::without_plan(&reason.join("\n"));
    if reason.is_empty() {
        return None;
    }
    let file = place.split('"').nth(1).and_then(|path| path.rsplit('/').next());
    let line = between(place, ", line ", ",").or_else(|| between(place, ", line ", ""));
    Some(match (file, line) {
        (Some(file), Some(line)) => format!("{reason} ({file}, line {line})"),
        _ => reason,
    })
}

fn python(reason: &str, out: &str) -> Failure {
    // A failed job of the JVM is only quoted by the bridge.
    if reason.contains("Py4JJavaError")
        && let Some(failure) = ENGINE.iter().find_map(|rule| rule(out))
    {
        return failure;
    }
    failed(reason)
}

/// The exception behind `User class threw exception: `.
fn in_diagnostics(text: &str) -> Option<stack::Thrown> {
    let mark = "User class threw exception: ";
    stack::root(&text[text.find(mark)? + mark.len()..])
}

/// The cause in a log: of the last trace after an error of the ApplicationMaster, else of the last
/// error, else of the last trace at all.
fn in_log(log: &str) -> Option<stack::Thrown> {
    let mut found: Vec<(u8, usize)> = Vec::new();
    let (mut weight, mut at, mut open) = (0, 0, false);
    for raw in log.split_inclusive('\n') {
        let line = raw.trim_end();
        if let Some((level, text)) = stack::log_line(line) {
            let ours = text.trim_start().starts_with("ApplicationMaster");
            weight = match level {
                "ERROR" | "FATAL" if ours => 2,
                "ERROR" | "FATAL" => 1,
                _ => 0,
            };
            open = true;
        } else if open && stack::header(line).is_some() {
            found.push((weight, at));
            open = false;
        }
        at += raw.len();
    }
    let (_, start) = found.iter().rev().max_by_key(|(weight, at)| (*weight, *at))?;
    stack::root(&log[*start..])
}

/// A failed task brings its own exception: what counts stands behind the executor's address.
fn innermost(text: &str) -> String {
    let Some((_, task)) = text.split_once(", most recent failure: ") else {
        return text.to_owned();
    };
    match task.split_once("): ") {
        Some((_, thrown)) => {
            stack::root(thrown).map_or_else(|| stack::without_plan(thrown), |cause| cause.text())
        }
        None => task.to_owned(),
    }
}

/// What is left of a text when everything that is always there is taken away.
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
        "Using Spark's default log4j profile",
        ". Failing",
    ];
    let kept: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !ALWAYS.iter().any(|always| line.contains(always)))
        .filter(|line| !matches!(stack::log_line(line), Some(("INFO" | "DEBUG" | "WARN", _))))
        .collect();
    let tail = &kept[kept.len().saturating_sub(6)..];
    (!tail.is_empty()).then(|| tail.join("\n"))
}

#[cfg(test)]
mod tests;
