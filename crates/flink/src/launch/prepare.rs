//! The part of a launch that is the same for every run of a job version.

use crate::{
    Version,
    config::{self, PROGRAM_ARGS, Value},
    memory::{self, JobManagerMemory},
    version::Features,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    Code, Failure,
    job::{JobKind, JobSpec},
    sql::{Script, StatementKind},
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Main class of the program that runs SQL scripts.
pub const RUNNER_CLASS: &str = "io.penstock.runner.FlinkSql";

/// A longer script travels as a file of its own: every configuration file is read into memory by
/// each process of the application, and shown by its REST interface.
pub const INLINE_SCRIPT_BYTES: usize = 64 << 10;

/// Bytes that are stored under the name of their content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub bytes: Vec<u8>,
    /// Lower-case hex.
    pub sha256: String,
}

impl Content {
    pub fn of(bytes: Vec<u8>) -> Self {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        Self { bytes, sha256 }
    }
}

/// The script of a SQL job, when it is too long for the configuration file. Its place must be known
/// before [`Prepared::new`].
pub fn script_file(spec: &JobSpec) -> Option<Content> {
    let sql = spec.sql.as_deref()?;
    (spec.kind == JobKind::FlinkSql && sql.len() > INLINE_SCRIPT_BYTES)
        .then(|| Content::of(sql.as_bytes().to_vec()))
}

#[derive(Debug, Clone, Copy)]
pub struct PrepareInput<'a> {
    pub spec: &'a JobSpec,
    pub version: Version,
    /// Settings of the distribution that every job starts from.
    pub defaults: &'a [(String, String)],
    /// File name of the program as people know it: the runner's, or the artifact's.
    pub program_name: &'a str,
    /// Where the program lies, or will.
    pub program_uri: &'a str,
    /// Where the script lies, or will, when [`script_file`] has one.
    pub script_uri: Option<&'a str>,
    /// Directory, as a URI, into which the JobManager writes what it knows of an ended job.
    pub archive_dir: &'a str,
}

/// What a job version is launched with, whatever the run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The engine configuration file.
    pub config: Content,
    /// Its link name in the container's directory.
    pub config_key: &'static str,
    /// Link name of the program.
    pub program_key: String,
    /// Whether the run decides the job's id. Otherwise the application starts several jobs, or may,
    /// and their ids are learnt from its REST interface.
    pub fixes_job_id: bool,
    pub(super) features: Features,
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) memory: JobManagerMemory,
    pub(super) java_options: Vec<String>,
    pub(super) high_availability: bool,
    pub(super) validity_ms: u64,
    pub(super) vcores: u32,
    pub(super) name: String,
    pub(super) queue: String,
    pub(super) tags: Vec<String>,
    pub(super) attempts: u32,
    pub(super) memory_mb: u64,
    /// Script or arguments as they may be shown.
    pub(super) shown_args: Vec<String>,
}

