//! Every route of the API with the things of one team, called by everybody. What each is answered
//! stands in `access.txt`; a new route without a line there fails.

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

/// Status of each route, reads first and deletions last, so that one call does not hide the next.
async fn statuses(user: Option<&str>, others: bool) -> Vec<(String, u16)> {
    let world = World::new().await;
    let bearer = match user {
        Some(user) => Some(world.app.bearer(user).await),
        None => None,
    };
    let mut routes: Vec<(String, String)> = world
        .app
        .state
        .table()
        .iter()
        .filter(|(_, pattern, _)| {
            pattern.starts_with("/api/") && !pattern.ends_with("/events") || pattern.ends_with("{id}/events")
        })
        .map(|(method, pattern, _)| (method.to_owned(), pattern.to_owned()))
        .collect();
    routes.sort_by_key(|(method, pattern)| {
        let order = ["GET", "POST", "PUT", "DELETE"].iter().position(|m| m == method);
        (order, pattern.clone())
    });
    let mut statuses = Vec::new();
    for (method, pattern) in routes {
        let mut path = world.path(&pattern);
        if pattern == "/api/v1/artifacts" && method == "POST" {
            path = format!("{path}?name=x.jar&team={}", world.job.team);
        }
        let mut headers = vec![("content-type", "application/json")];
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer.as_str()));
        }
        let answer = world
            .app
            .send(request(&method, &path, &headers, &world.body(&method, &pattern)))
            .await;
        let status = answer.status.as_u16();
        assert_ne!(status, 500, "{method} {pattern} as {user:?}: {}", answer.text());
        if others {
            // What the caller itself sent may come back.
            let text = answer.text().replace("canary-cluster", "");
            assert!(!text.contains(CANARY), "{method} {pattern} as {user:?}: {text}");
        }
        statuses.push((format!("{method} {pattern}"), status));
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_answered_as_the_table_says() {
    let mut columns = Vec::new();
    for (name, user) in CALLERS {
        columns.push(statuses(user, name.starts_with("other")).await);
    }
    let mut actual = String::new();
    let names: Vec<&str> = CALLERS.iter().map(|(name, _)| *name).collect();
    writeln!(actual, "{:<62} {}", "route", names.join(" ")).unwrap();
    for (row, (route, _)) in columns[0].iter().enumerate() {
        write!(actual, "{route:<62}").unwrap();
        for (column, name) in columns.iter().zip(&names) {
            assert_eq!(&column[row].0, route);
            write!(actual, " {:<width$}", column[row].1, width = name.len()).unwrap();
        }
        actual.truncate(actual.trim_end().len());
        actual.push('\n');
    }
    let differing: Vec<&str> = actual
        .lines()
        .filter(|line| !EXPECTED.lines().any(|e| e == *line))
        .collect();
    let missing: Vec<&str> = EXPECTED
        .lines()
        .filter(|line| !actual.lines().any(|a| a == *line))
        .collect();
    assert!(
        differing.is_empty() && missing.is_empty(),
        "answered:\n{}\nexpected:\n{}",
        differing.join("\n"),
        missing.join("\n")
    );
}
