//! From the wire to a service and back, with the faults in between.

use crate::{
    Action, Service,
    answer::Answer,
    cluster::{Cluster, locked},
    flink,
    hdfs::{datanode, namenode},
    history::Request as Entry,
    listener::Wire,
    nm,
    rm::{self, AppId},
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State, connect_info::IntoMakeServiceWithConnectInfo},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use percent_encoding::percent_decode_str;
use std::{io, sync::Arc, time::Duration};

const MAX_BODY: usize = 16 << 20;

#[derive(Clone)]
struct Port {
    cluster: Arc<Cluster>,
    service: Service,
    app: Option<AppId>,
}

/// A request as handlers take it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) method: String,
    /// Decoded.
    pub(crate) path: String,
    /// As it came.
    pub(crate) raw_path: String,
    pub(crate) raw_query: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) host: String,
    pub(crate) body: Bytes,
}

impl Call {
    /// The value of a query parameter whose name is read without case, as Hadoop's filters do.
    pub(crate) fn q(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn op(&self) -> String {
        self.q("op").unwrap_or_default().to_ascii_uppercase()
    }

    pub(crate) fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn head(service: Service, request: &Request) -> Self {
        let raw_path = request.uri().path().to_owned();
        let raw_query = request.uri().query().unwrap_or_default().to_owned();
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let query = raw_query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect();
        let of = |name| {
            let value = request
                .headers()
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Self {
            service,
            method: request.method().as_str().to_owned(),
            path: percent_decode_str(&raw_path).decode_utf8_lossy().into_owned(),
            raw_path,
            raw_query,
            query,
            content_type: of(header::CONTENT_TYPE),
            host: of(header::HOST),
            body: Bytes::new(),
        }
    }
}

pub(crate) fn router(
    cluster: Arc<Cluster>,
    service: Service,
    app: Option<AppId>,
) -> IntoMakeServiceWithConnectInfo<Router, Wire> {
    let port = Port {
        cluster,
        service,
        app,
    };
    Router::new()
        .fallback(entry)
        .with_state(port)
        .into_make_service_with_connect_info::<Wire>()
}

async fn entry(State(port): State<Port>, ConnectInfo(wire): ConnectInfo<Wire>, request: Request) -> Response {
    let cluster = port.cluster.clone();
    let call = Call::head(port.service, &request);
    let op = call.op();
    let fault = locked(&cluster.faults).pick(port.service, &call.method, &call.path, &op);
    let user = cluster
        .caller(call.q("user.name"), call.q("doas"))
        .unwrap_or_default();
    let number = locked(&cluster.history).arrived(Entry {
        number: 0,
        at: cluster.clock.now(),
        service: port.service,
        method: call.method.clone(),
        path: call.path.clone(),
        op,
        user,
        status: None,
        fault: fault.clone(),
    });
    let body = request.into_body();
    let cut_at = match fault {
        Some(Action::CutUploadAt(bytes)) => Some(bytes),
        _ => None,
    };
    let answer = match &fault {
        Some(Action::DropBefore) => None,
        Some(Action::Status(status, text)) => Some(Answer::new(*status, guess(text), text.clone())),
        Some(Action::Garbage) => Some(Answer::new(
            200,
            crate::answer::JSON,
            r#"{"apps":{"app":[{"id":"appl"#,
        )),
        Some(Action::Delay(ms)) => {
            // On its own task: a server goes on when its caller has hung up.
            let (port, ms) = (port.clone(), *ms);
            let Ok(whole) = axum::body::to_bytes(body, MAX_BODY).await else {
                return gone(&wire);
            };
            let late = cluster.tasks.spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                work(&port, call, Body::from(whole), None).await
            });
            late.await.ok().flatten()
        }
        _ => work(&port, call, body, cut_at).await,
    };
    let Some(answer) = answer else {
        return gone(&wire);
    };
    match fault {
        Some(Action::ProcessThenDrop) => gone(&wire),
        Some(Action::ProcessThenStatus(status, text)) => {
            locked(&cluster.history).answered(number, status);
            Answer::new(status, guess(&text), text).into_response()
        }
        Some(Action::Truncate) => truncated(answer),
        _ => {
            locked(&cluster.history).answered(number, answer.status);
            answer.into_response()
        }
    }
}

/// `None`: the connection broke while the body was sent.
async fn work(port: &Port, mut call: Call, body: Body, cut_at: Option<u64>) -> Option<Answer> {
    let cluster = &port.cluster;
    if port.service == Service::Dn && call.method == "PUT" {
        return datanode::create(cluster, &call, body, cut_at).await;
    }
    call.body = axum::body::to_bytes(body, MAX_BODY).await.ok()?;
    if cut_at.is_some() {
        return None;
    }
    Some(match port.service {
        Service::Rm | Service::Rm2 => rm::handle(cluster, &call),
        Service::Nn | Service::Nn2 => namenode::handle(cluster, &call),
        Service::Dn => datanode::handle(cluster, &call),
        Service::Nm => nm::handle(cluster, &call),
        Service::Flink => match port.app {
            Some(app) => flink::rest::handle(cluster, app, &call),
            None => Answer::empty(404),
        },
    })
}

fn gone(wire: &Wire) -> Response {
    wire.cut();
    Response::new(Body::empty())
}

fn guess(text: &str) -> &'static str {
    if text.trim_start().starts_with('{') {
        crate::answer::JSON
    } else {
        "text/html;charset=utf-8"
    }
}

fn truncated(answer: Answer) -> Response {
    let whole = answer.body.clone();
    let half = whole.slice(..whole.len() / 2);
    let mut response = answer.into_response().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len().max(1)));
    let broken = [Ok(half), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    *response.body_mut() = Body::from_stream(stream::iter(broken));
    response
}
