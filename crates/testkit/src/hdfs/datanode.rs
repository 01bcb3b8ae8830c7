//! The DataNode: where bytes go in and out. A broken upload is closed, not discarded, so that a
//! shorter file that looks complete stays behind.

use super::{
    HdfsError,
    namenode::{caller, number, path_of, permission},
    tree::{self, Content, Kind, READ, WRITE},
};
use crate::{
    answer::Answer,
    cluster::{Cluster, World},
    history::Deed,
    serve::Call,
};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// GET: contents and checksums.
pub(crate) fn handle(cluster: &Arc<Cluster>, call: &Call) -> Answer {
    let answer = read(cluster, call).unwrap_or_else(|error| error.answer());
    Answer {
        close: true,
        ..answer
    }
}

fn read(cluster: &Arc<Cluster>, call: &Call) -> Result<Answer, HdfsError> {
    let path = path_of(call).ok_or_else(|| HdfsError::argument("not a WebHDFS path"))?;
    let user = caller(cluster, call)?;
    let world = cluster.world();
    let missing = || HdfsError::not_found(format!("File does not exist: {path}"));
    let inode = world.tree.find(&user, &path)?.ok_or_else(missing)?;
    let Kind::File(content) = &inode.kind else {
        return Err(HdfsError::not_found(format!("Path is not a file: {path}")));
    };
    world.tree.require(&user, inode, &path, READ)?;
    match call.op().as_str() {
        "OPEN" => {
            let offset = number(call, "offset")?.unwrap_or(0).min(content.length);
            let end = number(call, "length")?.map_or(content.length, |length| {
                offset.saturating_add(length).min(content.length)
            });
            let Some(bytes) = &content.bytes else {
                return Err(HdfsError::io(format!(
                    "Could not obtain block: {path} is too long to be kept here"
                )));
            };
            let range = usize::try_from(offset).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
            Ok(Answer::new(200, "application/octet-stream", bytes.slice(range)))
        }
        "GETFILECHECKSUM" => Ok(Answer::json(&json!({"FileChecksum": {
            "algorithm": "COMPOSITE-CRC32C",
            // Equal for equal contents, which is all a caller may read from it.
            "bytes": format!("000002000000000000000000{:.32}00000000", content.sha256),
            "length": 28,
        }}))),
        op => Err(HdfsError::argument(format!("Invalid operation {op}"))),
    }
}

/// PUT of a file. `None`: the connection broke while the data came.
pub(crate) async fn create(
    cluster: &Arc<Cluster>,
    call: &Call,
    body: Body,
    cut_at: Option<u64>,
) -> Option<Answer> {
    let (path, user, id) = match begin(cluster, call) {
        Ok(begun) => begun,
        Err(error) => {
            // The whole body is taken first: an answer in the middle of it can get lost.
            drain(body).await;
            return Some(Answer {
                close: true,
                ..error.answer()
            });
        }
    };
    let mut upload = Upload::new(cluster, path, user, id);
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        let Ok(mut chunk) = chunk else { return None };
        if let Some(limit) = cut_at {
            let room = usize::try_from(limit.saturating_sub(upload.length)).unwrap_or(usize::MAX);
            chunk.truncate(room);
            upload.take(&chunk);
            if upload.length >= limit {
                return None;
            }
        } else {
            upload.take(&chunk);
        }
    }
    if cut_at.is_some() {
        return None;
    }
    let answer = match upload.finish(true) {
        Ok(path) => Answer::empty(201).at(format!("hdfs://127.0.0.1:8020{path}")),
        Err(error) => error.answer(),
    };
    Some(Answer {
        close: true,
        ..answer
    })
}

