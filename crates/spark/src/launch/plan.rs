//! A run of a prepared job as a submission.

use super::{
    CONF, PlacedFile, Prepared,
    command::{option, word},
    files::unusable,
};
use crate::Program;
use domain::Failure;
use hadoop::{
    ApplicationId,
    shell::env_value,
    xml::{AclKind, LaunchContext, LocalResource, Resource, ResourceKind, SubmissionContext},
};
use std::collections::BTreeMap;

const MASTER: &str = "org.apache.spark.deploy.yarn.ApplicationMaster";
pub(super) const APPLICATION_TYPE: &str = "SPARK";

#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// [`Prepared::archive`] as it lies on HDFS.
    pub archive: &'a PlacedFile,
    /// Id of this installation of the console.
    pub deployment: &'a str,
    /// Id of the run, for its tag.
    pub run: &'a str,
    /// Directory, as a URI, of this run alone; it need not exist. Below it: `staging` (the
    /// application deletes it), `results` (rows of a SQL script), `warehouse` (tables of a catalog
    /// that ends with the application).
    pub run_dir: &'a str,
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
    pub priority: Option<i32>,
    pub node_label: Option<String>,
    /// Where a SQL script leaves rows and the summary of its statements, as a URI.
    pub results: Option<String>,
    pub(super) acls: Vec<(AclKind, String)>,
    pub(super) resources: Vec<LocalResource>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) command: String,
    pub(super) shown_command: String,
    pub(super) shown_settings: Vec<(String, String)>,
}

impl Launch {
    /// # Errors
    /// [`domain::Code::FieldInvalid`] when the archive is not the prepared one.
    pub fn plan(prepared: &Prepared, input: &PlanInput<'_>) -> Result<Self, Failure> {
        if input.archive.uri != prepared.archive_uri {
            return Err(unusable("archive", &prepared.archive_uri));
        }
        let spec = &prepared.spec;
        let run_dir = input.run_dir.trim_end_matches('/');
        let mut resources = prepared.files.common.clone();
        resources.extend(prepared.files.driver.iter().cloned());
        resources.push(LocalResource {
            key: CONF.to_owned(),
            uri: input.archive.uri.clone(),
            kind: ResourceKind::Archive,
            visibility: input.archive.visibility,
            size: input.archive.size,
            timestamp: input.archive.mtime,
        });
        let mut environment = prepared.environment.clone();
        for (name, value) in [
            ("SPARK_YARN_STAGING_DIR", format!("{run_dir}/staging")),
            ("SPARK_USER", prepared.hadoop_user.clone()),
            ("SPARK_PREFER_IPV6", "false".to_owned()),
            ("CLASSPATH", prepared.class_path.join("<CPS>")),
        ] {
            environment.insert(name.to_owned(), value);
        }
        let tags = [
            format!("penstock-{}", input.deployment),
            format!("penstock-run-{}", input.run),
        ];
        let is_sql = matches!(spec.program, Program::Sql { .. });
        let results = is_sql.then(|| format!("{run_dir}/results"));
        let warehouse = prepared.needs_warehouse().then(|| format!("{run_dir}/warehouse"));
        let mut args = prepared.arguments.words();
        if let Some(results) = &results {
            args.extend(["--results".to_owned(), results.clone()]);
        }
        let shown = crate::redact::args(&args);
        Ok(Self {
            name: spec.name.clone(),
            hadoop_user: prepared.hadoop_user.clone(),
            queue: spec.queue.clone(),
            tags: tags
                .iter()
                .chain(&spec.tags)
                .map(|tag| tag.to_ascii_lowercase())
                .collect(),
            resource: Resource {
                memory_mb: prepared.memory_mb.max(prepared.min_allocation_mb),
                vcores: u32::try_from(spec.resources.driver_cores.max(1)).unwrap_or(u32::MAX),
            },
            attempts: spec.am_attempts.max(1),
            priority: spec.priority,
            node_label: spec.node_label.clone(),
            results,
            acls: [AclKind::View, AclKind::Modify]
                .map(|kind| (kind, prepared.service_user.clone()))
                .into(),
            resources,
            environment,
            command: command(prepared, warehouse.as_deref(), &args),
            shown_command: command(prepared, warehouse.as_deref(), &shown),
            shown_settings: prepared.shown_settings(),
        })
    }

    /// The body to POST for an application id.
    pub fn submission(&self, id: ApplicationId) -> SubmissionContext {
        SubmissionContext {
            application_id: id,
            name: self.name.clone(),
            queue: self.queue.clone(),
            priority: self.priority,
            am_resource: self.resource,
            max_app_attempts: self.attempts,
            application_type: APPLICATION_TYPE.into(),
            tags: self.tags.clone(),
            keep_containers: false,
            attempt_failures_validity_ms: None,
            node_label: self.node_label.clone(),
            container: LaunchContext {
                local_resources: self.resources.clone(),
                environment: self
                    .environment
                    .iter()
                    // What people set may name variables of the node, as with Spark's own client.
                    .map(|(name, value)| (name.clone(), env_value(value, true)))
                    .collect(),
                command: with_id(&self.command, &id.to_string()),
                acls: self.acls.clone(),
            },
            log_aggregation: None,
        }
    }
}

/// Options of the JVM may name the application.
pub(super) fn with_id(command: &str, id: &str) -> String {
    // As it stands there after quoting.
    command.replace("{''{APP_ID}''}", id)
}

fn command(prepared: &Prepared, warehouse: Option<&str>, args: &[String]) -> String {
    let mut words = vec![
        "{{JAVA_HOME}}/bin/java".to_owned(),
        "-server".to_owned(),
        "-Djava.net.preferIPv6Addresses=false".to_owned(),
    ];
    words.extend(prepared.jvm_options.iter().map(|option| (*option).to_owned()));
    words.push(format!("-Xmx{}m", prepared.spec.resources.driver_mb));
    words.push("-Djava.io.tmpdir={{PWD}}/tmp".to_owned());
    words.extend(prepared.driver_options.iter().map(|text| option(text)));
    words.push("-Dspark.yarn.app.container.log.dir=<LOG_DIR>".to_owned());
    // A setting after all: the driver takes those of its JVM that its file does not have.
    words.extend(warehouse.map(|dir| word(&format!("-Dspark.sql.warehouse.dir={dir}"))));
    words.push(MASTER.to_owned());
    let mut pair = |name: &str, value: String| words.extend([name.to_owned(), value]);
    pair("--class", word(&prepared.main_class));
    if let Some(jar) = &prepared.program_jar {
        pair("--jar", word(jar));
    }
    if let Some(file) = &prepared.python_file {
        pair("--primary-py-file", word(file));
    }
    for arg in args {
        pair("--arg", word(arg));
    }
    let inside = |name: &str| format!("{{{{PWD}}}}/{CONF}/{name}");
    pair("--properties-file", inside("__spark_conf__.properties"));
    pair("--dist-cache-conf", inside("__spark_dist_cache__.properties"));
    pair("1>", "<LOG_DIR>/stdout".to_owned());
    pair("2>", "<LOG_DIR>/stderr".to_owned());
    words.join(" ")
}
