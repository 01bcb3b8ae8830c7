//! Reading lines out of a spooled file.

use super::{index::Index, search::Needle};
use domain::logs::MAX_LINE_CHARS;
use memchr::{memchr, memchr_iter};
use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const CHUNK: usize = 64 << 10;
const SEARCH_CHUNK: usize = 1 << 20;
/// As many bytes hold [`MAX_LINE_CHARS`] characters.
const MAX_LINE_BYTES: usize = MAX_LINE_CHARS * 4;
/// Most bytes of one answer; a window of very long lines has fewer of them.
const MAX_PAGE_BYTES: usize = 8 << 20;

/// A file as it was when somebody began to look at it. It stays readable whatever happens to the spool.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub file: Arc<File>,
    pub index: Arc<Index>,
}

/// Lines, and the number of the first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lines {
    pub from: u64,
    pub lines: Vec<String>,
}

impl View {
    /// At most `limit` lines from line `from` on.
    pub(super) fn lines(&self, from: u64, limit: usize) -> io::Result<Lines> {
        let from = from.max(1);
        let mut out = Vec::new();
        let mut size = 0;
        self.walk(from, |line| {
            size += line.len();
            out.push(line);
            out.len() < limit && size < MAX_PAGE_BYTES
        })?;
        Ok(Lines { from, lines: out })
    }

    /// The last `limit` lines.
    pub(super) fn last(&self, limit: usize) -> io::Result<Lines> {
        let first = (self.index.lines() + 1).saturating_sub(limit as u64).max(1);
        let mut out = VecDeque::new();
        let (mut size, mut dropped) = (0, 0);
        self.walk(first, |line| {
            size += line.len();
            out.push_back(line);
            while size > MAX_PAGE_BYTES {
                let Some(gone) = out.pop_front() else { break };
                size -= gone.len();
                dropped += 1;
            }
            true
        })?;
        Ok(Lines {
            from: first + dropped,
            lines: out.into(),
        })
    }

    /// Hands over line after line from line `from` on until `take` has enough.
    fn walk(&self, from: u64, mut take: impl FnMut(String) -> bool) -> io::Result<()> {
        if from > self.index.lines() {
            return Ok(());
        }
        let (line, mut at) = self.index.before_line(from);
        let mut skip = from - line;
        let end = self.index.bytes();
        let mut buffer = vec![0; CHUNK];
        let (mut kept, mut length) = (Vec::new(), 0_u64);
        while at < end {
            let read = self.fill(&mut buffer, at, end)?;
            at += read as u64;
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let stop = memchr(b'\n', rest);
                let part = &rest[..stop.unwrap_or(rest.len())];
                if skip == 0 {
                    let room = MAX_LINE_BYTES - kept.len();
                    kept.extend_from_slice(&part[..part.len().min(room)]);
                    length += part.len() as u64;
                }
                let Some(stop) = stop else { break };
                rest = &rest[stop + 1..];
                if skip > 0 {
                    skip -= 1;
                } else {
                    if !take(text(&kept, length)) {
                        return Ok(());
                    }
                    kept.clear();
                    length = 0;
                }
            }
        }
        if skip == 0 && length > 0 {
            take(text(&kept, length));
        }
        Ok(())
    }

    /// Numbers of the lines that hold the needle, at most `max`. Ends early, with what was found,
    /// when `stop` is set.
    pub(super) fn search(&self, needle: &Needle, max: usize, stop: &AtomicBool) -> io::Result<Vec<i64>> {
        let mut hits = Vec::new();
        let end = self.index.bytes();
        let overlap = needle.len() - 1;
        let mut buffer = vec![0; SEARCH_CHUNK + overlap];
        // Bytes at the front that were already in the chunk before.
        let mut carried = 0;
        let mut at = 0;
        let mut cursor = (1, 0);
        // The rest of a line that is counted already.
        let mut in_hit = false;
        while at < end && !stop.load(Ordering::Relaxed) {
            let read = self.fill(&mut buffer[carried..], at, end)?;
            let base = at - carried as u64;
            let chunk = &buffer[..carried + read];
            let mut from = 0;
            loop {
                if in_hit {
                    match memchr(b'\n', &chunk[from..]) {
                        Some(n) => from += n + 1,
                        None => break,
                    }
                    in_hit = false;
                }
                let Some(found) = needle.find(&chunk[from..]) else {
                    break;
                };
                from += found;
                cursor = self.line_at(cursor, base + from as u64)?;
                hits.push(i64::try_from(cursor.0).unwrap_or(i64::MAX));
                if hits.len() >= max {
                    return Ok(hits);
                }
                in_hit = true;
            }
            at += read as u64;
            // What is carried over may hold the end of a line that counts already, but no line end
            // before `from` may be seen twice.
            let keep = if in_hit {
                0
            } else {
                overlap.min(chunk.len() - from)
            };
            let length = chunk.len();
            buffer.copy_within(length - keep..length, 0);
            carried = keep;
        }
        Ok(hits)
    }

    /// The line that `offset` lies in, counted on from `known` (a line and where counting stands in it).
    fn line_at(&self, known: (u64, u64), offset: u64) -> io::Result<(u64, u64)> {
        let mark = self.index.before_offset(offset);
        let (mut line, mut at) = if known.1 >= mark.1 { known } else { mark };
        let mut buffer = vec![0; CHUNK.min((offset - at) as usize)];
        while at < offset {
            let read = self.fill(&mut buffer, at, offset)?;
            line += memchr_iter(b'\n', &buffer[..read]).count() as u64;
            at += read as u64;
        }
        Ok((line, at))
    }

    /// The last bytes, at most `max`.
    pub(super) fn end(&self, max: u64) -> io::Result<Vec<u8>> {
        let end = self.index.bytes();
        let from = end.saturating_sub(max);
        let mut bytes = vec![0; usize::try_from(end - from).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }

    fn fill(&self, buffer: &mut [u8], at: u64, end: u64) -> io::Result<usize> {
        let want = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        match self.file.read_at(&mut buffer[..want], at)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }
}

