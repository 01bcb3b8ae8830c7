//! What YARN says of an application that never ran, or was ended by a node.

use super::{Rule, between, short};
use domain::{Code, Failure};

pub(super) const RULES: &[Rule] = &[
    queue_unknown,
    queue_denied,
    too_large,
    file_changed,
    file_gone,
    memory_exceeded,
    rejected,
];

fn queue_unknown(text: &str) -> Option<Failure> {
    let queue = [
        "to unknown queue: ",
        "to non-leaf queue: ",
        "to non-existent queue: ",
    ]
    .iter()
    .find_map(|words| between(text, words, ""))?;
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
    if let Some(user) = between(text, "User ", " cannot submit applications to queue ") {
        return Some(denied(
            user,
            between(text, " cannot submit applications to queue ", "")?,
        ));
    }
    let user = between(text, "User ", " does not have permission to submit ")?;
    Some(denied(user, between(text, " to queue ", "")?))
}

/// The ResourceManager's words, and those of a driver that asks it for executors.
pub(super) fn too_large(text: &str) -> Option<Failure> {
    if let Some(asked) = between(text, "Required executor memory (", ")") {
        let max = between(text, "above the max threshold (", ")").unwrap_or("?");
        return Some(
            Failure::new(Code::ResourceTooLarge)
                .with("resource", "memory")
                .with("asked", asked)
                .with("max", max),
        );
    }
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
    let or_unknown = |number: Option<String>| number.unwrap_or_else(|| "?".into());
    Some(
        Failure::new(Code::ResourceTooLarge)
            .with("resource", resource)
            .with("asked", or_unknown(number("Requested resource=<")))
            .with("max", or_unknown(number("maximum allowed allocation=<"))),
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

/// A node's own words, and Spark's about an executor a node has killed.
pub(super) fn memory_exceeded(text: &str) -> Option<Failure> {
    let failure = |reason: &str| Some(Failure::new(Code::OutOfMemory).with("reason", short(reason)));
    if let Some(at) = text.find("Container killed by YARN for exceeding ") {
        let line = text[at..].lines().next()?;
        let reason = line.split(" Consider boosting").next().unwrap_or(line);
        let host = text[..at].lines().next_back().and_then(|line| {
            let (_, rest) = line.rsplit_once("(executor ")?;
            rest.split_once(' ').map(|(id, _)| id)
        });
        return match host {
            Some(id) => failure(&format!("executor {id}: {reason}")),
            None => failure(reason),
        };
    }
    let at = [
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
    failure(reason)
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
    let ran = text.contains("AM Container for")
        || text.contains("appattempt_")
        || text.contains("User class threw exception");
    let sign = SIGNS.iter().find(|sign| !ran && text.contains(**sign))?;
    let line = text.lines().find(|line| line.contains(sign))?;
    Some(Failure::new(Code::AppRejected).with("reason", short(line)))
}
