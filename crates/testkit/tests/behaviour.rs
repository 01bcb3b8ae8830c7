//! What the fake does beyond the contract: faults, outages, forgetting, and a Flink application.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed assertion is the purpose"
)]

use net::{Client, Reply, Url};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{
    Action, Chaos, Deed, FakeCluster, Fault, FinalStatus, ManualClock, Move, Options, Script, Service, Time,
};

const APPS: &str = "/ws/v1/cluster/apps";
const PATIENCE: Duration = Duration::from_secs(10);

struct Caller {
    http: Client,
}

impl Caller {
    fn new() -> Self {
        Self {
            http: Client::new().unwrap(),
        }
    }

    async fn call(&self, method: &str, url: &str, user: &str, body: &str) -> Result<Reply, net::Error> {
        let kind = if body.starts_with('<') {
            "application/xml"
        } else {
            "application/json"
        };
        let method = net::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, Url::parse(url).unwrap())
            .query("user.name", user);
        if !body.is_empty() {
            request = request.body(kind, body.to_owned());
        }
        request.once().send().await
    }

    async fn json(&self, url: &str) -> Value {
        let reply = self.call("GET", url, "penstock", "").await.unwrap();
        serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("{url}: {}", reply.text()))
    }

    async fn new_app(&self, cluster: &FakeCluster) -> String {
        let url = format!("{}{APPS}/new-application", cluster.rm_url);
        let reply = self.call("POST", &url, "penstock", "").await.unwrap();
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["application-id"].as_str().unwrap().to_owned()
    }

    async fn submit(&self, cluster: &FakeCluster, xml: &str) -> Result<u16, net::Error> {
        let reply = self
            .call("POST", &format!("{}{APPS}", cluster.rm_url), "penstock", xml)
            .await?;
        Ok(reply.status.as_u16())
    }
}

fn flink(id: &str, tag: &str) -> String {
    context(id, tag, "root.default", "Apache Flink", "")
}

fn context(id: &str, tag: &str, queue: &str, kind: &str, spec: &str) -> String {
    format!(
        "<application-submission-context><application-id>{id}</application-id>\
         <application-name>job</application-name><queue>{queue}</queue><am-container-spec>{spec}\
         <environment><entry><key>_FLINK_YARN_FILES</key>\
         <value>hdfs://127.0.0.1:8020/user/penstock/runs/r1</value></entry></environment>\
         <commands><command>java X -D '\\$internal.pipeline.job-id=0123456789abcdef0123456789abcdef' \
         -D jobmanager.archive.fs.dir=hdfs://127.0.0.1:8020/user/penstock/archive</command></commands>\
         </am-container-spec><max-app-attempts>1</max-app-attempts><resource><memory>1024</memory><vCores>1</vCores></resource>\
         <application-type>{kind}</application-type><application-tags><tag>{tag}</tag></application-tags>\
         </application-submission-context>"
    )
}

async fn running(cluster: &FakeCluster, caller: &Caller) -> String {
    let id = caller.new_app(cluster).await;
    assert_eq!(caller.submit(cluster, &flink(&id, "T")).await.unwrap(), 202);
    let url = format!("{}/proxy/{id}/jobs/overview", cluster.rm_url);
    let ready = cluster
        .control()
        .wait_app(&id, PATIENCE, |app| app.job.is_some())
        .await;
    assert!(ready.is_some());
    let end = tokio::time::Instant::now() + PATIENCE;
    while caller.json(&url).await["jobs"][0]["tasks"]["running"] != 2 {
        assert!(tokio::time::Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    id
}

#[tokio::test]
async fn a_lost_answer_hides_a_submission_that_was_made() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let control = cluster.control();
    let id = caller.new_app(&cluster).await;
    control.fault(Fault::on_submit(Action::DropBefore));
    control.fault(Fault::on_submit(Action::ProcessThenDrop).nth(2));
    let lost = caller.submit(&cluster, &flink(&id, "Tag-A")).await.unwrap_err();
    assert!(matches!(lost, net::Error::Broken { .. }), "{lost:?}");
    cluster.checker().assert_none("tag-a").await;
    let lost = caller.submit(&cluster, &flink(&id, "Tag-A")).await.unwrap_err();
    assert!(matches!(lost, net::Error::Broken { .. }), "{lost:?}");
    assert_eq!(caller.submit(&cluster, &flink(&id, "Tag-A")).await.unwrap(), 202);
    let one = cluster.checker().assert_exactly_one("TAG-A").await;
    assert_eq!((one.id.as_str(), one.user.as_str()), (id.as_str(), "penstock"));
    assert_eq!((control.posts(&id), control.started_with_tag("Tag-A")), (2, 1));
    let second = caller.new_app(&cluster).await;
    caller.submit(&cluster, &flink(&second, "Tag-A")).await.unwrap();
    assert_eq!(
        control.started_with_tag("tag-a"),
        2,
        "a second start does not stay unseen"
    );
}

#[tokio::test]
async fn a_late_submission_is_made_although_its_caller_has_gone() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let id = caller.new_app(&cluster).await;
    cluster.control().fault(Fault::on_submit(Action::Delay(300)));
    let url = Url::parse(&format!("{}{APPS}?user.name=penstock", cluster.rm_url)).unwrap();
    let post = caller.http.post(url).body("application/xml", flink(&id, "late"));
    let error = post.timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(matches!(error, net::Error::Timeout { .. }), "{error:?}");
    assert!(cluster.control().app(&id).is_none());
    assert!(
        cluster
            .control()
            .wait_app(&id, PATIENCE, |_| true)
            .await
            .is_some()
    );
}

