//! The console under test and a small client for it.

use axum::{
    Router,
    body::{Body, Bytes},
    response::Response,
};
use domain::{
    Role, Viewer,
    identity::{NewMembership, NewToken, NewUser},
};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use server::{boot, config::Config, router, state::AppState};
use service::{Clock, SystemClock};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) state: AppState,
    pub(crate) admin: Viewer,
    pub(crate) first_secret: String,
    pub(crate) stop: CancellationToken,
    pub(crate) dir: tempfile::TempDir,
}

/// An answer that was read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The session cookie as a request sends it back; empty when none was set.
    pub(crate) fn cookie(&self) -> String {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|v| v.to_str().unwrap())
            .find(|v| v.contains("penstock=") && !v.contains("Max-Age=0"))
            .map_or(String::new(), |v| v.split(';').next().unwrap().to_owned())
    }
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::at(change, Arc::new(SystemClock)).await
    }

    pub(crate) async fn at(change: impl FnOnce(&mut Config), clock: Arc<dyn Clock>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.server.data_dir = dir.path().join("data");
        change(&mut config);
        let opened = boot::open_at(&config, clock).await.unwrap();
        let secret = opened.service.first_start().await.unwrap().unwrap();
        let admin = opened.service.host_viewer("admin").await.unwrap();
        let stop = CancellationToken::new();
        let mut state = boot::state(config, opened.service.clone(), opened.db.clone(), stop.clone());
        state.heartbeat = std::time::Duration::from_millis(50);
        let (router, state) = router::build(state);
        Self {
            router,
            state,
            admin,
            first_secret: secret.expose().to_owned(),
            stop,
            dir,
        }
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.raw(request).await;
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers, "")).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(request("POST", path, headers, body)).await
    }

    /// A form as a browser posts it from our own page.
    pub(crate) async fn form(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            ("cookie", cookie),
        ];
        let headers = if cookie.is_empty() {
            &headers[..2]
        } else {
            &headers[..]
        };
        self.post(path, headers, body).await
    }

    /// Makes a user with a role in a team, which is made when it is missing.
    pub(crate) async fn user(&self, name: &str, team: &str, role: Role) {
        let teams = self.state.service.teams(&self.admin).await.unwrap();
        if !teams.iter().any(|t| t.name == team) {
            self.state.service.create_team(&self.admin, team).await.unwrap();
        }
        let new = NewUser {
            name: name.to_owned(),
            password: Some(PASSWORD.to_owned()),
            admin: false,
            teams: vec![NewMembership {
                team: team.to_owned(),
                role,
            }],
        };
        self.state.service.create_user(&self.admin, new).await.unwrap();
    }

    /// Signs in by password and answers the cookie.
    pub(crate) async fn sign_in(&self, name: &str) -> String {
        let answer = self
            .form(
                "/login",
                "",
                &format!("name={name}&password={}", PASSWORD.replace(' ', "+")),
            )
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(answer.header("location"), "/");
        let cookie = answer.cookie();
        assert!(!cookie.is_empty());
        cookie
    }

    /// Signs the administrator in by the link of the first start.
    pub(crate) async fn sign_in_first(&self) -> String {
        let answer = self
            .form("/login/link", "", &format!("secret={}", self.first_secret))
            .await;
        assert_eq!(answer.header("location"), "/", "{}", answer.text());
        answer.cookie()
    }

    /// The `Authorization` of a new token of a user.
    pub(crate) async fn bearer(&self, name: &str) -> String {
        let viewer = self.state.service.host_viewer(name).await.unwrap();
        let new = NewToken {
            name: "test".into(),
            days: 1,
        };
        let created = self.state.service.create_token(&viewer, new).await.unwrap();
        format!("Bearer {}", created.secret)
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut builder = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8686");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::from(body.to_owned())).unwrap()
}
