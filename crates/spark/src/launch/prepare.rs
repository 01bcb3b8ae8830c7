//! The part of a launch that is the same for every run of a job version.

use super::{
    ARGS_FILE, Bundle, CONF, Dependency, JDK, MAIN_CLASS, OVERLAY, PYTHON, PYTHON_CLASS, PYTHON_FILE,
    PlacedFile, SCRIPT_FILE, SQL_CLASS,
    command::{Arguments, PYTHON_MAIN, split_options},
    files::{Files, link_name},
};
use crate::{
    Distribution, Program, Spec, conf, redact,
    resources::{self, invalid},
    zip,
};
use domain::{Code, Failure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a launch has to know of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The user the application runs as.
    pub hadoop_user: String,
    /// The console's own user: it may see and stop the application.
    pub service_user: String,
    /// Entries of `yarn.application.classpath`, for distributions without Hadoop's classes.
    pub class_path: Vec<String>,
    pub min_allocation_mb: u64,
    /// The client's configuration (`core-site.xml`, `hdfs-site.xml`, `yarn-site.xml`, …) by file name.
    pub client_xml: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy)]
pub struct PrepareInput<'a> {
    pub spec: &'a Spec,
    pub distribution: &'a Distribution,
    pub cluster: &'a Cluster,
    /// The distribution's jars as one archive, see [`crate::distribution::archived`].
    pub libraries: &'a PlacedFile,
    /// The files [`Distribution::python`] names, by their paths.
    pub python: &'a [(String, PlacedFile)],
    /// Jar or Python file; none for a SQL script.
    pub program: Option<&'a PlacedFile>,
    /// File name of the program as people know it.
    pub program_name: &'a str,
    /// The console's own jar.
    pub runner: &'a PlacedFile,
    pub dependencies: &'a [Dependency],
    /// A JDK the environment brings, for nodes whose Java is too old.
    pub jdk: Option<&'a Bundle>,
    /// A Python the environment brings.
    pub python_home: Option<&'a Bundle>,
    /// Directory, as a URI, the archive will lie in. Its content is for the job's user alone.
    pub conf_dir: &'a str,
}

/// What a job version is launched with, whatever the run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The archive of settings, arguments and script.
    pub archive: Vec<u8>,
    /// Its file name, which depends on its content alone.
    pub archive_name: String,
    /// Where it must lie before a start: [`PrepareInput::conf_dir`] and the name.
    pub archive_uri: String,
    pub(super) spec: Spec,
    pub(super) files: Files,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) class_path: Vec<String>,
    pub(super) jvm_options: &'static [&'static str],
    pub(super) driver_options: Vec<String>,
    pub(super) main_class: String,
    pub(super) program_jar: Option<String>,
    pub(super) python_file: Option<String>,
    pub(super) arguments: Arguments,
    pub(super) memory_mb: u64,
    pub(super) hadoop_user: String,
    pub(super) service_user: String,
    pub(super) min_allocation_mb: u64,
}

impl Prepared {
    /// # Errors
    /// What the job asks for and cannot have, named by field.
    pub fn new(input: &PrepareInput<'_>) -> Result<Self, Failure> {
        let PrepareInput {
            spec,
            distribution,
            cluster,
            ..
        } = *input;
        spec.check()?;
        let features = distribution.version.features()?;
        let mut settings: BTreeMap<String, String> = distribution.defaults.iter().cloned().collect();
        settings.extend(spec.conf.iter().map(|(k, v)| (k.clone(), v.clone())));
        let driver_options = driver_options(&settings)?;

        let mut files = Files::default();
        files.libraries(input.libraries)?;
        let program = || {
            input
                .program
                .ok_or_else(|| Failure::new(Code::FieldRequired).with("field", "artifact"))
        };
        let mut script = String::new();
        let (main_class, program_jar, python_file, arguments) = match &spec.program {
            Program::Jar { main_class } => {
                let jar = program()?;
                files.app_jar(jar)?;
                let arguments = Arguments::new(main_class, &spec.args);
                let class = match arguments {
                    Arguments::Line(_) => main_class.clone(),
                    Arguments::File(_) => {
                        files.runner(input.runner)?;
                        MAIN_CLASS.to_owned()
                    }
                };
                (class, Some(jar.uri.clone()), None, arguments)
            }
            Program::Python => {
                if input.python.is_empty() {
                    return Err(Failure::new(Code::EnvironmentIncomplete)
                        .with("path", "python/lib")
                        .with("reason", "pyspark.zip, py4j-…-src.zip missing"));
                }
                let name = link_name(input.program_name, ".py");
                files.script(&name, program()?)?;
                let arguments = Arguments::new(&name, &spec.args);
                let file = match arguments {
                    Arguments::Line(_) => name,
                    Arguments::File(_) => format!("{CONF}/{PYTHON_FILE}"),
                };
                (PYTHON_CLASS.to_owned(), None, Some(file), arguments)
            }
            Program::Sql { script: text } => {
                files.app_jar(input.runner)?;
                script.clone_from(text);
                let args = ["--script-file".to_owned(), format!("{CONF}/{SCRIPT_FILE}")];
                let rows = ["--rows".to_owned(), spec.preview_rows.to_string()];
                let arguments = Arguments::Line(args.into_iter().chain(rows).collect());
                (
                    SQL_CLASS.to_owned(),
                    Some(input.runner.uri.clone()),
                    None,
                    arguments,
                )
            }
        };
        // SQL scripts may call Python too, where the distribution has it.
        for (path, file) in input.python {
            files.python_library(path, file)?;
        }
        for dependency in input.dependencies {
            files.dependency(dependency)?;
        }
        if let Some(jdk) = input.jdk {
            files.jdk(jdk)?;
        }
        if let Some(python) = input.python_home {
            files.python(python)?;
        }

        let mut environment = environment(&settings);
        complete(&mut settings, &mut environment, input, &files)?;
        let class_path = class_path(&settings, input);
        let memory_mb =
            u64::try_from(resources::driver_container_mb(&spec.resources, &settings)).unwrap_or(u64::MAX);

        let (archive, archive_name) = archive(input, &files, &settings, &arguments, &script)?;
        Ok(Self {
            archive_uri: format!("{}/{archive_name}", input.conf_dir.trim_end_matches('/')),
            archive,
            archive_name,
            spec: spec.clone(),
            files,
            environment,
            class_path,
            jvm_options: features.jvm_options,
            driver_options,
            main_class,
            program_jar,
            python_file,
            arguments,
            memory_mb,
            settings,
            hadoop_user: cluster.hadoop_user.clone(),
            service_user: cluster.service_user.clone(),
            min_allocation_mb: cluster.min_allocation_mb,
        })
    }

