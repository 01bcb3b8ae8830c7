//! Aggregated logs as NodeManagers write them by default: a TFile (block-compressed key-value file)
//! per node, whose keys are containers and whose values are the log files one behind the other.
//! Read by ranges, so that a page of a large log costs a page.

mod decode;

use crate::{Error, HdfsPath, webhdfs::WebHdfs};
use decode::{Cursor, Source};
use net::Bytes;
use std::sync::Mutex;

/// Version, magic and the offset of the index at the end of the file.
const TRAILER: u64 = 28;
const MAGIC: [u8; 16] = [
    0xd1, 0x11, 0xd3, 0x68, 0x91, 0xb5, 0xd7, 0xb6, 0x39, 0xdf, 0x41, 0x40, 0x92, 0xba, 0xe1, 0x50,
];
/// Limits of what a file may make the console do.
const MAX_INDEX: u64 = 16 << 20;
const MAX_BLOCKS: u64 = 100_000;
const MAX_BLOCK: u64 = 256 << 20;
const MAX_FILES: usize = 50_000;
const MAX_SEGMENTS: usize = 1_000_000;
/// Most bytes [`AggregatedLog::read`] returns at once.
pub const MAX_READ: u64 = 16 << 20;

/// Something that can be read at any place, such as a file of WebHDFS.
pub trait RangeRead {
    /// Exactly `length` bytes from `offset`.
    fn read(&self, offset: u64, length: u64) -> impl Future<Output = Result<Bytes, Error>> + Send;
}

/// A file of WebHDFS, for [`AggregatedLog::open`].
#[derive(Debug, Clone)]
pub struct HdfsFile {
    pub hdfs: WebHdfs,
    pub path: HdfsPath,
}

impl RangeRead for HdfsFile {
    async fn read(&self, offset: u64, length: u64) -> Result<Bytes, Error> {
        let bytes = self.hdfs.read(&self.path, offset, length).await?;
        if bytes.len() as u64 == length {
            Ok(bytes)
        } else {
            Err(broken("the file is shorter than expected"))
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gz,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    offset: u64,
    compressed: u64,
    raw: u64,
}

/// A log file inside. Its bytes lie in pieces, since values are written in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregatedFile {
    pub container: String,
    pub name: String,
    pub length: u64,
    block: usize,
    /// Position in the block (in the file when it is not compressed) and length of each piece.
    segments: Vec<(u64, u64)>,
}

/// An aggregated log of one node.
#[derive(Debug)]
pub struct AggregatedLog<R> {
    source: R,
    compression: Compression,
    blocks: Vec<Block>,
    /// The block unpacked last; pages of one file come one after the other.
    unpacked: Mutex<Option<(usize, Bytes)>>,
}

impl<R: RangeRead + Sync> AggregatedLog<R> {
    /// Reads the index. `length` is that of the whole file.
    pub async fn open(source: R, length: u64) -> Result<Self, Error> {
        let at = length.checked_sub(TRAILER).ok_or_else(|| broken("too short"))?;
        let mut trailer = Cursor::memory(source.read(at, TRAILER).await?);
        let index_at = trailer.u64()?;
        let _version = trailer.u32()?;
        if trailer.take(16)?[..] != MAGIC {
            return Err(broken("not a TFile"));
        }
        let index_length = at.checked_sub(index_at).filter(|&n| n > 0 && n <= MAX_INDEX);
        let index_length = index_length.ok_or_else(|| broken("index out of range"))?;
        let mut index = Cursor::memory(source.read(index_at, index_length).await?);
        let mut data_index = None;
        for _ in 0..bounded(index.vint()?, 1000)? {
            let name = index.text()?;
            let algorithm = compression(&index.text()?)?;
            let block = block(&mut index)?;
            if name == "data:BCFile.index" {
                data_index = Some((algorithm, block));
            }
        }
        let (algorithm, place) = data_index.ok_or_else(|| broken("no index of data blocks"))?;
        let mut index = Cursor::memory(whole(&source, algorithm, place, MAX_INDEX).await?);
        let compression = compression(&index.text()?)?;
        let count = bounded(index.vint()?, MAX_BLOCKS)?;
        let mut blocks = Vec::new();
        for _ in 0..count {
            let block = block(&mut index)?;
            if block
                .offset
                .checked_add(block.compressed)
                .is_none_or(|end| end > length)
            {
                return Err(broken("a block lies outside of the file"));
            }
            blocks.push(block);
        }
        Ok(Self {
            source,
            compression,
            blocks,
            unpacked: Mutex::new(None),
        })
    }

