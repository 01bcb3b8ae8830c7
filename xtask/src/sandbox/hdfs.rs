//! The directories an administrator would have made before a console may use the cluster.

use std::path::Path;

use super::conf::{CONSOLE, Ports, SUPERUSER, TEAMS};
use crate::{Res, http};

/// Creates what is missing, with owner and permission; leaves alone what is there and right.
pub(crate) fn prepare(ports: Ports) -> Res<()> {
    directory(ports, "/tmp", SUPERUSER, "1777")?;
    // Where NodeManagers put logs of every user; they make a directory for each.
    directory(ports, "/tmp/logs", "yarn", "1777")?;
    directory(ports, "/user", SUPERUSER, "755")?;
    for user in [CONSOLE, TEAMS[0], TEAMS[1]] {
        directory(ports, &format!("/user/{user}"), user, "700")?;
    }
    directory(ports, "/penstock", CONSOLE, "755")
}

/// Puts a small file of `owner` there for everybody to read, unless one of the same length is there.
pub(crate) fn publish(ports: Ports, local: &Path, path: &str, owner: &str) -> Res<()> {
    let bytes = std::fs::read(local).map_err(|e| format!("cannot read {}: {e}", local.display()))?;
    let port = ports.nn_http();
    let url = |rest: &str| format!("/webhdfs/v1{path}?user.name={owner}&{rest}");
    if http::get(port, &url("op=GETFILESTATUS")).is_ok_and(|s| s["FileStatus"]["length"] == bytes.len()) {
        return Ok(());
    }
    let create = url("op=CREATE&overwrite=true&permission=644&noredirect=true");
    let (status, answer) = http::request("PUT", port, &create, None)?;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
    let target = answer["Location"]
        .as_str()
        .and_then(|to| to.split_once("://")?.1.split_once('/'));
    let Some((_, target)) = target else {
        return Err(format!("{path} cannot be created: status {status}"));
    };
    let body = Some(("application/octet-stream", bytes.as_slice()));
    match http::request("PUT", ports.dn_http(), &format!("/{target}"), body)? {
        (201, _) => Ok(()),
        (status, body) => Err(format!("{path} cannot be written: status {status}: {body}")),
    }
}

/// Removes a directory and everything below it; one that is not there is no error.
pub(crate) fn remove(ports: Ports, path: &str) -> Res<()> {
    let url = format!("/webhdfs/v1{path}?user.name={SUPERUSER}&op=DELETE&recursive=true");
    match http::request("DELETE", ports.nn_http(), &url, None)? {
        (200, _) => Ok(()),
        (status, body) => Err(format!("{path} cannot be removed: status {status}: {body}")),
    }
}

pub(crate) fn directory(ports: Ports, path: &str, owner: &str, permission: &str) -> Res<()> {
    let port = ports.nn_http();
    let url = |operation: &str| format!("/webhdfs/v1{path}?user.name={SUPERUSER}&op={operation}");
    let put = |operation: String| match http::request("PUT", port, &url(&operation), None)? {
        (200, _) => Ok(()),
        (status, body) => Err(format!("{operation} on {path}: status {status}: {body}")),
    };
    let status = match http::get(port, &url("GETFILESTATUS")) {
        Ok(answer) => answer["FileStatus"].clone(),
        Err(_) => {
            // One level at a time: MKDIRS gives its permission to every parent it has to make.
            put(format!("MKDIRS&permission={permission}"))?;
            serde_json::Value::Null
        }
    };
    if status["owner"] != owner {
        put(format!("SETOWNER&owner={owner}&group={owner}"))?;
    }
    if status["permission"] != permission {
        put(format!("SETPERMISSION&permission={permission}"))?;
    }
    Ok(())
}