impl Prepared {
    /// # Errors
    /// What the job asks for and the version cannot do, named by field.
    pub fn new(input: &PrepareInput<'_>) -> Result<Self, Failure> {
        let spec = input.spec;
        let features = input.version.features()?;
        let mut given: BTreeMap<String, String> = input.defaults.iter().cloned().collect();
        given.extend(
            spec.conf
                .iter()
                .map(|(key, value)| (key.trim().to_owned(), value.clone())),
        );
        let resources = &spec.resources;
        let job_manager_mb = positive("job_manager_mb", resources.job_manager_mb)?;
        let task_manager_mb = positive("task_manager_mb", resources.task_manager_mb)?;
        let memory = memory::job_manager(job_manager_mb, &given)?;
        let small = memory::small_task_manager(task_manager_mb, &spec.conf);
        let high_availability = is_highly_available(&given);
        let fixes_job_id = fixes_job_id(spec, &given)?;
        if high_availability && !fixes_job_id && spec.kind == JobKind::FlinkSql {
            // Flink would give every job of the script the same id.
            return Err(Failure::new(Code::FieldInvalid).with("field", "conf").with(
                "reason",
                "high-availability.type: NONE (batch script of several jobs)",
            ));
        }
        let java_options = java_options(&given);
        let vcores = number(&given, "yarn.appmaster.vcores", 1)?;
        let validity_ms = number(
            &given,
            "yarn.application-attempt-failures-validity-interval",
            10_000,
        )?;
        let program_key = link_name(input.program_name);
        let (args, shown_args) = arguments(input, &features)?;

        let mut settings: BTreeMap<String, Value> = given
            .into_iter()
            .map(|(key, value)| (key, Value::Text(value)))
            .collect();
        let mut set = |key: &str, value: Value| {
            settings.insert(key.to_owned(), value);
        };
        for (key, value) in small {
            set(key, value.into());
        }
        set("execution.target", "yarn-application".into());
        set("internal.cluster.execution-mode", "NORMAL".into());
        set(
            "jobmanager.memory.process.size",
            format!("{job_manager_mb}m").into(),
        );
        set(
            "taskmanager.memory.process.size",
            format!("{task_manager_mb}m").into(),
        );
        set(
            "taskmanager.numberOfTaskSlots",
            resources.slots.to_string().into(),
        );
        set("parallelism.default", resources.parallelism.to_string().into());
        if let Some(vcores) = resources.task_manager_vcores {
            set("yarn.containers.vcores", vcores.to_string().into());
        }
        if let Some(zone) = &spec.time_zone {
            set("table.local-time-zone", zone.as_str().into());
        }
        set("jobmanager.archive.fs.dir", input.archive_dir.into());
        // The job's own page would otherwise let anyone who can reach it upload jars and cancel.
        set("web.submit.enable", "false".into());
        set("web.cancel.enable", "false".into());
        set(
            "pipeline.jars",
            Value::List(vec![program_reference(input.program_uri, &program_key)]),
        );
        match spec.kind {
            JobKind::FlinkSql => set("$internal.application.main", RUNNER_CLASS.into()),
            // Other kinds have no arguments here, which ended this function.
            JobKind::FlinkJar | JobKind::SparkSql | JobKind::SparkJar | JobKind::PySpark => {
                if let Some(class) = &spec.main_class {
                    set("$internal.application.main", class.as_str().into());
                }
                // For SQL the runner sets it, since the old file cannot hold every name.
                if features.yaml || config::unwritable(&spec.name).is_none() {
                    set("pipeline.name", spec.name.as_str().into());
                }
            }
        }
        if !args.is_empty() {
            set(PROGRAM_ARGS, Value::List(args));
        }
        if fixes_job_id {
            // A program that fails before its job exists becomes a failed job with a reason.
            set("execution.submit-failed-job-on-application-error", "true".into());
        }
        let lines: Vec<_> = settings
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Ok(Self {
            config: Content::of(config::write(&features, &lines)?),
            config_key: features.config_file,
            program_key,
            fixes_job_id,
            features,
            settings,
            memory,
            java_options,
            high_availability,
            validity_ms,
            vcores,
            name: spec.name.clone(),
            queue: spec.queue.clone(),
            tags: spec.tags.clone(),
            attempts: u32::try_from(spec.am_attempts.max(1)).unwrap_or(1),
            memory_mb: job_manager_mb,
            shown_args,
        })
    }
}

fn positive(field: &str, number: i64) -> Result<u64, Failure> {
    u64::try_from(number).map_err(|_| {
        Failure::new(Code::FieldInvalid)
            .with("field", field)
            .with("reason", number)
    })
}

fn number<T: std::str::FromStr>(
    conf: &BTreeMap<String, String>,
    key: &str,
    default: T,
) -> Result<T, Failure> {
    conf.get(key).map_or(Ok(default), |text| {
        text.trim().parse().map_err(|_| {
            Failure::new(Code::FieldInvalid)
                .with("field", key)
                .with("reason", text)
        })
    })
}

fn is_highly_available(conf: &BTreeMap<String, String>) -> bool {
    let mode = conf
        .get("high-availability.type")
        .or_else(|| conf.get("high-availability"));
    mode.is_some_and(|mode| !mode.trim().eq_ignore_ascii_case("none"))
}

/// A fixed job id allows a single job per application. A streaming script is one job; of a batch
/// script it is known; a batch program may start any number.
fn fixes_job_id(spec: &JobSpec, conf: &BTreeMap<String, String>) -> Result<bool, Failure> {
    let is_batch = |mode: &str| {
        let mode = mode.trim();
        mode.eq_ignore_ascii_case("batch") || mode.eq_ignore_ascii_case("automatic")
    };
    let configured = conf
        .get("execution.runtime-mode")
        .is_some_and(|mode| is_batch(mode));
    let Some(sql) = spec.sql.as_deref().filter(|_| spec.kind == JobKind::FlinkSql) else {
        return Ok(!configured);
    };
    let script = Script::parse(sql)?;
    let batch = script
        .statements
        .iter()
        .filter(|statement| statement.kind == StatementKind::Setting)
        .filter_map(|statement| runtime_mode(statement.text))
        .next_back()
        .map_or(configured, |mode| is_batch(&mode));
    // Queries are jobs too where a script may have them.
    let queries = script
        .statements
        .iter()
        .filter(|statement| statement.kind == StatementKind::Query)
        .count();
    Ok(!batch || script.job_statements() + queries <= 1)
}