    /// Every log file of every container. Reads headers only where the file is not compressed.
    pub async fn files(&self) -> Result<Vec<AggregatedFile>, Error> {
        let mut files = Vec::new();
        let mut segments = 0;
        for number in 0..self.blocks.len() {
            let (mut cursor, end) = self.cursor(number).await?;
            while cursor.position() < end {
                let key_length = bounded(cursor.vint().await?, 64 << 10)?;
                let key = cursor.take(key_length).await?;
                let key = utf(&key).ok_or_else(|| broken("a key is not text"))?;
                let mut value = Value::start(&mut cursor).await?;
                if matches!(key.as_str(), "VERSION" | "APPLICATION_OWNER" | "APPLICATION_ACL") {
                    value.skip_rest().await?;
                    continue;
                }
                while !value.at_end().await? {
                    let name = value.utf().await?;
                    let length = value
                        .utf()
                        .await?
                        .parse()
                        .map_err(|_| broken("a length is not a number"))?;
                    let pieces = value.skip(length).await?;
                    segments += pieces.len();
                    if files.len() >= MAX_FILES || segments > MAX_SEGMENTS {
                        return Err(broken("too many entries"));
                    }
                    files.push(AggregatedFile {
                        container: key.clone(),
                        name,
                        length,
                        block: number,
                        segments: pieces,
                    });
                }
            }
        }
        Ok(files)
    }

    /// A range of a file, at most [`MAX_READ`] bytes; shorter at the file's end.
    pub async fn read(&self, file: &AggregatedFile, offset: u64, length: u64) -> Result<Bytes, Error> {
        let end = file.length.min(offset.saturating_add(length.min(MAX_READ)));
        let mut wanted = Vec::new();
        let mut at = 0;
        for &(position, size) in &file.segments {
            let (from, to) = (offset.max(at), end.min(at + size));
            if from < to {
                wanted.push((position + (from - at), to - from));
            }
            at += size;
        }
        let (Some(&(first, _)), Some(&(last, size))) = (wanted.first(), wanted.last()) else {
            return Ok(Bytes::new());
        };
        // The pieces lie behind each other with a few bytes between: one read gets them all.
        let base = match self.compression {
            Compression::None => self.source.read(first, last + size - first).await?,
            Compression::Gz => {
                let block = self.unpack(file.block).await?;
                let range = first as usize..(last + size) as usize;
                if range.end > block.len() {
                    return Err(broken("a file lies outside of its block"));
                }
                block.slice(range)
            }
        };
        let mut bytes = Vec::with_capacity((end - offset) as usize);
        for (position, size) in wanted {
            let from = (position - first) as usize;
            bytes.extend_from_slice(&base[from..from + size as usize]);
        }
        Ok(bytes.into())
    }

    async fn cursor(&self, number: usize) -> Result<(decode::Walk<'_, R>, u64), Error> {
        let block = self.blocks[number];
        Ok(match self.compression {
            Compression::None => {
                let end = block.offset + block.compressed;
                (
                    decode::Walk::new(Source::File(&self.source), block.offset, end),
                    end,
                )
            }
            Compression::Gz => {
                let bytes = self.unpack(number).await?;
                let end = bytes.len() as u64;
                (decode::Walk::new(Source::Memory(bytes), 0, end), end)
            }
        })
    }