async fn drain(body: Body) {
    let mut body = body.into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

/// Makes the empty file the data will go to.
fn begin(cluster: &Arc<Cluster>, call: &Call) -> Result<(String, String, u64), HdfsError> {
    let path = path_of(call).ok_or_else(|| HdfsError::argument("not a WebHDFS path"))?;
    tree::parts(&path)?;
    if call.op() != "CREATE" {
        return Err(HdfsError::argument(format!("Invalid operation {}", call.op())));
    }
    let user = caller(cluster, call)?;
    let mode = permission(call, 0o644)?;
    let overwrite = call
        .q("overwrite")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let now = cluster.clock.now();
    let mut world = cluster.world();
    if world.active_nn.is_none() {
        return Err(HdfsError::standby(
            "Operation category WRITE is not supported in state standby.",
        ));
    }
    if world.safe_mode {
        return Err(HdfsError::safe_mode(format!(
            "Cannot create file{path}. Name node is in safe mode.\nIt was turned on manually."
        )));
    }
    match world.tree.find(&user, &path)? {
        Some(inode) if inode.is_dir() => {
            return Err(HdfsError::exists(format!("{path} already exists as a directory")));
        }
        Some(_) if !overwrite => {
            return Err(HdfsError::exists(format!(
                "{path} for client 127.0.0.1 already exists"
            )));
        }
        Some(inode) => {
            world.tree.require(&user, inode, &path, WRITE)?;
            world.tree.require_change(&user, &path)?;
            world.tree.remove(&path, now);
        }
        None => {
            let parent = tree::parent(&path).to_owned();
            let alone = call
                .q("createparent")
                .is_some_and(|value| value.eq_ignore_ascii_case("false"));
            if alone && world.tree.get(&parent).is_none() {
                return Err(HdfsError::not_found(format!(
                    "Parent directory doesn't exist: {parent}"
                )));
            }
            world.tree.mkdirs(&user, &parent, 0o755, now)?;
            world.tree.require_change(&user, &path)?;
        }
    }
    let empty = Content {
        length: 0,
        sha256: hex::encode(Sha256::digest([])),
        bytes: Some(Bytes::new()),
    };
    let id = world
        .tree
        .insert(&user, &path, mode & 0o777, Kind::File(empty), now);
    Ok((path, user, id))
}

/// Data on its way; what has come is closed into the file however the upload ends.
struct Upload<'c> {
    cluster: &'c Arc<Cluster>,
    path: String,
    user: String,
    id: u64,
    length: u64,
    hash: Sha256,
    kept: Option<BytesMut>,
    closed: bool,
}

impl<'c> Upload<'c> {
    fn new(cluster: &'c Arc<Cluster>, path: String, user: String, id: u64) -> Self {
        Self {
            cluster,
            path,
            user,
            id,
            length: 0,
            hash: Sha256::new(),
            kept: Some(BytesMut::new()),
            closed: false,
        }
    }

    fn take(&mut self, chunk: &Bytes) {
        self.length += chunk.len() as u64;
        self.hash.update(chunk);
        if self.length > self.cluster.options.kept_bytes {
            self.kept = None;
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(chunk);
        }
    }

    fn finish(&mut self, complete: bool) -> Result<String, HdfsError> {
        self.closed = true;
        let now = self.cluster.clock.now();
        let mut world = self.cluster.world();
        self.refuse(&world)?;
        let content = Content {
            length: self.length,
            sha256: hex::encode(std::mem::take(&mut self.hash).finalize()),
            bytes: self.kept.take().map(BytesMut::freeze),
        };
        let gone = || HdfsError::not_found(format!("File does not exist: {} (inode {})", self.path, self.id));
        let inode = world
            .tree
            .get_mut(&self.path)
            .filter(|inode| inode.id == self.id)
            .ok_or_else(gone)?;
        let sha256 = content.sha256.clone();
        inode.kind = Kind::File(content);
        inode.modified = now;
        drop(world);
        self.cluster.did(Deed::Written {
            path: self.path.clone(),
            length: self.length,
            sha256,
            complete,
            user: self.user.clone(),
        });
        Ok(self.path.clone())
    }

    fn refuse(&self, world: &World) -> Result<(), HdfsError> {
        if world.no_space && self.length > 0 {
            return Err(HdfsError::io(format!(
                "File {} could only be written to 0 of the 1 minReplication nodes. There are 1 datanode(s) running \
                 and 0 node(s) are excluded in this operation.",
                self.path
            )));
        }
        for (directory, most) in &world.quotas {
            let inside = self
                .path
                .starts_with(&format!("{}/", directory.trim_end_matches('/')));
            let used = world.tree.get(directory).map_or(0, |inode| inode.summary().0);
            if inside && used + self.length > *most {
                return Err(HdfsError::quota(format!(
                    "The DiskSpace quota of {directory} is exceeded: quota = {most} B but diskspace consumed = {} B",
                    used + self.length
                )));
            }
        }
        Ok(())
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if !self.closed {
            let _ = self.finish(false);
        }
    }
}
