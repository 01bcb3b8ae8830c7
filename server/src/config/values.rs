//! Values with a rule of their own.

use super::ConfigError;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use url::{Host, Url};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// The address people type. Plain http is taken on loopback only: elsewhere the session cookie
/// would travel readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(Url);

impl Default for PublicUrl {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant")]
        Self(Url::parse("http://127.0.0.1:8686").expect("a valid address"))
    }
}

impl PublicUrl {
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// `https://host:port`, as browsers send it in `Origin`.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The absolute address of a path that begins with `/`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = Url::parse(&text).map_err(|e| format!("{text:?} is not an address: {e}"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("must be scheme, host and port alone: the console lives at the root".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not contain a user or password".into());
        }
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if loopback => Ok(Self(url)),
            "http" => Err("plain http is allowed on loopback only, because the session cookie would travel readable; put a TLS proxy in front and give its https address".into()),
            other => Err(format!("the scheme {other} is not http or https")),
        }
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> String {
        url.origin()
    }
}

/// Address of a PostgreSQL database. Printed without its password.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(Url);

impl DatabaseUrl {
    pub(super) fn expose(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn with_password(&self, password: &str) -> Result<String, ConfigError> {
        let mut url = self.0.clone();
        match url.set_password(Some(password)) {
            Ok(()) => Ok(url.into()),
            Err(()) => Err(ConfigError::value(
                "database.url",
                "takes no password",
                "give an address with a host",
            )),
        }
    }

    fn redacted(&self) -> String {
        let mut url = self.0.clone();
        if url.password().is_some() && url.set_password(Some("redacted")).is_err() {
            return "redacted".into();
        }
        // Parameters may carry a password as well (`?password=`).
        if url.query().is_some() {
            url.set_query(Some("redacted"));
        }
        url.into()
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The text is not repeated in the message: it may hold a password.
        let url = Url::parse(&text).map_err(|e| format!("is not an address: {e}"))?;
        match url.scheme() {
            "postgres" | "postgresql" => Ok(Self(url)),
            _ => Err("must begin with postgres://; leave it out for SQLite in the data directory".into()),
        }
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback() {
        for good in [
            "https://console.example.org",
            "https://console.example.org:8443/",
            "http://127.0.0.1:8686",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(PublicUrl::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "http://console.example.org",
            "http://10.0.0.1",
            "http://localhost.example.org",
            "https://host/path",
            "https://host/?a",
            "https://u:p@host",
            "ftp://host",
            "host",
        ] {
            assert!(PublicUrl::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_password_of_a_database_is_not_shown() {
        let url = DatabaseUrl::try_from("postgres://u:canary@h/db?password=canary".to_owned()).unwrap();
        for text in [format!("{url:?}"), serde_json::to_string(&url).unwrap()] {
            assert!(!text.contains("canary"), "{text}");
        }
        assert!(url.expose().contains("canary"));
        assert_eq!(
            DatabaseUrl::try_from("postgres://u@h/db".to_owned())
                .unwrap()
                .with_password("a/b@c")
                .unwrap(),
            "postgres://u:a%2Fb%40c@h/db"
        );
        let refused = DatabaseUrl::try_from("mysql://u:canary@h".to_owned()).unwrap_err();
        assert!(!refused.contains("canary"));
    }
}
