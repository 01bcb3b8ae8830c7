//! Every route, page and server function with the things of one team, asked for by everybody. What
//! each is answered stands in `access.txt`; a new one without a line there fails.

use crate::{
    app::request,
    world::{CANARY, World},
};
use std::fmt::Write;

const EXPECTED: &str = include_str!("access.txt");

/// Column of the file and the user behind it.
const CALLERS: [(&str, Option<&str>); 8] = [
    ("nobody", None),
    ("other:viewer", Some("other-viewer")),
    ("other:developer", Some("other-developer")),
    ("other:operator", Some("other-operator")),
    ("viewer", Some("canary-viewer")),
    ("developer", Some("canary-developer")),
    ("operator", Some("canary-operator")),
    ("admin", Some("admin")),
];

/// One thing to ask for.
struct Call {
    /// How it is named in the file.
    label: String,
    method: String,
    path: String,
    body: String,
}

/// Routes of the API.
fn routes(world: &World) -> Vec<Call> {
    let mut calls = Vec::new();
    for (method, pattern, _) in world.app.state.table().iter() {
        // The live stream does not end; it has tests of its own.
        if !pattern.starts_with("/api/") || pattern == "/api/v1/events" {
            continue;
        }
        let mut path = world.path(pattern);
        if (method, pattern) == ("POST", "/api/v1/artifacts") {
            path = format!("{path}?name=x.jar&team={}", world.job.team);
        }
        calls.push(Call {
            label: format!("{method} {pattern}"),
            method: method.to_owned(),
            path,
            body: world.body(method, pattern),
        });
    }
    in_order(calls)
}

/// Pages and server functions: what a browser asks for.
fn faces(world: &World) -> Vec<Call> {
    let mut calls = Vec::new();
    for (method, pattern, rule) in world.app.state.table().iter() {
        let page = method == "GET" && rule.policy == server::routes::Policy::Session;
        if page && pattern != "/events" && !pattern.starts_with("/fn/") {
            calls.push(Call {
                label: format!("{method} {pattern}"),
                method: method.to_owned(),
                path: world.path(pattern),
                body: String::new(),
            });
        }
    }
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        let arguments = world.arguments(path.rsplit('/').next().unwrap());
        let read = method == http::Method::GET;
        calls.push(Call {
            label: format!("{method} {path}"),
            path: if read {
                format!("{path}?{}", query(&arguments))
            } else {
                path.to_owned()
            },
            body: if read {
                String::new()
            } else {
                arguments.to_string()
            },
            method: method.to_string(),
        });
    }
    in_order(calls)
}

/// The plain texts among the arguments.
fn query(arguments: &serde_json::Value) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in arguments.as_object().unwrap() {
        if let Some(text) = value.as_str() {
            out.append_pair(name, text);
        }
    }
    out.finish()
}

/// Reads first and deletions last, so that one call does not hide the next.
fn in_order(mut calls: Vec<Call>) -> Vec<Call> {
    let last = ["delete_job", "revoke_token"];
    calls.sort_by_key(|call| {
        let method = ["GET", "POST", "PUT", "DELETE"]
            .iter()
            .position(|m| *m == call.method);
        let deletes = last.iter().any(|name| call.label.ends_with(name));
        (deletes, method, call.label.clone())
    });
    calls
}

/// The status of each call as one user.
async fn statuses(calls: fn(&World) -> Vec<Call>, user: Option<&str>, by_token: bool) -> Vec<(String, u16)> {
    let world = World::new().await;
    let credential = match user {
        None => None,
        Some(user) if by_token => Some(("authorization", world.app.bearer(user).await)),
        Some("admin") => Some(("cookie", world.app.sign_in_first().await)),
        Some(user) => Some(("cookie", world.app.sign_in(user).await)),
    };
    let stranger = user.is_none_or(|user| user.starts_with("other"));
    let mut statuses = Vec::new();
    for call in calls(&world) {
        let program = call.path.starts_with("/fn/") || call.path.starts_with("/api/");
        let accept = if program { "application/json" } else { "text/html" };
        let mut headers = vec![
            ("content-type", "application/json"),
            ("sec-fetch-site", "same-origin"),
            ("accept", accept),
        ];
        if let Some((name, value)) = &credential {
            headers.push((*name, value.as_str()));
        }
        let answer = world
            .app
            .send(request(&call.method, &call.path, &headers, &call.body))
            .await;
        let status = answer.status.as_u16();
        let text = answer.text();
        assert!(status < 500, "{status} {} as {user:?}: {text}", call.label);
        if stranger {
            // What the caller itself sent may come back.
            let text = text.replace("canary-cluster", "");
            assert!(!text.contains(CANARY), "{} as {user:?}: {text}", call.label);
        }
        statuses.push((call.label, status));
    }
    statuses
}

async fn table(calls: fn(&World) -> Vec<Call>, by_token: bool) -> Vec<String> {
    let mut columns = Vec::new();
    for (_, user) in CALLERS {
        columns.push(statuses(calls, user, by_token).await);
    }
    let mut lines = Vec::new();
    for (row, (label, _)) in columns[0].iter().enumerate() {
        let mut line = format!("{label:<58}");
        for (column, (name, _)) in columns.iter().zip(CALLERS) {
            assert_eq!(&column[row].0, label);
            write!(line, " {:<width$}", column[row].1, width = name.len()).unwrap();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The lines of a part of the file.
fn expected(part: &str) -> Vec<&'static str> {
    EXPECTED
        .split("# ")
        .find_map(|section| section.strip_prefix(part))
        .map(|section| section.lines().skip(1).filter(|line| !line.is_empty()).collect())
        .unwrap_or_default()
}

fn compare(part: &str, actual: &[String]) {
    let expected = expected(part);
    let new: Vec<&str> = actual
        .iter()
        .map(String::as_str)
        .filter(|line| !expected.contains(line))
        .collect();
    let gone: Vec<&str> = expected
        .iter()
        .copied()
        .filter(|line| !actual.iter().any(|a| a == line))
        .collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "# {part}\nanswered:\n{}\nexpected:\n{}",
        new.join("\n"),
        gone.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_of_the_api() {
    compare("api", &table(routes, true).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_and_server_function() {
    compare("pages", &table(faces, false).await);
}
