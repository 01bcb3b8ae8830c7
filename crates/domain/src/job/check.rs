//! What is valid in a job.

use super::{
    JobKind, JobSpec, MAX_ARGS, MAX_ARGS_BYTES, MAX_CONF_ENTRIES, MAX_CONF_VALUE, MAX_FILES, MAX_NAME,
    MAX_PRIORITY, MAX_SQL_BYTES, MAX_TAG, MAX_TAGS, NamedFile, Resources, SparkResources, is_key,
    is_owned_key, spark_sql,
};
use crate::{
    Code, Engine, Failure, sql,
    validate::{self, Checks, FieldFailure},
};
use std::collections::{BTreeMap, BTreeSet};

fn conf(engine: Engine, entries: &BTreeMap<String, String>) -> Result<(), Failure> {
    if entries.len() > MAX_CONF_ENTRIES {
        return Err(Failure::new(Code::FieldTooLong)
            .with("field", "conf")
            .with("max", MAX_CONF_ENTRIES));
    }
    for (key, value) in entries {
        if is_owned_key(engine, key) {
            return Err(Failure::new(Code::ConfKeyOwned).with("key", key));
        }
        if !is_key(engine, key) {
            return Err(Failure::new(Code::ConfKeyInvalid).with("key", key));
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

/// What is wrong with a script as far as it can be told without its engine.
///
/// # Errors
/// [`Code::SqlEmpty`], [`Code::SqlNoInsert`], [`Code::SqlUnterminated`] with the line, and what no body
/// may be.
pub fn check_script(engine: Engine, text: &str) -> Result<(), Failure> {
    if text.len() > MAX_SQL_BYTES {
        return Err(Failure::new(Code::FieldTooLong).with("max", "1 MiB"));
    }
    if text.contains('\0') {
        return Err(Failure::new(Code::FieldCharacters).with("character", "U+0000"));
    }
    match engine {
        Engine::Flink => sql::Script::parse(text)?.check_runnable(),
        Engine::Spark => spark_sql::check(text),
    }
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
        let engine = self.kind.engine();
        let foreign = || Err(Failure::new(Code::FieldOfOtherKind).with("kind", self.kind.label()));
        if self.kind.program().is_none() {
            let script = self.sql.as_deref();
            checks.take(
                "sql",
                script.map_or_else(required, |text| check_script(engine, text)),
            );
        } else {
            checks.take(
                "artifact",
                self.artifact.as_ref().map_or_else(required, |_| Ok(())),
            );
        }
        checks.take(
            "main_class",
            self.main_class.as_deref().map_or(Ok(()), class_name),
        );
        checks.take("args", args(&self.args));
        if let Err(failure) = conf(engine, &self.conf) {
            checks.0.push(FieldFailure {
                field: "conf".into(),
                failure,
            });
        }
        for (field, given) in self.foreign_fields() {
            if given {
                checks.take(field, foreign());
            }
        }
        match engine {
            Engine::Flink => flink_sizes(&self.resources, &mut checks),
            Engine::Spark => {
                let sizes = self.spark.as_ref().map(SparkResources::failures);
                for (field, failure) in sizes.unwrap_or_default() {
                    checks.take(field, Err(failure));
                }
                self.check_files(&mut checks);
                let priority = self.priority.map_or(0, i64::from);
                checks.take("priority", validate::range("priority", priority, 0, MAX_PRIORITY));
                let label = self.node_label.as_deref();
                let label = label.map_or(Ok(()), |label| validate::code("node_label", label, 100));
                checks.take("node_label", label);
            }
        }
        checks.take("tags", tags(&self.tags));
        checks.take("time_zone", self.time_zone.as_deref().map_or(Ok(()), time_zone));
        checks.take(
            "am_attempts",
            validate::range("am_attempts", self.am_attempts, 1, 10),
        );
        checks.0
    }

    /// Fields that belong to other kinds of jobs, and whether they were given. What a form of the kind
    /// may have left behind in a field that does nothing is not refused: Flink's were stored that way.
    fn foreign_fields(&self) -> Vec<(&'static str, bool)> {
        let has_program = self.kind.program().is_some();
        match self.kind.engine() {
            Engine::Flink => vec![
                ("spark", self.spark.is_some()),
                ("dependencies", !self.dependencies.is_empty()),
                ("files", !self.files.is_empty()),
                ("archives", !self.archives.is_empty()),
                ("priority", self.priority.is_some()),
                ("node_label", self.node_label.is_some()),
            ],
            Engine::Spark => vec![
                ("resources", self.resources != Resources::default()),
                ("sql", has_program && self.sql.is_some()),
                ("artifact", !has_program && self.artifact.is_some()),
                ("args", !has_program && !self.args.is_empty()),
                (
                    "main_class",
                    self.main_class.is_some() && self.kind != JobKind::SparkJar,
                ),
            ],
        }
    }

    fn check_files(&self, checks: &mut Checks) {
        let many = |count: usize| {
            if count > MAX_FILES {
                Err(Failure::new(Code::FieldTooLong).with("max", MAX_FILES))
            } else {
                Ok(())
            }
        };
        checks.take("dependencies", many(self.dependencies.len()));
        let mut names = BTreeSet::new();
        for (field, list) in [("files", &self.files), ("archives", &self.archives)] {
            let each = |text: &String| {
                let name = NamedFile::parse(text)?.name.to_owned();
                if names.insert(name.clone()) {
                    Ok(())
                } else {
                    Err(Failure::new(Code::NameTaken).with("name", name))
                }
            };
            checks.take(
                field,
                many(list.len()).and_then(|()| list.iter().try_for_each(each)),
            );
        }
    }
}

fn flink_sizes(r: &Resources, checks: &mut Checks) {
    for (field, number, min, max) in [
        ("job_manager_mb", r.job_manager_mb, 640, 1_048_576),
        ("task_manager_mb", r.task_manager_mb, 640, 1_048_576),
        ("slots", r.slots, 1, 256),
        ("task_manager_vcores", r.task_manager_vcores.unwrap_or(1), 1, 256),
        ("parallelism", r.parallelism, 1, 32_768),
    ] {
        checks.take(field, validate::range(field, number, min, max));
    }
}
