//! Settings the console writes itself.

use crate::Engine;

/// Keys of Flink's configuration the console sets itself; a job may not give them. Entries that end in
/// `.` or `-` are prefixes.
const FLINK: &[&str] = &[
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

/// As [`FLINK`], of Spark's settings; entries that end in `.` are prefixes.
const SPARK: &[&str] = &[
    "spark.master",
    "spark.submit.",
    "spark.app.name",
    "spark.app.id",
    "spark.app.attempt.id",
    "spark.acls.enable",
    "spark.admin.acls",
    "spark.modify.acls",
    "spark.ui.view.acls",
    "spark.archives",
    "spark.files",
    "spark.jars",
    "spark.jars.",
    "spark.driver.memory",
    "spark.driver.cores",
    "spark.driver.memoryOverhead",
    "spark.driver.host",
    "spark.executor.memory",
    "spark.executor.cores",
    "spark.executor.memoryOverhead",
    "spark.executor.instances",
    "spark.executor.id",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.maxExecutors",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.executorIdleTimeout",
    "spark.dynamicAllocation.cachedExecutorIdleTimeout",
    "spark.dynamicAllocation.shuffleTracking.enabled",
    "spark.dynamicAllocation.shuffleTracking.timeout",
    "spark.shuffle.service.enabled",
    "spark.executorEnv.HADOOP_USER_NAME",
    "spark.executorEnv.PYTHONPATH",
    "spark.kerberos.",
    "spark.sql.session.timeZone",
    "spark.yarn.am.nodeLabelExpression",
    "spark.yarn.app.",
    "spark.yarn.appMasterEnv.CLASSPATH",
    "spark.yarn.appMasterEnv.HADOOP_USER_NAME",
    "spark.yarn.appMasterEnv.PYTHONPATH",
    "spark.yarn.appMasterEnv.SPARK_USER",
    "spark.yarn.appMasterEnv.SPARK_YARN_STAGING_DIR",
    "spark.yarn.applicationType",
    "spark.yarn.archive",
    "spark.yarn.cache.",
    "spark.yarn.config.",
    "spark.yarn.dist.",
    "spark.yarn.executor.nodeLabelExpression",
    "spark.yarn.isPython",
    "spark.yarn.jars",
    "spark.yarn.keytab",
    "spark.yarn.maxAppAttempts",
    "spark.yarn.populateHadoopClasspath",
    "spark.yarn.preserve.staging.files",
    "spark.yarn.principal",
    "spark.yarn.priority",
    "spark.yarn.queue",
    "spark.yarn.secondary.jars",
    "spark.yarn.stagingDir",
    "spark.yarn.submit.",
    "spark.yarn.tags",
    "spark.yarn.unmanagedAM.",
];

/// The keys of an engine the console sets itself; a job may not give them.
pub fn owned_keys(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Flink => FLINK,
        Engine::Spark => SPARK,
    }
}

/// Whether a job may not give `key`. Compared without case and outer blanks, since engines
/// differ in how they read both.
pub fn is_owned_key(engine: Engine, key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    owned_keys(engine).iter().any(|owned| {
        let owned = owned.to_ascii_lowercase();
        if owned.ends_with('.') || owned.ends_with('-') {
            return key.starts_with(&owned);
        }
        // What lies below a setting belongs to it in Flink; Spark tells the two apart.
        key == owned || (engine == Engine::Flink && key.starts_with(&format!("{owned}.")))
    })
}

/// Whether it can be a setting of the engine at all: Spark's clients leave out what does not begin
/// with its name.
pub fn is_key(engine: Engine, key: &str) -> bool {
    let shaped = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.$/".contains(&b))
    };
    key.len() <= 200
        && match engine {
            Engine::Flink => shaped(key),
            Engine::Spark => key.strip_prefix("spark.").is_some_and(shaped),
        }
}