/// `batch` of `SET 'execution.runtime-mode' = 'batch'`.
fn runtime_mode(set: &str) -> Option<String> {
    let (name, value) = set.get(3..)?.split_once('=')?;
    let bare = |text: &str| text.trim().trim_matches('\'').to_owned();
    (bare(name) == "execution.runtime-mode").then(|| bare(value.trim_end_matches(';')))
}

/// The JVM's options of a JobManager, in Flink's order.
fn java_options(conf: &BTreeMap<String, String>) -> Vec<String> {
    [
        "env.java.default-opts.all",
        "env.java.opts.all",
        "env.java.default-opts.jobmanager",
        "env.java.opts.jobmanager",
    ]
    .iter()
    .filter_map(|key| conf.get(*key))
    .flat_map(|options| split_options(options))
    .collect()
}

/// Splits at blanks outside quotes; the quotes go.
fn split_options(text: &str) -> Vec<String> {
    let (mut options, mut option, mut begun) = (Vec::new(), String::new(), false);
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => option.push(c),
            None if c == '"' || c == '\'' => (quote, begun) = (Some(c), true),
            None if c.is_whitespace() => {
                if begun || !option.is_empty() {
                    options.push(std::mem::take(&mut option));
                }
                begun = false;
            }
            None => option.push(c),
        }
    }
    if begun || !option.is_empty() {
        options.push(option);
    }
    options
}

/// A name that stands unharmed in a class path, a descriptor and a shell.
fn link_name(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or_default();
    let stem = name.strip_suffix(".jar").unwrap_or(name);
    let stem: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.+".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(150)
        .collect();
    let stem = stem.trim_start_matches('.');
    let stem = if stem.is_empty() { "job" } else { stem };
    format!("{stem}.jar")
}

/// What `pipeline.jars` says: the ApplicationMaster looks for a file of this *name* beside itself,
/// which is the link and not the place the file comes from.
fn program_reference(uri: &str, key: &str) -> String {
    if uri.rsplit('/').next() == Some(key) {
        uri.to_owned()
    } else {
        format!("file:///{key}")
    }
}

/// The program's arguments, and the same as they may be shown.
fn arguments(input: &PrepareInput<'_>, features: &Features) -> Result<(Vec<String>, Vec<String>), Failure> {
    let spec = input.spec;
    match spec.kind {
        JobKind::SparkSql | JobKind::SparkJar | JobKind::PySpark => {
            Err(Failure::new(Code::EnvironmentEngine)
                .with("environment", &spec.environment)
                .with("engine", domain::Engine::Flink.label())
                .with("kind", spec.kind.label()))
        }
        JobKind::FlinkJar => Ok((spec.args.clone(), crate::redact::args(&spec.args))),
        JobKind::FlinkSql => {
            let sql = spec.sql.as_deref().ok_or(Code::SqlEmpty)?;
            let base64 = |text: &str| STANDARD.encode(text);
            let mut args = if sql.len() > INLINE_SCRIPT_BYTES {
                let uri = input
                    .script_uri
                    .ok_or_else(|| Failure::new(Code::HdfsNotFound).with("path", "the script's file"))?;
                vec!["--script-uri".to_owned(), uri.to_owned()]
            } else {
                vec!["--script-base64".to_owned(), base64(sql)]
            };
            if features.yaml {
                args.extend(["--job-name".to_owned(), spec.name.clone()]);
            } else {
                args.extend(["--job-name-base64".to_owned(), base64(&spec.name)]);
            }
            let shown = vec![
                "--script".to_owned(),
                crate::redact::sql(sql),
                "--job-name".to_owned(),
                spec.name.clone(),
            ];
            Ok((args, shown))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_like_a_shell_would() {
        assert_eq!(
            split_options("  -Da=b  -Dc=\"d e\" '-Df=g h' \"\" -x"),
            ["-Da=b", "-Dc=d e", "-Df=g h", "", "-x"]
        );
    }

    #[test]
    fn link_names_are_harmless() {
        for (name, link) in [
            ("orders-1.0.jar", "orders-1.0.jar"),
            ("订单 作业.jar", "_____.jar"),
            ("a'b;c$(id).jar", "a_b_c__id_.jar"),
            ("../../etc/passwd", "passwd.jar"),
            (".jar", "job.jar"),
            ("", "job.jar"),
        ] {
            assert_eq!(link_name(name), link, "{name}");
        }
    }

    #[test]
    fn modes_are_found_in_settings() {
        assert_eq!(
            runtime_mode("SET 'execution.runtime-mode' = 'Batch'").as_deref(),
            Some("Batch")
        );
        assert_eq!(
            runtime_mode("set execution.runtime-mode=batch").as_deref(),
            Some("batch")
        );
        assert_eq!(runtime_mode("SET 'x' = 'execution.runtime-mode'"), None);
        assert_eq!(runtime_mode("RESET"), None);
    }
}
