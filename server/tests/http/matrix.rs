//! Every route against every kind of caller.

use crate::app::{TestApp, request};
use domain::Role;
use http::StatusCode;
use server::routes::Policy;

/// The routes nobody needs to sign in for. A change of this list is a change of the promise.
const PUBLIC: &[(&str, &str)] = &[
    ("GET", "/favicon.svg"),
    ("GET", "/fonts/{*path}"),
    ("GET", "/login"),
    ("GET", "/pkg/{*path}"),
    ("GET", "/vendor/{*path}"),
    ("POST", "/login"),
    ("POST", "/login/link"),
    ("POST", "/logout"),
];

fn concrete(pattern: &str) -> String {
    pattern
        .split('/')
        .map(|part| match part {
            "{number}" => "1",
            "{id}" => "x_00000000000000000000000001",
            part if part.starts_with('{') => "x",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn the_public_routes_are_a_closed_list() {
    let app = TestApp::new().await;
    let mut public: Vec<(&str, &str)> = app
        .state
        .table()
        .iter()
        .filter(|(_, _, rule)| rule.policy == Policy::Public)
        .map(|(method, pattern, _)| (method, pattern))
        .collect();
    public.sort_unstable();
    assert_eq!(public, PUBLIC);
}

#[tokio::test]
async fn the_rest_api_takes_tokens_and_pages_do_not() {
    let app = TestApp::new().await;
    for (method, pattern, rule) in app.state.table().iter() {
        let expected = if pattern.starts_with("/api/") {
            Policy::Api
        } else if PUBLIC.contains(&(method, pattern)) {
            Policy::Public
        } else {
            Policy::Session
        };
        assert_eq!(rule.policy, expected, "{method} {pattern}");
    }
}

#[tokio::test]
async fn nobody_gets_past_the_door_without_a_credential() {
    let app = TestApp::new().await;
    let garbage = "Bearer pst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let forged = "penstock=AAAAAAAAAAAAAAAAAAAAAA";
    let bearer = app.bearer("admin").await;
    let credentials: [&[(&str, &str)]; 5] = [
        &[],
        &[("cookie", forged), ("sec-fetch-site", "same-origin")],
        &[("authorization", garbage)],
        &[("authorization", "Basic YWRtaW46YWRtaW4=")],
        &[
            ("cookie", "__Host-penstock=x; penstock=; penstock=y"),
            ("sec-fetch-site", "same-origin"),
        ],
    ];
    for (method, pattern, rule) in app.state.table().iter() {
        if rule.policy == Policy::Public {
            continue;
        }
        for headers in credentials {
            let answer = app.send(request(method, &concrete(pattern), headers, "")).await;
            let to_login =
                answer.status == StatusCode::SEE_OTHER && answer.header("location").starts_with("/login");
            assert!(
                answer.status == StatusCode::UNAUTHORIZED || to_login,
                "{method} {pattern} {headers:?}: {}",
                answer.status
            );
        }
        if rule.policy == Policy::Session {
            let headers = [("authorization", bearer.as_str())];
            let answer = app.send(request(method, &concrete(pattern), &headers, "")).await;
            assert!(!answer.status.is_success(), "{method} {pattern} took a token");
        }
    }
}

#[tokio::test]
async fn a_token_opens_the_whole_api() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    for (method, pattern, rule) in app.state.table().iter() {
        if rule.policy != Policy::Api || pattern.ends_with("/events") {
            continue;
        }
        let headers = [("authorization", bearer.as_str())];
        let answer = app.send(request(method, &concrete(pattern), &headers, "")).await;
        assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {pattern}");
        assert_ne!(answer.status, StatusCode::SEE_OTHER, "{method} {pattern}");
    }
}

#[tokio::test]
async fn administration_is_refused_to_every_role() {
    let app = TestApp::new().await;
    for role in Role::ALL {
        app.user(role.name(), "rt", role).await;
        let bearer = app.bearer(role.name()).await;
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        for (method, path, body) in [
            ("GET", "/api/v1/users", ""),
            ("POST", "/api/v1/users", r#"{"name":"x"}"#),
            ("POST", "/api/v1/teams", r#"{"name":"x"}"#),
            ("GET", "/api/v1/audit", ""),
        ] {
            let answer = app.send(request(method, path, &headers, body)).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{} {method} {path}",
                role.name()
            );
            assert_eq!(answer.json()["code"], "forbidden");
        }
    }
}

#[tokio::test]
async fn odd_spellings_of_a_path_lead_nowhere() {
    let app = TestApp::new().await;
    for path in [
        "//api/v1/me",
        "/api//v1/me",
        "/./api/v1/me",
        "/api/./v1/me",
        "/x/../api/v1/me",
        "/%2e/api/v1/me",
        "/x/%2e%2e/api/v1/me",
        "/api/v1/me/",
        "/api/v1/me;x",
        "/api/v1/me%00",
        "/api/v1/%6de%2f",
        "/API/v1/me",
        "/api/V1/me",
        "/api/v1/ME",
        "/api%2fv1/me",
        "/api/v1%2fme",
        "/api/v1/..;/me",
        "/..;/api/v1/me",
        "/api/v1/me%20",
        "/api/v1/me.json",
        "/api/v1/me%3fx",
        "/pkg/../api/v1/me",
        "/pkg/%2e%2e/api/v1/me",
        "/login/../api/v1/me",
        "/login/%2e%2e/api/v1/me",
        "/login;/../jobs",
        "/jobs/../api/v1/users",
        "//jobs",
        "/jobs//",
        "/JOBS",
        "/jobs%2f",
        "/jobs;a=b",
        "/%6aobs%00",
        "/healthz",
        "/readyz",
        "/metrics",
        "/debug",
        "/api",
        "/api/",
        "/fn",
        "/fn/",
    ] {
        let answer = app.get(path, &[]).await;
        assert!(
            [
                StatusCode::NOT_FOUND,
                StatusCode::BAD_REQUEST,
                StatusCode::UNAUTHORIZED,
                StatusCode::METHOD_NOT_ALLOWED
            ]
            .contains(&answer.status)
                || (answer.status == StatusCode::SEE_OTHER
                    && answer.header("location").starts_with("/login")),
            "{path}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn every_server_function_needs_a_session() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let mut seen = 0;
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        seen += 1;
        assert!(path.starts_with("/fn/"), "{path} is outside the route table");
        for headers in [vec![], vec![("authorization", bearer.as_str())]] {
            let answer = app.send(request(method.as_str(), path, &headers, "")).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.json()["Failed"]["failure"]["code"], "unauthenticated");
        }
    }
    assert!(seen > 0);
}
