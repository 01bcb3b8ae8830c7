use crate::{ByteStream, Error};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, StatusCode};
use serde::de::DeserializeOwned;
use std::{io, time::Duration};

/// An answer read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub(crate) target: String,
}

impl Reply {
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text; bytes that are not UTF-8 become replacement characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Protocol {
            target: self.target.clone(),
            reason: format!("JSON: {error}"),
        })
    }

    /// `METHOD scheme://host:port/path` of the request.
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Download {
    target: String,
    response: reqwest::Response,
    limit: u64,
    idle: Duration,
    read: u64,
}

impl Download {
    pub(crate) fn new(target: String, response: reqwest::Response, limit: u64, idle: Duration) -> Self {
        Self {
            target,
            response,
            limit,
            idle,
            read: 0,
        }
    }

    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// The next piece, `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self
            .response
            .content_length()
            .is_some_and(|length| self.read == 0 && length > self.limit)
        {
            return Err(self.too_large());
        }
        let late = || Error::Timeout {
            target: self.target.clone(),
            after: self.idle,
        };
        let chunk = tokio::time::timeout(self.idle, self.response.chunk())
            .await
            .map_err(|_| late())?;
        let chunk = chunk.map_err(|error| Error::from_reqwest(&self.target, error, self.idle))?;
        if let Some(chunk) = &chunk {
            self.read += chunk.len() as u64;
            if self.read > self.limit {
                return Err(self.too_large());
            }
        }
        Ok(chunk)
    }

    /// Everything that is left.
    pub async fn read_all(&mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// As [`Download::read_all`], for an answer that turned out to be an error message.
    pub async fn into_reply(mut self) -> Result<Reply, Error> {
        let body = self.read_all().await?;
        Ok(self.with_body(body))
    }

    pub(crate) fn with_body(self, body: Bytes) -> Reply {
        Reply {
            status: self.status(),
            headers: self.headers().clone(),
            body,
            target: self.target,
        }
    }

    /// The body as a stream; a failure ends it with an error that names no query.
    pub fn into_stream(self) -> ByteStream {
        Box::pin(futures::stream::try_unfold(self, |mut this| async move {
            let chunk = this.chunk().await.map_err(io::Error::other)?;
            Ok(chunk.map(|chunk| (chunk, this)))
        }))
    }

    fn too_large(&self) -> Error {
        Error::BodyTooLarge {
            target: self.target.clone(),
            limit: self.limit,
        }
    }
}
