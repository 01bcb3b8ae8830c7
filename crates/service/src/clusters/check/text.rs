//! Reading texts that servers answer, and writing those of probes.

use domain::Millis;

/// Named in one answer.
const NAMED: usize = 5;

/// The first `scheme://host:port` of a text.
pub(in crate::clusters) fn endpoint_in(text: &str) -> Option<String> {
    let at = text.find("://")?;
    let start = text[..at]
        .rfind(|c: char| !c.is_ascii_alphanumeric())
        .map_or(0, |n| n + 1);
    let rest = &text[at + 3..];
    let end = rest
        .find(|c: char| c == '/' || c == '?' || c.is_whitespace())
        .unwrap_or(rest.len());
    Some(format!(
        "{}://{}",
        &text[start..at],
        rest[..end].trim_end_matches(':')
    ))
}

/// Whether two settings name one directory; either may have a file system in front.
pub(super) fn same_dir(a: &str, b: &str) -> bool {
    let bare = |text: &str| {
        let path = text
            .split_once("://")
            .map_or(text, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        path.trim_end_matches('/').to_owned()
    };
    bare(a.trim()) == bare(b.trim())
}

/// Some of the names, and how many more there are.
pub(super) fn some<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        format!("{shown}, +{more}")
    } else {
        shown
    }
}

/// Major and minor number of a version such as `3.4.2` or `3.1.1.7.1.7.0-551`.
pub(super) fn release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Epoch milliseconds of `Sat, 21 Nov 2026 11:07:33 GMT`.
pub(super) fn http_date(text: &str) -> Option<Millis> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: i64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let year: i64 = parts.next()?.parse().ok()?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if parts.next()? != "GMT" || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    // Days since 1 March of the year 0, so that a leap day ends its year.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::{super::LEAST, *};

    #[test]
    fn dates_of_http() {
        let table = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 09 Sep 2001 01:46:40 GMT", Some(1_000_000_000_000)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199_000)),
            ("Sat, 21 Nov 2026 11:07:33 GMT", Some(1_795_259_253_000)),
            ("Sat, 21 Nov 2026 11:07:33 CET", None),
            ("21 Nov 2026", None),
            ("", None),
        ];
        for (text, wanted) in table {
            assert_eq!(http_date(text), wanted, "{text}");
        }
    }

    #[test]
    fn versions_of_distributions() {
        assert_eq!(release("3.4.2"), Some((3, 4)));
        assert_eq!(release("3.1.1.7.1.7.0-551"), Some((3, 1)));
        assert_eq!(release("2.10-cdh"), Some((2, 10)));
        assert_eq!(release("trunk"), None);
        assert!(
            release("3.0.3") < Some(LEAST)
                && release("3.1.0") >= Some(LEAST)
                && release("10.0.0") > Some(LEAST)
        );
    }

    #[test]
    fn endpoints_in_reasons() {
        let reason = "PUT http://dn1:9864/webhdfs/v1/a: no connection: refused";
        assert_eq!(endpoint_in(reason).as_deref(), Some("http://dn1:9864"));
        assert_eq!(endpoint_in("http://nn:9870/").as_deref(), Some("http://nn:9870"));
        assert_eq!(endpoint_in("nothing"), None);
    }

    #[test]
    fn directories_with_and_without_a_file_system() {
        assert!(same_dir("/tmp/logs", "/tmp/logs/"));
        assert!(same_dir("hdfs://ns1/tmp/logs", "/tmp/logs"));
        assert!(!same_dir("/app-logs", "/tmp/logs"));
        assert_eq!(some(["a", "b"].into_iter()), "a, b");
        assert_eq!(some(["a"; 7].into_iter()), "a, a, a, a, a, +2");
    }
}
