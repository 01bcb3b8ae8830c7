//! The client of a job's REST interface against a server that answers what Flink, and YARN's proxy
//! after the end of an application, answer.
#![allow(clippy::unwrap_used, reason = "helpers outside of test functions unwrap too")]

use flink::rest::{Cancel, Client, Error, JobState, Observation, Order, Progress, is_job_id};
use net::Url;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const JOB: &str = "7c2519a77d8d9d765799e7b11f9f56ad";
const OVERVIEW: &str = r#"{"jobs":[{"jid":"7c2519a77d8d9d765799e7b11f9f56ad","name":"runner test","jobType":"STREAMING","schedulerType":"Default","start-time":1795257820054,"end-time":-1,"duration":917,"state":"RUNNING","last-modification":1795257820971,"tasks":{"running":1,"canceling":0,"canceled":0,"total":2,"created":0,"scheduled":1,"deploying":0,"reconciling":0,"finished":0,"initializing":0,"failed":0},"pending-operators":0}]}"#;
const DETAILS: &str = r#"{"jid":"7c2519a77d8d9d765799e7b11f9f56ad","name":"x","job-type":null,"isStoppable":false,"state":"RUNNING","start-time":1,"end-time":-1,"duration":5,"vertices":[{"id":"a","name":"Source","maxParallelism":128,"parallelism":2,"status":"RUNNING","tasks":{"CREATED":0,"RUNNING":2,"FINISHED":0},"metrics":{}},{"id":"b","name":"Sink","parallelism":1,"status":"FINISHED","tasks":{"FINISHED":1}}],"plan":{}}"#;

/// Answers by `METHOD path` with status, type and body; keeps the request lines.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: &'static [(&'static str, u16, &'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else {
                    return;
                };
                let mut head = Vec::new();
                let mut buffer = [0; 1024];
                while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                    match socket.read(&mut buffer).await {
                        Ok(n) if n > 0 => head.extend_from_slice(&buffer[..n]),
                        _ => break,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let line = head.lines().next().unwrap_or_default().to_owned();
                let asked = line.trim_end_matches(" HTTP/1.1");
                let (status, kind, body) = answers.iter().find(|(what, ..)| *what == asked).map_or(
                    (404, "text/html", "<html>Not Found</html>"),
                    |(_, status, kind, body)| (*status, *kind, *body),
                );
                log.lock().unwrap().push(asked.to_owned());
                let location = if status == 302 {
                    "Location: http://127.0.0.1:1/cluster/app/x\r\n"
                } else {
                    ""
                };
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{location}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, seen }
    }

    fn direct(&self) -> Client {
        Client::direct(net::Client::new().unwrap(), &self.address).unwrap()
    }

    fn proxied(&self) -> Client {
        let base = Url::parse(&format!("http://{}/proxy/application_1_0001", self.address)).unwrap();
        let query = vec![("user.name".to_owned(), "team_a".to_owned())];
        Client::proxied(net::Client::new().unwrap(), base, query)
    }
}

