//! ResourceManager REST.

mod queues;

use crate::{
    ApplicationId, Endpoints, Error, Identity, Observation,
    error::is_standby_page,
    ha::at,
    ids::AttemptId,
    lenient::Listing,
    types::{App, AppState, Attempt, ClusterInfo, ClusterMetrics, Container, NewApplication, Node},
};
use net::{HeaderName, Method, Reply, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use queues::{Queue, Scheduler};

const APPS: &str = "/ws/v1/cluster/apps";
/// An answer with every application a ResourceManager remembers stays below this.
const MAX_APPS_BODY: u64 = 64 << 20;
const MAX_BODY: u64 = 16 << 20;
/// What a list of applications is asked without: it is long and repeats what is known.
const DESELECT: &str = "resourceRequests,timeouts,resourceInfo,appNodeLabelExpression,amNodeLabelExpression";

/// Any value will do; its presence proves that no browser form sent the request.
pub(crate) const XSRF: HeaderName = HeaderName::from_static("x-xsrf-header");

/// Which applications a list holds; all that are set must match.
#[derive(Debug, Clone, Default)]
pub struct AppQuery {
    /// Empty: every state.
    pub states: Vec<AppState>,
    pub user: Option<String>,
    /// Epoch milliseconds, inclusive.
    pub started_from: Option<i64>,
    pub finished_from: Option<i64>,
    pub limit: Option<u32>,
}

/// What a kill brought about so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Killed {
    /// The application has ended; otherwise the request is accepted and the end is to come.
    pub done: bool,
    /// The ResourceManager's own word (`KILLING`, `FINAL_SAVING`, `KILLED`, `FINISHED`, …).
    pub state: String,
}

/// Client of one cluster's ResourceManagers as one Hadoop user.
#[derive(Debug, Clone)]
pub struct ResourceManager {
    http: net::Client,
    endpoints: Endpoints,
    identity: Identity,
}

impl ResourceManager {
    pub fn new(http: net::Client, endpoints: Endpoints, identity: Identity) -> Self {
        Self {
            http,
            endpoints,
            identity,
        }
    }

