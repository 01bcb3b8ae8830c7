//! What is valid in a job.

use super::{
    JobKind, JobSpec, MAX_ARGS, MAX_ARGS_BYTES, MAX_CONF_ENTRIES, MAX_CONF_VALUE, MAX_NAME, MAX_SQL_BYTES,
    MAX_TAG, MAX_TAGS, is_owned_key,
};
use crate::{
    Code, Failure, sql,
    validate::{self, Checks, FieldFailure},
};
use std::collections::BTreeMap;

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
