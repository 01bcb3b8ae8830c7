//! NodeManager REST: the log files of containers a node still knows.

mod stream;

pub use stream::LogStream;

use crate::{
    ContainerId, Error, Identity,
    ha::{at, base_url},
    lenient::{Listing, int, list, text},
    path::encode_segment,
    rm::{XSRF, value},
};
use net::{Bytes, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest piece of a log file asked for at once.
pub const MAX_READ: u64 = 16 << 20;
/// The block of lines before the content is far shorter.
const MAX_HEADER: usize = 8 << 10;
const CONTENT_MARK: &[u8] = b"LogContents:\n";

/// A log file of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    #[serde(rename = "fileName", deserialize_with = "text")]
    pub name: String,
    /// Bytes.
    #[serde(rename = "fileSize", default, deserialize_with = "int")]
    pub size: u64,
}

/// A container as its node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeContainer {
    pub id: ContainerId,
    #[serde(default, deserialize_with = "text")]
    pub state: String,
    #[serde(default, deserialize_with = "text")]
    pub user: String,
    #[serde(default, deserialize_with = "list")]
    pub container_log_files: Vec<String>,
}

/// Which part of a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first bytes.
    Head(u64),
    /// The last bytes.
    Tail(u64),
}

/// A piece of a log file as it was when the node read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogContent {
    /// Length of the whole file at that time.
    pub file_size: u64,
    /// Where `bytes` begin in the file.
    pub offset: u64,
    pub bytes: Bytes,
}

/// Client of one node as one Hadoop user.
#[derive(Debug, Clone)]
pub struct NodeManager {
    http: net::Client,
    base: Url,
    identity: Identity,
}

impl NodeManager {
    /// `address` is what the ResourceManager names: `host:port`, with or without `http://`.
    pub fn new(http: net::Client, address: &str, identity: Identity) -> Result<Self, Error> {
        Ok(Self {
            http,
            base: base_url(address)?,
            identity,
        })
    }

    /// All containers on the node.
    pub async fn containers(&self) -> Result<Listing<NodeContainer>, Error> {
        let reply = self
            .request("/ws/v1/node/containers")
            .accept_json()
            .send()
            .await?;
        Ok(Listing::at(&value(&reply)?, &["containers", "container"]))
    }

    /// A container's log files.
    pub async fn logs(&self, container: &ContainerId) -> Result<Listing<LogFile>, Error> {
        let path = format!("/ws/v1/node/containers/{container}/logs");
        let value = value(&self.request(&path).accept_json().send().await?).map_err(forgotten)?;
        // One group per kind (local, already aggregated); only what is local belongs to this node.
        let mut files = Listing::default();
        let groups: Listing<Value> = match value.get("containerLogsInfo") {
            Some(_) => Listing::at(&value, &["containerLogsInfo"]),
            None => Listing::at(&value, &[]),
        };
        for group in groups.items {
            if group
                .get("logAggregationType")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind != "LOCAL")
            {
                continue;
            }
            let part: Listing<LogFile> = Listing::at(&group, &["containerLogInfo"]);
            files.items.extend(part.items);
            files.unreadable += part.unreadable;
        }
        Ok(files)
    }

    /// A part of a log file, at most [`MAX_READ`] bytes.
    pub async fn read(&self, container: &ContainerId, file: &str, part: Part) -> Result<LogContent, Error> {
        check_file(file)?;
        let path = format!("/ws/v1/node/containers/{container}/logs/{}", encode_segment(file));
        let (wanted, sign) = match part {
            Part::Head(bytes) => (bytes.min(MAX_READ), ""),
            Part::Tail(bytes) => (bytes.min(MAX_READ), "-"),
        };
        // Zero would mean the whole file.
        let size = format!("{sign}{}", wanted.max(1));
        let request = self.request(&path).query("size", &size).query("format", "text");
        // Without Accept: some versions answer 503 to one for JSON here.
        let reply = request.max_body(MAX_READ + 64 * 1024).send().await?;
        if !reply.status.is_success() {
            return Err(forgotten(Error::from_reply(&reply)));
        }
        content(&reply.body, part, wanted)
            .ok_or_else(|| Error::invalid("not a log file in the node's format"))
    }

    fn request(&self, path: &str) -> net::Request {
        let mut request = self.http.get(at(&self.base, path)).header(XSRF, "x");
        for (name, value) in self.identity.yarn() {
            request = request.query(name, value);
        }
        request.max_body(4 << 20)
    }
}

