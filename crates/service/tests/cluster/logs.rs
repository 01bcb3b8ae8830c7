//! Logs of a run: while its containers write, while the cluster collects them, and afterwards.

use crate::support::{TEAM_USER, World, until};
use domain::{
    Code, Failure, Role, Viewer,
    id::RunId,
    logs::{LogContainer, LogPage, LogQuery},
    run::{Run, RunState},
};
use futures::StreamExt;
use service::Service;
use testkit::FinalStatus;

type Answer<T> = Result<T, Failure>;

async fn containers(world: &World, viewer: &Viewer, run: &RunId) -> Answer<Vec<LogContainer>> {
    let (viewer, run) = (viewer.clone(), run.clone());
    let call = |service: Service| async move { service.log_containers(&viewer, &run).await };
    world.life().ask(call).await.map_err(|error| error.failure)
}

async fn page(world: &World, run: &RunId, container: &str, file: &str, query: LogQuery) -> Answer<LogPage> {
    let (viewer, run) = (world.viewer.clone(), run.clone());
    let (container, file) = (container.to_owned(), file.to_owned());
    let call =
        |service: Service| async move { service.log_page(&viewer, &run, &container, &file, query).await };
    world.life().ask(call).await.map_err(|error| error.failure)
}

async fn download(world: &World, run: &RunId, container: &str, file: &str) -> Vec<u8> {
    let (viewer, run) = (world.viewer.clone(), run.clone());
    let (container, file) = (container.to_owned(), file.to_owned());
    let call = |service: Service| async move {
        let mut download = service
            .log_download(&viewer, &run, &container, &file)
            .await
            .unwrap();
        let mut all = Vec::new();
        while let Some(chunk) = download.next().await {
            all.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(all.len() as u64, download.length);
        all
    };
    world.life().ask(call).await
}

fn all() -> LogQuery {
    LogQuery {
        from_line: Some(1),
        limit: Some(2000),
        search: None,
    }
}

fn code<T: std::fmt::Debug>(answer: Answer<T>) -> Code {
    answer.unwrap_err().code
}

/// A run that is up, its application and the container of its master.
async fn running(world: &World) -> (Run, String, String) {
    let run = world.start().await;
    let run = world.when_state(&run.id, RunState::Running).await;
    let app = run.external_id.clone().unwrap();
    let list = containers(world, &world.viewer, &run.id).await.unwrap();
    let master = list.iter().find(|c| c.role == "jobmanager").unwrap();
    assert!(master.running && master.node.is_some());
    (run, app, master.id.clone())
}

fn put_vint(out: &mut Vec<u8>, n: i64) {
    if (0..=127).contains(&n) {
        out.push(n as u8);
    } else {
        out.push(0x7f_u8.wrapping_add(8));
        out.extend(n.to_be_bytes());
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_vint(out, text.len() as i64);
    out.extend(text.as_bytes());
}

fn put_utf(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}

/// What a node writes when it has collected the logs of its containers.
fn aggregated(logs: &[(&str, &str, &[u8])]) -> Vec<u8> {
    const MAGIC: [u8; 16] = [
        0xd1, 0x11, 0xd3, 0x68, 0x91, 0xb5, 0xd7, 0xb6, 0x39, 0xdf, 0x41, 0x40, 0x92, 0xba, 0xe1, 0x50,
    ];
    let mut block = Vec::new();
    for (container, name, content) in logs {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        put_utf(&mut key, container);
        put_utf(&mut value, name);
        put_utf(&mut value, &content.len().to_string());
        value.extend(*content);
        for part in [key, value] {
            put_vint(&mut block, part.len() as i64);
            block.extend(part);
        }
    }
    let mut index = Vec::new();
    put_text(&mut index, "none");
    for n in [1, 0, block.len(), block.len()] {
        put_vint(&mut index, n as i64);
    }
    let place = [block.len(), index.len(), index.len()];
    let mut file = [block, index].concat();
    let at = file.len() as u64;
    put_vint(&mut file, 1);
    put_text(&mut file, "data:BCFile.index");
    put_text(&mut file, "none");
    for n in place {
        put_vint(&mut file, n as i64);
    }
    file.extend(at.to_be_bytes());
    file.extend([0, 1, 0, 0]);
    file.extend(MAGIC);
    file
}

#[tokio::test]
async fn a_growing_log_is_followed_until_it_is_collected() {
    let mut world = World::simple().await;
    let (run, app, master) = running(&world).await;
    let control = world.fake.control().clone();
    let line = |n: u32| {
        format!(
            "2026-11-21 10:00:00,000 {} line {n}\n",
            if n == 700 { "ERROR" } else { "INFO" }
        )
    };
    let first: String = (1..=1000).map(line).collect();
    let second: String = (1001..=9000).map(line).collect();
    control.append_log(&app, 0, "x.log", &first);
    let got = page(&world, &run.id, &master, "x.log", LogQuery::default())
        .await
        .unwrap();
    assert_eq!((got.from_line, got.total_lines, got.running), (501, 1000, true));
    assert_eq!((got.errors, got.first_error), (1, Some(700)));
    assert_eq!(got.lines.last().unwrap(), line(1000).trim_end());

    control.append_log(&app, 0, "x.log", &second);
    let query = LogQuery {
        from_line: Some(8999),
        limit: Some(5),
        search: Some("LINE 700".into()),
    };
    let got = until("the new lines are there", || async {
        let got = page(&world, &run.id, &master, "x.log", query.clone())
            .await
            .unwrap();
        (got.total_lines == 9000).then_some(got)
    })
    .await;
    assert_eq!(got.lines, [line(8999).trim_end(), line(9000).trim_end()]);
    assert_eq!(got.hits, [vec![700], (7000..=7009).collect()].concat());
    assert_eq!(
        download(&world, &run.id, &master, "x.log").await,
        (first.clone() + &second).into_bytes()
    );

    // Not here yet: what was read stays readable, the list waits.
    control.finish(&app, FinalStatus::Succeeded, "");
    world.when_state(&run.id, RunState::Finished).await;
    assert_eq!(
        code(containers(&world, &world.viewer, &run.id).await),
        Code::LogsNotReady
    );
    assert_eq!(
        code(page(&world, &run.id, &master, "other.log", all()).await),
        Code::LogsNotReady
    );
    until("the container is seen to have ended", || async {
        let kept = page(&world, &run.id, &master, "x.log", all()).await.unwrap();
        assert_eq!(kept.total_lines, 9000);
        (!kept.running).then_some(())
    })
    .await;

    let whole = first + &second + "2026-11-21 10:00:01,000 WARN the end\n";
    let worker = master.replace("_000001", "_000002");
    let file = aggregated(&[
        (&master, "x.log", whole.as_bytes()),
        (&master, "empty.out", b""),
        (&worker, "taskmanager.log", b"one line"),
    ]);
    control.put_file(
        &control.aggregated_log_path(&app, TEAM_USER),
        file,
        TEAM_USER,
        0o640,
    );
    let list = containers(&world, &world.viewer, &run.id).await.unwrap();
    let shown: Vec<_> = list
        .iter()
        .map(|c| (c.id.as_str(), c.role.as_str(), c.running, c.files.len()))
        .collect();
    assert_eq!(
        shown,
        [
            (master.as_str(), "jobmanager", false, 2),
            (worker.as_str(), "taskmanager", false, 1)
        ]
    );
    let got = until("the end is there", || async {
        let got = page(&world, &run.id, &master, "x.log", all()).await.unwrap();
        (got.total_lines == 9001).then_some(got)
    })
    .await;
    assert_eq!(
        (got.warnings, got.running, got.bytes),
        (1, false, whole.len() as i64)
    );
    let one = page(&world, &run.id, &worker, "taskmanager.log", all())
        .await
        .unwrap();
    assert_eq!(one.lines, ["one line"]);
    assert_eq!(
        page(&world, &run.id, &master, "empty.out", all())
            .await
            .unwrap()
            .total_lines,
        0
    );
    assert_eq!(
        code(page(&world, &run.id, &master, "nope", all()).await),
        Code::NotFound
    );

    // The whole file is here: neither a restart nor its end on the cluster takes it away.
    world.restart().await;
    assert!(control.remove_file(&control.aggregated_log_path(&app, TEAM_USER)));
    assert_eq!(
        download(&world, &run.id, &master, "x.log").await,
        whole.into_bytes()
    );
    world.end().await;
}

#[tokio::test]
async fn a_log_that_rolls_over_starts_again() {
    let world = World::simple().await;
    let (run, app, master) = running(&world).await;
    let control = world.fake.control();
    control.append_log(&app, 0, "a.log", "old\n".repeat(100));
    assert_eq!(
        page(&world, &run.id, &master, "a.log", all())
            .await
            .unwrap()
            .total_lines,
        100
    );
    control.finish(&app, FinalStatus::Failed, "boom");
    world.when_state(&run.id, RunState::Failed).await;
    let file = aggregated(&[(&master, "a.log", b"new\n")]);
    control.put_file(
        &control.aggregated_log_path(&app, TEAM_USER),
        file,
        TEAM_USER,
        0o640,
    );
    until("the new file is shown", || async {
        let got = page(&world, &run.id, &master, "a.log", all()).await.unwrap();
        (got.lines == ["new"]).then_some(())
    })
    .await;
    world.end().await;
}

#[tokio::test]
async fn names_from_addresses_lead_nowhere_else() {
    let world = World::simple().await;
    let (run, app, master) = running(&world).await;
    world.fake.control().append_log(&app, 0, "a.log", "x\n");
    let foreign = master
        .replace("_01_", "_99_")
        .replacen("container_", "container_1", 1);
    for container in [foreign.as_str(), "container_1_0001_01_000001", "../x", ""] {
        assert_eq!(
            code(page(&world, &run.id, container, "a.log", all()).await),
            Code::NotFound,
            "{container}"
        );
    }
    for file in ["", "..", "a/b", "../a.log", "missing.log", "a.log\n"] {
        assert_eq!(
            code(page(&world, &run.id, &master, file, all()).await),
            Code::NotFound,
            "{file:?}"
        );
    }
    let long = LogQuery {
        search: Some("x".repeat(1001)),
        ..all()
    };
    assert_eq!(
        code(page(&world, &run.id, &master, "a.log", long).await),
        Code::FieldTooLong
    );
    world.end().await;
}

#[tokio::test]
async fn seeing_a_run_is_not_reading_its_logs() {
    let world = World::simple().await;
    let (run, _, _) = running(&world).await;
    let admin = world.admin.clone();
    let people = world.life().ask(move |service| async move {
        let mut people = Vec::new();
        for (name, role) in [
            ("reader", Role::Viewer),
            ("other", Role::Developer),
            ("op", Role::Operator),
        ] {
            people.push(crate::support::person(&service, &admin, name, "a", role).await);
        }
        service.create_team(&admin, "b").await.unwrap();
        people.push(crate::support::person(&service, &admin, "stranger", "b", Role::Operator).await);
        people
    });
    let people = people.await;
    let wanted = [
        Some(Code::Forbidden),
        Some(Code::Forbidden),
        None,
        Some(Code::NotFound),
    ];
    for (viewer, wanted) in people.iter().zip(wanted) {
        let got = containers(&world, viewer, &run.id)
            .await
            .err()
            .map(|failure| failure.code);
        assert_eq!(got, wanted, "{}", viewer.name);
    }
    world.end().await;
}
