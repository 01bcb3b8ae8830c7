//! What the clients make of stand-bys, broken connections and error answers.

use crate::support::{Act, Server, answer, json, nobody, remote};
use hadoop::{
    ApplicationId, Endpoints, Error, HdfsPath, Identity, Observation,
    rm::ResourceManager,
    webhdfs::{CreateOptions, WebHdfs},
};

const ID: &str = "application_17_0001";
const APP: &str = r#"{"app":{"id":"application_17_0001","state":"RUNNING","finalStatus":"UNDEFINED"}}"#;

fn rm(addresses: &[&str]) -> ResourceManager {
    let addresses: Vec<String> = addresses.iter().map(|&a| a.to_owned()).collect();
    let http = net::Client::new().unwrap();
    ResourceManager::new(http, Endpoints::new(&addresses).unwrap(), Identity::simple("etl"))
}

fn hdfs(addresses: &[&str]) -> WebHdfs {
    let rm = rm(addresses);
    let identity = Identity::simple_do_as("etl", "console");
    WebHdfs::new(net::Client::new().unwrap(), rm.endpoints().clone(), identity)
}

fn id() -> ApplicationId {
    ID.parse().unwrap()
}

fn standby() -> Act {
    answer(
        "307 Temporary Redirect",
        "Location: http://active.invalid:8088/\r\n",
        "This is standby RM. The redirect url is: /x",
    )
}

#[tokio::test]
async fn finds_the_active_one_and_stays_there() {
    let passive = Server::start(|_| standby()).await;
    let active = Server::start(|_| json("200 OK", APP)).await;
    let dead = nobody().await;
    let rm = rm(&[&dead, &passive.address, &active.address]);
    for _ in 0..3 {
        assert_eq!(rm.app(id()).await.unwrap().id, id());
    }
    assert_eq!((passive.seen().len(), active.seen().len()), (1, 3));
    assert!(active.seen()[0].contains("/ws/v1/cluster/apps/application_17_0001?user.name=etl"));
    rm.with_identity(Identity::simple("other"))
        .app(id())
        .await
        .unwrap();
    assert_eq!(passive.seen().len(), 1, "the memory is shared");
}

