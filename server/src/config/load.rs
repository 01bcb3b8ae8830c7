//! Reads the file and the environment. A value of the environment is named
//! `PENSTOCK_<SECTION>_<KEY>` and wins over the file.

use super::Config;
use std::{
    fmt,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// A configuration that cannot be used: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub place: String,
    pub problem: String,
    pub remedy: String,
}

impl ConfigError {
    pub(super) fn value(key: &str, problem: &str, remedy: &str) -> Self {
        Self {
            place: key.to_owned(),
            problem: problem.trim().to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.problem, self.remedy)
    }
}

impl std::error::Error for ConfigError {}

/// A configuration and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Variables of the environment that were used.
    pub variables: Vec<String>,
}

/// Largest configuration file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

#[derive(Clone, Copy)]
enum Shape {
    Text,
    Number,
    /// Separated by commas.
    List,
}

/// Every key the environment may set.
const KEYS: &[(&str, &str, Shape)] = &[
    ("server", "data_dir", Shape::Text),
    ("server", "listen", Shape::Text),
    ("server", "management", Shape::Text),
    ("server", "public_url", Shape::Text),
    ("server", "trusted_proxies", Shape::List),
    ("server", "site_dir", Shape::Text),
    ("server", "runner_jar", Shape::Text),
    ("database", "url", Shape::Text),
    ("database", "password_file", Shape::Text),
    ("session", "idle_minutes", Shape::Number),
    ("session", "absolute_hours", Shape::Number),
    ("clusters", "tick_ms", Shape::Number),
    ("clusters", "request_timeout_ms", Shape::Number),
    ("clusters", "allowed_directories", Shape::List),
    ("limits", "concurrent_requests", Shape::Number),
    ("limits", "connections", Shape::Number),
    ("limits", "streams", Shape::Number),
    ("limits", "streams_per_user", Shape::Number),
    ("log", "format", Shape::Text),
    ("log", "level", Shape::Text),
];

fn variable(section: &str, key: &str) -> String {
    format!("PENSTOCK_{}_{}", section.to_uppercase(), key.to_uppercase())
}

/// Loads the configuration. `file` is the one asked for; without it `penstock.toml` of the working
/// directory is read if it exists. `environment` yields names and values.
///
/// # Errors
/// Everything that is wrong, not only the first thing.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let default = Path::new("penstock.toml");
    let path = file.or_else(|| default.exists().then_some(default));
    let mut table = match path.map(read).transpose() {
        Ok(table) => table.unwrap_or_default(),
        Err(error) => return Err(vec![error]),
    };
    // The file alone first, so that its errors carry its line.
    if let Some(path) = path
        && let Err(error) = Config::deserialize_table(table.clone())
    {
        errors.push(file_error(path, &error));
    }
    let mut variables = Vec::new();
    for (name, value) in environment {
        match overlay(&mut table, &name, &value) {
            Ok(true) => variables.push(name),
            Ok(false) => {}
            Err(error) => errors.push(error),
        }
    }
    variables.sort();
    if !errors.is_empty() {
        return Err(errors);
    }
    match Config::deserialize_table(table) {
        Ok(config) => {
            let errors = config.check();
            if errors.is_empty() {
                Ok(Loaded {
                    config,
                    file: path.map(Path::to_owned),
                    variables,
                })
            } else {
                Err(errors)
            }
        }
        Err(error) => Err(vec![ConfigError::value(
            &format!("environment ({})", variables.join(", ")),
            error.message(),
            "correct the variable",
        )]),
    }
}

impl Config {
    fn deserialize_table(table: Table) -> Result<Self, toml::de::Error> {
        Value::Table(table).try_into()
    }
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let place = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        ConfigError::value(
            &place,
            &format!("cannot be read: {error}"),
            "give the path of the configuration with --config or PENSTOCK_CONFIG",
        )
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(ConfigError::value(
            &place,
            "is larger than 1 MiB",
            "give a configuration file",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    text.parse::<Table>().map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        ConfigError::value(
            &format!("{place}, line {line}"),
            error.message(),
            "correct the TOML",
        )
    })
}

fn file_error(path: &Path, error: &toml::de::Error) -> ConfigError {
    // The message names the key and, for unknown ones, those that exist.
    let full = error.to_string();
    let key = full.lines().find_map(|l| l.trim().strip_prefix("in `"));
    let place = match key {
        Some(key) => format!("{}, {}", path.display(), key.trim_end_matches('`')),
        None => path.display().to_string(),
    };
    ConfigError::value(&place, error.message(), "correct or remove the entry")
}

