//! The engine configuration file: written for a job, read from a distribution.

use crate::version::Features;
use domain::{Code, Failure};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::fmt::Write;

/// Largest configuration file of a distribution that is read.
pub const MAX_FILE: usize = 1 << 20;
const MAX_DEPTH: usize = 20;

/// A setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    List(Vec<String>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The file a version reads, from its settings.
///
/// # Errors
/// [`Code::FieldCharacters`] when a version before 1.19 has no way to write a value.
pub fn write(features: &Features, settings: &[(String, Value)]) -> Result<Vec<u8>, Failure> {
    let mut out = String::new();
    for (key, value) in settings {
        if features.yaml {
            let _ = match value {
                Value::Text(text) => writeln!(out, "{}: {}", quoted(key), quoted(text)),
                Value::List(items) => {
                    let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
                    writeln!(out, "{}: [{}]", quoted(key), items.join(", "))
                }
            };
        } else if let Some(text) = line_value(value) {
            if let Some(character) = unwritable(&text) {
                let field = if key == PROGRAM_ARGS { "args" } else { key };
                return Err(Failure::new(Code::FieldCharacters)
                    .with("field", field)
                    .with("character", character));
            }
            let _ = writeln!(out, "{key}: {text}");
        }
    }
    Ok(out.into_bytes())
}

/// The setting that carries a program's arguments.
pub const PROGRAM_ARGS: &str = "$internal.application.program-args";

/// What a line of `flink-conf.yaml` cannot hold: everything from `#` on is a comment to it.
pub fn unwritable(text: &str) -> Option<&'static str> {
    if text.contains('#') {
        Some("#")
    } else if text.contains(['\n', '\r']) {
        Some("line end")
    } else {
        None
    }
}

/// A value in one line; `None` when there is nothing to write, which the old reader refuses.
fn line_value(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.trim().to_owned(),
        Value::List(items) => items
            .iter()
            .map(|item| line_item(item))
            .collect::<Vec<_>>()
            .join(";"),
    };
    (!text.is_empty()).then_some(text)
}

/// An item of a list whose separator is `;`. Items of plain characters stay as they are.
fn line_item(item: &str) -> String {
    let plain = !item.is_empty()
        && item
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./:=+".contains(&b));
    if plain {
        item.to_owned()
    } else {
        format!("'{}'", item.replace('\'', "''"))
    }
}

/// A double-quoted YAML scalar. Characters that YAML readers refuse, or take for a line end or a
/// byte-order mark, are escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{a0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads `config.yaml`: nested or flat maps become dotted keys; a list becomes a YAML list in one line.
///
/// # Errors
/// A sentence for people, when it is not YAML, too large, or uses what a configuration has no need of.
pub fn read_yaml(text: &str) -> Result<Vec<(String, String)>, String> {
    if text.len() > MAX_FILE {
        return Err(format!("larger than {} KiB", MAX_FILE >> 10));
    }
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        reader
            .take(event)
            .map_err(|what| format!("line {}: {what}", span.start.line()))?;
    }
    Ok(reader.settings)
}

/// What is open around the place that is being read.
enum Frame {
    Map { prefix: String, key: Option<String> },
    List { key: String, items: Vec<String> },
}

#[derive(Default)]
struct Reader {
    open: Vec<Frame>,
    settings: Vec<(String, String)>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            // A few of them could stand for gigabytes.
            Event::Alias(_) => return Err("aliases are not supported"),
            Event::Scalar(text, style, _, _) => self.scalar(&text, style == ScalarStyle::Plain)?,
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if self.open.len() == MAX_DEPTH {
                    return Err("nested too deeply");
                }
                let list = matches!(event, Event::SequenceStart(..));
                let key = match self.open.last_mut() {
                    None if list => return Err("a list where settings are expected"),
                    None => String::new(),
                    Some(Frame::Map { prefix, key }) => {
                        let key = key.take().ok_or("a key is not text")?;
                        join(prefix, &key)
                    }
                    Some(Frame::List { .. }) => return Err("a list may hold texts only"),
                };
                self.open.push(if list {
                    Frame::List { key, items: vec![] }
                } else {
                    Frame::Map {
                        prefix: key,
                        key: None,
                    }
                });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some(Frame::List { key, items }) = self.open.pop() {
                    let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
                    self.settings.push((key, format!("[{}]", items.join(", "))));
                }
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, plain: bool) -> Result<(), &'static str> {
        let empty = plain && matches!(text, "" | "~" | "null");
        match self.open.last_mut() {
            // A file of comments alone has one empty scalar.
            None if empty => {}
            None => return Err("a text where settings are expected"),
            Some(Frame::List { items, .. }) => items.push(text.to_owned()),
            Some(Frame::Map { prefix, key }) => match key.take() {
                None => *key = Some(text.to_owned()),
                // A key without a value is not set.
                Some(_) if empty => {}
                Some(key) => {
                    let key = join(prefix, &key);
                    self.settings.push((key, text.to_owned()));
                }
            },
        }
        Ok(())
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

