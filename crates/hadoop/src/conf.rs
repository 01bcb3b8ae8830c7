//! The client's XML files (`core-site.xml`, `hdfs-site.xml`, `yarn-site.xml`) and what follows from
//! them. Read like Hadoop reads them, with three differences: no environment variables, no XInclude
//! and no DTD, since the files are uploaded by people.

mod derived;
mod parse;

use std::collections::BTreeMap;

pub use derived::Missing;

/// Largest file that is read.
pub const MAX_FILE: usize = 1 << 20;
/// As deep as Hadoop goes into `${…}`.
const MAX_EXPANSIONS: usize = 20;

/// Keys that are still written in files, and what they are called now.
const RENAMED: &[(&str, &str)] = &[
    ("fs.default.name", "fs.defaultFS"),
    ("dfs.federation.nameservices", "dfs.nameservices"),
    ("dfs.http.address", "dfs.namenode.http-address"),
    ("dfs.https.address", "dfs.namenode.https-address"),
];

/// Why a file is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {reason}")]
pub struct ConfError {
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    pub reason: String,
}

/// Settings from several files; a later file wins over an earlier one except over what is final.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    values: BTreeMap<String, Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    raw: String,
    is_final: bool,
}

impl Configuration {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file's text; `file` is its name for error messages.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), ConfError> {
        for property in parse::properties(file, text)? {
            let name = RENAMED
                .iter()
                .find(|(old, _)| *old == property.name)
                .map_or(&*property.name, |(_, new)| new);
            match self.values.get(name) {
                Some(old) if old.is_final => {
                    tracing::debug!(file, name, "a final setting is not overridden");
                }
                _ => {
                    self.values.insert(
                        name.to_owned(),
                        Setting {
                            raw: property.value,
                            is_final: property.is_final,
                        },
                    );
                }
            }
        }
        Ok(())
    }

    /// As written, without `${…}` replaced.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|setting| setting.raw.as_str())
    }

    /// The value with `${name}` replaced; what cannot be resolved stays as written.
    pub fn get(&self, name: &str) -> Option<String> {
        self.raw(name).map(|raw| self.expand(raw))
    }

    /// As [`Configuration::get`], trimmed; `None` when empty.
    pub fn trimmed(&self, name: &str) -> Option<String> {
        self.get(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    pub fn bool(&self, name: &str, default: bool) -> bool {
        match self
            .trimmed(name)
            .map(|value| value.to_ascii_lowercase())
            .as_deref()
        {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        }
    }

    /// A comma-separated list, without blanks and empty entries.
    pub fn list(&self, name: &str) -> Vec<String> {
        let value = self.get(name).unwrap_or_default();
        value
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Every setting, expanded.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.values
            .iter()
            .map(|(name, setting)| (name.as_str(), self.expand(&setting.raw)))
    }

    fn expand(&self, raw: &str) -> String {
        let mut text = raw.to_owned();
        for _ in 0..MAX_EXPANSIONS {
            let Some((start, end)) = variable(&text) else {
                return text;
            };
            let name = &text[start + 2..end];
            let Some(value) = self.raw(name) else { return text };
            // A loop gives the text as it was written, like in Hadoop.
            if value.contains(&text[start..=end]) {
                return raw.to_owned();
            }
            text = format!("{}{value}{}", &text[..start], &text[end + 1..]);
        }
        raw.to_owned()
    }
}

/// Where the first `${name}` starts and ends (its `}`); a name holds no blank and no `$`.
fn variable(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| at + from) {
        match text[start + 2..].find(['}', '$', ' ']).map(|at| at + start + 2) {
            Some(end) if text.as_bytes()[end] == b'}' && end > start + 2 => return Some((start, end)),
            Some(end) => {
                from = if text.as_bytes()[end] == b'$' {
                    end
                } else {
                    end + 1
                }
            }
            None => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(files: &[&str]) -> Configuration {
        let mut conf = Configuration::new();
        for text in files {
            conf.add("test.xml", &format!("<configuration>{text}</configuration>"))
                .unwrap();
        }
        conf
    }

    fn property(name: &str, value: &str) -> String {
        format!("<property><name>{name}</name><value>{value}</value></property>")
    }

    #[test]
    fn later_files_win_except_over_final() {
        let first = "<property><name> a </name><value>1</value><final>true</final></property><property><name>b</name><value>1</value></property>";
        let conf = conf(&[first, &(property("a", "2") + &property("b", "2"))]);
        assert_eq!(
            (conf.get("a").as_deref(), conf.get("b").as_deref()),
            (Some("1"), Some("2"))
        );
    }

    #[test]
    fn expands_like_hadoop() {
        let all = [
            property("a", "x${b}y"),
            property("b", "${c}${c}"),
            property("c", "1"),
            property("loop", "${loop}"),
            property("p", "${q}"),
            property("q", "a${p}"),
            property("open", "${unknown}/${c}"),
            property("env", "${env.HOME}${c}"),
            property("odd", "$ { ${ c} ${} ${c"),
            property("nested", "${x${c}}"),
            property("x1", "found"),
        ];
        let conf = conf(&[&all.concat()]);
        let get = |name| conf.get(name).unwrap();
        assert_eq!(get("a"), "x11y");
        assert_eq!(get("loop"), "${loop}");
        assert_eq!(get("p"), "${q}");
        assert_eq!(get("open"), "${unknown}/${c}");
        assert_eq!(get("env"), "${env.HOME}${c}");
        assert_eq!(get("odd"), "$ { ${ c} ${} ${c");
        assert_eq!(get("nested"), "found");
    }

    #[test]
    fn expansion_is_bounded() {
        let laughs: String = (0..40)
            .map(|n| property(&format!("v{n}"), &format!("${{v{}}}${{v{}}}", n + 1, n + 1)))
            .collect();
        let conf = conf(&[&laughs]);
        assert_eq!(conf.get("v0").unwrap(), "${v1}${v1}");
    }
}
