//! Where the lines of a file begin, and how many of them report trouble. Built while the file arrives.

use memchr::memchr_iter;

/// Every so many lines the place of one is kept: a jump reads at most so many lines too much.
pub(super) const STRIDE: u64 = 256;
/// How much of a line's beginning is looked at for its level.
const HEAD: usize = 96;

/// What is known of the lines of a file. Lines are counted from 1.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// Where line 1, 1 + [`STRIDE`], 1 + 2 × [`STRIDE`], … begin.
    marks: Vec<u64>,
    bytes: u64,
    /// Lines that have their end.
    ended: u64,
    /// Where the line begins that has no end yet, and its first bytes.
    open_at: u64,
    open: Vec<u8>,
    counts: Counts,
}

/// Lines that report trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub errors: i64,
    pub warnings: i64,
    pub first_error: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Other,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            marks: vec![0],
            bytes: 0,
            ended: 0,
            open_at: 0,
            open: Vec::new(),
            counts: Counts::default(),
        }
    }
}

impl Index {
    /// Takes the bytes that follow.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        let mut from = 0;
        for at in memchr_iter(b'\n', chunk) {
            if self.open.is_empty() {
                let head = &chunk[from..at.min(from + HEAD)];
                self.counts.add(level(head), self.ended + 1);
            } else {
                self.keep(&chunk[from..at]);
                self.counts.add(level(&self.open), self.ended + 1);
                self.open.clear();
            }
            self.ended += 1;
            from = at + 1;
            self.open_at = self.bytes + from as u64;
            if self.ended.is_multiple_of(STRIDE) {
                self.marks.push(self.open_at);
            }
        }
        self.keep(&chunk[from..]);
        self.bytes += chunk.len() as u64;
    }

    fn keep(&mut self, part: &[u8]) {
        let room = HEAD - self.open.len();
        self.open.extend_from_slice(&part[..part.len().min(room)]);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines so far; a beginning without an end counts.
    pub(super) fn lines(&self) -> u64 {
        self.ended + u64::from(self.bytes > self.open_at)
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = self.counts;
        if !self.open.is_empty() {
            counts.add(level(&self.open), self.ended + 1);
        }
        counts
    }

    /// The nearest known line at or before `line`, and where it begins.
    pub(super) fn before_line(&self, line: u64) -> (u64, u64) {
        let mark = (line.saturating_sub(1) / STRIDE).min(self.marks.len() as u64 - 1);
        (mark * STRIDE + 1, self.marks[mark as usize])
    }

    /// The nearest known line that begins at or before `offset`, and where.
    pub(super) fn before_offset(&self, offset: u64) -> (u64, u64) {
        let mark = self.marks.partition_point(|&at| at <= offset).saturating_sub(1);
        (mark as u64 * STRIDE + 1, self.marks[mark])
    }
}

impl Counts {
    fn add(&mut self, level: Level, line: u64) {
        match level {
            Level::Error => {
                self.errors += 1;
                self.first_error
                    .get_or_insert(i64::try_from(line).unwrap_or(i64::MAX));
            }
            Level::Warning => self.warnings += 1,
            Level::Other => {}
        }
    }
}

/// The level a line says it has: its first word that is the name of one. What a message quotes
/// stands behind the level and does not count.
fn level(head: &[u8]) -> Level {
    if head.starts_with(b"Exception in thread ") {
        return Level::Error;
    }
    let mut at = 0;
    while at < head.len() {
        let byte = head[at];
        if byte == 0x1b {
            // A colour ends with a letter that would otherwise belong to the word behind it.
            at += head[at..]
                .iter()
                .position(u8::is_ascii_alphabetic)
                .map_or(head.len() - at, |n| n + 1);
        } else if byte.is_ascii_uppercase() {
            let end = head[at..]
                .iter()
                .position(|b| !b.is_ascii_alphanumeric() && *b != b'_')
                .map_or(head.len(), |n| at + n);
            match &head[at..end] {
                b"ERROR" | b"FATAL" | b"SEVERE" => return Level::Error,
                b"WARN" | b"WARNING" => return Level::Warning,
                b"INFO" | b"DEBUG" | b"TRACE" | b"CONFIG" | b"FINE" => return Level::Other,
                _ => at = end,
            }
        } else if byte.is_ascii_alphanumeric() {
            at += head[at..]
                .iter()
                .position(|b| !b.is_ascii_alphanumeric() && *b != b'_')
                .unwrap_or(head.len() - at);
        } else {
            at += 1;
        }
    }
    Level::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_level_word_decides() {
        let table: [(&str, Level); 13] = [
            (
                "2026-11-21 10:00:00,123 ERROR org.apache.flink.X [] - boom",
                Level::Error,
            ),
            (
                "2026-11-21 10:00:00,123 INFO  org.apache.flink.X [] - no ERROR here",
                Level::Other,
            ),
            ("2026-11-21 10:00:00,123 WARN  o.X", Level::Warning),
            ("[WARNING] old", Level::Warning),
            ("\u{1b}[31mERROR\u{1b}[0m red", Level::Error),
            ("\u{1b}[33;1mWARN\u{1b}[m yellow", Level::Warning),
            ("Exception in thread \"main\" java.lang.Error", Level::Error),
            ("ERRORS are not it, nor MY_ERROR", Level::Other),
            ("FATAL", Level::Error),
            ("\tat org.apache.flink.ERROR.x", Level::Error),
            ("", Level::Other),
            ("\u{1b}[31", Level::Other),
            ("an error in words", Level::Other),
        ];
        for (line, wanted) in table {
            assert_eq!(level(line.as_bytes()), wanted, "{line}");
        }
    }

    #[test]
    fn any_cut_of_the_bytes_gives_the_same_index() {
        let mut text = String::new();
        for n in 0..1000 {
            text.push_str(&format!("{n} {} text\n", ["INFO", "WARN", "ERROR", "x"][n % 4]));
        }
        text.push_str("12 ERROR without an end");
        let mut whole = Index::default();
        whole.push(text.as_bytes());
        assert_eq!(whole.lines(), 1001);
        assert_eq!(
            whole.counts(),
            Counts {
                errors: 251,
                warnings: 250,
                first_error: Some(3)
            }
        );
        assert_eq!(whole.marks.len(), 4);
        for size in [1, 2, 7, 97, 4096] {
            let mut index = Index::default();
            for chunk in text.as_bytes().chunks(size) {
                index.push(chunk);
            }
            assert_eq!(
                (index.lines(), index.counts(), index.bytes()),
                (1001, whole.counts(), text.len() as u64)
            );
            assert_eq!(index.marks, whole.marks, "{size}");
        }
    }

    #[test]
    fn marks_lead_to_lines() {
        let mut index = Index::default();
        index.push(&b"0123456\n".repeat(600));
        assert_eq!(index.before_line(1), (1, 0));
        assert_eq!(index.before_line(256), (1, 0));
        assert_eq!(index.before_line(257), (257, 2048));
        assert_eq!(index.before_line(9999), (513, 4096));
        assert_eq!(index.before_offset(2047), (1, 0));
        assert_eq!(index.before_offset(2048), (257, 2048));
        assert_eq!(Index::default().before_line(5), (1, 0));
    }
}
