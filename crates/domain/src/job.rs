//! Jobs: the definition a person runs, and what is valid in one.

use crate::{
    Code, Failure, Millis,
    id::{ArtifactId, EnvironmentId, JobId, TeamId, UserId},
    run::Run,
    sql,
    validate::{self, Checks, FieldFailure},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    FlinkSql,
    FlinkJar,
}

impl JobKind {
    pub const ALL: [JobKind; 2] = [JobKind::FlinkSql, JobKind::FlinkJar];

    pub fn name(self) -> &'static str {
        match self {
            JobKind::FlinkSql => "flink_sql",
            JobKind::FlinkJar => "flink_jar",
        }
    }

    /// What a person reads; a proper name, the same in every language.
    pub fn label(self) -> &'static str {
        match self {
            JobKind::FlinkSql => "Flink SQL",
            JobKind::FlinkJar => "Flink jar",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// Limits of a definition.
pub const MAX_NAME: usize = 120;
pub const MAX_SQL_BYTES: usize = 1024 * 1024;
pub const MAX_ARGS: usize = 500;
/// Arguments travel in the configuration file, not on a command line.
pub const MAX_ARGS_BYTES: usize = 256 * 1024;
pub const MAX_CONF_ENTRIES: usize = 300;
pub const MAX_CONF_VALUE: usize = 16 * 1024;
pub const MAX_TAGS: usize = 5;
pub const MAX_TAG: usize = 60;

/// Sizes of a Flink application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Memory of the JobManager's process, in MiB (1 MiB = 1 048 576 bytes).
    pub job_manager_mb: i64,
    /// Memory of one TaskManager's process, in MiB.
    pub task_manager_mb: i64,
    /// Task slots of one TaskManager.
    pub slots: i64,
    /// Virtual cores of one TaskManager's container; absent: as many as slots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_manager_vcores: Option<i64>,
    /// Default parallelism of the job.
    pub parallelism: i64,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            job_manager_mb: 1024,
            task_manager_mb: 1728,
            slots: 1,
            task_manager_vcores: None,
            parallelism: 1,
        }
    }
}

/// What a person enters; every save of it is a job version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    pub name: String,
    pub kind: JobKind,
    /// Code of the cluster it runs on.
    pub cluster: String,
    pub environment: EnvironmentId,
    pub queue: String,
    /// The script; only for SQL jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// The uploaded jar; only for jar jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<ArtifactId>,
    /// Entry class of the jar; absent: the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_class: Option<String>,
    #[serde(default)]
    pub args: Vec<String>,
    /// Engine settings that pass through, minus those the console owns.
    #[serde(default)]
    pub conf: BTreeMap<String, String>,
    #[serde(default)]
    pub resources: Resources,
    /// YARN tags beside the console's own.
    #[serde(default)]
    pub tags: Vec<String>,
    /// IANA name or offset for `table.local-time-zone`; absent: the node's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Attempts of the ApplicationMaster. A second attempt runs a batch INSERT twice.
    #[serde(default = "one")]
    pub am_attempts: i64,
}

fn one() -> i64 {
    1
}

/// Configuration keys the console sets itself; a job may not give them. Entries that end in `.` are prefixes.
pub const OWNED_KEYS: &[&str] = &[
    "$internal.",
    "internal.",
    "execution.target",
    "execution.shutdown-on-application-finish",
    "execution.submit-failed-job-on-application-error",
    "high-availability.cluster-id",
    "pipeline.jars",
    "pipeline.name",
    "yarn.application.",
    "yarn.application-attempts",
    "yarn.provided.",
    "yarn.ship-",
    "yarn.staging-directory",
    "yarn.tags",
    "yarn.view.acls",
    "yarn.modify.acls",
    "yarn.security.",
    "yarn.classpath.include-user-jar",
    "yarn.container-start-command-template",
    "yarn.flink-dist-jar",
    "security.",
    "jobmanager.archive.fs.dir",
    "jobmanager.memory.process.size",
    "jobmanager.memory.flink.size",
    "taskmanager.memory.process.size",
    "taskmanager.memory.flink.size",
    "taskmanager.numberOfTaskSlots",
    "yarn.containers.vcores",
    "parallelism.default",
    "web.submit.enable",
    "web.cancel.enable",
    "web.upload.dir",
    "env.java.",
    "env.hadoop.",
    "env.yarn.",
    "env.log.dir",
    "containerized.",
    "rest.address",
    "jobmanager.rpc.address",
    "taskmanager.host",
];

/// Whether a job may not give `key`. Compared without case and outer blanks, since engines
/// differ in how they read both.
pub fn is_owned_key(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    OWNED_KEYS.iter().any(|owned| {
        let owned = owned.to_ascii_lowercase();
        if owned.ends_with('.') || owned.ends_with('-') {
            key.starts_with(&owned)
        } else {
            key == owned || key.starts_with(&format!("{owned}."))
        }
    })
}

