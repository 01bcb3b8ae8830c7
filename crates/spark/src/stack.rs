//! Reading Java stack traces: the cause that tells a person something.

/// Longest message kept of a cause, in characters.
const MAX_MESSAGE: usize = 1500;
const MAX_CAUSES: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thrown {
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
    "AnalysisException",
    "ExtendedAnalysisException",
    "ParseException",
    "SparkException",
    "SparkRuntimeException",
    "SparkArithmeticException",
    "IllegalStateException",
    "IllegalArgumentException",
    "SparkIllegalArgumentException",
    "Py4JJavaError",
];

impl Thrown {
    /// The class's name without its package.
    pub fn simple(&self) -> &str {
        self.class.rsplit(['.', '$']).next().unwrap_or(&self.class)
    }

    /// For people: `ArithmeticException: / by zero`, or the message alone.
    pub fn text(&self) -> String {
        let message = without_plan(&self.message);
        let simple = self.simple();
        if message.is_empty() {
            simple.to_owned()
        } else if PLAIN.contains(&simple) {
            message
        } else {
            format!("{simple}: {message}")
        }
    }
}

/// A message without the query plan, the copy of the statement and the executor's stack behind it.
pub fn without_plan(message: &str) -> String {
    const MARKS: &[&str] = &[
        "\n== SQL",
        ";\n'",
        ";\n+-",
        ";\nProject",
        ";\nInsert",
        "\n\tat ",
        "\n\nDriver stacktrace",
    ];
    let end = MARKS
        .iter()
        .filter_map(|mark| message.find(mark))
        .min()
        .unwrap_or(message.len());
    message[..end].trim().to_owned()
}

/// The exception a line names, when it begins like one: `java.io.IOException: no`.
pub fn header(line: &str) -> Option<Thrown> {
    let end = line
        .find(|c: char| !(c.is_alphanumeric() || "._$".contains(c)))
        .unwrap_or(line.len());
    let (class, rest) = line.split_at(end);
    let simple = class.rsplit(['.', '$']).next()?;
    let named = class.contains('.')
        && simple.chars().next().is_some_and(char::is_uppercase)
        && class.chars().next().is_some_and(char::is_lowercase)
        && !class.contains("..");
    let thrown = ["Exception", "Error", "Throwable", "Failure"]
        .iter()
        .any(|word| simple.ends_with(word));
    let message = match rest.strip_prefix(':') {
        Some(message) => message.trim(),
        None if rest.trim().is_empty() => "",
        None => return None,
    };
    (named && thrown).then(|| Thrown {
        class: class.to_owned(),
        message: message.to_owned(),
    })
}

/// The causes of the first stack trace in `text`, outermost first.
pub fn chain(text: &str) -> Vec<Thrown> {
    let mut causes: Vec<Thrown> = Vec::new();
    let mut in_message = false;
    for line in text.lines() {
        let framed =
            line.starts_with("\tat ") || line.starts_with("\t... ") || line.starts_with("\tSuppressed: ");
        let next = match line.strip_prefix("Caused by: ") {
            Some(cause) => Some(header(cause).unwrap_or_else(|| Thrown {
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
        } else if framed {
            in_message = false;
        } else if log_line(line).is_some() && !causes.is_empty() {
            break;
        } else if in_message
            && let Some(cause) = causes.last_mut()
            && cause.message.len() < MAX_MESSAGE
        {
            cause.message.push('\n');
            cause.message.push_str(line.trim_end());
        }
    }
    for cause in &mut causes {
        let message: String = cause.message.trim().chars().take(MAX_MESSAGE).collect();
        cause.message = message;
    }
    causes
}

/// The deepest cause that says something.
pub fn root(text: &str) -> Option<Thrown> {
    let causes = chain(text);
    let telling = |cause: &Thrown| {
        !cause.message.is_empty()
            && !["InterruptedException", "SparkUserAppException"].contains(&cause.simple())
            // Tried for every data source there is not; the exception around it names the source.
            && !cause.message.ends_with(".DefaultSource")
    };
    let at = causes.iter().rposition(telling).or(causes.len().checked_sub(1))?;
    causes.into_iter().nth(at)
}

/// Level and text behind the time of a line of Spark's log: `26/11/20 21:19:01 ERROR Executor: …`,
/// or `2026-11-20 21:19:01…`.
pub fn log_line(line: &str) -> Option<(&str, &str)> {
    let dated = line.starts_with(|c: char| c.is_ascii_digit())
        && line.get(..17).is_some_and(|head| {
            head.bytes().filter(u8::is_ascii_digit).count() >= 12
                && head.bytes().all(|b| b.is_ascii_digit() || b"/-: ,T".contains(&b))
        });
    if !dated {
        return None;
    }
    let at = [" ERROR ", " WARN ", " INFO ", " FATAL ", " DEBUG "]
        .iter()
        .find_map(|level| line.find(level).filter(|at| *at < 40))?;
    line[at + 1..].split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_telling_cause_is_found() {
        let text = "org.apache.spark.SparkException: Job aborted\n\tat a.b(C.java:1)\nCaused by: org.apache.spark.sql.AnalysisException: [T] nope;\nmore; line 1 pos 14;\n'Project [*]\n+- x\n\n\tat x\n\tSuppressed: java.io.IOException: other\nCaused by: java.lang.InterruptedException: sleep\n26/11/20 21:19:01 INFO A: later\njava.io.IOException: not this\n";
        assert_eq!(chain(text).len(), 3);
        assert_eq!(root(text).unwrap().text(), "[T] nope;\nmore; line 1 pos 14");
        let bare = root("java.lang.NullPointerException\n\tat x").unwrap();
        assert_eq!(bare.text(), "NullPointerException");
        assert_eq!(
            root("java.lang.ArithmeticException: / by zero").unwrap().text(),
            "ArithmeticException: / by zero"
        );
        assert_eq!(root("all is well: really"), None);
        let source = "org.apache.spark.SparkClassNotFoundException: [DATA_SOURCE_NOT_FOUND] Failed to find the data source: delta.\n\tat x\nCaused by: java.lang.ClassNotFoundException: delta.DefaultSource\n\tat y";
        assert!(root(source).unwrap().message.ends_with("source: delta."));
    }

    #[test]
    fn lines_of_a_log_are_recognised() {
        assert_eq!(
            log_line("26/11/20 21:19:01 ERROR ApplicationMaster: Uncaught exception: "),
            Some(("ERROR", "ApplicationMaster: Uncaught exception: "))
        );
        assert_eq!(
            log_line("2026-11-20 21:19:01,123 WARN  Utils: x").map(|l| l.0),
            Some("WARN")
        );
        assert_eq!(log_line("\tat x INFO y"), None);
        assert_eq!(log_line(""), None);
    }
}
