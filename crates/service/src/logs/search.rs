//! Finding a text in bytes, without regard to the case of ASCII letters.

use memchr::{memchr_iter, memchr2_iter};

/// From the most to the least frequent byte of logs; what is missing is rarer still. Two letters
/// that differ in case are looked for at once, so both count.
const FREQUENT: &[u8] = b" etaoinsr.0l1c2d3-p4m:5u6g7h8f9b/yvk,_()[]w=x\"j$z@q;";

/// A text to find.
pub(super) struct Needle {
    /// In lower case.
    text: Vec<u8>,
    /// Which of its bytes is looked for first: the one that is least often there in vain.
    rare: usize,
}

impl Needle {
    /// `None` when nothing can match: an empty text, or one with a line end.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase().into_bytes();
        if text.is_empty() || text.contains(&b'\n') {
            return None;
        }
        let rank = |byte: u8| FREQUENT.iter().position(|&b| b == byte).unwrap_or(FREQUENT.len());
        let rare = text
            .iter()
            .enumerate()
            .max_by_key(|&(_, &byte)| rank(byte))
            .map_or(0, |(at, _)| at);
        Some(Self { text, rare })
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Where it begins in `hay` first.
    pub(super) fn find(&self, hay: &[u8]) -> Option<usize> {
        let byte = self.text[self.rare];
        let other = byte.to_ascii_uppercase();
        // The rarest byte cannot stand further in front or behind.
        let inner = hay.get(self.rare..(hay.len() + self.rare + 1).checked_sub(self.text.len())?)?;
        if byte == other {
            memchr_iter(byte, inner).find(|&at| self.is_at(hay, at))
        } else {
            memchr2_iter(byte, other, inner).find(|&at| self.is_at(hay, at))
        }
    }

    fn is_at(&self, hay: &[u8], at: usize) -> bool {
        let second = (self.rare + 1) % self.text.len();
        // One look at one more byte settles most of them.
        hay[at + second].to_ascii_lowercase() == self.text[second]
            && hay[at..at + self.text.len()].eq_ignore_ascii_case(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_search_finds() {
        let hay = "aaab AAB xyz Checkpoint 17 失败 checkPOINT\u{fc} qq";
        let lower = hay.to_ascii_lowercase();
        let words = [
            "aab",
            "AAB",
            "a",
            "checkpoint",
            "CHECKPOINT 17",
            "失败",
            "败",
            "ü",
            "q",
            "qq",
            "z C",
            "nope",
            "aaaab",
        ];
        for word in words {
            let wanted = lower.find(&word.to_ascii_lowercase());
            assert_eq!(Needle::new(word).unwrap().find(hay.as_bytes()), wanted, "{word}");
        }
        assert!(Needle::new("").is_none() && Needle::new("a\nb").is_none());
    }
}