#[tokio::test]
async fn other_faults_answer_as_scripted() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let control = cluster.control();
    let on = |action| {
        Fault::on(Service::Rm, action)
            .method("GET")
            .path("/ws/v1/cluster/info")
    };
    control.fault(on(Action::Status(502, "<html>bad gateway</html>".into())));
    control.fault(on(Action::Garbage).nth(2));
    control.fault(on(Action::Truncate).nth(3));
    let url = format!("{}/ws/v1/cluster/info", cluster.rm_url);
    let get = async || caller.call("GET", &url, "penstock", "").await;
    assert_eq!(get().await.unwrap().status.as_u16(), 502);
    let garbage = get().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&garbage.body).is_err());
    assert!(matches!(get().await.unwrap_err(), net::Error::Broken { .. }));
    assert_eq!(get().await.unwrap().status.as_u16(), 200);
    control.chaos(Chaos {
        seed: 1,
        per_mille: 1000,
        services: vec![Service::Rm],
        actions: vec![Action::DropBefore],
    });
    assert!(get().await.is_err());
    control.calm();
    assert!(get().await.is_ok());
    let faults: Vec<_> = control
        .history()
        .into_iter()
        .map(|request| request.fault.is_some())
        .collect();
    assert_eq!(faults, [true, true, true, false, true, false]);
}

#[tokio::test]
async fn a_daemon_that_is_down_refuses_connections_and_comes_back() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let id = running(&cluster, &caller).await;
    cluster.control().down(Service::Rm).await;
    let refused = caller.submit(&cluster, &flink(&id, "x")).await.unwrap_err();
    assert!(matches!(refused, net::Error::Connect { .. }), "{refused:?}");
    cluster.control().up(Service::Rm).await.unwrap();
    let app = cluster.checker().application(&id).await.unwrap().unwrap();
    assert_eq!(app.state, "RUNNING");
}

#[tokio::test]
async fn a_restart_keeps_what_the_store_has_or_nothing() {
    let clock = ManualClock::default();
    let options = Options {
        time: Time::Manual(clock.clone()),
        ..Options::default()
    };
    let (cluster, caller) = (FakeCluster::with(options).await, Caller::new());
    let control = cluster.control();
    let started = async || {
        caller
            .json(&format!("{}/ws/v1/cluster/info", cluster.rm_url))
            .await["clusterInfo"]["startedOn"]
            .as_i64()
    };
    let old = caller.new_app(&cluster).await;
    caller.submit(&cluster, &flink(&old, "t")).await.unwrap();
    control.advance(1_000);
    assert_eq!(control.app(&old).unwrap().state, "RUNNING");
    let unsaved = caller.new_app(&cluster).await;
    caller.submit(&cluster, &flink(&unsaved, "t")).await.unwrap();
    assert_eq!(control.app(&unsaved).unwrap().state, "NEW_SAVING");
    let before = started().await;

    control.restart_rm(true).await.unwrap();
    assert_ne!(started().await, before);
    assert!(control.app(&unsaved).is_none(), "202 was not durable yet");
    assert_eq!(
        control.app(&old).unwrap().state,
        "ACCEPTED",
        "until the master registers again"
    );
    control.advance(200);
    assert_eq!(control.app(&old).unwrap().state, "RUNNING");
    assert_eq!(
        caller.submit(&cluster, &flink(&unsaved, "t")).await.unwrap(),
        202,
        "an id of another start"
    );

    control.restart_rm(false).await.unwrap();
    cluster.checker().assert_none("t").await;
}

