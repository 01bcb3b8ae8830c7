//! Reading Java stack traces: the chain of causes, and the one that tells a person something.

/// Longest message kept of a cause, in characters.
const MAX_MESSAGE: usize = 1500;
const MAX_CAUSES: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Full name of the exception's class.
    pub class: String,
    /// May be empty and may have several lines.
    pub message: String,
}

/// Classes whose name says less than their message.
const PLAIN: &[&str] = &[
    "Exception",
    "RuntimeException",
    "Throwable",
    "ScriptException",
    "ValidationException",
    "TableException",
    "SqlParserException",
    "SqlParserEOFException",
    "SqlExecutionException",
    "JobException",
    "JobExecutionException",
    "FlinkException",
    "FlinkRuntimeException",
    "ProgramInvocationException",
    "YarnException",
    "IllegalStateException",
    "IllegalArgumentException",
    "SuppressRestartsException",
    "RemoteException",
    "CalciteContextException",
];

/// Classes that end a chain without being the reason.
const AFTERMATH: &[&str] = &[
    "InterruptedException",
    "CancellationException",
    "ClosedByInterruptException",
    "RecipientUnreachableException",
    "PartitionNotFoundException",
    "RemoteTransportException",
];

impl Cause {
    fn simple(&self) -> &str {
        self.class.rsplit(['.', '$']).next().unwrap_or(&self.class)
    }

    /// For people: `ArithmeticException: / by zero`, or the message alone.
    pub fn text(&self) -> String {
        let simple = self.simple();
        if self.message.is_empty() {
            simple.to_owned()
        } else if PLAIN.contains(&simple) {
            self.message.clone()
        } else {
            format!("{simple}: {}", self.message)
        }
    }
}

/// The exception a line names, when it begins like one: `java.io.IOException: no`.
pub fn header(line: &str) -> Option<Cause> {
    let line = line
        .strip_prefix("Exception in thread ")
        .and_then(|rest| rest.strip_prefix('"')?.split_once("\" "))
        .map_or(line, |(_, rest)| rest);
    let end = line
        .find(|c: char| !(c.is_alphanumeric() || "._$".contains(c)))
        .unwrap_or(line.len());
    let (class, rest) = line.split_at(end);
    let simple = class.rsplit(['.', '$']).next()?;
    let named = class.contains('.')
        && simple.chars().next().is_some_and(char::is_uppercase)
        && class.chars().next().is_some_and(char::is_lowercase)
        && !class.contains("..");
    let thrown = ["Exception", "Error", "Throwable", "Failure", "Timeout"]
        .iter()
        .any(|word| simple.contains(word));
    let message = match rest.strip_prefix(':') {
        Some(message) => message.trim(),
        None if rest.trim().is_empty() => "",
        None => return None,
    };
    // An unusual name is only taken for an exception when something is said of it.
    (named && (thrown || (rest.starts_with(": ") && simple.len() > 3))).then(|| Cause {
        class: class.to_owned(),
        message: message.to_owned(),
    })
}

/// The causes of the first stack trace in `text`, outermost first. Suppressed exceptions are left out.
pub fn chain(text: &str) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    let mut in_message = false;
    for line in text.lines() {
        let framed = line.starts_with("\tat ") || line.starts_with("\t... ") || line.starts_with("    at ");
        let next = match line.strip_prefix("Caused by: ") {
            Some(cause) => Some(header(cause).unwrap_or_else(|| Cause {
                class: String::new(),
                message: cause.trim().to_owned(),
            })),
            None if causes.is_empty() => header(line),
            None => None,
        };
        if let Some(cause) = next {
            if causes.len() == MAX_CAUSES {
                break;
            }
            causes.push(cause);
            in_message = true;
        } else if framed || line.starts_with("\tSuppressed: ") {
            in_message = false;
        } else if in_message && let Some(cause) = causes.last_mut() {
            let room = cause.message.chars().count() < MAX_MESSAGE;
            if room {
                cause.message.push('\n');
                cause.message.push_str(line.trim_end());
            }
        }
    }
    for cause in &mut causes {
        let message: String = cause.message.trim().chars().take(MAX_MESSAGE).collect();
        cause.message = message;
    }
    causes
}

