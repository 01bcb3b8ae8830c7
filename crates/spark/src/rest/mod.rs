//! The REST interface of a running driver. It is attacker-controlled: the job's own code runs there.
//! It tells about itself only, and it is gone with the application. A driver sends everybody but the
//! ResourceManager's proxy away, so the proxy is the usual way.

mod model;

pub use model::{Executor, Job, JobStatus, Progress, Stage};

pub use net::observation::{Error, Observation};
use net::{Reply, StatusCode, Url, header};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
/// A driver keeps 1000 jobs and 1000 stages, of some kilobytes each.
const MAX_BODY: u64 = 16 << 20;

/// A client of one driver's REST interface.
#[derive(Debug, Clone)]
pub struct Client {
    http: net::Client,
    base: Url,
    query: Vec<(String, String)>,
    application: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Version {
    spark: String,
}

impl Client {
    /// `base` is `…/proxy/<application id>` of the ResourceManager, or `http://host:port` of a driver
    /// that lets this host in. `query` goes with every request: the proxy wants a user.
    pub fn new(http: net::Client, mut base: Url, query: Vec<(String, String)>, application: &str) -> Self {
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Self {
            http,
            base,
            query,
            application: application.to_owned(),
        }
    }

    /// Where requests go, for people.
    pub fn endpoint(&self) -> String {
        self.base.to_string()
    }

    /// Newest first.
    pub async fn jobs(&self) -> Observation<Vec<Job>> {
        self.of_application("jobs", &[]).await
    }

    /// Stages that run now; a list of all grows to megabytes.
    pub async fn active_stages(&self) -> Observation<Vec<Stage>> {
        self.of_application("stages", &[("status", "active")]).await
    }

    /// Stages that failed.
    pub async fn failed_stages(&self) -> Observation<Vec<Stage>> {
        self.of_application("stages", &[("status", "failed")]).await
    }

    /// Executors that are there and those that went, the driver among them.
    pub async fn executors(&self) -> Observation<Vec<Executor>> {
        self.of_application("allexecutors", &[]).await
    }

    /// The numbers of all jobs so far.
    pub async fn progress(&self) -> Observation<Progress> {
        self.jobs().await.map(|jobs| Progress::of(&jobs))
    }

    /// The version that runs there.
    pub async fn version(&self) -> Observation<String> {
        let version: Observation<Version> = self.read("api/v1/version", &[]).await;
        version.map(|version| version.spark)
    }

    /// The application's id stands in the path, so another one at the same address is [`Observation::Gone`].
    async fn of_application<T: DeserializeOwned>(
        &self,
        what: &str,
        query: &[(&str, &str)],
    ) -> Observation<T> {
        let id = &self.application;
        self.read(&format!("api/v1/applications/{id}/{what}"), query)
            .await
    }

    async fn read<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Observation<T> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        let request = self
            .http
            .get(url)
            .accept_json()
            .timeout(TIMEOUT)
            .max_body(MAX_BODY);
        let own = self
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let request = own
            .chain(query.iter().copied())
            .fold(request, |request, (name, value)| request.query(name, value));
        match request.send().await {
            Ok(reply) => body(&reply),
            Err(error) => Observation::Inconclusive(error.into()),
        }
    }
}

fn body<T: DeserializeOwned>(reply: &Reply) -> Observation<T> {
    let status = reply.status;
    let is_json = reply
        .header(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.contains("json"))
        || reply.body.first().is_some_and(|b| matches!(b, b'{' | b'['));
    // Before it begins and once it has ended, the proxy sends to pages of its own; so does a driver
    // that is asked by anybody else.
    if status.is_redirection() || (status.is_success() && !is_json) || status == StatusCode::NOT_FOUND {
        return Observation::Gone;
    }
    let target = reply.target().to_owned();
    if !status.is_success() {
        return Observation::Inconclusive(Error::Refused {
            target,
            status: status.as_u16(),
            reason: net::observation::first_line(&reply.text()),
        });
    }
    match serde_json::from_slice(&reply.body) {
        Ok(value) => Observation::Known(value),
        Err(error) => Observation::Inconclusive(Error::NotUnderstood {
            target,
            reason: error.to_string(),
        }),
    }
}
