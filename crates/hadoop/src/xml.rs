//! The body of an application submission. XML rather than JSON: its shape is the same in every
//! Hadoop version. The ResourceManager ignores unknown elements without a word, so the names here
//! are the whole contract.

use crate::ApplicationId;
use std::fmt::Write;

/// A field holds a character XML 1.0 has no way to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} holds the character U+{code:04X}, which XML cannot carry")]
pub struct XmlError {
    /// Such as `container.environment[CLASSPATH]`.
    pub field: String,
    pub code: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    pub memory_mb: u64,
    pub vcores: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    File,
    /// Unpacked on the node into a directory named like the key.
    Archive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Shared by all users of a node; needs read for others, and execute on every ancestor.
    Public,
    Private,
    Application,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AclKind {
    View,
    Modify,
}

/// A file the node fetches before the container starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalResource {
    /// Its path in the container's working directory.
    pub key: String,
    pub uri: String,
    pub kind: ResourceKind,
    pub visibility: Visibility,
    pub size: u64,
    /// The file's modification time in milliseconds; the node refuses the file when it differs.
    pub timestamp: i64,
}

/// A file on HDFS, as the nodes will find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedFile {
    pub uri: String,
    pub size: u64,
    /// Modification time in milliseconds; a node refuses the file when it differs.
    pub mtime: i64,
    pub visibility: Visibility,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaunchContext {
    pub local_resources: Vec<LocalResource>,
    /// Values as the node's script takes them, see [`crate::shell::env_value`].
    pub environment: Vec<(String, String)>,
    /// As the node's script takes it, see [`crate::shell::quote_arg`].
    pub command: String,
    /// A list of users, a blank, a list of groups.
    pub acls: Vec<(AclKind, String)>,
}

/// Patterns of the log files that are collected while the application runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogAggregation {
    pub include: Option<String>,
    pub exclude: Option<String>,
    pub rolled_include: Option<String>,
    pub rolled_exclude: Option<String>,
}

/// Everything a submission says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionContext {
    pub application_id: ApplicationId,
    pub name: String,
    pub queue: String,
    pub priority: Option<i32>,
    pub am_resource: Resource,
    pub max_app_attempts: u32,
    /// At most 20 characters.
    pub application_type: String,
    /// At most 10, each at most 100 ASCII characters; YARN stores them in lower case.
    pub tags: Vec<String>,
    pub keep_containers: bool,
    pub attempt_failures_validity_ms: Option<u64>,
    pub node_label: Option<String>,
    pub container: LaunchContext,
    pub log_aggregation: Option<LogAggregation>,
}

impl SubmissionContext {
    /// The document to POST.
    pub fn to_xml(&self) -> Result<String, XmlError> {
        let mut x = Writer::default();
        x.element("application-submission-context", |x| {
            x.text(
                "application-id",
                "application_id",
                &self.application_id.to_string(),
            )?;
            x.text("application-name", "name", &self.name)?;
            x.text("queue", "queue", &self.queue)?;
            if let Some(priority) = self.priority {
                x.number("priority", priority);
            }
            x.element("am-container-spec", |x| self.container.write(x))?;
            x.number("unmanaged-AM", false);
            x.number("cancel-tokens-when-complete", true);
            x.number("max-app-attempts", self.max_app_attempts);
            x.element("resource", |x| {
                x.number("memory", self.am_resource.memory_mb);
                x.number("vCores", self.am_resource.vcores);
                Ok(())
            })?;
            x.text("application-type", "application_type", &self.application_type)?;
            x.number(
                "keep-containers-across-application-attempts",
                self.keep_containers,
            );
            if !self.tags.is_empty() {
                x.element("application-tags", |x| {
                    self.tags.iter().try_for_each(|tag| x.text("tag", "tags", tag))
                })?;
            }
            if let Some(label) = &self.node_label {
                x.text("app-node-label-expression", "node_label", label)?;
                x.text("am-container-node-label-expression", "node_label", label)?;
            }
            if let Some(logs) = &self.log_aggregation {
                x.element("log-aggregation-context", |x| logs.write(x))?;
            }
            if let Some(ms) = self.attempt_failures_validity_ms {
                x.number("attempt-failures-validity-interval", ms);
            }
            Ok(())
        })?;
        Ok(x.out)
    }
}