fn conf(entries: &BTreeMap<String, String>) -> Result<(), Failure> {
    if entries.len() > MAX_CONF_ENTRIES {
        return Err(Failure::new(Code::FieldTooLong)
            .with("field", "conf")
            .with("max", MAX_CONF_ENTRIES));
    }
    for (key, value) in entries {
        let shaped = !key.is_empty()
            && key.len() <= 200
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.$/".contains(&b));
        if !shaped {
            return Err(Failure::new(Code::ConfKeyInvalid).with("key", key));
        }
        if is_owned_key(key) {
            return Err(Failure::new(Code::ConfKeyOwned).with("key", key));
        }
        if value.len() > MAX_CONF_VALUE {
            return Err(Failure::new(Code::FieldTooLong)
                .with("field", key)
                .with("max", MAX_CONF_VALUE));
        }
        if let Some(bad) = value
            .chars()
            .find(|c| c.is_control() && !matches!(c, '\n' | '\t'))
        {
            return Err(Failure::new(Code::FieldCharacters)
                .with("field", key)
                .with("character", format!("U+{:04X}", u32::from(bad))));
        }
    }
    Ok(())
}

fn class_name(name: &str) -> Result<(), Failure> {
    validate::line("main_class", name, 300)?;
    let shaped = name.split('.').all(|part| {
        let mut chars = part.chars();
        chars
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$')
            && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    });
    if shaped {
        Ok(())
    } else {
        Err(Failure::new(Code::FieldInvalid).with("reason", "com.example.Main"))
    }
}

fn args(args: &[String]) -> Result<(), Failure> {
    if args.len() > MAX_ARGS {
        return Err(Failure::new(Code::FieldTooLong).with("max", MAX_ARGS));
    }
    if args.iter().map(String::len).sum::<usize>() > MAX_ARGS_BYTES {
        return Err(Failure::new(Code::FieldTooLong).with("max", MAX_ARGS_BYTES));
    }
    if args.iter().any(|a| a.contains('\0')) {
        return Err(Failure::new(Code::FieldCharacters).with("character", "U+0000"));
    }
    Ok(())
}

fn script(text: &str) -> Result<(), Failure> {
    if text.len() > MAX_SQL_BYTES {
        return Err(Failure::new(Code::FieldTooLong).with("max", "1 MiB"));
    }
    if text.contains('\0') {
        return Err(Failure::new(Code::FieldCharacters).with("character", "U+0000"));
    }
    sql::Script::parse(text)?.check_runnable()
}

fn tags(tags: &[String]) -> Result<(), Failure> {
    if tags.len() > MAX_TAGS {
        return Err(Failure::new(Code::FieldTooLong).with("max", MAX_TAGS));
    }
    for tag in tags {
        validate::code("tags", tag, MAX_TAG)?;
        if tag.to_ascii_lowercase().starts_with("penstock-") {
            return Err(Failure::new(Code::FieldInvalid).with("reason", "penstock-…"));
        }
    }
    Ok(())
}

fn time_zone(zone: &str) -> Result<(), Failure> {
    let shaped = !zone.is_empty()
        && zone.len() <= 64
        && zone
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+-:".contains(&b));
    if shaped {
        Ok(())
    } else {
        Err(Failure::new(Code::FieldInvalid).with("reason", "Europe/Berlin, UTC, +08:00"))
    }
}

impl JobSpec {
    /// Everything wrong with the definition as far as it can be told without looking anything up.
    pub fn check(&self) -> Vec<FieldFailure> {
        let mut checks = Checks::default();
        let required = || Err(Failure::new(Code::FieldRequired));
        checks.take("name", validate::line("name", &self.name, MAX_NAME));
        checks.take("cluster", validate::code("cluster", &self.cluster, 60));
        checks.take("queue", validate::line("queue", &self.queue, 200));
        match self.kind {
            JobKind::FlinkSql => checks.take("sql", self.sql.as_deref().map_or_else(required, script)),
            JobKind::FlinkJar => checks.take(
                "artifact",
                self.artifact.as_ref().map_or_else(required, |_| Ok(())),
            ),
        }
        checks.take(
            "main_class",
            self.main_class.as_deref().map_or(Ok(()), class_name),
        );
        checks.take("args", args(&self.args));
        if let Err(failure) = conf(&self.conf) {
            checks.0.push(FieldFailure {
                field: "conf".into(),
                failure,
            });
        }
        let r = &self.resources;
        checks.take(
            "job_manager_mb",
            validate::range("job_manager_mb", r.job_manager_mb, 640, 1_048_576),
        );
        checks.take(
            "task_manager_mb",
            validate::range("task_manager_mb", r.task_manager_mb, 640, 1_048_576),
        );
        checks.take("slots", validate::range("slots", r.slots, 1, 256));
        checks.take(
            "task_manager_vcores",
            validate::range("task_manager_vcores", r.task_manager_vcores.unwrap_or(1), 1, 256),
        );
        checks.take(
            "parallelism",
            validate::range("parallelism", r.parallelism, 1, 32_768),
        );
        checks.take("tags", tags(&self.tags));
        checks.take("time_zone", self.time_zone.as_deref().map_or(Ok(()), time_zone));
        checks.take(
            "am_attempts",
            validate::range("am_attempts", self.am_attempts, 1, 10),
        );
        checks.0
    }
}

