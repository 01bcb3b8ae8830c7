//! WebHDFS: the file system over HTTP. Reads and metadata changes go to the active NameNode, data
//! to and from a DataNode that the NameNode names.

mod types;

use crate::{
    Endpoints, Error, HdfsPath, Identity,
    ha::at,
    lenient::Listing,
    rm::{XSRF, member, value},
};
use net::{ByteStream, Bytes, Download, Method, Reply, StatusCode, Url, header};
use serde_json::Value;
use std::time::Duration;

pub use types::{Batch, Checksum, ContentSummary, CreateOptions, FileKind, FileStatus, Mode};

/// What holds the NameNode's lock for long, or reads a whole file, may take so many times as long as
/// other requests.
const SLOW: u32 = 4;
const MAX_LIST_BODY: u64 = 64 << 20;

/// Client of one file system as one Hadoop user.
#[derive(Debug, Clone)]
pub struct WebHdfs {
    http: net::Client,
    endpoints: Endpoints,
    identity: Identity,
}

impl WebHdfs {
    pub fn new(http: net::Client, endpoints: Endpoints, identity: Identity) -> Self {
        Self {
            http,
            endpoints,
            identity,
        }
    }

    /// The same file system for another user; which NameNode is active stays shared.
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

    pub async fn status(&self, path: &HdfsPath) -> Result<FileStatus, Error> {
        member(&self.get(path, "GETFILESTATUS", &[]).await?, "FileStatus")
    }

