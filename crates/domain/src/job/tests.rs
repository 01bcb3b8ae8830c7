use super::*;
use crate::Code;

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