/// A job with its newest definition and last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    pub id: JobId,
    pub team: TeamId,
    pub team_name: String,
    pub spec: JobSpec,
    pub environment_name: String,
    /// Name and version of the jar, for jar jobs.
    pub artifact_name: Option<String>,
    pub version: i64,
    pub created_by: UserId,
    pub created_by_name: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// The open run, or the last one.
    pub run: Option<Run>,
}

/// A line of the jobs list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobRow {
    pub id: JobId,
    pub name: String,
    pub kind: JobKind,
    pub team_name: String,
    pub cluster_code: String,
    pub environment_name: String,
    pub queue: String,
    pub owner: String,
    pub version: i64,
    /// When the definition or the run's state last changed.
    pub changed_at: Millis,
    pub run: Option<Run>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobVersion {
    pub number: i64,
    pub spec: JobSpec,
    pub created_by_name: String,
    pub created_at: Millis,
}

/// Body that creates a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// The team it belongs to; may be left out by members of one team only.
    #[serde(default)]
    pub team: Option<TeamId>,
    pub spec: JobSpec,
}

/// Body that saves a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobUpdate {
    /// The version the edit began from; another newest version answers a conflict.
    pub base_version: i64,
    pub spec: JobSpec,
}

/// What would be, or was, sent to the cluster; without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LaunchPreview {
    pub application_name: String,
    pub application_type: String,
    pub hadoop_user: String,
    pub queue: String,
    pub tags: Vec<String>,
    pub memory_mb: i64,
    pub vcores: i64,
    pub max_attempts: i64,
    pub command: String,
    pub environment: Vec<(String, String)>,
    pub files: Vec<LaunchFile>,
    /// The engine configuration file, key by key.
    pub conf: Vec<(String, String)>,
    pub acls: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LaunchFile {
    pub name: String,
    pub uri: String,
    pub bytes: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn spec(sql: &str) -> JobSpec {
        JobSpec {
            name: "orders".into(),
            kind: JobKind::FlinkSql,
            cluster: "sandbox".into(),
            environment: EnvironmentId::from_ulid("00000000000000000000000001").unwrap(),
            queue: "root.default".into(),
            sql: Some(sql.into()),
            artifact: None,
            main_class: None,
            args: vec![],
            conf: BTreeMap::new(),
            resources: Resources::default(),
            tags: vec![],
            time_zone: None,
            am_attempts: 1,
        }
    }

    const GOOD: &str = "CREATE TABLE t (a INT) WITH ('connector'='blackhole'); INSERT INTO t VALUES (1)";

    #[test]
    fn a_good_definition_has_no_failures() {
        assert_eq!(spec(GOOD).check(), vec![]);
    }

    #[test]
    fn owned_keys_are_found_in_every_spelling() {
        for key in [
            "execution.target",
            " Execution.Target ",
            "$internal.application.main",
            "yarn.ship-files",
            "security.kerberos.login.keytab",
            "env.java.opts.all",
            "containerized.master.env.LD_PRELOAD",
        ] {
            assert!(is_owned_key(key), "{key}");
        }
        for key in [
            "execution.runtime-mode",
            "state.backend.type",
            "yarn.application-attempt-failures-validity-interval",
            "restart-strategy.type",
        ] {
            assert!(
                !is_owned_key(key) || key.starts_with("yarn.application-attempts"),
                "{key}"
            );
        }
        let mut job = spec(GOOD);
        job.conf.insert("Yarn.Tags".into(), "x".into());
        assert_eq!(job.check()[0].failure.code, Code::ConfKeyOwned);
    }

    #[test]
    fn names_from_hostile_hands_are_refused_or_kept_as_text() {
        for (name, ok) in [
            ("<script>alert(1)</script>", true),
            ("$(rm -rf /)", true),
            ("订单", true),
            ("a\nb", false),
            ("a\u{0}b", false),
            ("\u{202e}gnp", false),
            ("", false),
        ] {
            let mut job = spec(GOOD);
            job.name = name.into();
            assert_eq!(job.check().is_empty(), ok, "{name:?}");
        }
    }
}