/// Passes a name that can only be one name of a path.
fn check_file(file: &str) -> Result<(), Error> {
    if file.is_empty()
        || file == "."
        || file == ".."
        || file.contains(['/', '\\'])
        || file.contains(char::is_control)
    {
        return Err(Error::BadRequest {
            message: "not a log file's name".into(),
        });
    }
    Ok(())
}

/// What a node says once it does not have the container's logs any more.
fn forgotten(error: Error) -> Error {
    match error {
        Error::Standby { .. } => Error::NotFound {
            message: "the node has handed over its logs".into(),
        },
        Error::Remote {
            message, status: 404, ..
        } => Error::NotFound { message },
        Error::Remote { message, .. } if message.contains("webapp.NotFoundException") => {
            Error::NotFound { message }
        }
        error => error,
    }
}

/// Takes the bytes of the file out of the block of lines before and behind them. The file's length
/// stands in the former, so the cut is exact even if the file holds the same lines.
fn content(body: &Bytes, part: Part, wanted: u64) -> Option<LogContent> {
    let (start, file_size) = head(body)?;
    let rest = body.slice(start..);
    let given = wanted.min(file_size).min(rest.len() as u64);
    let offset = match part {
        Part::Head(_) => 0,
        Part::Tail(_) => file_size - given,
    };
    Some(LogContent {
        file_size,
        offset,
        bytes: rest.slice(..given as usize),
    })
}

/// Where the content begins, and the length of the whole file.
fn head(body: &[u8]) -> Option<(usize, u64)> {
    let head = &body[..body.len().min(MAX_HEADER)];
    let mark = head
        .windows(CONTENT_MARK.len())
        .position(|window| window == CONTENT_MARK)?;
    let header = std::str::from_utf8(&head[..mark]).ok()?;
    let length = header.lines().find_map(|line| line.strip_prefix("LogLength:"))?;
    Some((mark + CONTENT_MARK.len(), length.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(length: usize, shown: &str) -> Bytes {
        let header = format!(
            "Container: container_1_0001_01_000001 on node1_45454\nLogAggregationType: LOCAL\n{}\nLogType:stderr\n\
             LogLastModifiedTime:Fri Nov 20\nLogLength:{length}\nLogContents:\n",
            "=".repeat(60)
        );
        Bytes::from(format!(
            "{header}{shown}\nEnd of LogType:stderr. This log file belongs to a running container.\n\n***\n\n"
        ))
    }

    #[test]
    fn cuts_exactly() {
        let text = "a\nLogContents:\n\nEnd of LogType:stderr\n";
        let all = content(&page(text.len(), text), Part::Head(1000), 1000).unwrap();
        assert_eq!(
            (&all.bytes[..], all.offset, all.file_size),
            (text.as_bytes(), 0, text.len() as u64)
        );
        let tail = content(&page(100, "0123456789"), Part::Tail(10), 10).unwrap();
        assert_eq!((&tail.bytes[..], tail.offset), (&b"0123456789"[..], 90));
        let none = content(&page(0, ""), Part::Tail(10), 10).unwrap();
        assert!(none.bytes.is_empty());
    }

    #[test]
    fn garbage_is_none() {
        for bad in [
            "",
            "Can not find logs",
            "LogLength:x\nLogContents:\nabc",
            "LogContents:\n",
        ] {
            assert_eq!(content(&Bytes::from(bad), Part::Head(1), 1), None);
        }
    }
}
