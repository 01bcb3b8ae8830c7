use super::*;
use std::io::Write;

/// A file in memory.
struct Memory(Vec<u8>);

impl RangeRead for Memory {
    async fn read(&self, offset: u64, length: u64) -> Result<Bytes, Error> {
        let end = offset
            .checked_add(length)
            .filter(|&end| end <= self.0.len() as u64);
        let end = end.ok_or_else(|| broken("read behind the end"))?;
        Ok(Bytes::copy_from_slice(&self.0[offset as usize..end as usize]))
    }
}

fn put_vint(out: &mut Vec<u8>, n: i64) {
    match n {
        -32..=127 => out.push(n as u8),
        -5120..=5119 => out.extend([((n >> 8) - 52) as u8, n as u8]),
        -1_048_576..=1_048_575 => {
            out.push(((n >> 16) - 88) as u8);
            out.extend([(n >> 8) as u8, n as u8]);
        }
        -134_217_728..=134_217_727 => {
            out.push(((n >> 24) - 112) as u8);
            out.extend([(n >> 16) as u8, (n >> 8) as u8, n as u8]);
        }
        _ => {
            out.push((8i64 - 129) as u8);
            out.extend(n.to_be_bytes());
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_vint(out, text.len() as i64);
    out.extend(text.as_bytes());
}

fn put_utf(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}

fn record(key: &str, value: &[u8], chunk: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut name = Vec::new();
    put_utf(&mut name, key);
    put_vint(&mut out, name.len() as i64);
    out.extend(name);
    let full = value.chunks_exact(chunk);
    for part in full.clone() {
        put_vint(&mut out, -(part.len() as i64));
        out.extend(part);
    }
    put_vint(&mut out, full.remainder().len() as i64);
    out.extend(full.remainder());
    out
}

fn pack(gz: bool, bytes: &[u8]) -> Vec<u8> {
    if !gz {
        return bytes.to_vec();
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tfile(gz: bool, blocks: &[Vec<u8>]) -> Vec<u8> {
    let algorithm = if gz { "gz" } else { "none" };
    let mut file = Vec::new();
    let mut index = Vec::new();
    put_text(&mut index, algorithm);
    put_vint(&mut index, blocks.len() as i64);
    for block in blocks {
        let packed = pack(gz, block);
        for n in [file.len(), packed.len(), block.len()] {
            put_vint(&mut index, n as i64);
        }
        file.extend(packed);
    }
    let packed = pack(gz, &index);
    let place = [file.len(), packed.len(), index.len()];
    file.extend(packed);
    let at = file.len() as u64;
    put_vint(&mut file, 1);
    put_text(&mut file, "data:BCFile.index");
    put_text(&mut file, algorithm);
    for n in place {
        put_vint(&mut file, n as i64);
    }
    file.extend(at.to_be_bytes());
    file.extend([0, 1, 0, 0]);
    file.extend(MAGIC);
    file
}

fn logs(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut value = Vec::new();
    for (name, content) in files {
        put_utf(&mut value, name);
        put_utf(&mut value, &content.len().to_string());
        value.extend(*content);
    }
    value
}

fn sample(gz: bool) -> (Vec<u8>, Vec<u8>) {
    let big: Vec<u8> = (0..300_000u32).flat_map(|n| (n % 251).to_le_bytes()).collect();
    let c1 = record(
        "container_1_0001_01_000001",
        &logs(&[("stderr", b"oops\n"), ("empty", b""), ("big", &big)]),
        70_000,
    );
    let c2 = record("container_1_0001_01_000002", &logs(&[("stdout", b"hello")]), 3);
    let meta = record("VERSION", &[0, 0, 0, 1], 100);
    (tfile(gz, &[meta, c1, c2]), big)
}

#[tokio::test]
async fn reads_plain_and_packed() {
    for gz in [false, true] {
        let (file, big) = sample(gz);
        let length = file.len() as u64;
        let log = AggregatedLog::open(Memory(file), length).await.unwrap();
        let files = log.files().await.unwrap();
        let names: Vec<_> = files.iter().map(|f| (f.name.as_str(), f.length)).collect();
        assert_eq!(
            names,
            [
                ("stderr", 5),
                ("empty", 0),
                ("big", big.len() as u64),
                ("stdout", 5)
            ]
        );
        assert_eq!(&log.read(&files[0], 0, 100).await.unwrap()[..], b"oops\n");
        assert_eq!(&log.read(&files[1], 0, 100).await.unwrap()[..], b"");
        assert_eq!(&log.read(&files[3], 1, 3).await.unwrap()[..], b"ell");
        assert_eq!(&log.read(&files[2], 0, u64::MAX).await.unwrap()[..], &big[..]);
        assert_eq!(
            &log.read(&files[2], 69_990, 80_000).await.unwrap()[..],
            &big[69_990..149_990]
        );
        assert!(log.read(&files[2], big.len() as u64, 1).await.unwrap().is_empty());
    }
}

#[test]
fn numbers_of_every_length() {
    for n in [
        0,
        1,
        -1,
        127,
        -32,
        -33,
        128,
        5119,
        -5120,
        5120,
        -5121,
        1_048_575,
        -1_048_576,
        1_048_576,
        134_217_727,
        -134_217_728,
        134_217_728,
        i64::MAX,
        i64::MIN,
    ] {
        let mut out = Vec::new();
        put_vint(&mut out, n);
        assert_eq!(Cursor::memory(out.into()).vint().unwrap(), n);
    }
    // Four to eight bytes may follow; fewer have no such form.
    assert_eq!(
        Cursor::memory(Bytes::from_static(&[0x83, 0xff, 0xff, 0xff, 0xfe]))
            .vint()
            .unwrap(),
        -2
    );
    assert!(
        Cursor::memory(Bytes::from_static(&[0x80, 0, 0, 0, 0]))
            .vint()
            .is_err()
    );
}

#[tokio::test]
async fn garbage_is_an_error_never_a_panic() {
    async fn try_all(file: Vec<u8>) {
        let length = file.len() as u64;
        if let Ok(log) = AggregatedLog::open(Memory(file), length).await
            && let Ok(files) = log.files().await
        {
            for file in &files {
                let _ = log.read(file, 0, 1 << 20).await;
            }
        }
    }
    for gz in [false, true] {
        let c = record(
            "container_1_0001_01_000002",
            &logs(&[("stdout", b"hello"), ("stderr", b"x")]),
            7,
        );
        let file = tfile(gz, &[c]);
        for end in 0..file.len() {
            try_all(file[..end].to_vec()).await;
        }
        for at in 0..file.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] ^= flip;
                try_all(file).await;
            }
        }
    }
}