    /// As [`WebHdfs::status`], `None` when nothing is there.
    pub async fn find(&self, path: &HdfsPath) -> Result<Option<FileStatus>, Error> {
        match self.status(path).await {
            Ok(status) => Ok(Some(status)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A directory's entries, or the file itself with an empty name.
    pub async fn list(&self, path: &HdfsPath) -> Result<Listing<FileStatus>, Error> {
        let value = self.get(path, "LISTSTATUS", &[]).await?;
        if value.get("FileStatuses").is_none() {
            return Err(Error::invalid("no member `FileStatuses`"));
        }
        Ok(Listing::at(&value, &["FileStatuses", "FileStatus"]))
    }

    /// A page of a directory, in the order of names, starting behind the name `after`.
    pub async fn list_batch(&self, path: &HdfsPath, after: Option<&str>) -> Result<Batch, Error> {
        let after: Vec<_> = after.iter().map(|name| ("startAfter", *name)).collect();
        let value = self.get(path, "LISTSTATUS_BATCH", &after).await?;
        let listing = value
            .get("DirectoryListing")
            .ok_or_else(|| Error::invalid("no member `DirectoryListing`"))?;
        Ok(Batch {
            entries: Listing::at(listing, &["partialListing", "FileStatuses", "FileStatus"]),
            more: listing
                .get("remainingEntries")
                .and_then(Value::as_i64)
                .unwrap_or(0)
                > 0,
        })
    }

    /// Creates one directory; its parent must exist. An existing directory is left as it is.
    pub async fn mkdir(&self, path: &HdfsPath, permission: Mode) -> Result<(), Error> {
        // MKDIRS would create missing parents, and give them this directory's permission.
        if let Some(parent) = path.parent()
            && !self.status(&parent).await?.is_dir()
        {
            return Err(Error::BadRequest {
                message: format!("{parent} is not a directory"),
            });
        }
        let permission = octal(permission);
        self.put_true(path, "MKDIRS", &[("permission", &permission)])
            .await
    }

    /// Creates the directories that are missing, in the given order (parents first), each with its
    /// own permission. Existing directories are left as they are.
    pub async fn mkdirs_all(&self, levels: &[(HdfsPath, Mode)]) -> Result<(), Error> {
        for (path, permission) in levels {
            match self.find(path).await? {
                Some(status) if status.is_dir() => {}
                Some(_) => {
                    return Err(Error::AlreadyExists {
                        message: format!("{path} is a file"),
                    });
                }
                None => self.mkdir(path, *permission).await?,
            }
        }
        Ok(())
    }

    /// Writes a file of exactly `length` bytes into a directory that exists. After an error that is
    /// in doubt a part of the file may be there.
    pub async fn create(
        &self,
        path: &HdfsPath,
        length: u64,
        body: ByteStream,
        options: CreateOptions,
    ) -> Result<(), Error> {
        let target = self.create_target(path, options).await?;
        let reply = self
            .http
            .put(target)
            .stream("application/octet-stream", length, body)
            .header(XSRF, "x")
            .send()
            .await?;
        created(&reply)
    }

    /// As [`WebHdfs::create`], for content that is in memory.
    pub async fn write(
        &self,
        path: &HdfsPath,
        content: impl Into<Bytes>,
        options: CreateOptions,
    ) -> Result<(), Error> {
        let content = content.into();
        let length = content.len() as u64;
        self.create(path, length, net::stream_bytes(content), options)
            .await
    }

    async fn create_target(&self, path: &HdfsPath, options: CreateOptions) -> Result<Url, Error> {
        let permission = octal(options.permission);
        let overwrite = options.overwrite.to_string();
        let query = [
            ("permission", permission.as_str()),
            ("overwrite", &overwrite),
            // Parents would be made with permissions nobody chose.
            ("createparent", "false"),
            ("noredirect", "true"),
        ];
        // Choosing a DataNode writes nothing, so this half may be repeated.
        let reply = self.endpoints.call(true, |base| async move {
            let reply = self
                .request(Method::PUT, &base, path, "CREATE", &query)
                .idempotent()
                .send()
                .await?;
            located(&reply)
        });
        reply.await
    }

    /// A file's bytes from `offset`, at most `length` (all that follow when `None`).
    pub async fn open(&self, path: &HdfsPath, offset: u64, length: Option<u64>) -> Result<Download, Error> {
        let offset = offset.to_string();
        let limit = length.map(|length| length.to_string());
        let mut query = vec![("offset", offset.as_str()), ("noredirect", "true")];
        if let Some(limit) = &limit {
            query.push(("length", limit));
        }
        let query = query.as_slice();
        let target = self.endpoints.call(true, |base| async move {
            let reply = self
                .request(Method::GET, &base, path, "OPEN", query)
                .send()
                .await?;
            located(&reply)
        });
        let request = self.http.get(target.await?).header(XSRF, "x");
        let download = request.max_body(length.unwrap_or(u64::MAX)).open().await?;
        if download.status().is_success() {
            return Ok(download);
        }
        Err(Error::from_reply(&download.into_reply().await?))
    }

    /// A range of a file in memory; shorter than `length` only at the end of the file.
    pub async fn read(&self, path: &HdfsPath, offset: u64, length: u64) -> Result<Bytes, Error> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        Ok(self.open(path, offset, Some(length)).await?.read_all().await?)
    }

    /// A whole file of at most `max` bytes in memory.
    pub async fn read_all(&self, path: &HdfsPath, max: u64) -> Result<Bytes, Error> {
        let bytes = self
            .open(path, 0, Some(max.saturating_add(1)))
            .await?
            .read_all()
            .await?;
        if bytes.len() as u64 > max {
            return Err(Error::invalid(format!("{path} is longer than {max} bytes")));
        }
        Ok(bytes)
    }

    pub async fn checksum(&self, path: &HdfsPath) -> Result<Checksum, Error> {
        let target = self.endpoints.call(true, |base| async move {
            let query = [("noredirect", "true")];
            let reply = self
                .request(Method::GET, &base, path, "GETFILECHECKSUM", &query)
                .send()
                .await?;
            located(&reply)
        });
        let reply = self
            .http
            .get(target.await?)
            .accept_json()
            .timeout(self.slow())
            .max_body(1 << 20)
            .send()
            .await?;
        member(&value(&reply)?, "FileChecksum")
    }

    /// Renames; [`Error::AlreadyExists`] when something is at `to` already.
    pub async fn rename(&self, from: &HdfsPath, to: &HdfsPath) -> Result<(), Error> {
        // With the option this is rename2, which reports failures; without, it is the old call that
        // only answers `false`.
        let query = [("destination", to.as_str()), ("renameoptions", "NONE")];
        self.change(&Method::PUT, from, "RENAME", &query, self.http.timeout())
            .await
            .map(drop)
    }

    /// Whether there was something to delete.
    pub async fn delete(&self, path: &HdfsPath, recursive: bool) -> Result<bool, Error> {
        let recursive = recursive.to_string();
        let reply = self
            .change(
                &Method::DELETE,
                path,
                "DELETE",
                &[("recursive", &recursive)],
                self.slow(),
            )
            .await?;
        boolean(&reply)
    }

    /// Sets times in epoch milliseconds; `None` leaves one as it is.
    pub async fn set_times(
        &self,
        path: &HdfsPath,
        modified: Option<i64>,
        accessed: Option<i64>,
    ) -> Result<(), Error> {
        let [modified, accessed] = [modified, accessed].map(|time| time.unwrap_or(-1).to_string());
        let query = [("modificationtime", modified.as_str()), ("accesstime", &accessed)];
        self.repeat(path, "SETTIMES", &query).await.map(drop)
    }

    pub async fn set_permission(&self, path: &HdfsPath, permission: Mode) -> Result<(), Error> {
        self.repeat(path, "SETPERMISSION", &[("permission", &octal(permission))])
            .await
            .map(drop)
    }

    /// Only the file system's superuser may change the owner.
    pub async fn set_owner(
        &self,
        path: &HdfsPath,
        owner: Option<&str>,
        group: Option<&str>,
    ) -> Result<(), Error> {
        let query: Vec<_> = [("owner", owner), ("group", group)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        self.repeat(path, "SETOWNER", &query).await.map(drop)
    }

    pub async fn content_summary(&self, path: &HdfsPath) -> Result<ContentSummary, Error> {
        member(&self.get(path, "GETCONTENTSUMMARY", &[]).await?, "ContentSummary")
    }

    /// Whether the user may do `actions` (such as `r-x`) with it; [`Error::Forbidden`] if not.
    pub async fn check_access(&self, path: &HdfsPath, actions: &str) -> Result<(), Error> {
        let reply = self.endpoints.call(true, |base| async move {
            let query = [("fsaction", actions)];
            let reply = self
                .request(Method::GET, &base, path, "CHECKACCESS", &query)
                .send()
                .await?;
            if reply.status.is_success() {
                Ok(())
            } else {
                Err(Error::from_reply(&reply))
            }
        });
        reply.await
    }

    /// The user's home directory.
    pub async fn home(&self) -> Result<HdfsPath, Error> {
        let value = self.get(&HdfsPath::root(), "GETHOMEDIRECTORY", &[]).await?;
        let path = value.get("Path").and_then(Value::as_str).unwrap_or_default();
        HdfsPath::new(path).map_err(|error| Error::invalid(format!("home directory: {error}")))
    }

    async fn get(&self, path: &HdfsPath, op: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        let answer = self.endpoints.call(true, |base| async move {
            let mut request = self.request(Method::GET, &base, path, op, query);
            if matches!(op, "LISTSTATUS" | "GETCONTENTSUMMARY") {
                request = request.timeout(self.slow());
            }
            value(&request.send().await?)
        });
        answer.await
    }

    async fn put_true(&self, path: &HdfsPath, op: &str, query: &[(&str, &str)]) -> Result<(), Error> {
        let reply = self.repeat(path, op, query).await?;
        match boolean(&reply)? {
            true => Ok(()),
            false => Err(Error::Remote {
                exception: op.to_owned(),
                message: format!("{path}: refused"),
                status: 200,
            }),
        }
    }

    /// A change that does no harm when it is made twice.
    async fn repeat(&self, path: &HdfsPath, op: &str, query: &[(&str, &str)]) -> Result<Reply, Error> {
        let reply = self.endpoints.call(true, |base| async move {
            success(
                self.request(Method::PUT, &base, path, op, query)
                    .idempotent()
                    .send()
                    .await?,
            )
        });
        reply.await
    }

    async fn change(
        &self,
        method: &Method,
        path: &HdfsPath,
        op: &str,
        query: &[(&str, &str)],
        timeout: Duration,
    ) -> Result<Reply, Error> {
        let reply = self.endpoints.call(false, |base| async move {
            success(
                self.request(method.clone(), &base, path, op, query)
                    .timeout(timeout)
                    .send()
                    .await?,
            )
        });
        reply.await
    }

    fn request(
        &self,
        method: Method,
        base: &Url,
        path: &HdfsPath,
        op: &str,
        query: &[(&str, &str)],
    ) -> net::Request {
        let url = at(base, &format!("/webhdfs/v1{}", path.encoded()));
        let mut request = if method == Method::GET {
            self.http.get(url)
        } else {
            self.http.request(method, url)
        };
        request = request.query("op", op);
        for (name, value) in query.iter().copied().chain(self.identity.hdfs()) {
            request = request.query(name, value);
        }
        request.accept_json().header(XSRF, "x").max_body(MAX_LIST_BODY)
    }

    fn slow(&self) -> Duration {
        self.http.timeout() * SLOW
    }
}

fn octal(mode: Mode) -> String {
    format!("{:o}", mode & 0o1777)
}

fn success(reply: Reply) -> Result<Reply, Error> {
    if reply.status.is_success() {
        Ok(reply)
    } else {
        Err(Error::from_reply(&reply))
    }
}

fn boolean(reply: &Reply) -> Result<bool, Error> {
    value(reply)?
        .get("boolean")
        .and_then(Value::as_bool)
        .ok_or_else(|| Error::invalid("no member `boolean`"))
}

fn created(reply: &Reply) -> Result<(), Error> {
    match reply.status {
        StatusCode::CREATED | StatusCode::OK => Ok(()),
        _ => Err(Error::from_reply(reply)),
    }
}

/// Where the data of a file goes to or comes from. Older gateways redirect although they were asked
/// not to.
fn located(reply: &Reply) -> Result<Url, Error> {
    let location = match reply.status.as_u16() {
        200 => value(reply)?
            .get("Location")
            .and_then(Value::as_str)
            .map(str::to_owned),
        307 => reply.header(header::LOCATION).map(str::to_owned),
        _ => return Err(Error::from_reply(reply)),
    };
    let url = location.and_then(|text| Url::parse(&text).ok()).filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.path().contains("/webhdfs/v1/")
    });
    url.ok_or_else(|| Error::invalid("no address of a DataNode"))
}