/// The deepest cause that says something.
pub fn root(text: &str) -> Option<Cause> {
    let causes = chain(text);
    let telling = causes
        .iter()
        .rposition(|cause| !cause.message.is_empty() && !AFTERMATH.contains(&cause.simple()));
    let at = telling.or(causes.len().checked_sub(1))?;
    // A validator's message gains the place in the script one level up.
    let placed = |cause: &&Cause| {
        (cause.message.starts_with("At line ") || cause.message.starts_with("From line "))
            && cause.message.ends_with(&causes[at].message)
    };
    let place = at.checked_sub(1).map(|above| &causes[above]).filter(placed);
    Some(place.unwrap_or(&causes[at]).clone())
}

/// The stack traces in a log, each with the line before it, in order.
pub fn in_log(log: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut before = "";
    let mut start: Option<(usize, &str)> = None;
    let mut at = 0;
    for raw in log.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let logged = line.starts_with(|c: char| c.is_ascii_digit())
            && line.len() > 20
            && line.as_bytes()[..20]
                .iter()
                .filter(|b| b.is_ascii_digit())
                .count()
                >= 10;
        if logged {
            if let Some((from, before)) = start.take() {
                found.push((before, &log[from..at]));
            }
            before = line;
        } else if start.is_none() && header(line).is_some() {
            start = Some((at, before));
        }
        at += raw.len();
    }
    if let Some((from, before)) = start {
        found.push((before, &log[from..]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = include_str!("../tests/samples/batch-division.txt");

    #[test]
    fn the_deepest_telling_cause_is_found() {
        assert_eq!(root(BATCH).unwrap().text(), "ArithmeticException: / by zero");
        assert_eq!(chain(BATCH).len(), 3);
        let text = "org.apache.flink.table.api.ValidationException: SQL validation failed. Line 1\n\tat a.b(C.java:1)\nCaused by: org.apache.flink.table.api.ValidationException: Could not find any factory for identifier 'nope'\n\nAvailable factory identifiers are:\n\nblackhole\nkafka\n\tat x\n\tSuppressed: java.io.IOException: other\n\t\tat y\n\tCaused by: java.io.IOException: nested\nCaused by: java.lang.InterruptedException\n\tat z\n";
        let cause = root(text).unwrap();
        assert!(
            cause
                .text()
                .starts_with("Could not find any factory for identifier 'nope'\n"),
            "{cause:?}"
        );
        assert!(cause.message.ends_with("kafka"));
        assert_eq!(
            root("java.lang.NullPointerException\n\tat x").unwrap().text(),
            "NullPointerException"
        );
        let placed = include_str!("../tests/samples/script-fails.log");
        let (_, trace) = in_log(placed)[0];
        assert_eq!(
            root(trace).unwrap().text(),
            "At line 3, column 32: Object 'y' not found"
        );
        assert_eq!(root("all is well: really\nno stack here"), None);
        assert_eq!(root(""), None);
    }

    #[test]
    fn traces_of_a_log_are_told_apart() {
        let log = "2026-11-21 10:00:00,001 WARN  a.B [] - odd\njava.io.IOException: first\n\tat a\n2026-11-21 10:00:00,002 INFO  a.B [] - fine\n2026-11-21 10:00:00,003 ERROR a.B [] - Fatal\njava.lang.RuntimeException: second\n\tat b\nCaused by: java.lang.IllegalStateException: why\n\tat c\n";
        let found = in_log(log);
        assert_eq!(found.len(), 2);
        assert!(found[1].0.contains("ERROR"));
        assert_eq!(root(found[0].1).unwrap().message, "first");
        assert_eq!(root(found[1].1).unwrap().text(), "why");
        assert!(in_log("nothing\nat all").is_empty());
    }
}
