//! The shape of refusals.

use crate::app::TestApp;
use http::StatusCode;

#[tokio::test]
async fn a_problem_has_every_part() {
    let app = TestApp::new().await;
    let answer = app.get("/api/v1/me", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut problem = answer.json();
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    problem["request_id"] = "…".into();
    assert_eq!(
        problem,
        serde_json::json!({
            "type": "urn:penstock:unauthenticated",
            "title": "Unauthorized",
            "status": 401,
            "code": "unauthenticated",
            "args": {},
            "detail": "You are not signed in, or your session has ended. Sign in and try again.",
            "request_id": "…",
        })
    );
}

#[tokio::test]
async fn the_text_follows_the_reader_and_the_code_does_not() {
    let app = TestApp::new().await;
    for (headers, begin) in [
        (vec![("accept-language", "zh-CN,zh;q=0.9,en;q=0.8")], "尚未登录"),
        (vec![("accept-language", "de")], "You are not"),
        (
            vec![("accept-language", "zh-CN"), ("cookie", "lang=en")],
            "You are not",
        ),
    ] {
        let problem = app.get("/api/v1/me", &headers).await.json();
        assert_eq!(problem["code"], "unauthenticated");
        assert!(
            problem["detail"].as_str().unwrap().starts_with(begin),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_told_why() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let auth = ("authorization", bearer.as_str());
    let json = ("content-type", "application/json");
    let cases = [
        (vec![auth, json], "{", StatusCode::BAD_REQUEST, "bad_json"),
        (
            vec![auth, json],
            r#"{"name":"x","extra":1}"#,
            StatusCode::BAD_REQUEST,
            "bad_json",
        ),
        (vec![auth, json], "", StatusCode::BAD_REQUEST, "bad_json"),
        (
            vec![auth],
            r#"{"name":"x"}"#,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
        ),
        (
            vec![auth, ("content-type", "text/plain")],
            r#"{"name":"x"}"#,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
        ),
    ];
    for (headers, body, status, code) in cases {
        let answer = app.post("/api/v1/teams", &headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.json()["code"], code);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        app.post("/api/v1/teams", &[auth, json], &deep).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn refused_fields_are_listed() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    let headers = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/json"),
    ];
    let answer = app
        .post("/api/v1/tokens", &headers, r#"{"name":"","days":0}"#)
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    let problem = answer.json();
    let fields: Vec<&str> = problem["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["name", "days"]);
    assert_eq!(problem["fields"][0]["code"], "field_required");
    assert_eq!(problem["code"], "field_required");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems_too() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let auth = [("authorization", bearer.as_str())];
    let answer = app.get("/api/v1/nothing", &auth).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("no_route"))
    );
    let answer = app.post("/api/v1/me", &auth, "").await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, Some("method_not_allowed"))
    );
    let answer = app.get("/api/v1/jobs/not-an-id", &auth).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = app.get("/api/v1/tokens?limit=0", &auth).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("field_range"))
    );
    let answer = app.get("/api/v1/tokens?limit=many", &auth).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("field_invalid"))
    );
}

#[tokio::test]
async fn a_person_is_led_to_the_sign_in() {
    let app = TestApp::new().await;
    let html = [("accept", "text/html")];
    let answer = app.get("/jobs?q=a%20b", &html).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/login?next=%2Fjobs%3Fq%3Da%2520b");
    let answer = app.get("/no/such/page", &html).await;
    assert_eq!(answer.header("location"), "/login?next=%2Fno%2Fsuch%2Fpage");
    let cookie = app.sign_in_first().await;
    let answer = app.get("/no/such/page", &[html[0], ("cookie", &cookie)]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.header("content-type").starts_with("text/html"));
}