/// A line of `length` bytes as it is shown, from its first bytes.
fn text(kept: &[u8], length: u64) -> String {
    let kept = if kept.len() as u64 == length {
        kept.strip_suffix(b"\r").unwrap_or(kept)
    } else {
        kept
    };
    let mut text = String::from_utf8_lossy(kept).into_owned();
    let cut = text.char_indices().nth(MAX_LINE_CHARS).map(|(at, _)| at);
    if let Some(at) = cut {
        text.truncate(at);
    }
    if cut.is_some() || (kept.len() as u64) + 1 < length {
        let more = length.saturating_sub(text.len() as u64);
        text.push_str(&format!(" … (+{more} B)"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn view(bytes: &[u8]) -> View {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut index = Index::default();
        index.push(bytes);
        View {
            file: Arc::new(file),
            index: Arc::new(index),
        }
    }

    fn search(view: &View, text: &str) -> Vec<i64> {
        view.search(&Needle::new(text).unwrap(), 1000, &AtomicBool::new(false))
            .unwrap()
    }

    #[test]
    fn windows_anywhere() {
        let text: String = (1..=3000).map(|n| format!("line {n}\n")).collect();
        let view = view(format!("{text}open").as_bytes());
        for from in [1, 255, 256, 257, 258, 2999] {
            let got = view.lines(from, 2).unwrap();
            assert_eq!(
                got,
                Lines {
                    from,
                    lines: vec![format!("line {from}"), format!("line {}", from + 1)]
                }
            );
        }
        assert_eq!(view.lines(0, 1).unwrap().from, 1);
        assert_eq!(view.lines(3001, 9).unwrap().lines, ["open"]);
        assert_eq!(view.lines(3002, 9).unwrap().lines, [""; 0]);
        assert_eq!(
            view.last(2).unwrap(),
            Lines {
                from: 3000,
                lines: vec!["line 3000".into(), "open".into()]
            }
        );
        assert_eq!(view.last(9999).unwrap().lines.len(), 3001);
        assert_eq!(view.end(6).unwrap(), b"0\nopen");
        assert_eq!(
            super::tests::view(b"").last(5).unwrap(),
            Lines {
                from: 1,
                lines: vec![]
            }
        );
    }

    #[test]
    fn odd_lines() {
        let long = "é".repeat(MAX_LINE_CHARS + 5);
        let huge = "x".repeat(1 << 20);
        let mut bytes = format!("a\r\n\n{long}\n{huge}\n\u{1b}[31mred\n").into_bytes();
        bytes.extend_from_slice(b"\xff\xfe\0end\n\n");
        let lines = view(&bytes).lines(1, 100).unwrap().lines;
        assert_eq!(lines[..2], ["a", ""]);
        assert_eq!(lines[2], format!("{} … (+10 B)", "é".repeat(MAX_LINE_CHARS)));
        assert_eq!(
            lines[3],
            format!(
                "{} … (+{} B)",
                "x".repeat(MAX_LINE_CHARS),
                (1 << 20) - MAX_LINE_CHARS
            )
        );
        assert_eq!(lines[4..], ["\u{1b}[31mred", "\u{fffd}\u{fffd}\0end", ""]);
    }

    #[test]
    fn an_answer_is_bounded_at_either_end() {
        let view = view(
            &format!("{}\n", "y".repeat(MAX_LINE_CHARS))
                .repeat(2000)
                .into_bytes(),
        );
        let head = view.lines(1, 2000).unwrap();
        assert!(head.lines.len() < 1100);
        let tail = view.last(2000).unwrap();
        assert_eq!(tail.from as usize + tail.lines.len() - 1, 2000);
        assert!(tail.lines.len() < 1100);
    }

    #[test]
    fn hits_are_lines_once_wherever_the_chunks_are_cut() {
        let filler = "z".repeat(SEARCH_CHUNK - 5);
        // The first hit straddles two chunks; the second line holds the text twice.
        let text =
            format!("{filler}needle\nNEEDLE x needle\n{filler}\nplain\nneedle{filler}needle\nlast Needle");
        let view = view(text.as_bytes());
        assert_eq!(search(&view, "needle"), [1, 2, 5, 6]);
        assert_eq!(search(&view, "PLAIN"), [4]);
        assert_eq!(search(&view, "absent"), [0; 0]);
        assert_eq!(
            view.search(&Needle::new("e").unwrap(), 2, &AtomicBool::new(false))
                .unwrap(),
            [1, 2]
        );
        assert_eq!(
            view.search(&Needle::new("e").unwrap(), 9, &AtomicBool::new(true))
                .unwrap(),
            [0; 0]
        );
    }

    #[test]
    fn line_numbers_of_hits_agree_with_windows() {
        let text: String = (1..=5000)
            .map(|n| {
                if n % 7 == 0 {
                    format!("{n} seven\n")
                } else {
                    format!("{n}\n")
                }
            })
            .collect();
        let view = view(text.as_bytes());
        let hits = search(&view, "Seven");
        assert_eq!(hits, (1..=5000).filter(|n| n % 7 == 0).collect::<Vec<i64>>());
        for hit in [hits[0], hits[300], hits[700]] {
            assert_eq!(view.lines(hit as u64, 1).unwrap().lines, [format!("{hit} seven")]);
        }
    }
}
