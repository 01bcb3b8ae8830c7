//! Archives whose bytes depend on their content alone: entries are stored in the given order, at one
//! constant time, without owner or permission. Nodes unpack them as a stream, so sizes stand before
//! each entry. Since the length is known in advance, a large archive can be sent while its files are
//! being read, without a copy on the console's disk.

use domain::{Code, Failure};
pub use flate2::Crc as Crc32;
use sha2::{Digest, Sha256};

/// Larger ones need a form old tools do not read.
pub const MAX_BYTES: u64 = 0xffff_0000;
const MAX_ENTRIES: usize = 65_000;
/// 2001-09-09 in the format's calendar; the time of day is midnight.
const DATE: u16 = ((2001 - 1980) << 9) | (9 << 5) | 9;

/// A file to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// With `/` between directories.
    pub name: String,
    pub size: u64,
    pub crc32: u32,
    /// Lower-case hex; part of the archive's name.
    pub sha256: String,
}

/// A piece of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Bytes(Vec<u8>),
    /// The content of the entry of this index, whole.
    Entry(usize),
}

/// An archive that is not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub pieces: Vec<Piece>,
    pub length: u64,
    /// Lower-case hex over names, sizes and hashes of the entries: the same for the same bytes.
    pub id: String,
}

/// The checksum an [`Entry`] needs.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(bytes);
    crc.sum()
}

impl Layout {
    /// # Errors
    /// [`Code::FieldTooLong`] when there are too many entries or bytes.
    pub fn new(entries: &[Entry]) -> Result<Self, Failure> {
        let total: u64 = entries
            .iter()
            .map(|entry| entry.size + 2 * entry.name.len() as u64 + 100)
            .sum();
        if total > MAX_BYTES || entries.len() > MAX_ENTRIES {
            return Err(Failure::new(Code::FieldTooLong)
                .with("field", "archive")
                .with("max", format!("{MAX_BYTES} bytes, {MAX_ENTRIES} files")));
        }
        let mut pieces = Vec::with_capacity(entries.len() * 2 + 1);
        let mut directory = Vec::new();
        let mut offset = 0u64;
        let mut id = Sha256::new();
        for (index, entry) in entries.iter().enumerate() {
            id.update(format!("{}\0{}\0{}\n", entry.name, entry.size, entry.sha256));
            let mut head = b"PK\x03\x04".to_vec();
            common(&mut head, entry);
            head.extend_from_slice(entry.name.as_bytes());
            directory.extend_from_slice(b"PK\x01\x02\x14\x00");
            common(&mut directory, entry);
            // No comment, first disk, no attributes.
            directory.extend_from_slice(&[0; 10]);
            directory.extend_from_slice(&low32(offset).to_le_bytes());
            directory.extend_from_slice(entry.name.as_bytes());
            offset += head.len() as u64 + entry.size;
            pieces.extend([Piece::Bytes(head), Piece::Entry(index)]);
        }
        let size = low32(directory.len() as u64);
        let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
        directory.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        directory.extend_from_slice(&count.to_le_bytes());
        directory.extend_from_slice(&count.to_le_bytes());
        directory.extend_from_slice(&size.to_le_bytes());
        directory.extend_from_slice(&low32(offset).to_le_bytes());
        directory.extend_from_slice(&[0, 0]);
        let length = offset + directory.len() as u64;
        pieces.push(Piece::Bytes(directory));
        Ok(Self {
            pieces,
            length,
            id: hex::encode(id.finalize()),
        })
    }
}

/// Fields both headers of an entry have, from the version it needs to the length of its extra field.
fn common(out: &mut Vec<u8>, entry: &Entry) {
    // Version 2.0, names in UTF-8, stored, midnight.
    out.extend_from_slice(&[20, 0, 0, 8, 0, 0, 0, 0]);
    out.extend_from_slice(&DATE.to_le_bytes());
    out.extend_from_slice(&entry.crc32.to_le_bytes());
    let size = low32(entry.size).to_le_bytes();
    out.extend_from_slice(&size);
    out.extend_from_slice(&size);
    let name = u16::try_from(entry.name.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&name.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
}

/// Sizes were checked against [`MAX_BYTES`].
fn low32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// An archive of what is in memory.
///
/// # Errors
/// As [`Layout::new`].
pub fn stored(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, Failure> {
    let entries: Vec<Entry> = files
        .iter()
        .map(|(name, bytes)| Entry {
            name: name.clone(),
            size: bytes.len() as u64,
            crc32: crc32(bytes),
            sha256: String::new(),
        })
        .collect();
    let layout = Layout::new(&entries)?;
    let mut out = Vec::new();
    for piece in &layout.pieces {
        match piece {
            Piece::Bytes(bytes) => out.extend_from_slice(bytes),
            Piece::Entry(index) => out.extend_from_slice(files.get(*index).map_or(&[], |f| f.1.as_slice())),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_readable_and_always_the_same() {
        let files = [
            ("a/ü.txt".to_owned(), b"hello".to_vec()),
            ("empty".to_owned(), vec![]),
        ];
        let bytes = stored(&files).unwrap();
        assert_eq!(bytes, stored(&files).unwrap());
        // Local header: stored, CRC of "hello", both sizes, then name and content.
        assert_eq!(&bytes[..4], b"PK\x03\x04");
        assert_eq!(&bytes[14..18], &0x3610_a686_u32.to_le_bytes());
        assert_eq!(&bytes[18..26], &[5, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(&bytes[30..43], "a/ü.txthello".as_bytes());
        assert_eq!(&bytes[bytes.len() - 22..bytes.len() - 18], b"PK\x05\x06");
        let start = u32::from_le_bytes(bytes[bytes.len() - 6..bytes.len() - 2].try_into().unwrap());
        assert_eq!(&bytes[start as usize..start as usize + 4], b"PK\x01\x02");
    }

    #[test]
    fn the_id_tells_contents_apart_and_the_length_is_known() {
        let entry = |sha256: &str| Entry {
            name: "x".into(),
            size: 7,
            crc32: 1,
            sha256: sha256.into(),
        };
        let one = Layout::new(&[entry("aa")]).unwrap();
        assert_ne!(one.id, Layout::new(&[entry("bb")]).unwrap().id);
        assert_eq!(one.length, 30 + 1 + 7 + 46 + 1 + 22);
        let large = Entry {
            size: MAX_BYTES,
            ..entry("cc")
        };
        assert_eq!(Layout::new(&[large]).unwrap_err().code, Code::FieldTooLong);
    }
}