impl LaunchContext {
    fn write(&self, x: &mut Writer) -> Result<(), XmlError> {
        x.element("local-resources", |x| {
            self.local_resources
                .iter()
                .try_for_each(|resource| resource.write(x))
        })?;
        x.element("environment", |x| {
            self.environment.iter().try_for_each(|(key, value)| {
                x.entry(&format!("container.environment[{key}]"), key, |x, field| {
                    x.text("value", field, value)
                })
            })
        })?;
        x.element("commands", |x| {
            x.text("command", "container.command", &self.command)
        })?;
        if !self.acls.is_empty() {
            x.element("application-acls", |x| {
                self.acls.iter().try_for_each(|(kind, who)| {
                    let key = match kind {
                        AclKind::View => "VIEW_APP",
                        AclKind::Modify => "MODIFY_APP",
                    };
                    x.entry("container.acls", key, |x, field| x.text("value", field, who))
                })
            })?;
        }
        Ok(())
    }
}

impl LocalResource {
    fn write(&self, x: &mut Writer) -> Result<(), XmlError> {
        x.entry(
            &format!("container.local_resources[{}]", self.key),
            &self.key,
            |x, field| {
                x.element("value", |x| {
                    x.text("resource", field, &self.uri)?;
                    x.number(
                        "type",
                        if self.kind == ResourceKind::File {
                            "FILE"
                        } else {
                            "ARCHIVE"
                        },
                    );
                    let visibility = match self.visibility {
                        Visibility::Public => "PUBLIC",
                        Visibility::Private => "PRIVATE",
                        Visibility::Application => "APPLICATION",
                    };
                    x.number("visibility", visibility);
                    x.number("size", self.size);
                    x.number("timestamp", self.timestamp);
                    Ok(())
                })
            },
        )
    }
}

impl LogAggregation {
    fn write(&self, x: &mut Writer) -> Result<(), XmlError> {
        let patterns = [
            ("log-include-pattern", &self.include),
            ("log-exclude-pattern", &self.exclude),
            ("rolled-log-include-pattern", &self.rolled_include),
            ("rolled-log-exclude-pattern", &self.rolled_exclude),
        ];
        patterns
            .into_iter()
            .filter_map(|(name, pattern)| Some((name, pattern.as_ref()?)))
            .try_for_each(|(name, pattern)| x.text(name, "log_aggregation", pattern))
    }
}

#[derive(Default)]
struct Writer {
    out: String,
}

impl Writer {
    fn element(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> Result<(), XmlError>,
    ) -> Result<(), XmlError> {
        let _ = write!(self.out, "<{name}>");
        inside(self)?;
        let _ = write!(self.out, "</{name}>");
        Ok(())
    }

