//! A run of a prepared job as a submission.

use super::{LOG4J_KEY, Prepared};
use crate::version::Descriptor;
use domain::{Code, Failure, restore::ClaimMode};
use hadoop::{
    ApplicationId,
    shell::{env_value, quote_arg},
    xml::{
        AclKind, LaunchContext, LocalResource, PlacedFile, Resource, ResourceKind, SubmissionContext,
        Visibility,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Longest `NAME=value` of a process's environment on Linux, its end mark included.
pub const MAX_ENVIRONMENT_BYTES: usize = 128 << 10;
const SHIP_FILES: &str = "_CLIENT_SHIP_FILES";

const ENTRY_POINT: &str = "org.apache.flink.yarn.entrypoint.YarnApplicationClusterEntryPoint";
pub(super) const APPLICATION_TYPE: &str = "Apache Flink";

/// What a launch has to know of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The user the application runs as.
    pub hadoop_user: String,
    /// The console's own user: it may see and stop the application.
    pub service_user: String,
    /// Such as `hdfs://ns1`.
    pub file_system: String,
    /// Entries of `yarn.application.classpath`; `$NAME` is replaced on the node.
    pub class_path: Vec<String>,
    pub min_allocation_mb: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The environment's files by their paths (`lib/…`, `plugins/…`); others are left out.
    pub environment: &'a [(String, PlacedFile)],
    /// [`Prepared::config`].
    pub config: &'a PlacedFile,
    pub log4j: &'a PlacedFile,
    /// The runner's jar, or the artifact.
    pub program: &'a PlacedFile,
    pub cluster: &'a Cluster,
    /// Id of this installation of the console.
    pub deployment: &'a str,
    /// Id of the run, for its tag.
    pub run: &'a str,
    /// 32 hex digits; used when [`Prepared::fixes_job_id`].
    pub job_id: &'a str,
    /// The state the run starts from.
    pub restore: Option<Restore<'a>>,
    /// Directory, as a URI, of this run alone. The application deletes it with all that is in it; it
    /// need not exist.
    pub staging: &'a str,
}

/// A savepoint or checkpoint to start from.
#[derive(Debug, Clone, Copy)]
pub struct Restore<'a> {
    /// Address of its directory.
    pub uri: &'a str,
    pub claim_mode: ClaimMode,
    /// State that no operator takes is left out instead of failing the job.
    pub allow_non_restored_state: bool,
}

impl Restore<'_> {
    /// The settings under the names this version knows.
    fn settings(&self, prepared: &Prepared) -> Result<Vec<(&'static str, String)>, Failure> {
        let features = &prepared.features;
        let mode = match self.claim_mode {
            ClaimMode::Claim => "CLAIM",
            ClaimMode::NoClaim => "NO_CLAIM",
            ClaimMode::Legacy if features.legacy_claim_mode => "LEGACY",
            ClaimMode::Legacy => {
                return Err(Failure::new(Code::FieldInvalid)
                    .with("field", "claim_mode")
                    .with("reason", "legacy: Flink < 2.0"));
            }
        };
        Ok(vec![
            (features.restore_path_key, self.uri.to_owned()),
            (features.restore_claim_mode_key, mode.to_owned()),
            (
                features.restore_ignore_unclaimed_key,
                self.allow_non_restored_state.to_string(),
            ),
        ])
    }
}