#[tokio::test]
async fn nobody_is_active() {
    let a = Server::start(|_| standby()).await;
    let b = Server::start(|_| answer("200 OK", "Refresh: 3\r\n", "There is no active RM right now")).await;
    let rm = rm(&[&a.address, &b.address]);
    let error = rm.app(id()).await.unwrap_err();
    assert!(matches!(error, Error::NoActive { .. }), "{error:?}");
    assert!(matches!(rm.observe(id()).await, Observation::Inconclusive(_)));
    let error = rm.submit("x").await.unwrap_err();
    assert!(
        matches!(error, Error::NoActive { .. }) && !error.is_in_doubt(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_submission_goes_on_only_where_nothing_was_done() {
    let accepts = || Server::start(|_| answer("202 Accepted", "", ""));
    let (passive, active) = (Server::start(|_| standby()).await, accepts().await);
    rm(&[&nobody().await, &passive.address, &active.address])
        .submit("x")
        .await
        .unwrap();
    assert_eq!((passive.seen().len(), active.seen().len()), (1, 1));

    let (broken, other) = (Server::start(|_| Act::Close).await, accepts().await);
    let error = rm(&[&broken.address, &other.address])
        .submit("x")
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Broken { .. }) && error.is_in_doubt(),
        "{error:?}"
    );
    assert_eq!(
        (broken.seen().len(), other.seen().len()),
        (1, 0),
        "sent once, to one"
    );

    let odd = Server::start(|_| answer("200 OK", "", "<html>hello</html>")).await;
    let error = rm(&[&odd.address]).submit("x").await.unwrap_err();
    assert!(error.is_in_doubt(), "{error:?}");
}

#[tokio::test]
async fn a_read_goes_on_after_a_broken_connection() {
    let broken = Server::start(|_| Act::Close).await;
    let active = Server::start(|_| json("200 OK", APP)).await;
    assert!(rm(&[&broken.address, &active.address]).app(id()).await.is_ok());
}

#[tokio::test]
async fn absence_needs_the_right_exception() {
    type Make = fn() -> Act;
    let cases: [(Make, bool); 6] = [
        (not_found, true),
        (
            || remote("404 Not Found", "IOException", "state store is closed"),
            false,
        ),
        (
            || remote("503 Service Unavailable", "NotFoundException", "x"),
            false,
        ),
        (
            || {
                answer(
                    "404 Not Found",
                    "Content-Type: text/html\r\n",
                    "<html><title>404</title></html>",
                )
            },
            false,
        ),
        (|| json("200 OK", "{}"), false),
        (|| json("200 OK", &APP.replace("_0001", "_0002")), false),
    ];
    for (n, (make, gone)) in cases.into_iter().enumerate() {
        let server = Server::start(move |line| match line.contains("/cluster/info") {
            true => info("STARTED", "ACTIVE"),
            false => make(),
        })
        .await;
        match rm(&[&server.address]).observe(id()).await {
            Observation::Gone => assert!(gone, "case {n}"),
            Observation::Inconclusive(error) => assert!(!gone, "case {n}: {error}"),
            Observation::Known(app) => panic!("case {n}: {app:?}"),
        }
    }
}

fn info(state: &str, ha: &str) -> Act {
    let body = format!(r#"{{"clusterInfo":{{"id":17,"startedOn":17,"state":"{state}","haState":"{ha}"}}}}"#);
    json("200 OK", &body)
}

fn not_found() -> Act {
    let message = "app with id: application_17_0001 not found";
    remote("404 Not Found", "NotFoundException", message)
}

#[tokio::test]
async fn nothing_is_absent_before_the_store_is_read() {
    for (state, ha) in [("STARTED", "INITIALIZING"), ("INITED", "STANDBY")] {
        let server = Server::start(move |line| match line.contains("/cluster/info") {
            true => info(state, ha),
            false => not_found(),
        })
        .await;
        let seen = rm(&[&server.address]).observe(id()).await;
        assert!(matches!(seen, Observation::Inconclusive(_)), "{ha}: {seen:?}");
    }
    // It became active between two questions.
    let asked = std::sync::atomic::AtomicU32::new(0);
    let server = Server::start(move |line| {
        if line.contains("/cluster/info") {
            info("STARTED", "ACTIVE")
        } else if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            not_found()
        } else {
            json("200 OK", APP)
        }
    })
    .await;
    let seen = rm(&[&server.address]).observe(id()).await;
    assert!(matches!(seen, Observation::Known(_)), "{seen:?}");
}

#[tokio::test]
async fn errors_by_what_to_do() {
    type Check = fn(&Error) -> bool;
    let cases: [(&str, &str, &str, Check); 13] = [
        (
            "403 Forbidden",
            "StandbyException",
            "Operation category READ is not supported",
            |e| matches!(e, Error::NoActive { .. }),
        ),
        (
            "403 Forbidden",
            "RetriableException",
            "Cannot create /a. Name node is in safe mode.",
            |e| matches!(e, Error::SafeMode { .. }),
        ),
        (
            "403 Forbidden",
            "AccessControlException",
            "Permission denied: user=etl",
            |e| matches!(e, Error::Forbidden { .. }),
        ),
        ("403 Forbidden", "FileAlreadyExistsException", "/a exists", |e| {
            matches!(e, Error::AlreadyExists { .. })
        }),
        ("403 Forbidden", "DSQuotaExceededException", "quota", |e| {
            matches!(e, Error::Quota { .. })
        }),
        (
            "403 Forbidden",
            "IOException",
            "File /a could only be written to 0 of the 1 minReplication nodes",
            |e| matches!(e, Error::NoSpace { .. }),
        ),
        ("403 Forbidden", "IOException", "something else", |e| {
            matches!(e, Error::Remote { status: 403, .. })
        }),
        (
            "404 Not Found",
            "FileNotFoundException",
            "File does not exist: /a",
            |e| matches!(e, Error::NotFound { .. }),
        ),
        ("400 Bad Request", "IllegalArgumentException", "bad", |e| {
            matches!(e, Error::BadRequest { .. })
        }),
        ("401 Unauthorized", "SecurityException", "who?", |e| {
            matches!(e, Error::Forbidden { .. })
        }),
        ("500 Internal Server Error", "RuntimeException", "boom", |e| {
            matches!(e, Error::Remote { .. }) && e.is_in_doubt()
        }),
        (
            "503 Service Unavailable",
            "YarnException",
            "User team_b is not authorized",
            |e| matches!(e, Error::Forbidden { .. }),
        ),
        (
            "400 Bad Request",
            "ParentNotDirectoryException",
            "/a is a file",
            |e| matches!(e, Error::BadRequest { .. }),
        ),
    ];
    for (status, exception, message, check) in cases {
        let server = Server::start(move |_| remote(status, exception, message)).await;
        let error = hdfs(&[&server.address])
            .status(&HdfsPath::root())
            .await
            .unwrap_err();
        assert!(check(&error), "{exception}: {error:?}");
    }
}

#[tokio::test]
async fn messages_hold_no_query_and_no_stack_and_are_short() {
    let long = "y".repeat(5000);
    let server = Server::start(move |_| {
        remote(
            "500 Oops",
            "IOException",
            &format!("see http://dn/webhdfs/v1/a?delegation=SECRET and\\n\\tat x.y {long}"),
        )
    })
    .await;
    let error = hdfs(&[&server.address])
        .status(&HdfsPath::root())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "IOException (status 500): see http://dn/webhdfs/v1/a and"
    );
    let page = format!("<html>{}</html>", "z".repeat(9000));
    let server = Server::start(move |_| answer("502 Bad Gateway", "", &page)).await;
    let error = hdfs(&[&server.address])
        .status(&HdfsPath::root())
        .await
        .unwrap_err();
    assert!(error.to_string().len() < 2500, "{}", error.to_string().len());
}