    /// An element whose text needs no escaping.
    fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = write!(self.out, "<{name}>{value}</{name}>");
    }

    fn text(&mut self, name: &str, field: &str, text: &str) -> Result<(), XmlError> {
        self.element(name, |x| x.escape(field, text))
    }

    fn entry(
        &mut self,
        field: &str,
        key: &str,
        value: impl FnOnce(&mut Self, &str) -> Result<(), XmlError>,
    ) -> Result<(), XmlError> {
        self.element("entry", |x| {
            x.text("key", field, key)?;
            value(x, field)
        })
    }

    fn escape(&mut self, field: &str, text: &str) -> Result<(), XmlError> {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                // A reader turns a bare CR into LF.
                '\r' => self.out.push_str("&#13;"),
                '\t' | '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                    self.out.push(c)
                }
                _ => {
                    return Err(XmlError {
                        field: field.to_owned(),
                        code: c as u32,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quick_xml::{Reader, events::Event};

    fn context() -> SubmissionContext {
        SubmissionContext {
            application_id: "application_17_0001".parse().unwrap(),
            name: "a <&> \"b\" ü🦀".into(),
            queue: "root.etl".into(),
            priority: Some(3),
            am_resource: Resource {
                memory_mb: 1024,
                vcores: 2,
            },
            max_app_attempts: 1,
            application_type: "Apache Flink".into(),
            tags: vec!["one".into(), "two".into()],
            keep_containers: false,
            attempt_failures_validity_ms: Some(10_000),
            node_label: Some("gpu".into()),
            container: LaunchContext {
                local_resources: vec![LocalResource {
                    key: "lib/a.jar".into(),
                    uri: "hdfs://ns1/lib/a%20b.jar".into(),
                    kind: ResourceKind::File,
                    visibility: Visibility::Public,
                    size: 5,
                    timestamp: 1_000_000_000_000,
                }],
                environment: vec![("CLASSPATH".into(), "lib/*:\r\n\t".into())],
                command: "java '<x>' 1> <LOG_DIR>/out".into(),
                acls: vec![(AclKind::View, "a,b ".into())],
            },
            log_aggregation: Some(LogAggregation {
                rolled_include: Some(".*".into()),
                ..LogAggregation::default()
            }),
        }
    }

    /// Every text with the path of elements to it.
    fn leaves(xml: &str) -> Vec<(String, String)> {
        let mut reader = Reader::from_str(xml);
        let (mut path, mut text, mut found) = (Vec::new(), String::new(), Vec::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    path.push(start.name().as_ref().to_owned());
                    text.clear();
                }
                Event::Text(part) => text.push_str(part.as_ref()),
                Event::GeneralRef(reference) => {
                    let name = match reference.as_ref() {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        _ => reference.resolve_char_ref().unwrap().unwrap(),
                    };
                    text.push(name);
                }
                Event::End(_) => {
                    let name = path.join("/");
                    path.pop();
                    if !text.is_empty() {
                        found.push((name, std::mem::take(&mut text)));
                    }
                }
                Event::Eof => return found,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn says_everything_and_reads_back() {
        let leaves = leaves(&context().to_xml().unwrap());
        let root = "application-submission-context/";
        let container = "application-submission-context/am-container-spec/";
        let want = [
            (root, "application-id", "application_17_0001"),
            (root, "application-name", "a <&> \"b\" ü🦀"),
            (root, "queue", "root.etl"),
            (root, "priority", "3"),
            (container, "local-resources/entry/key", "lib/a.jar"),
            (
                container,
                "local-resources/entry/value/resource",
                "hdfs://ns1/lib/a%20b.jar",
            ),
            (container, "local-resources/entry/value/type", "FILE"),
            (container, "local-resources/entry/value/visibility", "PUBLIC"),
            (container, "local-resources/entry/value/size", "5"),
            (
                container,
                "local-resources/entry/value/timestamp",
                "1000000000000",
            ),
            (container, "environment/entry/key", "CLASSPATH"),
            (container, "environment/entry/value", "lib/*:\r\n\t"),
            (container, "commands/command", "java '<x>' 1> <LOG_DIR>/out"),
            (container, "application-acls/entry/key", "VIEW_APP"),
            (container, "application-acls/entry/value", "a,b "),
            (root, "unmanaged-AM", "false"),
            (root, "cancel-tokens-when-complete", "true"),
            (root, "max-app-attempts", "1"),
            (root, "resource/memory", "1024"),
            (root, "resource/vCores", "2"),
            (root, "application-type", "Apache Flink"),
            (root, "keep-containers-across-application-attempts", "false"),
            (root, "application-tags/tag", "one"),
            (root, "application-tags/tag", "two"),
            (root, "app-node-label-expression", "gpu"),
            (root, "am-container-node-label-expression", "gpu"),
            (root, "log-aggregation-context/rolled-log-include-pattern", ".*"),
            (root, "attempt-failures-validity-interval", "10000"),
        ];
        let want: Vec<_> = want
            .iter()
            .map(|(base, name, text)| (format!("{base}{name}"), (*text).to_owned()))
            .collect();
        assert_eq!(leaves, want);
    }

    #[test]
    fn names_the_field_that_cannot_be_written() {
        for (bad, code) in [("a\0", 0), ("\u{1b}[0m", 0x1b), ("\u{fffe}", 0xfffe)] {
            let mut context = context();
            context.container.environment = vec![("X".into(), bad.into())];
            let error = context.to_xml().unwrap_err();
            assert_eq!(
                error,
                XmlError {
                    field: "container.environment[X]".into(),
                    code
                }
            );
        }
        let mut context = context();
        context.container.command = "\u{b}".into();
        assert_eq!(context.to_xml().unwrap_err().field, "container.command");
    }
}
