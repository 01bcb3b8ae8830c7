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

/// Reads the stream to its end; fails when it does not end soon.
async fn read(response: axum::response::Response) -> String {
    let body = tokio::time::timeout(Duration::from_secs(5), response.into_body().collect());
    let bytes = body.await.unwrap().unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_stream_ends_with_its_session_or_token() {
    let app = TestApp::new().await;
    app.user("li", "rt", domain::Role::Viewer).await;
    let cookie = app.sign_in("li").await;
    let bearer = app.bearer("li").await;
    let by_session = app
        .raw(request("GET", "/events", &[("cookie", &cookie)], ""))
        .await;
    let by_token = app
        .raw(request(
            "GET",
            "/api/v1/events",
            &[("authorization", &bearer)],
            "",
        ))
        .await;
    app.form("/logout", &cookie, "").await;
    assert!(read(by_session).await.ends_with("event: end\ndata: {}\n\n"));
    let viewer = app.state.service.host_viewer("li").await.unwrap();
    let token = app.state.service.tokens(&viewer).await.unwrap().remove(0);
    app.state.service.revoke_token(&viewer, &token.id).await.unwrap();
    assert!(read(by_token).await.ends_with("event: end\ndata: {}\n\n"));
}
