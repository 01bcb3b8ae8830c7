//! The ResourceManager's proxy to an application's own server: GET only.

use super::{app::AppId, bad_request};
use crate::{answer::Answer, cluster::Cluster, flink, serve::Call};
use std::sync::Arc;

pub(crate) fn handle(cluster: &Arc<Cluster>, call: &Call, rest: &str) -> Answer {
    let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
    let id = match AppId::parse(id) {
        Ok(id) => id,
        Err(message) => return bad_request(message),
    };
    match call.method.as_str() {
        "GET" => {}
        "POST" => {
            return Answer::html(
                405,
                "<html><h1>HTTP method POST is not supported by this URL</h1></html>",
            );
        }
        _ => return Answer::html(501, "<html><h1>Method is not implemented</h1></html>"),
    }
    let world = cluster.world();
    let Some(app) = world.rm.apps.get(&id) else {
        let text = format!("Application {id} could not be found in RM or history server");
        return Answer::html(404, format!("<html><h1>{text}</h1></html>"));
    };
    if app.state.is_final() || app.server.is_none() {
        let to = format!("http://{}/cluster/app/{id}/{path}", call.host);
        let page = format!("<html><title>Moved</title><a href=\"{to}\">here</a></html>");
        return Answer::html(302, page).at(to);
    }
    drop(world);
    let mut inside = call.clone();
    inside.path = format!("/{path}");
    flink::rest::handle(cluster, id, &inside)
}