/// Reads `flink-conf.yaml` as Flink up to 1.18 does: `key: value` lines, `#` begins a comment.
pub fn read_lines(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let line = line.split('#').next().unwrap_or_default();
            let (key, value) = line.split_once(": ")?;
            let (key, value) = (key.trim(), value.trim());
            (!key.is_empty() && !value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;

    const HOSTILE: &[&str] = &[
        "",
        " ",
        "a b",
        "it's",
        "\"q\"",
        "$HOME ${PATH} $(id)",
        "`id`",
        "back\\slash\\",
        "multi\nline\r\nthree",
        "tab\there",
        "# hash: {{X}} <LOG_DIR>",
        "üñí 中文 𝄞 🦀",
        "{\"k\": [1]}",
        "- x",
        "[x]",
        "&a",
        "*a",
        "!t",
        "null",
        "~",
        "true",
        "1.10",
        "%",
        "@",
        "key: value",
        "'",
        "''",
        ";",
        "a;b",
        "\u{1}\u{1f}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}",
        "--flag=x",
        "?",
    ];

    fn features(version: &str) -> Features {
        version.parse::<Version>().unwrap().features().unwrap()
    }

    fn written(version: &str, settings: &[(String, Value)]) -> Result<String, Failure> {
        Ok(String::from_utf8(write(&features(version), settings)?).unwrap())
    }

    #[test]
    fn yaml_gives_back_what_was_written() {
        let mut settings: Vec<(String, Value)> = vec![(
            PROGRAM_ARGS.into(),
            Value::List(HOSTILE.iter().map(|s| (*s).to_owned()).collect()),
        )];
        for (at, text) in HOSTILE.iter().enumerate() {
            settings.push((format!("key.{at}"), Value::from(*text)));
        }
        let file = written("2.3.0", &settings).unwrap();
        assert_eq!(file.lines().count(), settings.len(), "one line per setting");
        let read = read_yaml(&file).unwrap();
        assert_eq!(read.len(), settings.len());
        for ((key, value), (read_key, read_value)) in settings.iter().zip(&read) {
            assert_eq!(key, read_key);
            match value {
                Value::Text(text) => assert_eq!(text, read_value),
                // The list in one line is YAML again, and JSON where no `\u` was needed beyond JSON's.
                Value::List(items) => {
                    assert_eq!(serde_json::from_str::<Vec<String>>(read_value).unwrap(), *items);
                }
            }
        }
    }

    #[test]
    fn random_text_survives_yaml() {
        // A fixed generator: failures repeat.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..2000 {
            let text: String = (0..next() % 12)
                .filter_map(|_| match next() % 4 {
                    0 => char::from_u32((next() % 128) as u32),
                    1 => char::from_u32((next() % 0x3000) as u32),
                    2 => char::from_u32((next() % 0x11_0000) as u32),
                    _ => Some(b"\\\"'#:-{}[],&*!|>%@`~ \n"[(next() % 22) as usize] as char),
                })
                .filter(|c| *c != '\0')
                .collect();
            let file = written("2.0.2", &[("k".into(), Value::List(vec![text.clone()]))]).unwrap();
            let read = read_yaml(&file).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            assert_eq!(
                serde_json::from_str::<Vec<String>>(&read[0].1).unwrap(),
                std::slice::from_ref(&text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn old_files_hold_lists_and_refuse_what_they_would_cut() {
        let list = |items: &[&str]| {
            [(
                PROGRAM_ARGS.to_owned(),
                Value::List(items.iter().map(|s| (*s).to_owned()).collect()),
            )]
        };
        assert_eq!(
            written("1.18.1", &list(&["--x", "a b", "it's", "a;b", "", "\"q\""])).unwrap(),
            "$internal.application.program-args: --x;'a b';'it''s';'a;b';'';'\"q\"'\n"
        );
        for bad in ["a#b", "two\nlines", "cr\r"] {
            let failure = written("1.18.1", &list(&[bad])).unwrap_err();
            assert_eq!(
                (failure.code, failure.args["field"].as_str()),
                (Code::FieldCharacters, "args")
            );
            assert!(written("1.19.0", &list(&[bad])).is_ok());
        }
        assert_eq!(
            written(
                "1.18.1",
                &[("empty".into(), "".into()), ("k".into(), " v ".into())]
            )
            .unwrap(),
            "k: v\n"
        );
    }

    #[test]
    fn both_spellings_of_a_distribution_are_read() {
        let nested = "# a comment\njobmanager:\n  memory:\n    process:\n      size: 1600m # inline\n  bind-host: localhost\nenv.java.opts.all: --add-exports=a/b=C --add-opens=d/e=F\ntaskmanager:\n  numberOfTaskSlots: 1\nx: 1.10\nlist:\n  - a\n  - 'b c'\nempty:\nflow: [p, \"q\"]\n";
        assert_eq!(
            read_yaml(nested).unwrap(),
            [
                ("jobmanager.memory.process.size", "1600m"),
                ("jobmanager.bind-host", "localhost"),
                ("env.java.opts.all", "--add-exports=a/b=C --add-opens=d/e=F"),
                ("taskmanager.numberOfTaskSlots", "1"),
                ("x", "1.10"),
                ("list", "[\"a\", \"b c\"]"),
                ("flow", "[\"p\", \"q\"]"),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        assert_eq!(
            read_lines("# x\na.b: 1 # c\nno colon\nurl: hdfs://nn:8020/x\n: v\nk: \n"),
            [("a.b", "1"), ("url", "hdfs://nn:8020/x")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        assert_eq!(read_yaml("# nothing\n").unwrap(), vec![]);
    }

    #[test]
    fn hostile_files_are_refused_and_end_nothing() {
        for text in [
            "a: &x [1]\nb: *x",
            &"[".repeat(100_000),
            &"{a: ".repeat(100_000),
            &"- ".repeat(50_000),
            "a: b: c",
            "just text",
            "- a\n- b",
            "a: [ {b: c} ]",
            "? [a]\n: b",
            &"x".repeat(MAX_FILE + 1),
            "a: \"\\x",
        ] {
            assert!(read_yaml(text).is_err(), "{}", &text[..text.len().min(20)]);
        }
    }
}