#[tokio::test]
async fn a_stand_by_points_to_the_active_one_or_says_there_is_none() {
    let options = Options {
        ha: true,
        ..Options::default()
    };
    let (cluster, caller) = (FakeCluster::with(options).await, Caller::new());
    let second = cluster.url(Service::Rm2);
    let reply = caller
        .call("GET", &format!("{second}{APPS}"), "penstock", "")
        .await
        .unwrap();
    assert_eq!(reply.status.as_u16(), 307);
    assert!(
        reply
            .header(net::header::LOCATION)
            .unwrap()
            .starts_with(&cluster.rm_url)
    );
    let info = caller.json(&format!("{second}/ws/v1/cluster/info")).await;
    assert_eq!(info["clusterInfo"]["haState"], "STANDBY");
    cluster.control().standby(Service::Rm);
    let reply = caller
        .call("GET", &format!("{second}{APPS}"), "penstock", "")
        .await
        .unwrap();
    assert!(reply.text().contains("no active RM"));
    cluster.control().standby(Service::Nn);
    let url = format!("{}/webhdfs/v1/tmp?op=GETFILESTATUS", cluster.nn_url);
    let reply = caller.call("GET", &url, "penstock", "").await.unwrap();
    assert!(reply.status.as_u16() == 403 && reply.text().contains("StandbyException"));
}

#[tokio::test]
async fn ended_applications_are_forgotten_and_their_ids_run_again() {
    let options = Options {
        max_completed: 1,
        script: Script::ending(0, FinalStatus::Succeeded, ""),
        ..Options::default()
    };
    let (cluster, caller) = (FakeCluster::with(options).await, Caller::new());
    let control = cluster.control();
    let ids = [caller.new_app(&cluster).await, caller.new_app(&cluster).await];
    for id in &ids {
        caller.submit(&cluster, &flink(id, "t")).await.unwrap();
        assert!(
            control
                .wait_app(id, PATIENCE, |app| app.state == "FINISHED")
                .await
                .is_some()
        );
    }
    assert!(control.app(&ids[0]).is_none());
    caller.submit(&cluster, &flink(&ids[0], "t")).await.unwrap();
    assert_eq!(control.started_with_tag("t"), 3);
}

#[tokio::test]
async fn refusals_and_late_failures() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let id = caller.new_app(&cluster).await;
    let good = flink(&id, "t");
    let post = async |xml: String| caller.submit(&cluster, &xml).await.unwrap();
    assert_eq!(post(good.replace("1024", "999999")).await, 400);
    let many: String = (0..11).map(|n| format!("<tag>t{n}</tag>")).collect();
    assert_eq!(post(good.replace("<tag>t</tag>", &many)).await, 400);
    assert_eq!(
        post(good.replace("application-submission-context", "other")).await,
        400
    );
    assert_eq!(post(good.replace(&id, "")).await, 400);
    let reply = caller
        .call("POST", &format!("{}{APPS}", cluster.rm_url), "penstock", "{}")
        .await
        .unwrap();
    assert_eq!(reply.status.as_u16(), 503);
    assert!(cluster.control().app(&id).is_none());
    assert_eq!(post(context(&id, "t", "root.nope", "X", "")).await, 202);
    let failed = cluster
        .control()
        .wait_app(&id, PATIENCE, |app| app.state == "FAILED")
        .await
        .unwrap();
    assert!(
        failed.diagnostics.contains("unknown queue: root.nope"),
        "{}",
        failed.diagnostics
    );

    cluster
        .control()
        .put_file("/user/penstock/f", "x", "penstock", 0o600);
    let modified = cluster.control().file("/user/penstock/f").unwrap().modified;
    let resource = |visibility: &str, timestamp: i64| {
        format!(
            "<local-resources><entry><key>f</key><value><resource>hdfs://127.0.0.1:8020/user/penstock/f</resource>\
             <type>FILE</type><visibility>{visibility}</visibility><size>1</size><timestamp>{timestamp}</timestamp>\
             </value></entry></local-resources>"
        )
    };
    for (spec, word) in [
        (resource("PRIVATE", modified + 1), "changed on src filesystem"),
        (resource("PUBLIC", modified), "not publicly accessible"),
        (
            resource("PRIVATE", modified).replace("/f<", "/none<"),
            "does not exist",
        ),
        (resource("PRIVATE", modified), ""),
    ] {
        let id = caller.new_app(&cluster).await;
        assert_eq!(post(context(&id, "t", "adhoc", "Apache Flink", &spec)).await, 202);
        let ready = |app: &testkit::AppView| app.state == "FAILED" || app.state == "RUNNING";
        let app = cluster.control().wait_app(&id, PATIENCE, ready).await.unwrap();
        assert_eq!(
            app.state,
            if word.is_empty() { "RUNNING" } else { "FAILED" },
            "{}",
            app.diagnostics
        );
        assert!(app.diagnostics.contains(word), "{}", app.diagnostics);
        assert_eq!(app.queue, "root.adhoc");
    }
}

