//! How long a session lives, by a clock that the test moves.

use crate::app::TestApp;
use domain::Role;
use http::StatusCode;
use std::sync::Arc;
use testkit::ManualClock;

const MINUTE: i64 = 60_000;

async fn status(app: &TestApp, cookie: &str) -> StatusCode {
    app.get("/api/v1/me", &[("cookie", cookie)]).await.status
}

#[tokio::test]
async fn an_idle_session_ends() {
    let clock = ManualClock::default();
    let app = TestApp::at(|_| {}, Arc::new(clock.clone())).await;
    app.user("li", "rt", Role::Viewer).await;
    let cookie = app.sign_in("li").await;
    clock.advance(30 * MINUTE);
    assert_eq!(status(&app, &cookie).await, StatusCode::OK);
    clock.advance(31 * MINUTE);
    assert_eq!(status(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_busy_session_ends_after_half_a_day() {
    let clock = ManualClock::default();
    let app = TestApp::at(|_| {}, Arc::new(clock.clone())).await;
    app.user("li", "rt", Role::Viewer).await;
    let cookie = app.sign_in("li").await;
    let mut minutes = 0;
    while status(&app, &cookie).await == StatusCode::OK {
        clock.advance(20 * MINUTE);
        minutes += 20;
        assert!(minutes <= 12 * 60, "it lives on");
    }
    assert_eq!(minutes, 12 * 60);
}

#[tokio::test]
async fn a_login_link_ends_too() {
    let clock = ManualClock::default();
    let app = TestApp::at(|_| {}, Arc::new(clock.clone())).await;
    clock.advance(30 * MINUTE);
    let answer = app
        .form("/login/link", "", &format!("secret={}", app.first_secret))
        .await;
    assert_eq!(answer.header("location"), "/login?error=login_link_invalid");
}