/// A submission that lacks only the application id.
#[derive(Debug, Clone)]
pub struct Launch {
    pub name: String,
    pub hadoop_user: String,
    pub queue: String,
    pub tags: Vec<String>,
    pub resource: Resource,
    pub attempts: u32,
    /// The job's id, when it is decided in advance.
    pub job_id: Option<String>,
    /// What only this run starts with, as settings.
    pub(super) restore: Vec<(&'static str, String)>,
    pub(super) keep_containers: bool,
    pub(super) validity_ms: Option<u64>,
    pub(super) acls: Vec<(AclKind, String)>,
    pub(super) resources: Vec<LocalResource>,
    pub(super) environment: BTreeMap<&'static str, String>,
    /// Command up to the application's own settings.
    pub(super) command: String,
    pub(super) shown_settings: Vec<(String, String)>,
}

impl Launch {
    /// # Errors
    /// [`Code::EnvironmentIncomplete`], [`Code::LaunchTooLarge`], [`Code::FieldInvalid`] for an
    /// address that cannot be written.
    pub fn plan(prepared: &Prepared, input: &PlanInput<'_>) -> Result<Self, Failure> {
        let mut libraries: Vec<&(String, PlacedFile)> = input
            .environment
            .iter()
            .filter(|(path, _)| crate::distribution::is_shipped(path))
            .collect();
        libraries.sort_by(|a, b| a.0.cmp(&b.0));
        let is_dist = |path: &str| path.starts_with("lib/flink-dist") && path.ends_with(".jar");
        let dist = libraries
            .iter()
            .position(|(path, _)| is_dist(path))
            .ok_or_else(|| incomplete("lib/flink-dist-….jar", "is missing"))?;
        // The descriptor of the distribution's own jar comes first, as the client writes it.
        libraries[..=dist].rotate_right(1);

        let mut resources = Vec::with_capacity(libraries.len() + 3);
        let mut keys = BTreeSet::new();
        let all = libraries.iter().map(|(path, file)| (path.as_str(), file)).chain([
            (LOG4J_KEY, input.log4j),
            (prepared.program_key.as_str(), input.program),
            (prepared.config_key, input.config),
        ]);
        for (key, file) in all {
            if let Some(bad) = key.chars().chain(file.uri.chars()).find(|c| is_harmful(*c)) {
                return Err(incomplete(key, &format!("contains {bad:?}")));
            }
            if !keys.insert(key) {
                return Err(incomplete(key, "is there twice"));
            }
            resources.push(LocalResource {
                key: key.to_owned(),
                uri: file.uri.clone(),
                kind: ResourceKind::File,
                visibility: file.visibility,
                size: file.size,
                timestamp: file.mtime,
            });
        }
        let cluster = input.cluster;
        let tags = [
            format!("penstock-{}", input.deployment),
            format!("penstock-run-{}", input.run),
        ];
        let restore = input.restore.map(|restore| restore.settings(prepared));
        let job_id = prepared.fixes_job_id.then(|| input.job_id.to_owned());
        Ok(Self {
            name: prepared.name.clone(),
            hadoop_user: cluster.hadoop_user.clone(),
            queue: prepared.queue.clone(),
            tags: tags
                .iter()
                .chain(&prepared.tags)
                .map(|tag| tag.to_ascii_lowercase())
                .collect(),
            resource: Resource {
                memory_mb: prepared.memory_mb.max(cluster.min_allocation_mb),
                vcores: prepared.vcores,
            },
            attempts: prepared.attempts,
            job_id,
            restore: restore.transpose()?.unwrap_or_default(),
            keep_containers: prepared.high_availability,
            validity_ms: prepared.high_availability.then_some(prepared.validity_ms),
            acls: [AclKind::View, AclKind::Modify]
                .map(|kind| (kind, cluster.service_user.clone()))
                .into(),
            environment: environment(prepared, input, &resources)?,
            resources,
            command: command(prepared),
            shown_settings: super::preview::settings(prepared),
        })
    }

    /// The body to POST for an application id.
    pub fn submission(&self, id: ApplicationId) -> SubmissionContext {
        SubmissionContext {
            application_id: id,
            name: self.name.clone(),
            queue: self.queue.clone(),
            priority: None,
            am_resource: self.resource,
            max_app_attempts: self.attempts,
            application_type: APPLICATION_TYPE.into(),
            tags: self.tags.clone(),
            keep_containers: self.keep_containers,
            attempt_failures_validity_ms: self.validity_ms,
            node_label: None,
            container: LaunchContext {
                local_resources: self.resources.clone(),
                environment: self
                    .environment(&id.to_string())
                    .into_iter()
                    // Class paths name variables of the node; nothing else may.
                    .map(|(name, value)| (name.to_owned(), env_value(&value, name == "CLASSPATH")))
                    .collect(),
                command: self.command(&id.to_string()),
                acls: self.acls.clone(),
            },
            log_aggregation: None,
        }
    }

    pub(super) fn environment(&self, application: &str) -> BTreeMap<&'static str, String> {
        let mut environment = self.environment.clone();
        environment.insert("_APP_ID", application.to_owned());
        environment
    }

    /// The command with what only this application has: the configuration file lies on HDFS since
    /// before the id was known.
    pub(super) fn command(&self, application: &str) -> String {
        let mut own = vec![format!("high-availability.cluster-id={application}")];
        own.extend(
            self.job_id
                .iter()
                .map(|id| format!("$internal.pipeline.job-id={id}")),
        );
        own.extend(self.restore.iter().map(|(key, value)| format!("{key}={value}")));
        let own: Vec<String> = own
            .iter()
            .map(|setting| format!("-D {}", argument(setting)))
            .collect();
        format!(
            "{} {} 1> <LOG_DIR>/jobmanager.out 2> <LOG_DIR>/jobmanager.err",
            self.command,
            own.join(" ")
        )
    }
}

fn incomplete(path: &str, reason: &str) -> Failure {
    Failure::new(Code::EnvironmentIncomplete)
        .with("path", path)
        .with("reason", reason)
}

/// Characters that end a field in a class path, a descriptor or the node's script.
fn is_harmful(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "'\"`$\\;{}<>*?|&".contains(c)
}

