//! What YARN says of queues, files and sizes.

use super::{between, from, short};
use domain::{Code, Failure};

pub(super) fn queue_unknown(text: &str) -> Option<Failure> {
    let queue = between(text, "to unknown queue: ", "")
        .or_else(|| between(text, "to non-leaf queue: ", ""))
        .or_else(|| between(text, "to non-existent queue: ", ""))?;
    let queue = queue.split([' ', ',']).next()?.trim_end_matches('.');
    Some(Failure::new(Code::QueueUnknown).with("queue", queue))
}

pub(super) fn queue_denied(text: &str) -> Option<Failure> {
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

pub(super) fn too_large(text: &str) -> Option<Failure> {
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

pub(super) fn file_changed(text: &str) -> Option<Failure> {
    let at = text.find(" changed on src filesystem")?;
    let path = text[..at].rsplit([' ', '\n', '\t']).next()?;
    Some(Failure::new(Code::FileChanged).with("path", path))
}

/// Only of files the node fetches: a program may miss files of its own.
pub(super) fn file_gone(text: &str) -> Option<Failure> {
    if !text.contains("exitCode: -1000") && !text.contains("due to -1000") {
        return None;
    }
    let path = between(text, "File does not exist: ", "")?;
    let path = path.split([' ', '\t', '"']).next()?;
    Some(Failure::new(Code::FileGone).with("path", path))
}

pub(super) fn memory_exceeded(text: &str) -> Option<Failure> {
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

pub(super) fn out_of_memory(text: &str) -> Option<Failure> {
    let reason = between(text, "java.lang.OutOfMemoryError: ", "")
        .filter(|reason| !reason.is_empty())
        .or_else(|| from(text, "java.lang.OutOfMemoryError").map(|_| "OutOfMemoryError"))?;
    Some(Failure::new(Code::OutOfMemory).with("reason", short(&format!("{}.", reason.trim_end_matches('.')))))
}

pub(super) fn rejected(text: &str) -> Option<Failure> {
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
