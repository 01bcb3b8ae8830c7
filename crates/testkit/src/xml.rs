//! Just enough of an XML reader to judge a submission. Written apart from the console's writer, so
//! that both cannot agree on the same mistake.

/// An element; text of mixed content is joined.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Text of the child element `name`.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Children `name` of the child `list`.
    pub(crate) fn items(&self, list: &str, name: &str) -> impl Iterator<Item = &Element> {
        self.children
            .iter()
            .filter(move |child| child.name == list)
            .flat_map(|child| &child.children)
            .filter(move |child| child.name == name)
    }
}

/// The root element, or what is wrong with the text.
pub(crate) fn parse(text: &str) -> Result<Element, String> {
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            match open.last_mut() {
                Some(element) => decode(text, &mut element.text)?,
                None if text.trim().is_empty() => {}
                None => return Err("Content is not allowed in prolog.".into()),
            }
            rest = after;
            continue;
        };
        if let Some(after) = tag.strip_prefix("!--") {
            rest = behind(after, "-->")?.1;
        } else if let Some(after) = tag.strip_prefix('?') {
            rest = behind(after, "?>")?.1;
        } else if let Some(after) = tag.strip_prefix("![CDATA[") {
            let (text, after) = behind(after, "]]>")?;
            open.last_mut()
                .ok_or("CDATA outside of the root")?
                .text
                .push_str(text);
            rest = after;
        } else if tag.starts_with('!') {
            return Err("DOCTYPE is disallowed".into());
        } else if let Some(after) = tag.strip_prefix('/') {
            let (name, after) = behind(after, ">")?;
            let element = open.pop().ok_or("unexpected end tag")?;
            if element.name != name.trim_end() {
                return Err(format!(
                    "The element type \"{}\" must be terminated by the matching end-tag \"</{}>\".",
                    element.name, element.name
                ));
            }
            close(element, &mut open, &mut root)?;
            rest = after;
        } else {
            let (inside, after) = behind(tag, ">")?;
            let (inside, empty) = match inside.strip_suffix('/') {
                Some(inside) => (inside, true),
                None => (inside, false),
            };
            let name = inside.split_whitespace().next().unwrap_or_default();
            let local = name.rsplit(':').next().unwrap_or_default();
            if !local.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                return Err("The markup in the document must be well-formed.".into());
            }
            let element = Element {
                name: name.to_owned(),
                ..Element::default()
            };
            if empty {
                close(element, &mut open, &mut root)?;
            } else {
                open.push(element);
            }
            rest = after;
        }
    }
    if !open.is_empty() {
        return Err("XML document structures must start and end within the same entity.".into());
    }
    root.ok_or_else(|| "Premature end of file.".into())
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err("The markup following the root element must be well-formed.".into()),
    }
    Ok(())
}

fn behind<'t>(text: &'t str, mark: &str) -> Result<(&'t str, &'t str), String> {
    text.split_once(mark)
        .ok_or_else(|| "XML document structures must start and end within the same entity.".into())
}

fn decode(text: &str, out: &mut String) -> Result<(), String> {
    // A reader turns every line end into LF.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        allowed(before)?;
        out.push_str(before);
        let (entity, after) = after.split_once(';').ok_or("an entity without its end")?;
        let c = match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity
                    .strip_prefix('#')
                    .ok_or_else(|| format!("The entity \"{entity}\" was referenced, but not declared."))?;
                let number = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                number
                    .ok()
                    .and_then(char::from_u32)
                    .filter(|c| is_char(*c))
                    .ok_or("Character reference is an invalid XML character.")?
            }
        };
        out.push(c);
        rest = after;
    }
    allowed(rest)?;
    out.push_str(rest);
    Ok(())
}

fn allowed(text: &str) -> Result<(), String> {
    match text.chars().find(|c| !is_char(*c)) {
        Some(c) => Err(format!(
            "An invalid XML character (Unicode: 0x{:x}) was found.",
            u32::from(c)
        )),
        None => Ok(()),
    }
}

fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_submission_holds() {
        let root = parse("<?xml version=\"1.0\"?><a><l><e><k>x</k><v>1 &lt; 2 &#13;\r\n</v></e><e/></l></a>")
            .unwrap();
        let entries: Vec<_> = root.items("l", "e").collect();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].text_of("v"), Some("1 < 2 \r\n"));
        assert!(root.child("missing").is_none());
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        for bad in [
            "",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "x",
            "<a>&nope;</a>",
            "<a>\u{1}</a>",
            "<a>&#0;</a>",
            "<!DOCTYPE a><a/>",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
