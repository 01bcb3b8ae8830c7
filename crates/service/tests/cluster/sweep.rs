//! What an upload leaves behind when the console dies in the middle of it goes in time; nothing else does.

use crate::support::{TEAM_USER, World, until};
use domain::run::RunState;

const DAY: i64 = 24 * 3_600_000;
/// The time of change that every file gets before it comes to its place.
const MTIME: i64 = 1_000_000_000_000;

fn hidden(at: i64, name: &str) -> String {
    let id = ulid::Ulid::from_parts(at.unsigned_abs(), rand::random());
    format!(".{}-{name}", id.to_string().to_ascii_lowercase())
}

/// Hidden files below the console's root, without the directory of the cluster.
async fn hidden_files(world: &World) -> Vec<String> {
    let files = world.fake.control().files_below("/penstock");
    let mut names: Vec<_> = files
        .into_iter()
        .filter(|file| !file.is_dir && file.path.contains("/."))
        .map(|file| file.path)
        .collect();
    names.sort();
    names
}

/// Dies in the middle of an upload and lives again; answers what stayed behind.
async fn die_in_upload(world: &mut World, point: &str) -> Vec<String> {
    world.life().dies_at(point);
    let (viewer, job) = (world.viewer.clone(), world.job.id.clone());
    let call = |service: service::Service| async move {
        let _ = service.start_run(&viewer, &job, Default::default(), None).await;
    };
    let _ = world.life().call(call).await;
    until("the console dies", || async {
        world.life().is_dead().then_some(())
    })
    .await;
    world.die().await;
    let left = hidden_files(world).await;
    assert!(!left.is_empty(), "nothing stays behind at {point}");
    left
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_upload_is_swept_and_nothing_else() {
    for point in ["put.written", "put.timed"] {
        let mut world = World::simple().await;
        let control = world.fake.control().clone();
        let left = die_in_upload(&mut world, point).await;
        world.restart().await;
        let run = stored(&world).await;
        world.when_state(&run, RunState::Running).await;
        let still = hidden_files(&world).await;
        for name in &left {
            assert!(still.contains(name), "{name} went although it may be in use");
        }

        world.die().await;
        world.advance(DAY + 3_600_000);
        // The cluster's time goes on as well, so that what is written now is young.
        control.advance(DAY + 3_600_000);
        let (old, now) = (world.now() - DAY - 1_800_000, world.now());
        let environment = format!("/penstock/environments/{}", world.environment.id);
        let home = format!("/penstock/teams/{TEAM_USER}");
        let put = |path: &str, owner: &str, modified: i64| {
            control.put_file(path, "left over", owner, 0o644);
            control.set_modified(path, modified);
        };
        let gone = [
            (
                format!("{environment}/files/{}", hidden(old, "a.jar")),
                "penstock",
            ),
            (
                format!("{environment}/snapshots/{}", hidden(old, "1.json")),
                "penstock",
            ),
            (format!("/penstock/runner/{}", hidden(old, "r.jar")), "penstock"),
            (format!("/penstock/{}", hidden(old, "penstock.json")), "penstock"),
            (format!("{home}/artifacts/{}", hidden(old, "b.jar")), TEAM_USER),
            (format!("{home}/prepared/{}", hidden(old, "c.sql")), TEAM_USER),
        ];
        control.put_dir(&format!("{environment}/snapshots"), "penstock", 0o755);
        for (index, (path, owner)) in gone.iter().enumerate() {
            put(path, owner, if index % 2 == 0 { old } else { MTIME });
        }
        let upper = hidden(old, "shout.jar").to_ascii_uppercase();
        let stays = [
            // Young by its name, by its time, or by both.
            (format!("{environment}/files/{}", hidden(now, "y.jar")), MTIME),
            (format!("{environment}/files/{}", hidden(old, "y.jar")), now),
            (format!("{home}/prepared/{}", hidden(now, "y.sql")), now),
            // Not of our shape.
            (
                format!("{environment}/files/.broken-{}", &hidden(old, "x.jar")[1..]),
                old,
            ),
            (format!("{environment}/files/.DS_Store"), old),
            (format!("{environment}/files/{upper}"), old),
            (
                format!("{environment}/files/{}", &hidden(old, "visible.jar")[1..]),
                old,
            ),
            (format!("{home}/prepared/.sparkStaging-123"), old),
            // Not in a directory of ours, or not of ours at all.
            (format!("/penstock/elsewhere/{}", hidden(old, "e.jar")), old),
            (
                format!("/penstock/teams/somebody/prepared/{}", hidden(old, "s.sql")),
                old,
            ),
        ];
        control.put_dir("/penstock/elsewhere", "penstock", 0o755);
        control.put_dir("/penstock/teams/somebody", "somebody", 0o700);
        control.put_dir("/penstock/teams/somebody/prepared", "somebody", 0o700);
        for (path, modified) in &stays {
            put(path, "penstock", *modified);
        }

        // In a root of somebody else nothing goes.
        let marker = "/penstock/penstock.json";
        let mine = control.read_file(marker).unwrap();
        control.put_file(marker, r#"{"deployment":"dep_other"}"#, "penstock", 0o644);
        let before = hidden_files(&world).await;
        world.restart().await;
        swept(&world).await;
        assert_eq!(hidden_files(&world).await, before, "swept in a foreign root");

        world.die().await;
        control.put_file(marker, mine, "penstock", 0o644);
        world.restart().await;
        until("the left-overs go", || async {
            let there = hidden_files(&world).await;
            let ours = gone.iter().map(|(path, _)| path).chain(&left);
            ours.into_iter().all(|path| !there.contains(path)).then_some(())
        })
        .await;
        swept(&world).await;
        let files = control.files_below("/penstock");
        for (path, _) in &stays {
            assert!(files.iter().any(|file| &file.path == path), "{path} went");
        }
        world.end().await;
    }
}

/// Waits until retention has looked through everything once.
async fn swept(world: &World) {
    until("retention ran", || async {
        let status = world.life().ask(|service| async move { service.status() }).await;
        status
            .get(&service::reconcile::Name::Retention)
            .filter(|status| status.activations > 0)
            .map(|status| assert_eq!(status.failures, 0, "{status:?}"))
    })
    .await;
}

async fn stored(world: &World) -> domain::id::RunId {
    let query = domain::run::RunQuery {
        limit: 2,
        ..Default::default()
    };
    let runs = store::runs::list(&world.db, &domain::Scope::All, &query)
        .await
        .unwrap();
    runs.items.first().expect("a run").id.clone()
}
