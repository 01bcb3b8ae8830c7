//! The NameNode's WebHDFS.

use super::{
    HdfsError,
    tree::{self, EXECUTE, Kind, READ, WRITE},
};
use crate::{
    Service,
    answer::Answer,
    cluster::{Cluster, World},
    history::Deed,
    serve::Call,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::sync::Arc;

const PREFIX: &str = "/webhdfs/v1";
const NOT_GET: &[&str] = &[
    "MKDIRS",
    "CREATE",
    "RENAME",
    "SETTIMES",
    "SETPERMISSION",
    "SETOWNER",
    "DELETE",
];

pub(crate) fn handle(cluster: &Arc<Cluster>, call: &Call) -> Answer {
    let Some(path) = path_of(call) else {
        return Answer::html(404, "<html><title>Error 404 Not Found</title></html>");
    };
    answer(cluster, call, &path).unwrap_or_else(|error| error.answer())
}

/// The HDFS path of a WebHDFS request.
pub(crate) fn path_of(call: &Call) -> Option<String> {
    let path = call.path.strip_prefix(PREFIX)?;
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let trimmed = path.trim_end_matches('/');
    Some(if trimmed.is_empty() { "/" } else { trimmed }.to_owned())
}

pub(crate) fn caller(cluster: &Cluster, call: &Call) -> Result<String, HdfsError> {
    cluster
        .caller(call.q("user.name"), call.q("doas"))
        .map_err(HdfsError::no_impersonation)
}

fn answer(cluster: &Arc<Cluster>, call: &Call, path: &str) -> Result<Answer, HdfsError> {
    let user = caller(cluster, call)?;
    let mut world = cluster.world();
    let op = call.op();
    let reads = call.method == "GET";
    if world.active_nn != Some(call.service) {
        let category = if reads { "READ" } else { "WRITE" };
        return Err(HdfsError::standby(format!(
            "Operation category {category} is not supported in state standby. Visit https://s.apache.org/sbnn-error"
        )));
    }
    tree::parts(path)?;
    match call.method.as_str() {
        "GET" => read(cluster, &mut world, call, &op, &user, path),
        "PUT" | "DELETE" => {
            if world.safe_mode && op != "CREATE" {
                return Err(HdfsError::safe_mode(format!(
                    "Cannot change {path}. Name node is in safe mode.\nIt was turned on manually."
                )));
            }
            change(cluster, &mut world, call, &op, &user, path)
        }
        _ => Err(invalid(call, &op)),
    }
}

fn invalid(call: &Call, op: &str) -> HdfsError {
    HdfsError::argument(format!(
        "Invalid value for webhdfs parameter \"op\": {op} is not a valid {} operation.",
        call.method
    ))
}

fn read(
    cluster: &Arc<Cluster>,
    world: &mut World,
    call: &Call,
    op: &str,
    user: &str,
    path: &str,
) -> Result<Answer, HdfsError> {
    let tree = &world.tree;
    if op == "GETHOMEDIRECTORY" {
        return Ok(Answer::json(&json!({"Path": format!("/user/{user}")})));
    }
    if NOT_GET.contains(&op) {
        return Err(invalid(call, op));
    }
    let missing = match op {
        "GETFILESTATUS" | "GETCONTENTSUMMARY" => format!("File does not exist: {path}"),
        "LISTSTATUS" | "LISTSTATUS_BATCH" => format!("File {path} does not exist."),
        "OPEN" | "GETFILECHECKSUM" => format!("File {path} not found."),
        "CHECKACCESS" => format!("Path not found: {path}"),
        _ => return Err(invalid(call, op)),
    };
    let inode = tree
        .find(user, path)?
        .ok_or_else(|| HdfsError::not_found(missing))?;
    match op {
        "GETFILESTATUS" => Ok(Answer::json(&json!({"FileStatus": inode.status("")}))),
        "LISTSTATUS" | "LISTSTATUS_BATCH" => {
            let Kind::Dir(children) = &inode.kind else {
                let entries = json!({"FileStatuses": {"FileStatus": [inode.status("")]}});
                return Ok(Answer::json(&if op == "LISTSTATUS" {
                    entries
                } else {
                    json!({"DirectoryListing": {"partialListing": entries, "remainingEntries": 0}})
                }));
            };
            tree.require(user, inode, path, READ | EXECUTE)?;
            let after = call.q("startAfter").unwrap_or_default();
            let batch = if op == "LISTSTATUS" {
                usize::MAX
            } else {
                cluster.options.batch
            };
            let rest: Vec<_> = children
                .iter()
                .filter(|(name, _)| name.as_str() > after || after.is_empty())
                .collect();
            let page: Vec<_> = rest
                .iter()
                .take(batch)
                .map(|(name, child)| child.status(name))
                .collect();
            let left = rest.len() - page.len();
            let entries = json!({"FileStatuses": {"FileStatus": page}});
            Ok(Answer::json(&if op == "LISTSTATUS" {
                entries
            } else {
                json!({"DirectoryListing": {"partialListing": entries, "remainingEntries": left}})
            }))
        }
        "GETCONTENTSUMMARY" => {
            if inode.is_dir() {
                tree.require(user, inode, path, READ | EXECUTE)?;
            }
            let (bytes, files, directories) = inode.summary();
            let quota = world.quotas.iter().find(|(directory, _)| directory == path);
            let quota = quota.map_or(-1, |(_, bytes)| i64::try_from(*bytes).unwrap_or(i64::MAX));
            Ok(Answer::json(&json!({"ContentSummary": {
                "directoryCount": directories, "ecPolicy": "", "fileCount": files, "length": bytes,
                "quota": -1, "snapshotDirectoryCount": 0, "snapshotFileCount": 0, "snapshotLength": 0,
                "snapshotSpaceConsumed": 0, "spaceConsumed": bytes, "spaceQuota": quota, "typeQuota": {},
            }})))
        }
        "CHECKACCESS" => {
            let want = call.q("fsaction").unwrap_or_default();
            let bits = want.chars().fold(0, |bits, c| {
                bits | match c {
                    'r' => READ,
                    'w' => WRITE,
                    'x' => EXECUTE,
                    _ => 0,
                }
            });
            tree.require(user, inode, path, bits)?;
            Ok(Answer::empty(200))
        }
        _ => {
            if !inode.is_dir() {
                tree.require(user, inode, path, READ)?;
                let offset = number(call, "offset")?.unwrap_or(0);
                let length = inode.length();
                if op == "OPEN" && offset >= length && (length > 0 || offset > 0) {
                    return Err(HdfsError::io(format!(
                        "Offset={offset} out of the range [0, {length}); OPEN, path={path}"
                    )));
                }
            }
            Ok(to_datanode(
                cluster,
                call,
                path,
                &["length", "offset", "buffersize"],
            ))
        }
    }
}

/// A numeric parameter.
pub(crate) fn number(call: &Call, name: &str) -> Result<Option<u64>, HdfsError> {
    let Some(text) = call.q(name) else { return Ok(None) };
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(HdfsError::argument(format!(
            "Invalid value for webhdfs parameter \"{name}\": Failed to parse \"{text}\" as a radix-10 long integer."
        ))),
    }
}

