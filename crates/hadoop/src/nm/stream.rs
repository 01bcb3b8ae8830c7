//! A log file that is taken while it arrives, for files too long for memory.

use super::{MAX_HEADER, NodeManager, Part, check_file, forgotten, head};
use crate::{ContainerId, Error, path::encode_segment};
use net::Bytes;

/// A part of a log file whose bytes are still to come.
#[derive(Debug)]
pub struct LogStream {
    /// Length of the whole file when the node began to read it.
    pub file_size: u64,
    /// Where the bytes begin in the file.
    pub offset: u64,
    first: Bytes,
    left: u64,
    body: net::Download,
}

impl LogStream {
    /// The next bytes, `None` at the end. An answer that ends early is an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut chunk = std::mem::take(&mut self.first);
        if chunk.is_empty() {
            chunk = self
                .body
                .chunk()
                .await?
                .ok_or_else(|| Error::invalid("the log ends early"))?;
        }
        // Behind the file's bytes the node writes lines of its own.
        chunk.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= chunk.len() as u64;
        Ok(Some(chunk))
    }
}

impl NodeManager {
    /// A part of a log file of any length; `None` is all of it.
    pub async fn stream(
        &self,
        container: &ContainerId,
        file: &str,
        part: Option<Part>,
    ) -> Result<LogStream, Error> {
        check_file(file)?;
        let path = format!("/ws/v1/node/containers/{container}/logs/{}", encode_segment(file));
        let mut request = self.request(&path).query("format", "text");
        // Zero would mean the whole file.
        let size = part.map(|part| match part {
            Part::Head(bytes) => bytes.max(1).to_string(),
            Part::Tail(bytes) => format!("-{}", bytes.max(1)),
        });
        if let Some(size) = &size {
            request = request.query("size", size);
        }
        let mut body = request.max_body(u64::MAX).open().await?;
        if !body.status().is_success() {
            return Err(forgotten(Error::from_reply(&body.into_reply().await?)));
        }
        let mut seen = Vec::new();
        let (start, file_size) = loop {
            let chunk = body.chunk().await?;
            let ended = chunk.is_none();
            seen.extend_from_slice(&chunk.unwrap_or_default());
            if let Some(found) = head(&seen) {
                break found;
            }
            if ended || seen.len() > MAX_HEADER {
                return Err(Error::invalid("not a log file in the node's format"));
            }
        };
        let (offset, left) = match part {
            None => (0, file_size),
            Some(Part::Head(bytes)) => (0, bytes.max(1).min(file_size)),
            Some(Part::Tail(bytes)) => {
                let given = bytes.max(1).min(file_size);
                (file_size - given, given)
            }
        };
        Ok(LogStream {
            file_size,
            offset,
            first: Bytes::from(seen).slice(start..),
            left,
            body,
        })
    }
}