    async fn unpack(&self, number: usize) -> Result<Bytes, Error> {
        let kept = || {
            self.unpacked
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some((have, bytes)) = &*kept()
            && *have == number
        {
            return Ok(bytes.clone());
        }
        let block = *self.blocks.get(number).ok_or_else(|| broken("no such block"))?;
        let bytes = whole(&self.source, self.compression, block, MAX_BLOCK).await?;
        *kept() = Some((number, bytes.clone()));
        Ok(bytes)
    }
}

/// The value of a record: chunks, the last of which has a length that is not negative.
struct Value<'a, 'b, R> {
    walk: &'a mut decode::Walk<'b, R>,
    left: u64,
    last: bool,
}

impl<'a, 'b, R: RangeRead + Sync> Value<'a, 'b, R> {
    async fn start(walk: &'a mut decode::Walk<'b, R>) -> Result<Self, Error> {
        let mut value = Self {
            walk,
            left: 0,
            last: false,
        };
        value.next_chunk().await?;
        Ok(value)
    }

    async fn next_chunk(&mut self) -> Result<(), Error> {
        let length = self.walk.vint().await?;
        self.last = length >= 0;
        self.left = length.unsigned_abs();
        if self.left > self.walk.remaining() || (self.left == 0 && !self.last) {
            return Err(broken("a chunk is longer than its block"));
        }
        Ok(())
    }

    /// Whether the value is used up.
    async fn at_end(&mut self) -> Result<bool, Error> {
        while self.left == 0 && !self.last {
            self.next_chunk().await?;
        }
        Ok(self.left == 0)
    }

    async fn skip(&mut self, mut length: u64) -> Result<Vec<(u64, u64)>, Error> {
        let mut pieces = Vec::new();
        while length > 0 {
            if self.at_end().await? {
                return Err(broken("a log file is longer than its record"));
            }
            let piece = length.min(self.left);
            pieces.push((self.walk.position(), piece));
            if pieces.len() > MAX_SEGMENTS {
                return Err(broken("too many entries"));
            }
            self.walk.skip(piece)?;
            self.left -= piece;
            length -= piece;
        }
        Ok(pieces)
    }

    async fn skip_rest(&mut self) -> Result<(), Error> {
        while !self.at_end().await? {
            let left = self.left;
            self.skip(left).await?;
        }
        Ok(())
    }

    async fn bytes(&mut self, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            if self.at_end().await? {
                return Err(broken("a record ends early"));
            }
            let piece = (length - bytes.len() as u64).min(self.left);
            bytes.extend_from_slice(&self.walk.take(piece).await?);
            self.left -= piece;
        }
        Ok(bytes)
    }

    /// Text with two bytes of length in front.
    async fn utf(&mut self) -> Result<String, Error> {
        let length = self.bytes(2).await?;
        let length = u16::from_be_bytes([length[0], length[1]]);
        String::from_utf8(self.bytes(length.into()).await?).map_err(|_| broken("a name is not text"))
    }
}

fn utf(bytes: &[u8]) -> Option<String> {
    let (length, text) = bytes.split_first_chunk::<2>()?;
    let text = text.get(..usize::from(u16::from_be_bytes(*length)))?;
    String::from_utf8(text.to_vec()).ok()
}

fn broken(what: &str) -> Error {
    Error::invalid(format!("aggregated log: {what}"))
}

fn bounded(number: i64, most: u64) -> Result<u64, Error> {
    u64::try_from(number)
        .ok()
        .filter(|&n| n <= most)
        .ok_or_else(|| broken("a number is out of range"))
}

fn compression(name: &str) -> Result<Compression, Error> {
    match name {
        "none" => Ok(Compression::None),
        "gz" => Ok(Compression::Gz),
        other => Err(broken(&format!("compression {other:?} is not supported"))),
    }
}

fn block(index: &mut Cursor) -> Result<Block, Error> {
    let mut number = || bounded(index.vint()?, i64::MAX as u64);
    Ok(Block {
        offset: number()?,
        compressed: number()?,
        raw: number()?,
    })
}

async fn whole<R: RangeRead>(
    source: &R,
    compression: Compression,
    block: Block,
    most: u64,
) -> Result<Bytes, Error> {
    if block.compressed > most || block.raw > most {
        return Err(broken("a block is too large"));
    }
    let bytes = source.read(block.offset, block.compressed).await?;
    match compression {
        Compression::None => Ok(bytes),
        Compression::Gz => decode::inflate(&bytes, block.raw),
    }
}

#[cfg(test)]
mod tests;