#[tokio::test]
async fn data_goes_only_to_an_address_of_webhdfs() {
    let path = HdfsPath::new("/a b").unwrap();
    let options = CreateOptions {
        permission: 0o640,
        overwrite: false,
    };
    for location in [
        "file:///etc/passwd",
        "http://user:pw@h/webhdfs/v1/a",
        "http://h/other",
        "gopher://h/webhdfs/v1/a",
        "",
    ] {
        let server = Server::start(move |_| json("200 OK", &format!(r#"{{"Location":"{location}"}}"#))).await;
        let error = hdfs(&[&server.address])
            .write(&path, "x", options)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::InvalidAnswer { .. }),
            "{location}: {error:?}"
        );
        let line = server.seen().remove(0);
        assert!(
            line.starts_with(
                "PUT /webhdfs/v1/a%20b?op=CREATE&permission=640&overwrite=false&createparent=false"
            ),
            "{line}"
        );
        assert!(line.contains("user.name=console&doas=etl"), "{line}");
    }
}

#[tokio::test]
async fn the_proxy_stays_inside_and_notices_the_end() {
    let server = Server::start(|line| match line.contains("jobs/overview?x=1") {
        true => json("200 OK", "{}"),
        false => answer(
            "302 Found",
            "Location: http://rm/cluster/app/application_17_0001\r\n",
            "",
        ),
    })
    .await;
    let rm = rm(&[&server.address]);
    assert_eq!(
        &rm.proxy(id(), "/jobs/overview?x=1").await.unwrap().body[..],
        b"{}"
    );
    assert!(matches!(rm.proxy(id(), "/").await, Err(Error::NotFound { .. })));
    for out in [
        "/../application_17_0002/",
        "/%2e%2e/application_17_0002/",
        "/a/../../x",
    ] {
        assert!(
            matches!(rm.proxy(id(), out).await, Err(Error::BadRequest { .. })),
            "{out}"
        );
    }
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn addresses_are_plain() {
    for bad in [
        "",
        "ftp://h",
        "http://u:p@h:1",
        "http://h?x=1",
        "http://",
        "http://h#f",
    ] {
        assert!(Endpoints::new(&[bad.to_owned()]).is_err(), "{bad}");
    }
    assert!(Endpoints::new(&[]).is_err());
    assert_eq!(
        Endpoints::new(&["rm:8088".to_owned()]).unwrap().active().as_str(),
        "http://rm:8088/"
    );
}
