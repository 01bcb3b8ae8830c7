//! What a check of a cluster says when all is well and when something is not.

use crate::support::{World, until};
use domain::{
    Code,
    cluster::{Probe, ProbeName},
    run::RunState,
};
use testkit::Service as Daemon;

async fn check(world: &World) -> Vec<Probe> {
    let admin = world.admin.clone();
    let call = |service: service::Service| async move { service.check_cluster(&admin, "fake").await };
    world.life().ask(call).await.unwrap()
}

fn failed(probes: &[Probe]) -> Vec<(ProbeName, Code)> {
    let failed = probes
        .iter()
        .filter_map(|p| Some((p.probe, p.failure.as_ref()?.code)));
    failed.collect()
}

#[tokio::test]
async fn every_probe_passes_on_a_cluster_that_is_well() {
    let world = World::simple().await;
    let probes = check(&world).await;
    let names: Vec<ProbeName> = probes.iter().map(|probe| probe.probe).collect();
    assert_eq!(names, ProbeName::ALL);
    assert_eq!(failed(&probes), [], "{probes:#?}");
    assert!(probes.iter().all(|probe| probe.ok));
    // Nothing is left of what was tried.
    assert_eq!(world.left_over().await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn the_root_is_made_level_by_level_and_claimed() {
    let world = World::simple().await;
    check(&world).await;
    let control = world.fake.control();
    let mode = |path: &str| control.file(path).map(|file| (file.owner, file.permission));
    let own = |mode| Some(("penstock".to_owned(), mode));
    for (path, wanted) in [
        ("/penstock", 0o755),
        ("/penstock/environments", 0o755),
        ("/penstock/runner", 0o755),
        ("/penstock/teams", 0o1777),
        ("/penstock/staging", 0o700),
        ("/penstock/penstock.json", 0o644),
    ] {
        assert_eq!(mode(path), own(wanted), "{path}");
    }
    for name in ["", "/artifacts", "/prepared", "/runs", "/archive"] {
        let path = format!("/penstock/teams/team_a{name}");
        assert_eq!(mode(&path), Some(("team_a".to_owned(), 0o700)), "{path}");
    }
    // Somebody changed what others depend on.
    control.put_dir("/penstock/teams", "penstock", 0o700);
    control.put_dir("/penstock/runner", "penstock", 0o750);
    assert_eq!(failed(&check(&world).await), []);
    assert_eq!(
        (mode("/penstock/teams"), mode("/penstock/runner")),
        (own(0o1777), own(0o755))
    );
    world.end().await;
}

#[tokio::test]
async fn a_root_of_another_console_is_left_alone() {
    let world = World::simple().await;
    let control = world.fake.control();
    control.put_file(
        "/penstock/penstock.json",
        r#"{"deployment":"dep_other"}"#,
        "penstock",
        0o644,
    );
    let probes = check(&world).await;
    let wanted = [
        (ProbeName::DataNode, Code::RootForeign),
        (ProbeName::Root, Code::RootForeign),
    ];
    assert_eq!(failed(&probes), wanted);
    world.end().await;
}

#[tokio::test]
async fn a_root_that_cannot_be_made_is_told_with_the_way_out() {
    let world = World::simple().await;
    let control = world.fake.control();
    control.remove_file("/penstock");
    let probes = check(&world).await;
    let wanted = [
        (ProbeName::DataNode, Code::RootMissing),
        (ProbeName::Root, Code::RootMissing),
    ];
    assert_eq!(failed(&probes), wanted);
    let text = probes[6].failure.as_ref().unwrap().to_string();
    assert!(text.contains("hdfs dfs -mkdir -p /penstock"), "{text}");
    control.put_dir("/penstock", "penstock", 0o755);
    assert_eq!(failed(&check(&world).await), []);
    world.end().await;
}

#[tokio::test]
async fn each_daemon_that_is_away_is_named() {
    let world = World::simple().await;
    assert_eq!(failed(&check(&world).await), []);
    let control = world.fake.control();
    for (daemon, wanted) in [
        (
            Daemon::Dn,
            vec![
                (ProbeName::DataNode, Code::DnUnreachable),
                (ProbeName::Root, Code::DnUnreachable),
            ],
        ),
        (Daemon::Nm, vec![(ProbeName::Workers, Code::NmUnreachable)]),
    ] {
        control.down(daemon).await;
        assert_eq!(failed(&check(&world).await), wanted);
        control.up(daemon).await.unwrap();
    }
    control.down(Daemon::Rm).await;
    let codes = failed(&check(&world).await);
    assert!(
        codes.iter().all(|(_, code)| *code == Code::RmUnreachable),
        "{codes:?}"
    );
    assert!(
        codes
            .iter()
            .any(|(probe, _)| *probe == ProbeName::ResourceManager)
    );
    control.up(Daemon::Rm).await.unwrap();
    control.down(Daemon::Nn).await;
    let codes = failed(&check(&world).await);
    assert!(
        codes.iter().all(|(_, code)| *code == Code::NnUnreachable),
        "{codes:?}"
    );
    assert!(codes.iter().any(|(probe, _)| *probe == ProbeName::NameNode));
    control.up(Daemon::Nn).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn safe_mode_and_a_full_cluster_are_told() {
    let world = World::simple().await;
    assert_eq!(failed(&check(&world).await), []);
    let control = world.fake.control();
    control.safe_mode(true);
    let codes = failed(&check(&world).await);
    assert!(
        codes.contains(&(ProbeName::NameNode, Code::NnSafeMode)),
        "{codes:?}"
    );
    control.safe_mode(false);
    control.no_space(true);
    assert_eq!(
        failed(&check(&world).await),
        [(ProbeName::DataNode, Code::HdfsNoSpace)]
    );
    control.no_space(false);
    world.end().await;
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    let world = World::simple().await;
    assert!(check(&world).await[3].seen.is_some());
    world.advance(60_000);
    let probes = check(&world).await;
    assert_eq!(failed(&probes), [(ProbeName::Clock, Code::ClockSkew)]);
    let seconds = &probes[3].failure.as_ref().unwrap().args["seconds"];
    assert!(["58", "59", "60"].contains(&seconds.as_str()), "{seconds}");
    world.end().await;
}

#[tokio::test]
async fn a_check_does_not_disturb_what_runs() {
    let world = World::simple().await;
    let run = world.start().await;
    world.when_state(&run.id, RunState::Running).await;
    until("a check passes", || async {
        failed(&check(&world).await).is_empty().then_some(())
    })
    .await;
    assert_eq!(world.run(&run.id).await.state, RunState::Running);
    world.end().await;
}
