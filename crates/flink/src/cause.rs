//! Why an application failed, in one code a person can act on, from the texts it left behind.

mod log;
mod statement;
mod yarn;

pub use statement::{StatementEvent, statement_events};

use crate::stack;
use domain::{Code, Failure};
use log::{in_log, said};
use statement::{last_event, statement};
use yarn::{
    file_changed, file_gone, memory_exceeded, out_of_memory, queue_denied, queue_unknown, rejected, too_large,
};

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

#[cfg(test)]
mod tests;