fn to_datanode(cluster: &Cluster, call: &Call, path: &str, passed: &[&str]) -> Answer {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let encoded: Vec<_> = path.split('/').map(encode).collect();
    let mut url = format!(
        "http://{}{PREFIX}{}?op={}",
        cluster.address(Service::Dn),
        encoded.join("/"),
        call.op()
    );
    for name in ["user.name", "doas"].iter().chain(passed) {
        if let Some(value) = call.q(name) {
            url = format!("{url}&{name}={}", encode(value));
        }
    }
    url.push_str("&namenoderpcaddress=127.0.0.1:8020");
    if call
        .q("noredirect")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        Answer::json(&json!({"Location": url}))
    } else {
        Answer::empty(307).at(url)
    }
}

/// Octal permission of a request.
pub(crate) fn permission(call: &Call, default: u16) -> Result<u16, HdfsError> {
    let Some(text) = call.q("permission") else {
        return Ok(default);
    };
    match u16::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o1777 => Ok(mode),
        _ => Err(HdfsError::argument(format!(
            "Invalid value for webhdfs parameter \"permission\": Failed to parse \"{text}\" as a radix-8 short integer."
        ))),
    }
}

fn change(
    cluster: &Arc<Cluster>,
    world: &mut World,
    call: &Call,
    op: &str,
    user: &str,
    path: &str,
) -> Result<Answer, HdfsError> {
    let now = cluster.clock.now();
    let yes = |truth: bool| Ok(Answer::json(&json!({"boolean": truth})));
    let own = |world: &World, what: &str| {
        let inode = world.tree.find(user, path)?;
        let inode = inode.ok_or_else(|| HdfsError::not_found(format!("{what} {path}")))?;
        if user == world.tree.superuser || user == inode.owner {
            return Ok(());
        }
        Err(HdfsError::denied(format!(
            "Permission denied. user={user} is not the owner of inode={path}"
        )))
    };
    match (call.method.as_str(), op) {
        ("PUT", "MKDIRS") => {
            world.tree.mkdirs(user, path, permission(call, 0o755)?, now)?;
            yes(true)
        }
        ("PUT", "CREATE") => {
            permission(call, 0o644)?;
            Ok(to_datanode(
                cluster,
                call,
                path,
                &[
                    "createparent",
                    "overwrite",
                    "permission",
                    "blocksize",
                    "replication",
                ],
            ))
        }
        ("PUT", "RENAME") => {
            let to = call.q("destination").unwrap_or_default();
            if !to.starts_with('/') {
                return Err(HdfsError::argument(
                    "Invalid value for webhdfs parameter \"destination\": a path that is not absolute"
                        .to_owned(),
                ));
            }
            tree::parts(to)?;
            let options = call.q("renameoptions").map(str::to_ascii_uppercase);
            let overwrite = options
                .as_deref()
                .is_some_and(|options| options.contains("OVERWRITE"));
            let done = world
                .tree
                .rename(user, path, to, options.is_some(), overwrite, now)?;
            if done {
                cluster.did(Deed::Renamed {
                    from: path.to_owned(),
                    to: to.to_owned(),
                });
            }
            if options.is_some() {
                Ok(Answer::empty(200))
            } else {
                yes(done)
            }
        }
        ("PUT", "SETTIMES") => {
            own(world, "File/Directory does not exist:")?;
            let time = |name| {
                call.q(name)
                    .and_then(|text| text.parse::<i64>().ok())
                    .filter(|time| *time >= 0)
            };
            let (modified, accessed) = (time("modificationtime"), time("accesstime"));
            if let Some(inode) = world.tree.get_mut(path) {
                inode.modified = modified.unwrap_or(inode.modified);
                inode.accessed = accessed.unwrap_or(inode.accessed);
            }
            Ok(Answer::empty(200))
        }
        ("PUT", "SETPERMISSION") => {
            own(world, "Directory/File does not exist")?;
            let mode = permission(call, 0o755)?;
            if let Some(inode) = world.tree.get_mut(path) {
                inode.mode = mode;
            }
            Ok(Answer::empty(200))
        }
        ("PUT", "SETOWNER") => set_owner(world, call, user, path),
        ("DELETE", "DELETE") => {
            let Some(inode) = world.tree.find(user, path)? else {
                return yes(false);
            };
            let full = matches!(&inode.kind, Kind::Dir(children) if !children.is_empty());
            if full
                && !call
                    .q("recursive")
                    .is_some_and(|value| value.eq_ignore_ascii_case("true"))
            {
                return Err(HdfsError::not_empty(format!(
                    "`{path} is non empty': Directory is not empty"
                )));
            }
            world.tree.require_change(user, path)?;
            if path == "/" {
                return yes(false);
            }
            world.tree.remove(path, now);
            cluster.did(Deed::Deleted {
                path: path.to_owned(),
                user: user.to_owned(),
            });
            yes(true)
        }
        _ => Err(invalid(call, op)),
    }
}

