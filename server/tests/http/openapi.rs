//! The description of the API.

use crate::app::TestApp;
use http::StatusCode;

#[tokio::test]
async fn every_route_is_described() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let answer = app
        .get("/api/v1/openapi.json", &[("authorization", &bearer)])
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let api = answer.json();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut count = 0;
    for (method, pattern, _) in app
        .state
        .table()
        .iter()
        .filter(|(_, p, _)| p.starts_with("/api/"))
    {
        let operation = &api["paths"][pattern][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {pattern}");
        let text = operation["summary"]
            .as_str()
            .or(operation["description"].as_str());
        assert!(
            text.is_some_and(|t| !t.is_empty()),
            "{method} {pattern} says nothing"
        );
        assert!(
            operation["responses"]["default"].is_object(),
            "{method} {pattern}"
        );
        count += 1;
    }
    assert!(count > 30, "{count}");
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let text = app
        .get("/api/v1/openapi.json", &[("authorization", &bearer)])
        .await
        .text();
    let api: serde_json::Value = serde_json::from_str(&text).unwrap();
    let references: Vec<&str> = text
        .split("\"#/components/schemas/")
        .skip(1)
        .map(|t| t.split('"').next().unwrap())
        .collect();
    assert!(references.len() > 30);
    for name in references {
        assert!(api["components"]["schemas"][name].is_object(), "{name}");
    }
}

/// Names that come from a macro are invisible to a derive, which would then tell those of the code.
#[tokio::test]
async fn enums_are_told_as_they_are_sent() {
    let app = TestApp::new().await;
    let bearer = app.bearer("admin").await;
    let api = app
        .get("/api/v1/openapi.json", &[("authorization", &bearer)])
        .await
        .json();
    let mut seen = 0;
    for (name, schema) in api["components"]["schemas"].as_object().unwrap() {
        for value in schema["enum"].as_array().into_iter().flatten() {
            let text = value.as_str().unwrap();
            assert!(text.starts_with(|c: char| c.is_lowercase()), "{name}: {text}");
            seen += 1;
        }
    }
    assert!(seen > 80, "{seen}");
}