fn known<T>(observation: Observation<T>) -> T {
    match observation {
        Observation::Known(value) => value,
        Observation::Gone => panic!("gone"),
        Observation::Inconclusive(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn answers_of_a_running_job_are_read() {
    let server = Server::start(&[
        ("GET /jobs/overview", 200, "application/json", OVERVIEW),
        ("GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad", 200, "application/json", DETAILS),
        (
            "GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad/exceptions",
            200,
            "application/json",
            include_str!("samples/exceptions.json"),
        ),
        (
            "GET /taskmanagers",
            200,
            "application/json",
            r#"{"taskmanagers":[{"id":"container_1","path":"pekko://x","dataPort":1,"slotsNumber":2,"freeSlots":1,"totalResource":{"cpuCores":1.0}}]}"#,
        ),
        (
            "GET /jobmanager/config",
            200,
            "application/json",
            r#"[{"key":"rest.bind-port","value":"0"},{"key":"high-availability.cluster-id","value":"application_1_0001"}]"#,
        ),
        ("PATCH /jobs/7c2519a77d8d9d765799e7b11f9f56ad?mode=cancel", 202, "application/json", "{}"),
    ])
    .await;
    let client = server.direct();
    let jobs = known(client.jobs_overview().await);
    assert_eq!(
        (jobs[0].jid.as_str(), &jobs[0].state, jobs[0].end_time),
        (JOB, &JobState::Running, -1)
    );
    assert!(!jobs[0].tasks.are_running());
    let job = known(client.job(JOB).await);
    assert_eq!((job.tasks().total, job.tasks().running), (3, 2));
    assert!(job.tasks().are_running());
    let exceptions = known(client.exceptions(JOB).await);
    assert_eq!(
        flink::stack::root(&exceptions.stacks()[0]).unwrap().text(),
        "ArithmeticException: / by zero"
    );
    assert_eq!(
        exceptions.history.entries[0].concurrent[0].task.as_deref(),
        Some("Source: a[3] -> Calc[4] -> Sink: Filesystem (1/1) - execution #0")
    );
    let managers = known(client.taskmanagers().await);
    assert_eq!((managers[0].slots, managers[0].free_slots), (2, 1));
    assert_eq!(
        known(client.application().await).as_deref(),
        Some("application_1_0001")
    );
    assert_eq!(known(client.cancel(JOB).await), Cancel::Accepted);
}

#[tokio::test]
async fn an_unknown_job_is_gone_and_an_ended_one_is_ended() {
    let server = Server::start(&[
        (
            "GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad",
            404,
            "application/json",
            r#"{"errors":["org.apache.flink.runtime.rest.NotFoundException: Job 7c25 not found"]}"#,
        ),
        (
            "PATCH /jobs/7c2519a77d8d9d765799e7b11f9f56ad?mode=cancel",
            409,
            "application/json",
            r#"{"errors":["Job cancellation failed because the job has already reached another terminal state (FINISHED)."]}"#,
        ),
        (
            "GET /taskmanagers",
            500,
            "application/json",
            r#"{"errors":["Internal server error.","<Exception on server side:\nboom"]}"#,
        ),
        ("GET /config", 200, "text/html", "<html>some other server</html>"),
    ])
    .await;
    let client = server.direct();
    assert_eq!(client.job(JOB).await, Observation::Gone);
    assert_eq!(known(client.cancel(JOB).await), Cancel::Ended);
    let Observation::Inconclusive(Error::Refused { status, reason, .. }) = client.taskmanagers().await else {
        panic!("a fault of the server proves nothing");
    };
    assert_eq!((status, reason.as_str()), (500, "<Exception on server side:"));
    assert!(matches!(
        client.config().await,
        Observation::Inconclusive(Error::NotUnderstood { .. })
    ));
    // A 404 that is not Flink's proves nothing either.
    assert!(matches!(
        client.jobs_overview().await,
        Observation::Inconclusive(_)
    ));
}

#[tokio::test]
async fn behind_the_proxy_redirects_and_pages_mean_gone() {
    let server = Server::start(&[
        (
            "GET /proxy/application_1_0001/jobs/overview?user.name=team_a",
            302,
            "text/html",
            "",
        ),
        (
            "GET /proxy/application_1_0001/taskmanagers?user.name=team_a",
            200,
            "text/html",
            "<html>",
        ),
        (
            "GET /proxy/application_1_0001/jobs/7c2519a77d8d9d765799e7b11f9f56ad/yarn-cancel?user.name=team_a",
            202,
            "application/json",
            "{}",
        ),
    ])
    .await;
    let client = server.proxied();
    assert_eq!(client.jobs_overview().await, Observation::Gone);
    assert_eq!(client.taskmanagers().await, Observation::Gone);
    assert_eq!(known(client.cancel(JOB).await), Cancel::Accepted);
    assert_eq!(server.seen.lock().unwrap().len(), 3, "a redirect is not followed");
}

#[tokio::test]
async fn nobody_there_is_inconclusive() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = Client::direct(net::Client::new().unwrap(), &address).unwrap();
    assert!(matches!(
        client.job(JOB).await,
        Observation::Inconclusive(Error::Unreachable { .. })
    ));
}

#[tokio::test]
async fn ids_and_addresses_cannot_leave_their_place() {
    let server = Server::start(&[]).await;
    for id in [
        "",
        "../../x",
        "7c2519a77d8d9d765799e7b11f9f56a/",
        "é",
        &"a".repeat(33),
    ] {
        assert!(!is_job_id(id));
        assert_eq!(server.direct().job(id).await, Observation::Gone);
        assert_eq!(server.direct().cancel(id).await, Observation::Gone);
    }
    assert!(server.seen.lock().unwrap().is_empty());
    let http = net::Client::new().unwrap();
    for bad in [
        "",
        "host",
        "host:",
        "host:0",
        "host:99999",
        "u@host:1",
        "host/x:1",
        "ho st:1",
        ":1",
    ] {
        assert!(Client::direct(http.clone(), bad).is_none(), "{bad}");
    }
    assert_eq!(
        Client::direct(http, "::1:8081").unwrap().endpoint(),
        "http://[::1]:8081/"
    );
}

#[tokio::test]
async fn savepoints_are_ordered_and_followed() {
    let server = Server::start(&[
        (
            "POST /jobs/7c2519a77d8d9d765799e7b11f9f56ad/savepoints",
            202,
            "application/json",
            r#"{"request-id":"00000000000000000000000000000001"}"#,
        ),
        (
            "POST /jobs/7c2519a77d8d9d765799e7b11f9f56ad/stop",
            400,
            "application/json",
            r#"{"errors":["Config key [state.savepoints.dir] is not set."]}"#,
        ),
        (
            "GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad/savepoints/00000000000000000000000000000001",
            200,
            "application/json",
            r#"{"status":{"id":"IN_PROGRESS"},"operation":null}"#,
        ),
        (
            "GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad/savepoints/00000000000000000000000000000002",
            200,
            "application/json",
            r#"{"status":{"id":"COMPLETED"},"operation":{"location":"hdfs://nn:8020/a/savepoint-7c2519-1","failure-cause":null}}"#,
        ),
        (
            "GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad/savepoints/00000000000000000000000000000003",
            200,
            "application/json",
            r#"{"status":{"id":"COMPLETED"},"operation":{"failure-cause":{"class":"java.util.concurrent.CompletionException","stack-trace":"java.util.concurrent.CompletionException: x\n\tat a.B.c(D.java:1)\nCaused by: org.apache.flink.runtime.checkpoint.CheckpointException: Checkpoint triggering task Source is not being executed at the moment.\n\tat e.F\n\t... 3 more\n","serialized-throwable":"rO0AB"}}}"#,
        ),
        (
            "GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad/savepoints/00000000000000000000000000000004",
            404,
            "application/json",
            r#"{"errors":["There is no savepoint operation with triggerId=4"]}"#,
        ),
        (
            "GET /jobs/7c2519a77d8d9d765799e7b11f9f56ad/checkpoints",
            200,
            "application/json",
            r#"{"counts":{"completed":2},"latest":{"completed":{"@class":"completed","id":2,"status":"COMPLETED","is_savepoint":false,"external_path":"hdfs://nn:8020/c/7c/chk-2","discarded":false},"savepoint":null},"history":[]}"#,
        ),
    ])
    .await;
    let client = server.direct();
    let trigger = |n: u32| format!("{n:032x}");
    let one = trigger(1);
    let order = Order {
        trigger: &one,
        directory: "hdfs://nn:8020/a",
        format: "CANONICAL",
    };
    known(client.take_savepoint(JOB, order).await);
    let refused = client.stop_with_savepoint(JOB, order, false).await;
    assert!(
        matches!(&refused, Observation::Inconclusive(Error::Refused { status: 400, reason, .. }) if reason.contains("state.savepoints.dir")),
        "{refused:?}"
    );
    assert_eq!(known(client.savepoint(JOB, &one).await), Progress::InProgress);
    assert_eq!(
        known(client.savepoint(JOB, &trigger(2)).await),
        Progress::Taken("hdfs://nn:8020/a/savepoint-7c2519-1".into())
    );
    assert_eq!(
        known(client.savepoint(JOB, &trigger(3)).await),
        Progress::Failed(
            "org.apache.flink.runtime.checkpoint.CheckpointException: \
             Checkpoint triggering task Source is not being executed at the moment."
                .into()
        )
    );
    assert_eq!(client.savepoint(JOB, &trigger(4)).await, Observation::Gone);
    assert_eq!(client.savepoint(JOB, "../../x").await, Observation::Gone);
    assert_eq!(
        known(client.newest_checkpoint(JOB).await).as_deref(),
        Some("hdfs://nn:8020/c/7c/chk-2")
    );
}
