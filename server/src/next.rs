//! Where to go after signing in: a page of this console and nothing else.

use url::Url;

const MAX_LEN: usize = 2000;

/// The page to go to, from an untrusted `next`; `/` when it is not a plain path of this console.
pub fn safe(next: &str) -> String {
    checked(next).unwrap_or_else(|| "/".to_owned())
}

fn checked(next: &str) -> Option<String> {
    let mut chars = next.chars();
    let plain = next.len() <= MAX_LEN
        && chars.next() == Some('/')
        && !matches!(chars.next(), Some('/' | '\\'))
        && !next
            .chars()
            .any(|c| c == '\\' || c.is_control() || c.is_whitespace());
    if !plain {
        return None;
    }
    let base = Url::parse("http://console.invalid/").ok()?;
    let url = base.join(next).ok()?;
    if url.origin() != base.origin() || url.path().starts_with("//") {
        return None;
    }
    // Only pages: an API answer or the sign-out is no place to land on.
    let first = url.path().split('/').nth(1).unwrap_or("");
    if ["login", "logout", "api", "fn", "events", "pkg", "vendor", "fonts"].contains(&first) {
        return None;
    }
    Some(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_kept() {
        for good in [
            "/",
            "/jobs",
            "/jobs/job_1?tab=log&x=%2F%2Fevil",
            "/jobs?q=a+b",
            "/loginx",
        ] {
            assert_eq!(safe(good), good);
        }
        assert_eq!(safe("/a/../b"), "/b");
        assert_eq!(safe("/jobs#part"), "/jobs");
    }

    #[test]
    fn everything_else_goes_home() {
        let long = format!("/{}", "a".repeat(3000));
        for bad in [
            "",
            " ",
            "jobs",
            "//evil",
            "///evil",
            "////evil",
            "/\\evil",
            "\\\\evil",
            "\\/evil",
            "/\\/evil",
            "http://evil",
            "https://evil",
            "HTTPS://evil",
            "http:evil",
            "http:/evil",
            "https:///evil",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "/\tevil",
            "/\t/evil",
            "/\n/evil",
            "/\r/evil",
            "\t//evil",
            "\n//evil",
            " //evil",
            "/ /evil",
            "/\u{0}/evil",
            "/\u{a0}/evil",
            "/\u{2028}/evil",
            "/\u{3000}evil",
            "?next=//evil",
            "#//evil",
            "@evil",
            ":evil",
            "//evil@host",
            "//127.0.0.1:8686@evil",
            "//[::1]",
            "/..//evil",
            "/.//evil",
            "/a/..//evil",
            "/%2e%2e//evil",
            "/./\\evil",
            "/a\\b",
            "/a\u{7f}",
            "/login",
            "/login?next=/",
            "/login/link",
            "/logout",
            "/api/v1/jobs",
            "/fn/x",
            "/events",
            "/pkg/penstock.js",
            "/vendor/x",
            "/fonts/x",
            "/x/../login",
            "/x/../api/v1",
            "mailto:a@evil",
            "ftp://evil",
            "ws://evil",
            "\u{feff}//evil",
            "．．//evil",
            &long,
        ] {
            assert_eq!(safe(bad), "/", "{bad:?}");
        }
    }
}
