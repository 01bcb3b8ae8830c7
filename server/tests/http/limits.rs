//! Bounds of bodies and of work.

use crate::app::{TestApp, request};
use http::StatusCode;

#[tokio::test]
async fn a_body_is_bounded_announced_or_not() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let big = format!(r#"{{"name":"{}"}}"#, "x".repeat(3 * 1024 * 1024));
    let mut announced = request("POST", "/api/v1/teams", &headers, &big);
    announced
        .headers_mut()
        .insert("content-length", big.len().to_string().parse().unwrap());
    for request in [announced, request("POST", "/api/v1/teams", &headers, &big)] {
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text());
        assert_eq!(answer.json()["code"], "body_too_large");
        assert_eq!(answer.json()["args"]["limit"], "2 MiB");
    }
}

#[tokio::test]
async fn more_work_than_there_are_slots_is_refused_at_once() {
    let app = TestApp::with(|config| config.limits.concurrent_requests = 1).await;
    let bearer = app.bearer("admin").await;
    let headers = [("authorization", bearer.as_str())];
    let answers = futures::future::join_all((0..20).map(|_| app.get("/api/v1/me", &headers))).await;
    let refused = answers
        .iter()
        .filter(|a| a.status == StatusCode::TOO_MANY_REQUESTS)
        .count();
    let done = answers.iter().filter(|a| a.status == StatusCode::OK).count();
    assert_eq!(refused + done, 20);
    assert!(refused > 0 && done > 0, "{refused} {done}");
}