    /// Whether another run of the script finds the tables of this one: without a catalog that lasts,
    /// their files belong to the run as well.
    pub(super) fn needs_warehouse(&self) -> bool {
        let catalog = self.settings.get("spark.sql.catalogImplementation");
        !self.settings.contains_key("spark.sql.warehouse.dir")
            && catalog.is_none_or(|catalog| catalog.trim() != "hive")
    }

    /// The settings as they may be shown.
    pub(super) fn shown_settings(&self) -> Vec<(String, String)> {
        self.settings
            .iter()
            .map(|(key, value)| (key.clone(), redact::value(key, value)))
            .collect()
    }
}

fn driver_options(settings: &BTreeMap<String, String>) -> Result<Vec<String>, Failure> {
    for role in ["driver", "executor"] {
        for kind in ["defaultJavaOptions", "extraJavaOptions"] {
            let key = format!("spark.{role}.{kind}");
            let options = split_options(settings.get(&key).map_or("", String::as_str));
            if let Some(option) = options.iter().find(|option| option.starts_with("-Xmx")) {
                return Err(invalid(&key, format!("{option} (spark.{role}.memory)")));
            }
        }
    }
    Ok(
        ["spark.driver.defaultJavaOptions", "spark.driver.extraJavaOptions"]
            .iter()
            .filter_map(|key| settings.get(*key))
            .flat_map(|options| split_options(options))
            .collect(),
    )
}

/// What the settings put into the driver's environment.
fn environment(settings: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = settings
        .iter()
        .filter_map(|(key, value)| {
            let name = key.strip_prefix("spark.yarn.appMasterEnv.")?;
            Some((name.to_owned(), value.clone()))
        })
        .collect();
    if let Some(path) = settings.get("spark.driver.extraLibraryPath") {
        environment
            .entry("LD_LIBRARY_PATH".into())
            .or_insert_with(|| format!("{path}:$LD_LIBRARY_PATH"));
    }
    environment
}

