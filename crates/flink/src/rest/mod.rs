//! The REST interface of a running job, in the JobManager's process. It is attacker-controlled: the
//! job's own code runs there. It tells about itself only, and it is gone with the application.

mod model;
mod savepoint;

pub use model::{Exception, Exceptions, Job, JobState, JobSummary, TaskManager, Tasks};

pub use savepoint::{Order, Progress};

pub use net::observation::{Error, Observation};

pub(crate) use model::read;
use model::{Jobs, Settings, TaskManagers};
use net::{Method, Reply, StatusCode, Url, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

const MAX_BODY: u64 = 8 << 20;

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancel {
    /// The engine works on it; asking again does no harm.
    Accepted,
    /// The job has already ended.
    Ended,
}

/// A client of one job's REST interface.
#[derive(Debug, Clone)]
pub struct Client {
    http: net::Client,
    base: Url,
    /// Sent with every request: the ResourceManager's proxy wants a user.
    query: Vec<(String, String)>,
    proxied: bool,
}

impl Client {
    /// The interface itself, at the `host:port` the ResourceManager reports as `amRPCAddress`.
    /// `None` when that is not an address.
    pub fn direct(http: net::Client, address: &str) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
        let named = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
        let host = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let base = Url::parse(&format!("http://{host}:{port}/")).ok()?;
        named.then_some(Self {
            http,
            base,
            query: Vec::new(),
            proxied: false,
        })
    }

    /// Through the ResourceManager's proxy, `…/proxy/<application id>`. It passes on reads only.
    pub fn proxied(http: net::Client, mut base: Url, query: Vec<(String, String)>) -> Self {
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Self {
            http,
            base,
            query,
            proxied: true,
        }
    }

    /// Where requests go, for people.
    pub fn endpoint(&self) -> String {
        self.base.to_string()
    }

    /// Id of the application that answers here. A port is soon another application's after its own
    /// has ended; compare before believing anything else.
    pub async fn application(&self) -> Observation<Option<String>> {
        let settings: Observation<Settings> = self.read("jobmanager/config").await;
        settings.map(|settings| settings.get("high-availability.cluster-id"))
    }

    pub async fn jobs_overview(&self) -> Observation<Vec<JobSummary>> {
        let jobs: Observation<Jobs> = self.read("jobs/overview").await;
        jobs.map(|jobs| jobs.jobs)
    }

    pub async fn job(&self, id: &str) -> Observation<Job> {
        self.of_job(id, "").await
    }

    pub async fn exceptions(&self, id: &str) -> Observation<Exceptions> {
        self.of_job(id, "/exceptions").await
    }

    pub async fn taskmanagers(&self) -> Observation<Vec<TaskManager>> {
        let managers: Observation<TaskManagers> = self.read("taskmanagers").await;
        managers.map(|managers| managers.taskmanagers)
    }

    /// The interface's own settings: `flink-version`, `timezone-offset` and so on.
    pub async fn config(&self) -> Observation<Value> {
        self.read("config").await
    }

    /// Ends a job without keeping its state. Asking twice is the same as asking once.
    pub async fn cancel(&self, id: &str) -> Observation<Cancel> {
        if !is_job_id(id) {
            return Observation::Gone;
        }
        // The proxy knows GET alone, for which Flink keeps a path of its own.
        let request = if self.proxied {
            self.request(Method::GET, &format!("jobs/{id}/yarn-cancel"))
        } else {
            self.request(Method::PATCH, &format!("jobs/{id}"))
                .query("mode", "cancel")
        };
        match request.idempotent().send().await {
            Ok(reply) if reply.status == StatusCode::CONFLICT => Observation::Known(Cancel::Ended),
            Ok(reply) => self.body::<Value>(&reply).map(|_| Cancel::Accepted),
            Err(error) => Observation::Inconclusive(error.into()),
        }
    }

    async fn of_job<T: DeserializeOwned>(&self, id: &str, what: &str) -> Observation<T> {
        if is_job_id(id) {
            self.read(&format!("jobs/{id}{what}")).await
        } else {
            Observation::Gone
        }
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Observation<T> {
        match self.request(Method::GET, path).idempotent().send().await {
            Ok(reply) => self.body(&reply),
            Err(error) => Observation::Inconclusive(error.into()),
        }
    }

    fn request(&self, method: Method, path: &str) -> net::Request {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        let request = self.http.request(method, url).accept_json().max_body(MAX_BODY);
        self.query
            .iter()
            .fold(request, |request, (name, value)| request.query(name, value))
    }

    fn body<T: DeserializeOwned>(&self, reply: &Reply) -> Observation<T> {
        let status = reply.status;
        let is_json = reply
            .header(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.contains("json"))
            || reply.body.first().is_some_and(|b| matches!(b, b'{' | b'['));
        // Once the application has ended, the proxy sends to its history page, or shows a page.
        if self.proxied && (status.is_redirection() || (status.is_success() && !is_json)) {
            return Observation::Gone;
        }
        let reason = || reason(reply);
        let target = reply.target().to_owned();
        if status == StatusCode::NOT_FOUND && is_json {
            return Observation::Gone;
        }
        if !status.is_success() {
            return Observation::Inconclusive(Error::Refused {
                target,
                status: status.as_u16(),
                reason: reason(),
            });
        }
        let body: &[u8] = if reply.body.is_empty() { b"{}" } else { &reply.body };
        match model::read(body) {
            Ok(value) => Observation::Known(value),
            Err(error) => Observation::Inconclusive(Error::NotUnderstood {
                target,
                reason: error.to_string(),
            }),
        }
    }
}

/// 32 hex digits: anything else must not get into a path.
pub fn is_job_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first line of `{"errors": […]}`, or of the text.
fn reason(reply: &Reply) -> String {
    let text = serde_json::from_slice::<Value>(&reply.body)
        .ok()
        .and_then(|value| {
            let errors = value.get("errors")?.as_array()?;
            errors
                .iter()
                .filter_map(Value::as_str)
                .find(|error| !error.is_empty() && *error != "Internal server error.")
                .map(str::to_owned)
        })
        .unwrap_or_else(|| reply.text());
    net::observation::first_line(&text)
}
