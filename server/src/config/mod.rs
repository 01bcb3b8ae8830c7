//! Configuration: one file, overlaid by the environment, every value with a default.

mod load;
mod values;

pub use load::{ConfigError, Loaded, load};
pub use values::{DatabaseUrl, LogFormat, PublicUrl};

use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// The effective configuration. Serialised it is the redacted form that `config check` prints.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub session: Session,
    pub clusters: Clusters,
    pub limits: Limits,
    pub log: Log,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Holds the SQLite database, artifacts, uploads, the lock and the management socket.
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    /// Health and metrics; loopback unless said otherwise.
    pub management: SocketAddr,
    /// Address people type; decides the cookie and which origin may post.
    pub public_url: PublicUrl,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Built web assets, for builds that do not carry them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_dir: Option<PathBuf>,
    /// The runner jar, for builds that do not carry it; that of Spark lies beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner_jar: Option<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8686)),
            management: SocketAddr::from(([127, 0, 0, 1], 8687)),
            public_url: PublicUrl::default(),
            trusted_proxies: Vec::new(),
            site_dir: None,
            runner_jar: None,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://…`, or absent for SQLite in the data directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<DatabaseUrl>,
    /// File with the password, so that it need not stand in the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    pub idle_minutes: i64,
    pub absolute_hours: i64,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            idle_minutes: 30,
            absolute_hours: 12,
        }
    }
}

impl Session {
    pub fn limits(&self) -> identity::SessionLimits {
        identity::SessionLimits {
            idle: self.idle_minutes * 60_000,
            absolute: self.absolute_hours * 3_600_000,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clusters {
    /// How often a cluster is asked at rest, in milliseconds.
    pub tick_ms: u64,
    /// Deadline of one request to a cluster, in milliseconds.
    pub request_timeout_ms: u64,
    /// Directories below which client configurations and engine distributions may be read.
    pub allowed_directories: Vec<PathBuf>,
}

impl Default for Clusters {
    fn default() -> Self {
        Self {
            tick_ms: 5000,
            request_timeout_ms: 10_000,
            allowed_directories: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests served at the same time; more are answered 503 at once.
    pub concurrent_requests: usize,
    /// Open connections; more wait to be accepted.
    pub connections: usize,
    /// Live streams at the same time, of all and of one user.
    pub streams: usize,
    pub streams_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent_requests: 256,
            connections: 2048,
            streams: 1000,
            streams_per_user: 30,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub format: LogFormat,
    /// A filter as in `info,store=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".into(),
        }
    }
}

impl Config {
    /// The file of the embedded database.
    pub fn sqlite_path(&self) -> PathBuf {
        self.server.data_dir.join("penstock.db")
    }

    /// The database to open. SQLite unless an address is given.
    ///
    /// # Errors
    /// When the password file cannot be read.
    pub fn database_url(&self) -> Result<String, ConfigError> {
        let Some(url) = &self.database.url else {
            return Ok(format!("sqlite://{}", self.sqlite_path().display()));
        };
        match &self.database.password_file {
            None => Ok(url.expose().to_owned()),
            Some(path) => {
                let password = std::fs::read_to_string(path).map_err(|error| {
                    ConfigError::value(
                        "database.password_file",
                        &format!("cannot read {}: {error}", path.display()),
                        "give a file that the console may read",
                    )
                })?;
                url.with_password(password.trim_end_matches(['\r', '\n']))
            }
        }
    }

    /// Checks what a type alone cannot tell.
    pub fn check(&self) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        let mut within = |key: &str, value: i64, min: i64, max: i64| {
            if !(min..=max).contains(&value) {
                errors.push(ConfigError::value(
                    key,
                    &format!("{value} is out of range"),
                    &format!("give a number from {min} to {max}"),
                ));
            }
        };
        let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        within("session.idle_minutes", self.session.idle_minutes, 1, 24 * 60);
        within("session.absolute_hours", self.session.absolute_hours, 1, 24 * 7);
        within("clusters.tick_ms", count(self.clusters.tick_ms), 100, 600_000);
        within(
            "clusters.request_timeout_ms",
            count(self.clusters.request_timeout_ms),
            100,
            120_000,
        );
        within(
            "limits.concurrent_requests",
            size(self.limits.concurrent_requests),
            1,
            100_000,
        );
        within("limits.connections", size(self.limits.connections), 1, 100_000);
        within("limits.streams", size(self.limits.streams), 1, 100_000);
        within(
            "limits.streams_per_user",
            size(self.limits.streams_per_user),
            1,
            1000,
        );
        if self.server.listen == self.server.management && self.server.listen.port() != 0 {
            errors.push(ConfigError::value(
                "server.management",
                "is the same address as server.listen",
                "give health and metrics an address of their own",
            ));
        }
        if let Err(error) = self.log.level.parse::<tracing_subscriber::EnvFilter>() {
            errors.push(ConfigError::value(
                "log.level",
                &error.to_string(),
                "give a filter such as info or info,store=debug",
            ));
        }
        for dir in &self.clusters.allowed_directories {
            if !dir.is_absolute() {
                errors.push(ConfigError::value(
                    "clusters.allowed_directories",
                    &format!("{} is not absolute", dir.display()),
                    "begin it with /",
                ));
            }
        }
        errors
    }

    /// The redacted form, as TOML.
    pub fn shown(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# cannot be shown: {error}"))
    }
}