    /// The same ResourceManagers for another user; which one is active stays shared.
    pub fn with_identity(&self, identity: Identity) -> Self {
        Self {
            identity,
            ..self.clone()
        }
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The active ResourceManager.
    pub async fn cluster_info(&self) -> Result<ClusterInfo, Error> {
        // Stand-bys answer this one themselves, so their answer has to be looked at.
        let info = self.endpoints.call(true, |base| async move {
            let reply = self
                .request(Method::GET, &base, "/ws/v1/cluster/info", &[])
                .send()
                .await?;
            let info: ClusterInfo = member(&value(&reply)?, "clusterInfo")?;
            if info.is_active() {
                Ok(info)
            } else {
                Err(Error::Standby {
                    target: reply.target().to_owned(),
                })
            }
        });
        info.await
    }

    /// Takes a new application id. Leaves nothing behind when it is not used.
    pub async fn new_application(&self) -> Result<NewApplication, Error> {
        let reply = self.post(&format!("{APPS}/new-application"), None, true).await?;
        read(&value(&reply)?)
    }

    /// Hands over a submission (see [`crate::xml::SubmissionContext`]). `Ok` means that this
    /// ResourceManager has it, not yet that its store does. Sent to one ResourceManager only; the
    /// next is tried only where certainly nothing was done.
    pub async fn submit(&self, xml: impl Into<net::Bytes>) -> Result<(), Error> {
        let reply = self.post(APPS, Some(&xml.into()), false).await?;
        match reply.status {
            StatusCode::ACCEPTED => Ok(()),
            status => Err(Error::invalid(format!("status {status} for a submission"))),
        }
    }

    /// One application; [`Error::NotFound`] only when the active ResourceManager says so.
    pub async fn app(&self, id: ApplicationId) -> Result<App, Error> {
        member(&self.get(&format!("{APPS}/{id}"), &[]).await?, "app")
    }

    /// As [`ResourceManager::app`], sorted by what may be concluded.
    pub async fn observe(&self, id: ApplicationId) -> Observation<App> {
        let mut asked = self.app(id).await;
        if matches!(asked, Err(Error::NotFound { .. })) {
            // While it starts, a ResourceManager answers before it has read its store, and knows
            // nothing then. One that calls itself active has read it, so it is asked once more.
            asked = match self.cluster_info().await {
                Ok(_) => self.app(id).await,
                Err(error) => Err(error),
            };
        }
        match asked {
            Ok(app) if app.id == id => Observation::Known(app),
            Ok(app) => Observation::Inconclusive(Error::invalid(format!("asked for {id}, got {}", app.id))),
            Err(Error::NotFound { .. }) => Observation::Gone,
            Err(error) => Observation::Inconclusive(error),
        }
    }

    /// Applications that carry `tag` (in any case).
    pub async fn apps_by_tag(&self, tag: &str, query: &AppQuery) -> Result<Listing<App>, Error> {
        let mut apps = self.apps(Some(tag), query).await?;
        // Some versions ignore filters they do not know.
        apps.items.retain(|app| app.has_tag(tag));
        Ok(apps)
    }

    /// Applications of everybody, with or without a tag.
    pub async fn apps(&self, tag: Option<&str>, query: &AppQuery) -> Result<Listing<App>, Error> {
        let states = query
            .states
            .iter()
            .map(|state| state.name())
            .collect::<Vec<_>>()
            .join(",");
        let tag = tag.map(str::to_ascii_lowercase);
        let text = |number: Option<i64>| number.map(|number| number.to_string());
        let pairs = [
            ("applicationTags", tag),
            ("states", Some(states).filter(|states| !states.is_empty())),
            ("user", query.user.clone()),
            ("startedTimeBegin", text(query.started_from)),
            ("finishedTimeBegin", text(query.finished_from)),
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("deSelects", Some(DESELECT.to_owned())),
        ];
        let pairs: Vec<_> = pairs
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
            .collect();
        let value = self.get(APPS, &pairs).await?;
        if value.get("apps").is_none() {
            return Err(Error::invalid("no member `apps`"));
        }
        Ok(Listing::at(&value, &["apps", "app"]))
    }

    /// Asks for the end of an application; harmless to repeat.
    pub async fn kill(&self, id: ApplicationId) -> Result<Killed, Error> {
        let path = &format!("{APPS}/{id}/state");
        let reply = self.endpoints.call(true, |base| async move {
            let request = self
                .request(Method::PUT, &base, path, &[])
                .json(&json!({"state": "KILLED"}));
            let reply = request.idempotent().send().await?;
            if reply.status.is_success() {
                Ok(reply)
            } else {
                Err(Error::from_reply(&reply))
            }
        });
        let reply = reply.await?;
        let state = value(&reply)?
            .get("state")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Ok(Killed {
            done: reply.status == StatusCode::OK,
            state,
        })
    }

    pub async fn attempts(&self, id: ApplicationId) -> Result<Listing<Attempt>, Error> {
        let value = self.get(&format!("{APPS}/{id}/appattempts"), &[]).await?;
        Ok(Listing::at(&value, &["appAttempts", "appAttempt"]))
    }

    /// Containers of an attempt that the ResourceManager still remembers.
    pub async fn containers(
        &self,
        id: ApplicationId,
        attempt: &AttemptId,
    ) -> Result<Listing<Container>, Error> {
        let value = self
            .get(&format!("{APPS}/{id}/appattempts/{attempt}/containers"), &[])
            .await?;
        // Versions differ in whether the list is wrapped.
        let wrapped = value.get("containers").is_some();
        Ok(Listing::at(
            &value,
            if wrapped {
                &["containers", "container"]
            } else {
                &["container"]
            },
        ))
    }

    /// The queues as a tree.
    pub async fn scheduler(&self) -> Result<Scheduler, Error> {
        let value = self.get("/ws/v1/cluster/scheduler", &[]).await?;
        queues::read(&value).ok_or_else(|| Error::invalid("no queues in the scheduler's answer"))
    }

    pub async fn nodes(&self) -> Result<Listing<Node>, Error> {
        Ok(Listing::at(
            &self.get("/ws/v1/cluster/nodes", &[]).await?,
            &["nodes", "node"],
        ))
    }

    pub async fn metrics(&self) -> Result<ClusterMetrics, Error> {
        member(&self.get("/ws/v1/cluster/metrics", &[]).await?, "clusterMetrics")
    }

    /// One setting as the ResourceManager has it; `None` when it has none of that name.
    pub async fn conf_value(&self, name: &str) -> Result<Option<String>, Error> {
        let reply = self.endpoints.call(true, |base| async move {
            let reply = self
                .request(Method::GET, &base, "/conf", &[("name", name)])
                .send()
                .await?;
            if reply.status.is_server_error() || reply.status.is_redirection() {
                return Err(Error::from_reply(&reply));
            }
            Ok(reply)
        });
        let reply = reply.await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let value = value(&reply)?;
        Ok(value
            .pointer("/property/value")
            .and_then(Value::as_str)
            .map(str::to_owned))
    }

    /// GET of a page of the application's own server through the ResourceManager's proxy. `path`
    /// starts with `/` and may hold a query. [`Error::NotFound`] once the application has ended.
    pub async fn proxy(&self, id: ApplicationId, path: &str) -> Result<Reply, Error> {
        let reply = self.endpoints.call(true, |base| async move {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let inside = at(&base, &format!("/proxy/{id}/"));
            let mut url = at(&base, &format!("/proxy/{id}/{}", path.trim_start_matches('/')));
            if !url.path().starts_with(inside.path()) {
                return Err(Error::BadRequest {
                    message: "the path leads out of the application".into(),
                });
            }
            url.set_query(Some(query).filter(|query| !query.is_empty()));
            let reply = self.prepare(Method::GET, url, &[]).send().await?;
            match reply.status.as_u16() {
                // The proxy of a stand-by and that of an ended application both redirect, to pages.
                302 | 307 if is_standby_page(&reply) => Err(Error::Standby {
                    target: reply.target().to_owned(),
                }),
                300..=399 => Err(Error::NotFound {
                    message: format!("{id} has no server any more"),
                }),
                _ => Ok(reply),
            }
        });
        reply.await
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        let answer = self.endpoints.call(true, |base| async move {
            let reply = self.request(Method::GET, &base, path, query).send().await?;
            value(&reply)
        });
        answer.await
    }

    async fn post(&self, path: &str, xml: Option<&net::Bytes>, repeatable: bool) -> Result<Reply, Error> {
        let reply = self.endpoints.call(repeatable, |base| async move {
            let request = self.request(Method::POST, &base, path, &[]).once();
            let request = match xml {
                Some(xml) => request.body("application/xml", xml.clone()),
                None => request,
            };
            let reply = request.send().await?;
            if is_standby_page(&reply) || !reply.status.is_success() {
                return Err(Error::from_reply(&reply));
            }
            Ok(reply)
        });
        reply.await
    }

    fn request(&self, method: Method, base: &Url, path: &str, query: &[(&str, &str)]) -> net::Request {
        self.prepare(method, at(base, path), query)
    }

    fn prepare(&self, method: Method, url: Url, query: &[(&str, &str)]) -> net::Request {
        let limit = if url.path().ends_with("/apps") {
            MAX_APPS_BODY
        } else {
            MAX_BODY
        };
        let mut request = if method == Method::GET {
            self.http.get(url)
        } else {
            self.http.request(method, url)
        };
        for (name, value) in query.iter().copied().chain(self.identity.yarn()) {
            request = request.query(name, value);
        }
        request.accept_json().header(XSRF, "x").max_body(limit)
    }
}

/// The JSON of a successful answer.
pub(crate) fn value(reply: &Reply) -> Result<Value, Error> {
    if !reply.status.is_success() || is_standby_page(reply) {
        return Err(Error::from_reply(reply));
    }
    serde_json::from_slice(&reply.body)
        .map_err(|error| Error::invalid(format!("{}: {error}", reply.target())))
}

pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|error| Error::invalid(error.to_string()))
}

pub(crate) fn member<T: DeserializeOwned>(value: &Value, name: &str) -> Result<T, Error> {
    read(
        value
            .get(name)
            .ok_or_else(|| Error::invalid(format!("no member `{name}`")))?,
    )
}
