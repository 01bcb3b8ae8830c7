use super::{ConfError, MAX_FILE};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) is_final: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Field {
    Name,
    Value,
    Final,
    Other,
}

#[derive(Default)]
struct Pending {
    name: Option<String>,
    value: Option<String>,
    is_final: bool,
}

impl Pending {
    fn set(&mut self, field: Field, text: &str) {
        match field {
            Field::Name => self.name = Some(text.trim().to_owned()),
            Field::Value => self.value = Some(text.to_owned()),
            Field::Final => self.is_final = text.trim() == "true",
            Field::Other => {}
        }
    }
}

/// The settings of one file in their order; those without a value are left out, like in Hadoop.
pub(super) fn properties(file: &str, text: &str) -> Result<Vec<Property>, ConfError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let fail = |at: usize, reason: &str| ConfError {
        file: file.to_owned(),
        line: 1 + text.as_bytes()[..at.min(text.len())]
            .iter()
            .filter(|&&b| b == b'\n')
            .count(),
        reason: reason.to_owned(),
    };
    if text.len() > MAX_FILE {
        return Err(fail(0, "the file is larger than 1 MiB"));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut pending: Option<Pending> = None;
    let mut field: Option<(Field, String)> = None;
    let mut seen_root = false;
    loop {
        let at = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|error| {
            let at = reader.error_position() as usize;
            fail(at, &format!("not well-formed XML: {error}"))
        })?;
        match event {
            Event::Start(start) => {
                depth += 1;
                let name = start.name().as_ref().to_owned();
                match (depth, name.as_str()) {
                    (1, "configuration") if !seen_root => seen_root = true,
                    (1, _) => return Err(fail(at, "the root element must be <configuration>")),
                    (_, include) if include == "include" || include.ends_with(":include") => {
                        return Err(fail(
                            at,
                            "XInclude is not supported; put the settings into this file",
                        ));
                    }
                    (2, "property") => {
                        pending = Some(attributes(&start).map_err(|reason| fail(at, &reason))?)
                    }
                    (3, name) if pending.is_some() => {
                        let kind = match name {
                            "name" => Field::Name,
                            "value" => Field::Value,
                            "final" => Field::Final,
                            _ => Field::Other,
                        };
                        field = Some((kind, String::new()));
                    }
                    _ => return Err(fail(at, &format!("unexpected element <{name}>"))),
                }
            }
            Event::End(_) => {
                match depth {
                    3 => {
                        if let (Some((kind, text)), Some(pending)) = (field.take(), pending.as_mut()) {
                            pending.set(kind, &text);
                        }
                    }
                    2 => {
                        if let Some(Pending {
                            name: Some(name),
                            value: Some(value),
                            is_final,
                        }) = pending.take()
                            && !name.is_empty()
                        {
                            found.push(Property {
                                name,
                                value,
                                is_final,
                            });
                        }
                    }
                    _ => {}
                }
                depth = depth.saturating_sub(1);
            }
            Event::Text(part) => match &mut field {
                Some((_, text)) => text.push_str(part.as_ref()),
                None if part.as_ref().trim().is_empty() => {}
                None => return Err(fail(at, "text outside of a setting")),
            },
            Event::CData(part) => {
                if let Some((_, text)) = &mut field {
                    text.push_str(part.as_ref());
                }
            }
            Event::GeneralRef(reference) => {
                let c = resolve(&reference).ok_or_else(|| {
                    fail(
                        at,
                        "only the five entities of XML and character numbers are supported",
                    )
                })?;
                if let Some((_, text)) = &mut field {
                    text.push(c);
                }
            }
            Event::DocType(_) => return Err(fail(at, "a document type (DTD) is not allowed")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Empty(_) => return Err(fail(at, "unexpected empty element")),
            Event::Eof if depth > 0 => return Err(fail(at, "the file ends inside an element")),
            Event::Eof if !seen_root => return Err(fail(at, "there is no <configuration> element")),
            Event::Eof => return Ok(found),
        }
    }
}

/// The short form `<property name="…" value="…" final="…"/>`.
fn attributes(start: &BytesStart<'_>) -> Result<Pending, String> {
    let mut pending = Pending::default();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("not well-formed XML: {error}"))?;
        let field = match attribute.key.as_ref() {
            "name" => Field::Name,
            "value" => Field::Value,
            "final" => Field::Final,
            _ => Field::Other,
        };
        let value = quick_xml::escape::unescape(&attribute.value)
            .map_err(|_| "only the five entities of XML and character numbers are supported".to_owned())?;
        pending.set(field, &value);
    }
    Ok(pending)
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Some(c);
    }
    match reference.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, ConfError> {
        Ok(properties("f.xml", text)?
            .into_iter()
            .map(|p| (p.name, p.value))
            .collect())
    }

    #[test]
    fn reads_what_hadoop_reads() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<?xml-stylesheet href=\"x\"?>\n<!-- c -->\n<configuration>\n\
            <property><name>\n a </name><value> 1 &lt;&amp;&#x20AC;<![CDATA[<b>]]></value><description>d</description><source>s</source></property>\n\
            <property><name>none</name></property>\n<property><name>empty</name><value/></property>\n\
            <property name=\"short\" value=\"v&amp;w\" final=\"true\"/>\n</configuration>\n";
        let pairs = [("a", " 1 <&€<b>"), ("empty", ""), ("short", "v&w")];
        assert_eq!(
            read(text).unwrap(),
            pairs.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn refuses_with_the_line() {
        let cases = [
            (
                "<!DOCTYPE c [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<configuration/>",
                1,
                "DTD",
            ),
            (
                "<configuration>\n<property>\n<name>a</name><value>&x;</value></property></configuration>",
                3,
                "entities",
            ),
            (
                "<configuration>\n\n<xi:include href=\"o.xml\"/></configuration>",
                3,
                "XInclude",
            ),
            ("<conf/>", 1, "root"),
            ("", 1, "no <configuration>"),
            ("<configuration>\n<property>", 2, "ends inside"),
            ("<configuration>\n<property></configuration>", 2, "well-formed"),
            ("<configuration/><configuration/>", 1, "root"),
            ("<configuration>\nstray</configuration>", 1, "outside"),
        ];
        for (text, line, word) in cases {
            let error = read(text).unwrap_err();
            assert!(
                error.reason.contains(word) && error.line == line,
                "{text}: {error}"
            );
        }
        let large = format!("<configuration>{}</configuration>", " ".repeat(MAX_FILE));
        assert!(read(&large).unwrap_err().reason.contains("1 MiB"));
    }
}
