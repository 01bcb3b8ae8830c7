//! The live stream.

use crate::app::{TestApp, request};
use http::StatusCode;
use http_body_util::BodyExt;
use std::time::Duration;

#[tokio::test]
async fn a_stream_begins_with_resync_and_ends_with_the_console() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let cookie = app.sign_in_first().await;
    for (path, header) in [
        ("/api/v1/events", ("authorization", bearer.as_str())),
        ("/events", ("cookie", cookie.as_str())),
    ] {
        let response = app.raw(request("GET", path, &[header], "")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
    }
    let response = app
        .raw(request("GET", "/events", &[("cookie", &cookie)], ""))
        .await;
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let text = String::from_utf8(first.to_vec()).unwrap();
    assert!(text.contains("event: resync"), "{text}");
    app.stop.cancel();
    let rest = tokio::time::timeout(Duration::from_secs(5), body.frame())
        .await
        .unwrap();
    assert!(rest.is_none());
}

#[tokio::test]
async fn one_user_cannot_take_all_streams() {
    let app = TestApp::with(|config| config.limits.streams_per_user = 2).await;
    let bearer = app.bearer("admin").await;
    let headers = [("authorization", bearer.as_str())];
    let first = app.raw(request("GET", "/api/v1/events", &headers, "")).await;
    let second = app.raw(request("GET", "/api/v1/events", &headers, "")).await;
    let third = app.send(request("GET", "/api/v1/events", &headers, "")).await;
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    drop((first, second));
    let fourth = app.raw(request("GET", "/api/v1/events", &headers, "")).await;
    assert_eq!(fourth.status(), StatusCode::OK);
}
