//! The headers of each class of answer.

use crate::app::{Answer, TestApp};

fn common(answer: &Answer, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
    ] {
        assert_eq!(answer.header(name), value, "{what} {name}");
    }
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
        "{what}: {policy}"
    );
    assert!(
        answer.header("permissions-policy").contains("camera=()"),
        "{what}"
    );
    assert_eq!(answer.header("x-request-id").len(), 26, "{what}");
}

#[tokio::test]
async fn every_class_of_answer_carries_them() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    for (what, path) in [
        ("page", "/jobs"),
        ("api", "/api/v1/me"),
        ("refusal", "/api/v1/jobs/x"),
        ("missing static file", "/pkg/no.js"),
        ("not found", "/nothing"),
    ] {
        let answer = app
            .get(path, &[("cookie", &cookie), ("accept", "text/html")])
            .await;
        common(&answer, what);
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "{what}: plain http"
        );
    }
    common(&app.get("/jobs", &[]).await, "redirect");
    common(&app.get("/login", &[]).await, "sign-in page");
}

#[tokio::test]
async fn scripts_of_a_page_carry_its_fresh_nonce() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = app.get("/jobs", &[("cookie", &cookie)]).await;
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap()
            .to_owned();
        assert!(nonce.len() >= 16);
        let html = answer.text();
        let scripts: Vec<&str> = html
            .split("<script")
            .skip(1)
            .map(|s| s.split('>').next().unwrap())
            .collect();
        assert!(!scripts.is_empty());
        for script in scripts {
            assert!(script.contains(&nonce), "{script}");
        }
        seen.push(nonce);
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn https_is_remembered() {
    let app = TestApp::with(|config| {
        config.server.public_url = "https://console.example.org".to_owned().try_into().unwrap();
    })
    .await;
    let answer = app.get("/login", &[]).await;
    assert_eq!(
        answer.header("strict-transport-security"),
        "max-age=63072000; includeSubDomains"
    );
}
