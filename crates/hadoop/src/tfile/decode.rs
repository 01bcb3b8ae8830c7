use super::{RangeRead, broken};
use crate::Error;
use net::Bytes;
use std::io::Read;

/// How much is read at once while walking over a file.
const WINDOW: u64 = 64 << 10;

/// Reads from memory.
pub(super) struct Cursor {
    bytes: Bytes,
}

impl Cursor {
    pub(super) fn memory(bytes: Bytes) -> Self {
        Self { bytes }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<Bytes, Error> {
        if length > self.bytes.len() {
            return Err(broken("ends early"));
        }
        Ok(self.bytes.split_to(length))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Error> {
        Ok(self.take(8)?.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        Ok(self.take(4)?.iter().fold(0, |n, &b| n << 8 | u32::from(b)))
    }

    pub(super) fn vint(&mut self) -> Result<i64, Error> {
        let first = self.take(1)?[0];
        let rest = self.take(vint_rest(first)?)?;
        Ok(vint(first, &rest))
    }

    /// Text with its length as a number in front.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let length = usize::try_from(self.vint()?).map_err(|_| broken("a text has no length"))?;
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| broken("not text"))
    }
}

pub(super) enum Source<'a, R> {
    File(&'a R),
    Memory(Bytes),
}

/// Walks over a block, reading pieces of a file as it goes; skipping reads nothing.
pub(super) struct Walk<'a, R> {
    source: Source<'a, R>,
    position: u64,
    end: u64,
    window: Bytes,
    window_at: u64,
}

impl<'a, R: RangeRead + Sync> Walk<'a, R> {
    pub(super) fn new(source: Source<'a, R>, position: u64, end: u64) -> Self {
        Self {
            source,
            position,
            end,
            window: Bytes::new(),
            window_at: position,
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn remaining(&self) -> u64 {
        self.end - self.position
    }

    pub(super) fn skip(&mut self, length: u64) -> Result<(), Error> {
        if length > self.remaining() {
            return Err(broken("ends early"));
        }
        self.position += length;
        Ok(())
    }

    pub(super) async fn take(&mut self, length: u64) -> Result<Bytes, Error> {
        if length > self.remaining() {
            return Err(broken("ends early"));
        }
        let at = self.position;
        let inside = at >= self.window_at && at + length <= self.window_at + self.window.len() as u64;
        if !inside {
            self.window = match &self.source {
                Source::Memory(bytes) => bytes.slice(at as usize..(at + length) as usize),
                Source::File(file) => file.read(at, length.max(WINDOW).min(self.remaining())).await?,
            };
            self.window_at = at;
            if (self.window.len() as u64) < length {
                return Err(broken("ends early"));
            }
        }
        let from = (at - self.window_at) as usize;
        self.position += length;
        Ok(self.window.slice(from..from + length as usize))
    }

    pub(super) async fn vint(&mut self) -> Result<i64, Error> {
        let first = self.take(1).await?[0];
        let rest = self.take(vint_rest(first)? as u64).await?;
        Ok(vint(first, &rest))
    }
}

/// How many bytes follow the first one of a number. This is TFile's own coding, not that of
/// Hadoop's `WritableUtils`.
fn vint_rest(first: u8) -> Result<usize, Error> {
    let first = first as i8;
    Ok(match first {
        -32.. => 0,
        -72..=-33 => 1,
        -104..=-73 => 2,
        -120..=-105 => 3,
        -125..=-121 => (i16::from(first) + 129) as usize,
        _ => return Err(broken("a number has an unknown form")),
    })
}

fn vint(first: u8, rest: &[u8]) -> i64 {
    let lead = i64::from(first as i8);
    let low = rest.iter().fold(0i64, |n, &b| n << 8 | i64::from(b));
    match lead {
        -32.. => lead,
        -72..=-33 => (lead + 52) << 8 | low,
        -104..=-73 => (lead + 88) << 16 | low,
        -120..=-105 => (lead + 112) << 24 | low,
        _ => {
            let unused = 64 - 8 * rest.len() as u32;
            low << unused >> unused
        }
    }
}

/// Unpacks zlib or gzip; `raw` bytes must come out.
pub(super) fn inflate(bytes: &[u8], raw: u64) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    let limit = raw + 1;
    let done = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes)
            .take(limit)
            .read_to_end(&mut out)
    } else {
        flate2::read::ZlibDecoder::new(bytes)
            .take(limit)
            .read_to_end(&mut out)
    };
    done.map_err(|_| broken("a block cannot be unpacked"))?;
    if out.len() as u64 != raw {
        return Err(broken("a block has another length than announced"));
    }
    Ok(out.into())
}
