//! Bringing a copy up to date with its original.

use super::spool::{Held, Spool};
use crate::Error;
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use hadoop::{
    ContainerId,
    nm::{NodeManager, Part},
    tfile::{AggregatedFile, AggregatedLog, HdfsFile},
};
use std::{sync::Arc, time::Instant};

/// Bytes that are fetched again and compared: other bytes mean another file of the same name.
pub(super) const OVERLAP: u64 = 1024;
/// How much of the end of a growing file is asked for at first; its length is in the answer.
const GUESS: u64 = 64 << 10;
/// Written and indexed at once.
pub(super) const BATCH: usize = 4 << 20;
/// A file that is replaced all the time while it is read is left for the next look.
const MAX_STARTS: usize = 4;
/// Read of HDFS at once.
const PIECE: u64 = 8 << 20;

/// Where the original of a log file is.
pub(super) trait Origin: Sync {
    /// The file as it is now, from `offset` on, or from a little before.
    fn open(
        &self,
        offset: u64,
    ) -> impl Future<Output = std::result::Result<Opened<'_>, hadoop::Error>> + Send;
}

/// An original whose bytes are to come.
pub(super) struct Opened<'a> {
    pub size: u64,
    /// Where the bytes begin.
    pub offset: u64,
    pub bytes: BoxStream<'a, std::result::Result<Bytes, hadoop::Error>>,
}

/// Why a copy was not brought up to date.
pub(super) enum Stale {
    /// The original cannot be read.
    Origin(hadoop::Error),
    /// The console's own disk or limits.
    Own(Error),
}

impl From<hadoop::Error> for Stale {
    fn from(error: hadoop::Error) -> Self {
        Self::Origin(error)
    }
}

impl From<Error> for Stale {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl Spool {
    /// Fetches what the original has more than the copy. What arrived stays when the rest does not.
    pub(super) async fn refresh(
        &self,
        mut held: Held,
        origin: &impl Origin,
    ) -> std::result::Result<Held, Stale> {
        let _turn = self.fetches.acquire().await.map_err(Error::internal)?;
        let mut from = None;
        for _ in 0..MAX_STARTS {
            let have = held.have();
            let overlap = OVERLAP.min(held.held_bytes());
            let mut opened = origin.open(from.take().unwrap_or(have - overlap)).await?;
            if held.held_bytes() == 0 {
                // A beginning, or what is left of a file that is too long.
                if opened.size.saturating_sub(opened.offset) > self.limits.file {
                    from = Some(opened.size - self.limits.file / 2);
                    continue;
                }
                held = held.restart(opened.offset).await?;
            } else if opened.size < have
                || opened.offset > have - overlap
                || opened.size - held.left_out() > self.limits.file
            {
                held = held.restart(0).await?;
                continue;
            }
            match self.take(held, &mut opened, overlap).await? {
                (done, true) => {
                    held = done;
                    held.replica.looked = Some(Instant::now());
                    return Ok(held);
                }
                (other, false) => held = other.restart(0).await?,
            }
        }
        Err(hadoop::Error::InvalidAnswer {
            what: "the log is replaced faster than it can be read".to_owned(),
        }
        .into())
    }

    /// Compares what the copy has already and adds the rest. `false`: the original is another file.
    async fn take(
        &self,
        mut held: Held,
        opened: &mut Opened<'_>,
        overlap: u64,
    ) -> std::result::Result<(Held, bool), Stale> {
        let known = match held.view() {
            Some(view) if overlap > 0 => view.end(overlap).map_err(super::spool::disk)?,
            _ => Vec::new(),
        };
        let have = held.have();
        let known_at = have - known.len() as u64;
        let mut at = opened.offset;
        let mut batch = Vec::new();
        while let Some(chunk) = opened.bytes.next().await {
            let mut chunk = chunk?;
            // Bytes before the compared ones, then the compared ones, then what is new.
            if at < known_at {
                let skip = chunk
                    .len()
                    .min(usize::try_from(known_at - at).unwrap_or(usize::MAX));
                let _ = chunk.split_to(skip);
                at += skip as u64;
            }
            if at < have && !chunk.is_empty() {
                let same = chunk.split_to(chunk.len().min(usize::try_from(have - at).unwrap_or(usize::MAX)));
                let start = usize::try_from(at - known_at).unwrap_or(usize::MAX);
                if known.get(start..start + same.len()) != Some(&same[..]) {
                    return Ok((held, false));
                }
                at += same.len() as u64;
            }
            at += chunk.len() as u64;
            batch.extend_from_slice(&chunk);
            if batch.len() >= BATCH {
                held = self.append(held, std::mem::take(&mut batch)).await?;
            }
        }
        if !batch.is_empty() || held.view().is_none() {
            held = self.append(held, batch).await?;
        }
        Ok((held, true))
    }
}

/// A file of a container that a node still has.
pub(super) struct NodeFile<'a> {
    pub nm: &'a NodeManager,
    pub container: &'a ContainerId,
    pub file: &'a str,
}

impl Origin for NodeFile<'_> {
    async fn open(&self, offset: u64) -> std::result::Result<Opened<'_>, hadoop::Error> {
        let mut part = (offset > 0).then_some(GUESS);
        for _ in 0..MAX_STARTS {
            let stream = self
                .nm
                .stream(self.container, self.file, part.map(Part::Tail))
                .await?;
            let (size, begin) = (stream.file_size, stream.offset);
            // A shorter file was replaced, which the caller finds out by its length.
            if begin > offset && size > offset {
                part = Some(size - offset + GUESS);
                continue;
            }
            let bytes = futures::stream::try_unfold(stream, |mut stream| async move {
                Ok(stream.chunk().await?.map(|chunk| (chunk, stream)))
            });
            return Ok(Opened {
                size,
                offset: begin,
                bytes: bytes.boxed(),
            });
        }
        Err(hadoop::Error::InvalidAnswer {
            what: "the log grows faster than it can be read".to_owned(),
        })
    }
}

/// A file among aggregated logs: the parts of it, one behind the other.
pub(super) struct StoredFile {
    pub parts: Vec<(Arc<AggregatedLog<HdfsFile>>, AggregatedFile)>,
}

impl StoredFile {
    pub(super) fn size(&self) -> u64 {
        self.parts.iter().map(|(_, file)| file.length).sum()
    }

    /// Up to [`PIECE`] bytes from `offset`; none at the end.
    pub(super) async fn read(&self, mut offset: u64) -> std::result::Result<Bytes, hadoop::Error> {
        for (log, file) in &self.parts {
            if offset < file.length {
                return log.read(file, offset, PIECE).await;
            }
            offset -= file.length;
        }
        Ok(Bytes::new())
    }
}

impl Origin for StoredFile {
    async fn open(&self, offset: u64) -> std::result::Result<Opened<'_>, hadoop::Error> {
        let bytes = futures::stream::try_unfold(offset, move |at| async move {
            let piece = self.read(at).await?;
            Ok((!piece.is_empty()).then(|| (piece.clone(), at + piece.len() as u64)))
        });
        Ok(Opened {
            size: self.size(),
            offset,
            bytes: bytes.boxed(),
        })
    }
}
