//! The ApplicationMaster's command line, and arguments it cannot carry.

use super::{ARGS_FILE, CONF};
use base64::{Engine, engine::general_purpose::STANDARD};
use hadoop::shell::quote_arg;

/// Linux takes 128 KiB as one word, and the whole command is one word of the node's shell.
const MAX_COMMAND_BYTES: usize = 64 << 10;

/// How a program gets its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arguments {
    Line(Vec<String>),
    /// A file in the archive of settings, first what to call.
    File(Vec<u8>),
}

impl Arguments {
    /// A file for what a submission, a command line or a node's locale would not leave as it is.
    pub(super) fn new(callee: &str, args: &[String]) -> Self {
        let plain = |arg: &String| {
            arg.bytes()
                .all(|b| (b' '..=b'~').contains(&b) || b"\t\n\r".contains(&b))
        };
        let length: usize = args.iter().map(|arg| quote_arg(arg).len() + 7).sum();
        if args.iter().all(plain) && length <= MAX_COMMAND_BYTES {
            return Self::Line(args.to_vec());
        }
        let lines: String = std::iter::once(callee)
            .chain(args.iter().map(String::as_str))
            .map(|word| STANDARD.encode(word) + "\n")
            .collect();
        Self::File(lines.into_bytes())
    }

    /// The words behind the main class.
    pub(super) fn words(&self) -> Vec<String> {
        match self {
            Self::Line(args) => args.clone(),
            Self::File(_) => vec![format!("{CONF}/{ARGS_FILE}")],
        }
    }
}

/// Calls the script with its arguments; Python's own search path is that of a direct call.
pub(super) const PYTHON_MAIN: &str = "\
import base64
import os
import runpy
import sys

with open(sys.argv[1], encoding=\"ascii\") as file:
    sys.argv = [base64.b64decode(line).decode(\"utf-8\") for line in file]
sys.path[0] = os.getcwd()
runpy.run_path(sys.argv[0], run_name=\"__main__\")
";

/// A word of the command; quoted only where needed, so that it stays readable.
pub(super) fn word(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./:=+,@%".contains(&b));
    if plain { text.to_owned() } else { quote_arg(text) }
}

/// An option of the JVM, in which the node's directories may be named as the client allows it.
pub(super) fn option(text: &str) -> String {
    const NAMED: [&str; 2] = ["<LOG_DIR>", "{{PWD}}"];
    let mut out = String::new();
    let mut rest = text;
    while let Some((at, name)) = NAMED
        .iter()
        .filter_map(|name| Some((rest.find(name)?, *name)))
        .min()
    {
        if at > 0 {
            out.push_str(&word(&rest[..at]));
        }
        out.push_str(name);
        rest = &rest[at + name.len()..];
    }
    if !rest.is_empty() || out.is_empty() {
        out.push_str(&word(rest));
    }
    out
}

/// Splits at blanks outside quotes; the quotes go.
pub(super) fn split_options(text: &str) -> Vec<String> {
    let (mut options, mut option, mut begun) = (Vec::new(), String::new(), false);
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => option.push(c),
            None if c == '"' || c == '\'' => (quote, begun) = (Some(c), true),
            None if c.is_whitespace() => {
                if begun || !option.is_empty() {
                    options.push(std::mem::take(&mut option));
                }
                begun = false;
            }
            None => option.push(c),
        }
    }
    if begun || !option.is_empty() {
        options.push(option);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_a_file_gets_one() {
        let new =
            |args: &[&str]| Arguments::new("a.B", &args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        assert!(matches!(new(&[]), Arguments::Line(_)));
        assert!(matches!(new(&["a b", "", "$x'\"`\n\r\t"]), Arguments::Line(_)));
        for odd in ["é", "\u{1}", "\u{7f}", "\u{fffe}", &"x".repeat(70_000)] {
            let carried = new(&["", odd]);
            assert_eq!(carried.words(), ["__spark_conf__/penstock-args"]);
            let Arguments::File(bytes) = carried else {
                panic!("{odd}")
            };
            let text = String::from_utf8(bytes).unwrap();
            let words: Vec<_> = text.lines().map(|line| STANDARD.decode(line).unwrap()).collect();
            assert_eq!(words, [b"a.B".as_slice(), b"", odd.as_bytes()]);
        }
    }

    #[test]
    fn options_may_name_the_nodes_directories() {
        assert_eq!(option("-XX:+UseG1GC"), "-XX:+UseG1GC");
        assert_eq!(option("-Xlog:gc:<LOG_DIR>/gc.log"), "-Xlog:gc:<LOG_DIR>/gc.log");
        assert_eq!(option("-Da=b $x"), "'-Da=b \\$x'");
        assert_eq!(option("{{PWD}}/{{X}}"), "{{PWD}}'/{''{X}''}'");
        assert_eq!(
            split_options("  -Da=b  -Dc=\"d e\" '-Df=g h' \"\" -x"),
            ["-Da=b", "-Dc=d e", "-Df=g h", "", "-x"]
        );
    }
}
