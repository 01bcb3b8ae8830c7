//! The borders of the architecture: which crate may know which, and what may stand in which file.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{Res, cache, run, tools};

/// Per crate: the members it may use, and the libraries it must not.
const RULES: &[(&str, &[&str], &[&str])] = &[
    (
        "domain",
        &[],
        &[
            "tokio", "sqlx", "axum", "leptos", "reqwest", "hyper", "time", "chrono",
        ],
    ),
    ("net", &["domain"], &["sqlx", "axum", "leptos"]),
    (
        "hadoop",
        &["domain", "net"],
        &["sqlx", "axum", "leptos", "reqwest"],
    ),
    (
        "flink",
        &["domain", "hadoop", "net"],
        &["sqlx", "axum", "leptos", "reqwest"],
    ),
    (
        "spark",
        &["domain", "hadoop", "net"],
        &["sqlx", "axum", "leptos", "reqwest"],
    ),
    (
        "identity",
        &["domain"],
        &["sqlx", "axum", "leptos", "reqwest", "tokio"],
    ),
    ("store", &["domain"], &["axum", "leptos", "reqwest"]),
    (
        "service",
        &["domain", "flink", "hadoop", "identity", "net", "spark", "store"],
        &["axum", "leptos", "reqwest", "http", "hyper", "sqlx"],
    ),
    (
        "app",
        &["domain", "service"],
        &["tokio", "sqlx", "axum", "reqwest"],
    ),
    (
        "server",
        &["app", "domain", "identity", "service", "store"],
        &["sqlx", "reqwest"],
    ),
    ("frontend", &["app"], &["tokio", "sqlx", "axum", "reqwest"]),
    (
        "testkit",
        &[
            "domain", "flink", "hadoop", "identity", "net", "service", "spark", "store",
        ],
        &["leptos"],
    ),
    ("xtask", &[], &["tokio", "sqlx", "axum", "leptos", "reqwest"]),
];

/// Crates that must never reach the browser.
const NATIVE_ONLY: [&str; 13] = [
    "tokio", "sqlx", "axum", "reqwest", "hyper", "store", "service", "identity", "hadoop", "flink", "spark",
    "net", "testkit",
];

/// All violations, one a line.
pub(crate) fn violations() -> Res<Vec<String>> {
    let mut found = dependencies()?;
    found.extend(browser_tree()?);
    found.extend(texts()?);
    Ok(found)
}

fn dependencies() -> Res<Vec<String>> {
    let mut cargo = tools::cargo();
    let text = run::output(cargo.args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let members: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut found = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed, banned)) = RULES.iter().find(|rule| rule.0 == name) else {
            found.push(format!(
                "{name}: a new crate needs a rule in xtask/src/borders.rs"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap_or(&Vec::new()) {
            let used = dependency["name"].as_str().unwrap_or_default();
            // Tests may use any library, and testkit is made for them.
            if dependency["kind"] == "dev" {
                continue;
            }
            if members.contains(&used) && !allowed.contains(&used) {
                found.push(format!("{name} must not use the crate {used}"));
            }
            if banned.contains(&used) {
                found.push(format!("{name} must not use the library {used}"));
            }
        }
    }
    Ok(found)
}

/// What `cargo tree` says is compiled for the browser.
fn browser_tree() -> Res<Vec<String>> {
    let mut cargo = tools::cargo();
    cargo.args([
        "tree",
        "-p",
        "frontend",
        "--target",
        "wasm32-unknown-unknown",
        "-e",
        "normal",
    ]);
    let tree = run::output(cargo.args(["--prefix", "none", "--format", "{p}"]))?;
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let mut found: Vec<String> = names
        .filter(|name| NATIVE_ONLY.contains(name))
        .map(|name| format!("{name} would be compiled into the browser's code"))
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// What may stand in which tracked file.
fn texts() -> Res<Vec<String>> {
    let mut git = Command::new("git");
    let listed = run::output(
        git.args(["ls-files", "-co", "--exclude-standard"])
            .current_dir(cache::checkout()),
    )?;
    let mut found = Vec::new();
    for path in listed.lines() {
        let Ok(text) = std::fs::read_to_string(cache::checkout().join(path)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if let Some(what) = offence(path, line) {
                found.push(format!("{path}:{}: {what}", number + 1));
            }
        }
    }
    Ok(found)
}

fn offence(path: &str, line: &str) -> Option<&'static str> {
    let is = |ending: &str| Path::new(path).extension().is_some_and(|e| e == ending);
    if path.starts_with("app/src/") && is("rs") && !line.trim_start().starts_with("//") {
        if line.contains("<textarea") && path != TEXT_AREA {
            return Some("`<textarea>` only in the component that escapes its text");
        }
        // The sheet of icons is a constant of the build.
        if line.contains("inner_html") && !line.contains("inner_html=SPRITE") && path != TEXT_AREA {
            return Some("`inner_html` only in the component that escapes its text");
        }
    }
    if is("css") && path != "style/tokens.css" && has_hex_colour(line) {
        return Some("colours are tokens of style/tokens.css");
    }
    if path.ends_with("package-lock.json") && line.contains("\"resolved\"") {
        return Some("lock files name no registry: npm config set omit-lockfile-registry-resolved true");
    }
    // Written in two parts, so that this file is none.
    if [
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
    ]
    .iter()
    .any(|p| mentions(line, p))
    {
        return Some("a path of somebody's machine");
    }
    None
}

/// The component that escapes what becomes the content of a text area.
const TEXT_AREA: &str = "app/src/components/editor.rs";

/// Whether the path starts there, rather than in the middle of a longer one.
fn mentions(line: &str, path: &str) -> bool {
    let starts = |at: usize| {
        line[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && !"}_-.*".contains(c))
    };
    line.match_indices(path).any(|(at, _)| starts(at))
}

fn has_hex_colour(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| {
        let digits = line[at + 1..].chars().take_while(char::is_ascii_hexdigit).count();
        let next = line[at + 1 + digits..].chars().next();
        let ends = next.is_none_or(|c| matches!(c, ';' | ',' | ' ' | ')' | '}' | '!'));
        matches!(digits, 3 | 4 | 6 | 8) && ends && line[..at].contains(':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_told_from_ids() {
        assert!(has_hex_colour("  color: #fff;"));
        assert!(has_hex_colour("border:1px solid #1a2b3c}"));
        assert!(!has_hex_colour("#add { color: var(--ink) }"));
        assert!(!has_hex_colour("  fill: url(#gradient);"));
    }

    #[test]
    fn machine_paths_are_told_from_others() {
        let home = concat!("/ho", "me/");
        assert!(mentions(&format!("see {home}me/x"), home));
        assert!(!mentions(&format!("GET /api{home}"), home));
    }

    #[test]
    fn html_stands_only_where_allowed() {
        assert!(offence("app/src/pages/jobs.rs", "<textarea>").is_some());
        assert!(offence(TEXT_AREA, "<textarea>").is_none());
        assert!(offence("app/src/pages/jobs.rs", "inner_html=x").is_some());
    }
}