/// Adds what the console decides to settings and environment.
fn complete(
    settings: &mut BTreeMap<String, String>,
    environment: &mut BTreeMap<String, String>,
    input: &PrepareInput<'_>,
    files: &Files,
) -> Result<(), Failure> {
    let (spec, cluster) = (input.spec, input.cluster);
    let mut set = |key: &str, value: String| {
        settings.insert(key.to_owned(), value);
    };
    set("spark.master", "yarn".into());
    set("spark.submit.deployMode", "cluster".into());
    set("spark.app.name", spec.name.clone());
    set("spark.yarn.queue", spec.queue.clone());
    set("spark.yarn.maxAppAttempts", spec.am_attempts.max(1).to_string());
    set(
        "spark.yarn.populateHadoopClasspath",
        (!input.distribution.with_hadoop).to_string(),
    );
    // The driver's page would otherwise let anyone who can reach it end jobs and read settings.
    set("spark.acls.enable", "true".into());
    set("spark.ui.view.acls", cluster.service_user.clone());
    set("spark.modify.acls", cluster.service_user.clone());
    for (key, value) in resources::settings(&spec.resources) {
        set(key, value);
    }
    if let Some(zone) = &spec.time_zone {
        set("spark.sql.session.timeZone", zone.clone());
    }
    if let Some(label) = &spec.node_label {
        set("spark.yarn.am.nodeLabelExpression", label.clone());
        set("spark.yarn.executor.nodeLabelExpression", label.clone());
    }
    if !files.secondary.is_empty() {
        set("spark.yarn.secondary.jars", files.secondary.join(","));
    }
    if !files.python_path.is_empty() {
        let path: Vec<String> = files
            .python_path
            .iter()
            .map(|entry| format!("{{{{PWD}}}}/{entry}"))
            .collect();
        let path = path.join("<CPS>");
        set("spark.executorEnv.PYTHONPATH", path.clone());
        environment.insert("PYTHONPATH".into(), path);
    }
    if spec.program == Program::Python {
        set("spark.yarn.isPython", "true".into());
    }
    if let Some(jdk) = input.jdk {
        let home = format!("{{{{PWD}}}}/{}", jdk.below(JDK));
        set("spark.executorEnv.JAVA_HOME", home.clone());
        environment.insert("JAVA_HOME".into(), home);
    }
    if let Some(python) = input.python_home {
        // Relative, since Spark starts it in the container's directory and as it is written.
        let program = format!("./{}/bin/python", python.below(PYTHON));
        for name in ["PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"] {
            environment.entry(name.into()).or_insert_with(|| program.clone());
        }
        settings.entry("spark.pyspark.python".into()).or_insert(program);
    }
    if files.has_overlay {
        let overlay = format!("{{{{PWD}}}}/{OVERLAY}/*");
        for role in ["driver", "executor"] {
            let key = format!("spark.{role}.extraClassPath");
            let path = match settings.get(&key) {
                Some(given) => format!("{given}:{overlay}"),
                None => overlay.clone(),
            };
            settings.insert(key, path);
        }
    }
    if let Some((key, _)) = settings.iter().find(|(key, _)| !conf::is_key(key)) {
        return Err(Failure::new(Code::ConfKeyInvalid).with("key", key));
    }
    Ok(())
}

/// The driver's class path, in the client's order.
fn class_path(settings: &BTreeMap<String, String>, input: &PrepareInput<'_>) -> Vec<String> {
    let mut path: Vec<String> = settings
        .get("spark.driver.extraClassPath")
        .cloned()
        .into_iter()
        .collect();
    path.extend(["{{PWD}}", "{{PWD}}/__spark_conf__", "{{PWD}}/__spark_libs__/*"].map(str::to_owned));
    if !input.distribution.with_hadoop {
        path.extend(input.cluster.class_path.iter().cloned());
    }
    path.push("{{PWD}}/__spark_conf__/__hadoop_conf__".to_owned());
    path
}

/// The archive, and its name: the hash of everything in it but the name itself, which is in it too.
fn archive(
    input: &PrepareInput<'_>,
    files: &Files,
    settings: &BTreeMap<String, String>,
    arguments: &Arguments,
    script: &str,
) -> Result<(Vec<u8>, String), Failure> {
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, text) in &input.cluster.client_xml {
        let name = name.rsplit('/').next().unwrap_or(name);
        entries.push((format!("__hadoop_conf__/{name}"), text.clone().into_bytes()));
    }
    if let Arguments::File(bytes) = arguments {
        entries.push((ARGS_FILE.to_owned(), bytes.clone()));
        if input.spec.program == Program::Python {
            entries.push((PYTHON_FILE.to_owned(), PYTHON_MAIN.as_bytes().to_vec()));
        }
    }
    if !script.is_empty() {
        entries.push((SCRIPT_FILE.to_owned(), script.as_bytes().to_vec()));
    }
    let pairs = settings.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    entries.push((
        format!("{CONF}.properties"),
        conf::write_properties(pairs).into_bytes(),
    ));
    let mut cache = files.dist_cache();
    let mut hash = Sha256::new();
    let lists = cache.iter().map(|(key, value)| (*key, value.as_bytes()));
    for (name, bytes) in entries
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .chain(lists)
        .chain([("in", input.conf_dir.as_bytes())])
    {
        hash.update(format!("{name}\0{}\0", bytes.len()));
        hash.update(bytes);
    }
    let name = format!("{}.zip", hex::encode(hash.finalize()));
    cache.push((
        "spark.yarn.cache.confArchive",
        format!("{}/{name}", input.conf_dir.trim_end_matches('/')),
    ));
    let pairs = cache.iter().map(|(k, v)| (*k, v.as_str()));
    entries.push((
        "__spark_dist_cache__.properties".to_owned(),
        conf::write_properties(pairs).into_bytes(),
    ));
    Ok((zip::stored(&entries)?, name))
}