#[tokio::test]
async fn a_flink_application_is_cancelled_by_its_own_rest() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let control = cluster.control();
    let id = running(&cluster, &caller).await;
    control.put_file("/user/penstock/runs/r1/x", "x", "penstock", 0o600);
    control.put_dir("/user/penstock/runs", "penstock", 0o700);
    control.put_dir("/user/penstock/runs/r1", "penstock", 0o700);
    let app = caller.json(&format!("{}{APPS}/{id}", cluster.rm_url)).await["app"].clone();
    let base = format!("http://{}", app["amRPCAddress"].as_str().unwrap());
    let job = "0123456789abcdef0123456789abcdef";
    assert_eq!(
        caller.json(&format!("{base}/jobs/overview")).await["jobs"][0]["jid"],
        job
    );
    let settings = caller.json(&format!("{base}/jobmanager/config")).await;
    assert!(
        settings
            .as_array()
            .unwrap()
            .contains(&json!({"key": "high-availability.cluster-id", "value": id}))
    );
    control.exception(&id, "java.lang.RuntimeException: boom\n\tat X");
    let history = caller.json(&format!("{base}/jobs/{job}/exceptions")).await;
    assert_eq!(
        history["exceptionHistory"]["entries"][0]["exceptionName"],
        "java.lang.RuntimeException"
    );
    let unknown = caller
        .call("GET", &format!("{base}/jobs/{}", "0".repeat(32)), "x", "")
        .await
        .unwrap();
    assert_eq!(unknown.status.as_u16(), 404);

    let reply = caller
        .call("PATCH", &format!("{base}/jobs/{job}?mode=cancel"), "x", "")
        .await
        .unwrap();
    assert_eq!(reply.status.as_u16(), 202);
    let ended = control
        .wait_app(&id, PATIENCE, |app| app.state == "FINISHED")
        .await
        .unwrap();
    assert_eq!(ended.final_status, FinalStatus::Killed);
    let gone = caller
        .call("GET", &format!("{base}/jobs/overview"), "x", "")
        .await;
    assert!(gone.is_err(), "its server has gone");
    let proxy = caller
        .call("GET", &format!("{}/proxy/{id}/", cluster.rm_url), "x", "")
        .await
        .unwrap();
    assert_eq!(proxy.status.as_u16(), 302);
    assert!(
        control.file("/user/penstock/runs/r1").is_none(),
        "the master tidies up"
    );
    let archive = control.files_below("/user/penstock/archive");
    assert!(
        archive
            .iter()
            .any(|file| file.path.ends_with("/application-summary")),
        "{archive:?}"
    );
}

#[tokio::test]
async fn a_stop_with_savepoint_is_made_once_per_trigger() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let id = running(&cluster, &caller).await;
    let base = format!("http://{}", cluster.control().app(&id).unwrap().server.unwrap());
    let (job, trigger) = ("0123456789abcdef0123456789abcdef", "a".repeat(32));
    let body = json!({"targetDirectory": "hdfs://127.0.0.1:8020/user/penstock/sp", "triggerId": trigger});
    for _ in 0..2 {
        let reply = caller
            .call("POST", &format!("{base}/jobs/{job}/stop"), "x", &body.to_string())
            .await
            .unwrap();
        assert_eq!(reply.status.as_u16(), 202);
    }
    let control = cluster.control();
    let ended = control
        .wait_app(&id, PATIENCE, |app| app.state == "FINISHED")
        .await
        .unwrap();
    assert_eq!(ended.final_status, FinalStatus::Succeeded);
    let deeds = control.deeds();
    assert_eq!(
        deeds
            .iter()
            .filter(|(_, deed)| matches!(deed, Deed::SavepointStarted { .. }))
            .count(),
        1
    );
    let files = control.files_below("/user/penstock/sp");
    assert_eq!(
        files
            .iter()
            .filter(|file| file.path.ends_with("/_metadata"))
            .count(),
        1
    );
}

