//! The console's REST interface as a script uses it.

use net::{Client, Method, Request, Url};
use serde_json::Value;
use std::time::Duration;

/// A caller with a token. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client,
    base: String,
    token: String,
}

/// Status and body; `Null` for a body that is no JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, when the status is the one wanted.
    pub(crate) fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

impl Api {
    pub(crate) fn new(base: String, token: String) -> Self {
        let http = Client::new().unwrap();
        Self { http, base, token }
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let url = Url::parse(&format!("{}/api/v1{path}", self.base)).unwrap();
        self.http
            .request(method, url)
            .header(http::header::AUTHORIZATION, &format!("Bearer {}", self.token))
            .timeout(Duration::from_secs(60))
    }

    /// Fails only when there is no answer at all.
    pub(crate) async fn send(request: Request) -> Result<Answer, String> {
        let reply = request.send().await.map_err(|error| error.to_string())?;
        Ok(Answer {
            status: reply.status.as_u16(),
            body: serde_json::from_slice(&reply.body).unwrap_or_default(),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.request(Method::GET, path).idempotent();
        Self::send(request).await.unwrap().with(200)
    }

    /// As [`Api::get`], for a look that may have to be repeated.
    pub(crate) async fn look(&self, path: &str) -> Result<Value, String> {
        let answer = Self::send(self.request(Method::GET, path)).await?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(format!("{status} {}", answer.body)),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).await.unwrap()
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    /// A POST that may be repeated without doing its work twice.
    pub(crate) async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let name = http::HeaderName::from_static("idempotency-key");
        let request = self.request(Method::POST, path).header(name, key).json(body);
        Self::send(request).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Self::send(self.request(Method::DELETE, path)).await.unwrap()
    }

    pub(crate) async fn upload(&self, path: &str, bytes: Vec<u8>) -> Answer {
        let request = self.request(Method::POST, path);
        Self::send(request.body("application/octet-stream", bytes))
            .await
            .unwrap()
    }
}
