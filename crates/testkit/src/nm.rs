//! The NodeManager: logs of containers that live.

use crate::{
    answer::{self, Answer},
    cluster::{Cluster, World},
    rm::{App, app::Container},
    serve::Call,
};
use serde_json::json;
use std::sync::Arc;

const CLASS: &str = "javax.ws.rs.WebApplicationException";

pub(crate) fn handle(cluster: &Arc<Cluster>, call: &Call) -> Answer {
    // Unlike the others it knows no default user.
    if call.q("user.name").is_none_or(str::is_empty) {
        return Answer::html(
            401,
            "<html><title>Error 401 Authentication required</title></html>",
        );
    }
    let user = match cluster.caller(call.q("user.name"), call.q("doas")) {
        Ok(user) => user,
        Err(message) => {
            return answer::remote_exception(
                403,
                "org.apache.hadoop.security.authorize.AuthorizationException",
                &message,
            );
        }
    };
    let world = cluster.world();
    let Some(rest) = call.path.strip_prefix("/ws/v1/node") else {
        return Answer::html(404, "<html><h1>404 Not Found</h1></html>");
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] | ["info"] => Answer::json(&json!({"nodeInfo": {
            "healthReport": "", "id": "127.0.0.1:1", "nodeHostName": "127.0.0.1", "nodeHealthy": true,
            "hadoopVersion": cluster.options.version, "nodeManagerVersion": cluster.options.version,
        }})),
        ["containers"] => {
            let all: Vec<_> = containers(&world).map(|(app, container)| json!({
                "id": container.id, "state": "RUNNING", "exitCode": -1000, "diagnostics": "", "user": app.user,
                "totalMemoryNeededMB": container.memory_mb, "totalVCoresNeeded": 1,
                "containerLogFiles": container.logs.keys().collect::<Vec<_>>(),
            })).collect();
            Answer::json(&if all.is_empty() {
                json!({"containers": {}})
            } else {
                json!({"containers": {"container": all}})
            })
        }
        ["containers", id, "logs"] => match found(cluster, &world, id, &user) {
            Err(message) => answer::remote_exception(503, CLASS, &message),
            Ok(container) => {
                let files: Vec<_> = container.logs.iter().map(|(name, content)| json!({
                    "fileName": name, "fileSize": content.len().to_string(), "lastModifiedTime": MODIFIED,
                })).collect();
                Answer::json(&json!({"containerLogsInfo": {
                    "containerLogInfo": files, "logAggregationType": "LOCAL", "containerId": container.id,
                    "nodeId": "127.0.0.1:1",
                }}))
            }
        },
        ["containers", id, "logs", file] | ["containerlogs", id, file] => {
            let content = found(cluster, &world, id, &user)
                .ok()
                .and_then(|container| Some((container, container.logs.get(*file)?)));
            match content {
                // The real one says nothing of why.
                None => answer::remote_exception(503, CLASS, ""),
                Some((container, content)) => log(container, file, content, call),
            }
        }
        _ => Answer::html(404, "<html><h1>404 Not Found</h1></html>"),
    }
}

const MODIFIED: &str = "Thu Jan 01 00:00:00 +0000 2026";

fn containers(world: &World) -> impl Iterator<Item = (&App, &Container)> {
    world
        .rm
        .apps
        .values()
        .flat_map(|app| app.containers.iter().map(move |container| (app, container)))
        .filter(|(_, container)| container.ended.is_none())
}

fn found<'w>(cluster: &Cluster, world: &'w World, id: &str, user: &str) -> Result<&'w Container, String> {
    let (app, container) = containers(world).find(|(_, container)| container.id == id).ok_or(
        "org.apache.hadoop.yarn.webapp.NotFoundException: java.lang.Exception: Unknown container. Container either \
         has not started or has already completed or doesn't belong to this node at all.",
    )?;
    if app.may_view(&cluster.options, user) {
        return Ok(container);
    }
    Err(format!(
        "org.apache.hadoop.yarn.exceptions.YarnException: User [{user}] is not authorized to view the logs for \
         application {}",
        app.id
    ))
}

/// A head of seven lines, the wanted part of the file, and a tail glued to it.
fn log(container: &Container, file: &str, content: &[u8], call: &Call) -> Answer {
    let part = match call.q("size").and_then(|size| size.parse::<i64>().ok()) {
        None => content,
        Some(size) => {
            let most = usize::try_from(size.unsigned_abs())
                .unwrap_or(usize::MAX)
                .min(content.len());
            if size < 0 {
                &content[content.len() - most..]
            } else {
                &content[..most]
            }
        }
    };
    let id = &container.id;
    let head = format!(
        "Container: {id} on 127.0.0.1:1\nLogAggregationType: LOCAL\n{}\nLogType:{file}\nLogLastModifiedTime:{MODIFIED}\n\
         LogLength:{}\nLogContents:\n",
        "=".repeat(72),
        content.len(),
    );
    let tail = format!(
        "End of LogType:{file}.This log file belongs to a running container ({id}) and so may not be complete.\n{}\n\n",
        "*".repeat(78)
    );
    let body = [head.as_bytes(), part, tail.as_bytes()].concat();
    Answer::new(200, "text/plain;charset=utf-8", body)
}