#[tokio::test]
async fn acls_hide_and_protect_an_application() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let id = running(&cluster, &caller).await;
    let url = format!("{}{APPS}/{id}", cluster.rm_url);
    let reply = caller.call("GET", &url, "team_b", "").await.unwrap();
    let app: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(app["app"]["state"], "RUNNING");
    assert!(app["app"].get("amRPCAddress").is_none() && app["app"]["startedTime"] == 0);
    let kill = async |user: &'static str| {
        let reply = caller
            .call("PUT", &format!("{url}/state"), user, r#"{"state":"KILLED"}"#)
            .await;
        reply.unwrap().status.as_u16()
    };
    assert_eq!(kill("team_b").await, 403);
    assert_eq!(cluster.control().kills(&id), 0);
    assert_eq!(kill("penstock").await, 202);
    let killed = cluster
        .control()
        .wait_app(&id, PATIENCE, |app| app.state == "KILLED")
        .await
        .unwrap();
    assert_eq!(
        killed.diagnostics,
        format!("Application {id} was killed by user penstock")
    );
    assert_eq!(kill("penstock").await, 200);
    let text = caller.call("GET", &url, "penstock", "").await.unwrap().text();
    assert_eq!(
        text.matches("\"entry\":").count(),
        2,
        "the key is there twice: {text}"
    );
    assert!(!text.contains("amRPCAddress"));
}

#[tokio::test]
async fn a_cut_upload_leaves_a_shorter_file() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let control = cluster.control();
    control.fault(Fault::on(Service::Dn, Action::CutUploadAt(1000)).op("create"));
    let url = format!("{}/webhdfs/v1/tmp/part?op=CREATE&noredirect=true", cluster.nn_url);
    let reply = caller.call("PUT", &url, "penstock", "").await.unwrap();
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let target = body["Location"].as_str().unwrap();
    assert!(
        caller
            .call("PUT", target, "penstock", &"x".repeat(5000))
            .await
            .is_err()
    );
    let end = tokio::time::Instant::now() + PATIENCE;
    while control.file("/tmp/part").is_none_or(|file| file.length != 1000) {
        assert!(tokio::time::Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let deed = control.deeds().pop().unwrap().1;
    assert!(
        matches!(
            deed,
            Deed::Written {
                complete: false,
                length: 1000,
                ..
            }
        ),
        "{deed:?}"
    );
    let files = cluster.checker().files_below("/tmp").await.unwrap();
    assert!(
        files
            .iter()
            .any(|file| file.path == "/tmp/part" && file.length == 1000)
    );
}

#[tokio::test]
async fn a_full_or_locked_file_system_says_so() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let control = cluster.control();
    let put = async |path: &str, text: &str| {
        let url = format!("{}/webhdfs/v1{path}?op=CREATE&user.name=penstock", cluster.dn_url);
        let reply = caller.call("PUT", &url, "penstock", text).await.unwrap();
        (reply.status.as_u16(), reply.text())
    };
    control.safe_mode(true);
    let (status, text) = put("/tmp/a", "1").await;
    assert!(status == 403 && text.contains("SafeModeException"), "{text}");
    control.safe_mode(false);
    control.no_space(true);
    assert!(
        put("/tmp/a", "1")
            .await
            .1
            .contains("could only be written to 0 of")
    );
    control.no_space(false);
    control.quota("/tmp", Some(3));
    assert_eq!(put("/tmp/b", "123").await.0, 201);
    assert!(put("/tmp/c", "1").await.1.contains("DSQuotaExceededException"));
    assert_eq!(cluster.checker().read("/tmp/b").await.unwrap(), b"123");
}

#[tokio::test]
async fn logs_are_read_while_the_container_lives() {
    let (cluster, caller) = (FakeCluster::start().await, Caller::new());
    let id = running(&cluster, &caller).await;
    let control = cluster.control();
    control.append_log(&id, 0, "jobmanager.out", "0123456789");
    let container = control.app(&id).unwrap().containers[0].clone();
    let base = format!("{}/ws/v1/node/containers/{container}/logs", cluster.nm_url);
    let files = caller.json(&base).await;
    let files = files["containerLogsInfo"]["containerLogInfo"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        files
            .iter()
            .any(|file| file["fileName"] == "jobmanager.out" && file["fileSize"] == "10")
    );
    let text = caller
        .call("GET", &format!("{base}/jobmanager.out?size=-4"), "penstock", "")
        .await
        .unwrap()
        .text();
    let (_, body) = text.split_once("LogContents:\n").unwrap();
    assert!(body.starts_with("6789End of LogType:jobmanager.out."), "{body}");
    control.step(&id, Move::Crash("gone".into()));
    let reply = caller.call("GET", &base, "penstock", "").await.unwrap();
    assert!(reply.status.as_u16() == 503 && reply.text().contains("Unknown container"));
}
