//! Posts that another site makes a browser send.

use crate::app::TestApp;
use http::StatusCode;

#[tokio::test]
async fn only_our_own_pages_may_post_with_a_session() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    let body = r#"{"name":"x"}"#;
    let evil: [&[(&str, &str)]; 11] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[("origin", "null")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://127.0.0.1:8687")],
        &[("origin", "http://127.0.0.1:8686.evil.example")],
        &[("origin", "https://127.0.0.1:8686")],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://evil.example"),
        ],
        &[("sec-fetch-site", "none"), ("origin", "null")],
    ];
    for extra in evil {
        for (method, path) in [
            ("POST", "/api/v1/teams"),
            ("POST", "/logout"),
            ("POST", "/fn/x"),
            ("DELETE", "/api/v1/tokens/x"),
        ] {
            let mut headers = vec![("cookie", cookie.as_str()), ("content-type", "application/json")];
            headers.extend_from_slice(extra);
            let answer = app.send(crate::app::request(method, path, &headers, body)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} {extra:?}");
        }
    }
    let answer = app.get("/api/v1/teams", &[("cookie", &cookie)]).await;
    assert_eq!(
        answer.json()["items"],
        serde_json::json!([]),
        "nothing was done and the session lives"
    );
}

#[tokio::test]
async fn our_own_pages_and_programs_with_tokens_may() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    let bearer = app.bearer("admin").await;
    let good: [&[(&str, &str)]; 6] = [
        &[
            ("cookie", &cookie),
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://127.0.0.1:8686"),
        ],
        &[("cookie", &cookie), ("sec-fetch-site", "same-origin")],
        &[("cookie", &cookie), ("origin", "http://127.0.0.1:8686")],
        &[("cookie", &cookie), ("sec-fetch-site", "none")],
        &[("authorization", &bearer)],
        &[
            ("authorization", &bearer),
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ],
    ];
    for (number, extra) in good.into_iter().enumerate() {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend_from_slice(extra);
        let body = format!(r#"{{"name":"team-{number}"}}"#);
        let answer = app.post("/api/v1/teams", &headers, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{extra:?} {}", answer.text());
    }
}

#[tokio::test]
async fn a_loopback_console_can_be_reached_by_its_other_name() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/json"),
        ("origin", "http://localhost:8686"),
    ];
    let mut request = crate::app::request("POST", "/api/v1/teams", &headers, r#"{"name":"x"}"#);
    request
        .headers_mut()
        .insert("host", "localhost:8686".parse().unwrap());
    assert_eq!(app.send(request).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_token_makes_the_cookie_count_for_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    let headers = [("cookie", cookie.as_str()), ("authorization", "Bearer pst_wrong")];
    let answer = app.get("/api/v1/me", &headers).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["code"], "token_invalid");
}
