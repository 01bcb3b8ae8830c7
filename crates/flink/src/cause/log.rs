//! What a log, or the rest of a text, says.

use crate::stack;

/// The cause in a log: of the trace that is called fatal, else of the last error, else of the last
/// trace at all.
pub(super) fn in_log(log: &str) -> Option<stack::Cause> {
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
pub(super) fn said(text: &str) -> Option<String> {
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
