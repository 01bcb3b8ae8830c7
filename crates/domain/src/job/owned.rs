//! Settings the console writes itself.

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