fn environment(
    prepared: &Prepared,
    input: &PlanInput<'_>,
    resources: &[LocalResource],
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let descriptors: Vec<String> = resources
        .iter()
        .map(|resource| descriptor(prepared.features.descriptor, resource))
        .collect();
    let dist = descriptors.first().cloned().unwrap_or_default();
    let files = descriptors.join(";");
    let max = MAX_ENVIRONMENT_BYTES - SHIP_FILES.len() - 2;
    if files.len() > max {
        return Err(Failure::new(Code::LaunchTooLarge)
            .with("files", resources.len())
            .with("bytes", files.len())
            .with("max", max));
    }
    let keys: Vec<&str> = resources.iter().map(|resource| resource.key.as_str()).collect();
    let flink = class_path(prepared, &keys);
    let cluster = input.cluster;
    Ok(BTreeMap::from([
        ("CLASSPATH", format!("{flink}:{}", cluster.class_path.join(":"))),
        ("FLINK_LIB_DIR", "./lib".to_owned()),
        ("FLINK_OPT_DIR", "./opt".to_owned()),
        ("HADOOP_USER_NAME", cluster.hadoop_user.clone()),
        (
            "_CLIENT_HOME_DIR",
            format!(
                "{}/user/{}",
                cluster.file_system.trim_end_matches('/'),
                cluster.hadoop_user
            ),
        ),
        (SHIP_FILES, files),
        ("_FLINK_CLASSPATH", flink),
        ("_FLINK_DIST_JAR", dist),
        (
            "_FLINK_YARN_FILES",
            input.staging.trim_end_matches('/').to_owned(),
        ),
    ]))
}

/// How the ApplicationMaster is told of a file, for its TaskManagers.
fn descriptor(form: Descriptor, resource: &LocalResource) -> String {
    let LocalResource {
        key,
        uri,
        size,
        timestamp,
        ..
    } = resource;
    let visibility = match resource.visibility {
        Visibility::Public => "PUBLIC",
        Visibility::Private => "PRIVATE",
        Visibility::Application => "APPLICATION",
    };
    match form {
        Descriptor::Json => format!(
            "{{'resourceKey':'{key}','path':'{uri}','size':{size},'modificationTime':{timestamp},'visibility':'{visibility}','resourceType':'FILE'}}"
        ),
        Descriptor::Named => format!(
            "YarnLocalResourceDescriptor{{key={key}, path={uri}, size={size}, modificationTime={timestamp}, visibility={visibility}, type=FILE}}"
        ),
    }
}

/// Libraries, then the program, Flink's own jar and the configuration, each followed by `:`.
fn class_path(prepared: &Prepared, keys: &[&str]) -> String {
    let dist = keys.first().copied().unwrap_or_default();
    let libraries = || {
        keys.iter()
            .copied()
            .filter(move |key| key.starts_with("lib/") && *key != dist)
    };
    let mut first = BTreeSet::from([""]);
    let mut jars = BTreeSet::new();
    for key in libraries() {
        if key.ends_with(".jar") || !prepared.features.directories_on_class_path {
            jars.insert(key);
        } else {
            first.insert(key.rsplit_once('/').map_or("", |(directory, _)| directory));
        }
    }
    let own = [prepared.program_key.as_str(), dist, prepared.config_key];
    first
        .into_iter()
        .chain(jars)
        .chain(own)
        .flat_map(|entry| [entry, ":"])
        .collect()
}

/// An argument of the command; quoted only where needed, so that it stays readable.
fn argument(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./:=+,@%".contains(&b));
    if plain { text.to_owned() } else { quote_arg(text) }
}

fn command(prepared: &Prepared) -> String {
    let memory = &prepared.memory;
    let mut words = vec![
        "$JAVA_HOME/bin/java".to_owned(),
        format!("-Xmx{}", memory.heap),
        format!("-Xms{}", memory.heap),
    ];
    if memory.limit_direct {
        words.push(format!("-XX:MaxDirectMemorySize={}", memory.off_heap));
    }
    words.push(format!("-XX:MaxMetaspaceSize={}", memory.metaspace));
    words.extend(prepared.java_options.iter().map(|option| argument(option)));
    if !prepared.features.yaml && !prepared.config.bytes.is_ascii() {
        // That version reads the file in the node's character set.
        words.push("-Dfile.encoding=UTF-8".into());
    }
    words.extend(
        [
            "-XX:+IgnoreUnrecognizedVMOptions",
            "-Dlog.file=\"<LOG_DIR>/jobmanager.log\"",
            "-Dlog4j.configuration=file:log4j.properties",
            "-Dlog4j.configurationFile=file:log4j.properties",
            ENTRY_POINT,
        ]
        .map(str::to_owned),
    );
    for (key, bytes) in [
        ("off-heap.size", memory.off_heap),
        ("jvm-overhead.min", memory.overhead),
        ("jvm-metaspace.size", memory.metaspace),
        ("heap.size", memory.heap),
        ("jvm-overhead.max", memory.overhead),
    ] {
        words.push(format!("-D jobmanager.memory.{key}={bytes}b"));
    }
    words.join(" ")
}