/// Puts one variable into the table; `false` when it is none of ours.
fn overlay(table: &mut Table, name: &str, value: &str) -> Result<bool, ConfigError> {
    let Some(&(section, key, shape)) = KEYS.iter().find(|(s, k, _)| variable(s, k) == name) else {
        let ours = KEYS
            .iter()
            .any(|(section, ..)| name.starts_with(&format!("PENSTOCK_{}_", section.to_uppercase())));
        return if ours {
            Err(ConfigError::value(
                name,
                "is no setting",
                "see `penstock config check` for the names",
            ))
        } else {
            Ok(false)
        };
    };
    let value = match shape {
        Shape::Text => Value::String(value.to_owned()),
        Shape::Number => Value::Integer(value.trim().parse().map_err(|_| {
            ConfigError::value(name, &format!("{value:?} is not a number"), "give a whole number")
        })?),
        Shape::List => Value::Array(
            value
                .split(',')
                .map(str::trim)
                .filter(|v| !v.is_empty())
                .map(|v| Value::String(v.to_owned()))
                .collect(),
        ),
    };
    let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = entry {
        section.insert(key.to_owned(), value);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = file("[server]\nlisten = \"127.0.0.1:1\"\n[clusters]\ntick_ms = 200\n");
        let loaded = load(
            Some(file.path()),
            env(&[
                ("PENSTOCK_SERVER_LISTEN", "127.0.0.1:2"),
                ("PENSTOCK_CLUSTERS_ALLOWED_DIRECTORIES", "/a, /b"),
                ("PENSTOCK_CACHE", "/elsewhere"),
                ("PATH", "/bin"),
            ]),
        )
        .unwrap();
        assert_eq!(loaded.config.server.listen.port(), 2);
        assert_eq!(loaded.config.clusters.tick_ms, 200);
        assert_eq!(
            loaded.config.clusters.allowed_directories,
            [PathBuf::from("/a"), PathBuf::from("/b")]
        );
        assert_eq!(
            loaded.variables,
            ["PENSTOCK_CLUSTERS_ALLOWED_DIRECTORIES", "PENSTOCK_SERVER_LISTEN"]
        );
    }

    #[test]
    fn errors_name_the_place_and_the_remedy() {
        let first = |text: &str, vars: &[(&str, &str)]| {
            load(Some(file(text).path()), env(vars)).unwrap_err()[0].to_string()
        };
        assert!(first("[server]\nlissten = \"x\"", &[]).contains("lissten"));
        assert!(first("[server]\n\n= 1", &[]).contains("line 3"));
        assert!(first("[server]\nlisten = \"here\"", &[]).contains("server.listen"));
        assert!(first("[server]\npublic_url = \"http://example.org\"", &[]).contains("loopback"));
        assert!(first("[session]\nidle_minutes = 0", &[]).starts_with("session.idle_minutes: 0"));
        assert!(first("", &[("PENSTOCK_CLUSTERS_TICK", "5")]).starts_with("PENSTOCK_CLUSTERS_TICK: is no"));
        assert!(first("", &[("PENSTOCK_CLUSTERS_TICK_MS", "x")]).contains("not a number"));
        assert!(first("", &[("PENSTOCK_SERVER_LISTEN", "x")]).contains("PENSTOCK_SERVER_LISTEN"));
        assert!(
            load(Some(Path::new("/does/not/exist")), []).unwrap_err()[0]
                .problem
                .contains("cannot be read")
        );
    }

    #[test]
    fn every_key_can_be_set_by_the_environment() {
        let mut full = Config::default();
        full.server.site_dir = Some("site".into());
        full.server.runner_jar = Some("jar".into());
        full.database.password_file = Some("file".into());
        full.database.url = Some("postgres://h/d".to_owned().try_into().unwrap());
        let shown: Table = full.shown().parse().unwrap();
        let mut names: Vec<String> = shown
            .iter()
            .flat_map(|(section, keys)| {
                keys.as_table()
                    .unwrap()
                    .keys()
                    .map(|key| variable(section, key))
                    .collect::<Vec<_>>()
            })
            .collect();
        let mut known: Vec<String> = KEYS.iter().map(|(s, k, _)| variable(s, k)).collect();
        names.sort();
        known.sort();
        assert_eq!(names, known);
    }
}
