//! The client of a driver's REST interface against a server that answers what Spark, and YARN's proxy
//! after the end of an application, answer.
#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too")]

use net::Url;
use spark::rest::{Client, Error, JobStatus, Observation};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const APPLICATION: &str = "application_1795207336844_0016";

/// Answers one request after the other, whatever is asked; the request lines are the result.
async fn asked<T>(
    status: u16,
    kind: &'static str,
    body: &'static str,
    with: impl AsyncFnOnce(Client) -> T,
) -> (T, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/proxy/{APPLICATION}", listener.local_addr().unwrap());
    let query = vec![("user.name".to_owned(), "team_a".to_owned())];
    let client = Client::new(
        net::Client::new().unwrap(),
        Url::parse(&base).unwrap(),
        query,
        APPLICATION,
    );
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        let mut buffer = [0; 1024];
        while !head.windows(4).any(|w| w == b"\r\n\r\n") {
            let n = socket.read(&mut buffer).await.unwrap();
            assert!(n > 0);
            head.extend_from_slice(&buffer[..n]);
        }
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(answer.as_bytes()).await.unwrap();
        let head = String::from_utf8(head).unwrap();
        head.lines().next().unwrap().to_owned()
    };
    tokio::join!(with(client), serve)
}

#[tokio::test]
async fn jobs_stages_and_executors_are_read() {
    let (jobs, line) = asked(
        200,
        "application/json",
        include_str!("samples/jobs.json"),
        async |c| c.jobs().await,
    )
    .await;
    assert_eq!(
        line,
        format!("GET /proxy/{APPLICATION}/api/v1/applications/{APPLICATION}/jobs?user.name=team_a HTTP/1.1")
    );
    let Observation::Known(jobs) = jobs else {
        panic!("{jobs:?}")
    };
    assert_eq!((jobs.len(), &jobs[0].status), (3, &JobStatus::Succeeded));
    assert_eq!(jobs[0].submission_time, Some(1_795_208_811_348));
    let progress = spark::rest::Progress::of(&jobs);
    assert_eq!(
        (progress.jobs, progress.tasks, progress.tasks_completed),
        (3, 23, 23)
    );

    let (stages, line) = asked(
        200,
        "application/json",
        include_str!("samples/stages.json"),
        async |c| c.active_stages().await,
    )
    .await;
    assert!(line.contains("/stages?user.name=team_a&status=active "), "{line}");
    let Observation::Known(stages) = stages else {
        panic!("{stages:?}")
    };
    assert_eq!((stages[0].stage_id, stages[0].num_complete_tasks), (49, 1));

    let (executors, _) = asked(
        200,
        "application/json",
        include_str!("samples/allexecutors.json"),
        async |c| c.executors().await,
    )
    .await;
    let Observation::Known(executors) = executors else {
        panic!("{executors:?}")
    };
    assert_eq!(
        (executors[0].id.as_str(), executors[0].completed_tasks),
        ("1", 89)
    );
    assert_eq!(
        executors[0].attributes.container,
        "container_1795207336844_0016_01_000002"
    );
}

#[tokio::test]
async fn an_ended_application_is_gone_and_a_starting_one_is_not() {
    for (status, kind, body) in [
        (302, "text/html", ""),
        (200, "text/html", "<html>application page</html>"),
        (404, "text/plain", "no such app"),
    ] {
        let (seen, _) = asked(status, kind, body, async |c| c.progress().await).await;
        assert_eq!(seen, Observation::Gone, "{status}");
    }
    let waiting = "Spark is starting up. Please wait a while until it's ready.";
    let (seen, _) = asked(503, "text/plain", waiting, async |c| c.progress().await).await;
    assert!(
        matches!(&seen, Observation::Inconclusive(Error::Refused { status: 503, reason, .. }) if reason == waiting),
        "{seen:?}"
    );
    let (seen, _) = asked(200, "application/json", "[{\"jobId\":\"x\"}]", async |c| {
        c.jobs().await
    })
    .await;
    assert!(
        matches!(seen, Observation::Inconclusive(Error::NotUnderstood { .. })),
        "{seen:?}"
    );
}
