//! HDFS's own checksum of a file, computed on this side, so that what lies there can be compared
//! with what was sent without reading it back.
//!
//! The DataNode keeps a CRC of every 512 bytes; the file's checksum is the MD5 of the MD5s of each
//! block's CRCs and of what is left of their buffer (`MD5-of-262144MD5-of-512CRC32C`: 262144 CRCs a
//! block; 0 when there is one block).

use crate::webhdfs::Checksum;
use md5::{Digest, Md5};

/// Bytes one CRC covers unless the file system was set up otherwise.
const CHUNK: usize = 512;

/// Takes a file's bytes as they are sent.
#[derive(Debug, Default, Clone)]
pub struct Checksummer {
    /// The CRCs so far, big-endian.
    crcs: Vec<u8>,
    /// CRC and length of the chunk that is not full yet.
    open: (u32, usize),
}

impl Checksummer {
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (crc, have) = self.open;
            let (now, rest) = bytes.split_at(bytes.len().min(CHUNK - have));
            self.open = (crc32c::crc32c_append(crc, now), have + now.len());
            if self.open.1 == CHUNK {
                self.close();
            }
            bytes = rest;
        }
    }

    fn close(&mut self) {
        self.crcs.extend(self.open.0.to_be_bytes());
        self.open = (0, 0);
    }

    /// Whether the file system's checksum is that of the bytes taken; `None` when it is of a kind that
    /// cannot be computed here, for example of other chunks.
    pub fn matches(mut self, there: &Checksum) -> Option<bool> {
        let per_block = there
            .algorithm
            .strip_prefix("MD5-of-")?
            .strip_suffix("MD5-of-512CRC32C")?;
        let per_block: usize = per_block.parse().ok()?;
        if self.open.1 > 0 {
            self.close();
        }
        let block = if per_block == 0 {
            self.crcs.len().max(1)
        } else {
            per_block.checked_mul(4)?
        };
        let mut sums = Vec::new();
        for crcs in self.crcs.chunks(block) {
            sums.extend_from_slice(&Md5::digest(crcs));
        }
        // HDFS digests the whole buffer it collects them in: 32 bytes at first, doubled when full.
        sums.resize(sums.len().next_power_of_two().max(32), 0);
        // In front of the digest stand the bytes of a CRC and the CRCs of a block, behind it is padding.
        let digest = there.bytes.get(24..56)?;
        Some(digest.eq_ignore_ascii_case(&hex::encode(Md5::digest(sums))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(bytes: &[u8], step: usize) -> Checksummer {
        let mut sum = Checksummer::default();
        bytes.chunks(step).for_each(|part| sum.update(part));
        sum
    }

    fn there(algorithm: &str, digest: &str) -> Checksum {
        Checksum {
            algorithm: algorithm.into(),
            bytes: format!("{}{digest}00000000", "0".repeat(24)),
            length: 28,
        }
    }

    #[test]
    fn does_not_depend_on_how_the_bytes_come() {
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i * 7) as u8).collect();
        let crcs: Vec<u8> = bytes
            .chunks(512)
            .flat_map(|c| crc32c::crc32c(c).to_be_bytes())
            .collect();
        let one = hex::encode(Md5::digest([&Md5::digest(&crcs)[..], &[0; 16]].concat()));
        let two = [Md5::digest(&crcs[..32]), Md5::digest(&crcs[32..])].concat();
        for step in [1, 511, 512, 513, 5000] {
            assert_eq!(
                sum(&bytes, step).matches(&there("MD5-of-0MD5-of-512CRC32C", &one)),
                Some(true)
            );
            assert_eq!(
                sum(&bytes, step).matches(&there(
                    "MD5-of-8MD5-of-512CRC32C",
                    &hex::encode(Md5::digest(&two))
                )),
                Some(true)
            );
            assert_eq!(
                sum(&bytes[1..], step).matches(&there("MD5-of-0MD5-of-512CRC32C", &one)),
                Some(false)
            );
            assert_eq!(sum(&bytes, step).matches(&there("COMPOSITE-CRC32C", &one)), None);
        }
    }
}