fn set_owner(world: &mut World, call: &Call, user: &str, path: &str) -> Result<Answer, HdfsError> {
    let missing = || HdfsError::not_found(format!("File does not exist: {path}"));
    let inode = world.tree.find(user, path)?.ok_or_else(missing)?;
    let (owner, group) = (
        call.q("owner").map(str::to_owned),
        call.q("group").map(str::to_owned),
    );
    if owner.is_none() && group.is_none() {
        return Err(HdfsError::argument("Both owner and group are empty."));
    }
    if user != world.tree.superuser {
        if owner.as_ref().is_some_and(|owner| *owner != inode.owner) {
            return Err(HdfsError::denied(format!(
                "User {user} is not a super user (non-super user cannot change owner)."
            )));
        }
        // A user's groups are not modelled beyond the one of the user's own name.
        if user != inode.owner || group.as_ref().is_some_and(|group| group != user) {
            return Err(HdfsError::denied(format!(
                "User {user} does not belong to {}",
                group.unwrap_or_default()
            )));
        }
    }
    if let Some(inode) = world.tree.get_mut(path) {
        inode.owner = owner.unwrap_or_else(|| inode.owner.clone());
        inode.group = group.unwrap_or_else(|| inode.group.clone());
    }
    Ok(Answer::empty(200))
}
