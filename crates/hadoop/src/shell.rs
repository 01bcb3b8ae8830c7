//! Quoting for the script a NodeManager writes. A container's command runs as
//! `exec /bin/bash -c "<command>"` and its environment as `export NAME="<value>"`, both without any
//! escaping by the NodeManager, and after it has replaced `{{NAME}}` and markers such as `<LOG_DIR>`.

/// One argument of a container's command that arrives byte for byte: single quotes for the inner
/// shell, backslashes for the double quotes of the outer one.
pub fn quote_arg(arg: &str) -> String {
    let mut inner = String::with_capacity(arg.len() + 2);
    inner.push('\'');
    let mut last = None;
    for c in arg.chars() {
        if breaks_marker(last, c) {
            inner.push_str("''");
        }
        if c == '\'' {
            inner.push_str("'\\''");
        } else {
            inner.push(c);
        }
        last = Some(c);
    }
    inner.push('\'');
    escape_double(&inner, true)
}

/// Arguments joined to one command.
pub fn join_args<'a>(args: impl IntoIterator<Item = &'a str>) -> String {
    args.into_iter().map(quote_arg).collect::<Vec<_>>().join(" ")
}

/// A value for a container's environment. With `expand` the node replaces `$NAME` and `{{NAME}}`
/// by what the node has there (class paths need it); without, the value arrives as it is.
pub fn env_value(raw: &str, expand: bool) -> String {
    if expand {
        return escape_double(raw, false);
    }
    let mut value = String::with_capacity(raw.len());
    let mut last = None;
    for c in raw.chars() {
        if breaks_marker(last, c) {
            // Closes and reopens the double quotes the value stands in.
            value.push_str("\"\"");
        }
        value.push_str(&escape_double(c.encode_utf8(&mut [0; 4]), true));
        last = Some(c);
    }
    value
}

/// Whether `a` and `b` side by side may be part of something the NodeManager replaces.
fn breaks_marker(a: Option<char>, b: char) -> bool {
    match a {
        Some('{') => b == '{',
        Some('}') => b == '}',
        Some('<') => b.is_ascii_uppercase(),
        _ => false,
    }
}

fn escape_double(text: &str, dollar: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '"' | '`') || (dollar && c == '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the rule is only true if bash agrees")]
mod tests {
    use super::*;
    use std::process::Command;

    const HOSTILE: &[&str] = &[
        "",
        " ",
        "plain",
        "a b",
        "it's",
        "''",
        "'",
        "\"",
        "\"quoted\"",
        "$HOME",
        "${HOME}",
        "$(id)",
        "`id`",
        "\\",
        "\\\\",
        "\\$HOME",
        "\\\"",
        "trailing\\",
        "new\nline",
        "tab\there",
        "a;b",
        "a&&b|c>d<e",
        "*",
        "~",
        "!x",
        "{{PWD}}",
        "{{{PWD}}}",
        "<LOG_DIR>",
        "<<LOG_DIR>>",
        "a<CPS>b",
        "<ADD_OPENS>",
        "}}{{",
        "#c",
        "-n",
        "é…漢字🦀",
        "'\\''",
        "SELECT '$x' -- \"`\\`\"\n;",
    ];

    /// What the NodeManager does to a command or value before it writes the script.
    fn node_manager(text: &str) -> String {
        text.replace("<LOG_DIR>", "/LOGS")
            .replace("<CPS>", ":")
            .replace("<ADD_OPENS>", "")
            .replace("{{", "$")
            .replace("}}", "")
    }

    fn bash(script: &str) -> Vec<u8> {
        let out = Command::new("/bin/bash")
            .arg("-c")
            .arg(script)
            .env("HOME", "/expanded")
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{script}\n{}",
            String::from_utf8_lossy(&out.stderr)
        );
        out.stdout
    }

    #[test]
    fn arguments_arrive_byte_for_byte() {
        let command = format!("printf '%s\\0' {}", join_args(HOSTILE.iter().copied()));
        // The constant part needs the outer escape as well; it has only a backslash.
        let command = command.replacen("'%s\\0'", "'%s\\\\0'", 1);
        let out = bash(&format!("exec /bin/bash -c \"{}\"", node_manager(&command)));
        let got: Vec<&[u8]> = out.strip_suffix(b"\0").unwrap().split(|&b| b == 0).collect();
        let want: Vec<&[u8]> = HOSTILE.iter().map(|s| s.as_bytes()).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn environment_arrives_byte_for_byte() {
        for raw in HOSTILE {
            let value = node_manager(&env_value(raw, false));
            let out = bash(&format!("export K=\"{value}\"\nprintf '%s' \"$K\""));
            assert_eq!(String::from_utf8(out).unwrap(), *raw);
        }
    }

    #[test]
    fn environment_expands_on_request() {
        let value = node_manager(&env_value("a\"`b\\:$HOME:{{HOME}}/x", true));
        assert_eq!(
            bash(&format!("export K=\"{value}\"\nprintf '%s' \"$K\"")),
            b"a\"`b\\:/expanded:/expanded/x"
        );
    }
}
