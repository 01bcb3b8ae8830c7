//! The client against servers that misbehave.

#![allow(clippy::unwrap_used, reason = "test")]

use futures::StreamExt;
use net::{Bytes, Client, Error, Options, StatusCode, Url};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

struct Server {
    url: Url,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// `serve` gets the number of the connection, from 1, and what came up to the blank line.
    #[expect(
        clippy::disallowed_methods,
        reason = "the server ends with the test's runtime"
    )]
    async fn start<F>(serve: impl Fn(usize, String, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/p?secret=1", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let mut head = Vec::new();
                // 0x16 begins a TLS handshake, which has no blank line.
                while !head.windows(4).any(|w| w == b"\r\n\r\n")
                    && head.first() != Some(&0x16)
                    && socket.read_buf(&mut head).await.unwrap_or(0) > 0
                {}
                tokio::spawn(serve(number, String::from_utf8_lossy(&head).into_owned(), socket));
            }
        });
        Self { url, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn say(socket: &mut TcpStream, text: &str) {
    let _ = socket.write_all(text.as_bytes()).await;
}

fn client() -> Client {
    Client::with(Options {
        timeout: Duration::from_secs(5),
        max_body: 1000,
        ..Options::default()
    })
    .unwrap()
}

fn no_secret(error: &Error) {
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn redirects_are_shown_and_headers_are_ours() {
    let server = Server::start(|_, head, mut socket| async move {
        assert!(
            head.contains("user-agent: penstock/") && !head.contains("referer"),
            "{head}"
        );
        say(
            &mut socket,
            "HTTP/1.1 307 T\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
    })
    .await;
    let reply = client().get(server.url.clone()).send().await.unwrap();
    assert_eq!(reply.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(
        reply.header(net::header::LOCATION),
        Some("http://169.254.169.254/")
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn refused_is_certain_and_repeated_only_when_harmless() {
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url: Url = format!("http://{address}/?secret=1").parse().unwrap();
    let error = client().post(url).send().await.unwrap_err();
    assert!(
        matches!(error, Error::Connect { .. }) && !error.is_in_doubt(),
        "{error:?}"
    );
    no_secret(&error);

    let broken = Server::start(|_, _, socket| async move { drop(socket) }).await;
    let error = client().post(broken.url.clone()).send().await.unwrap_err();
    assert!(
        matches!(error, Error::Broken { .. }) && error.is_in_doubt(),
        "{error:?}"
    );
    no_secret(&error);
    assert_eq!(broken.connections(), 1, "a POST is sent once");
    assert!(client().get(broken.url.clone()).send().await.is_err());
    assert_eq!(broken.connections(), 1 + 3);

    let later = Server::start(|number, _, mut socket| async move {
        if number == 2 {
            say(&mut socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    })
    .await;
    assert_eq!(
        &client().get(later.url.clone()).send().await.unwrap().body[..],
        b"ok"
    );
}

#[tokio::test]
async fn the_deadline_holds_for_head_and_body() {
    for head in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"] {
        let server = Server::start(move |_, _, mut socket| async move {
            say(&mut socket, head).await;
            std::future::pending::<()>().await;
        })
        .await;
        let start = Instant::now();
        let error = client()
            .get(server.url.clone())
            .timeout(Duration::from_millis(300))
            .send()
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Timeout { .. }) && error.is_in_doubt(),
            "{error:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(3));
        no_secret(&error);
    }
}

#[tokio::test]
async fn bodies_are_capped_announced_or_not() {
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for head in [announced, chunked] {
        let server = Server::start(move |_, _, mut socket| async move {
            say(&mut socket, head).await;
            let chunk = format!("200\r\n{}\r\n", "x".repeat(0x200));
            while socket.write_all(chunk.as_bytes()).await.is_ok() {}
        })
        .await;
        let error = client().get(server.url.clone()).send().await.unwrap_err();
        assert!(
            matches!(error, Error::BodyTooLarge { limit: 1000, .. }),
            "{error:?}"
        );
        let mut stream = client()
            .get(server.url.clone())
            .open()
            .await
            .unwrap()
            .into_stream();
        let mut read = 0;
        let failed = loop {
            match stream.next().await {
                Some(Ok(chunk)) => read += chunk.len(),
                Some(Err(error)) => break error.to_string(),
                None => panic!("the stream ended"),
            }
        };
        assert!(
            read <= 1000 && failed.contains("longer than 1000"),
            "{read} {failed}"
        );
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error() {
    let server = Server::start(|_, _, mut socket| async move {
        say(&mut socket, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
    })
    .await;
    let error = client().get(server.url.clone()).once().send().await.unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error:?}");
    no_secret(&error);
}

#[tokio::test]
async fn what_is_not_http_is_said_so() {
    let server =
        Server::start(|_, _, mut socket| async move { say(&mut socket, "SSH-2.0-OpenSSH\r\n\r\n").await })
            .await;
    let error = client().get(server.url.clone()).send().await.unwrap_err();
    assert!(
        matches!(error, Error::Protocol { .. }) && error.is_in_doubt(),
        "{error:?}"
    );
    let https: Url = server.url.as_str().replace("http:", "https:").parse().unwrap();
    let error = client().get(https).once().send().await.unwrap_err();
    assert!(
        matches!(error, Error::Tls { .. }) && !error.is_in_doubt(),
        "{error:?}"
    );
    no_secret(&error);
}

#[tokio::test]
async fn only_plain_addresses() {
    for url in ["file:///etc/passwd", "gopher://h/", "http://user:pw@127.0.0.1:1/"] {
        let error = client().get(url.parse().unwrap()).send().await.unwrap_err();
        assert!(
            matches!(error, Error::Invalid { .. }) && !error.to_string().contains("pw"),
            "{error:?}"
        );
    }
    let error = client()
        .get("http://127.0.0.1:1".parse().unwrap())
        .header(net::header::ACCEPT, "a\nb")
        .send()
        .await;
    assert!(matches!(error, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn uploads_have_exactly_the_announced_length() {
    let server = Server::start(|_, head, mut socket| async move {
        assert!(
            head.to_ascii_lowercase().contains("content-length: 5\r\n"),
            "{head}"
        );
        let mut body = head.split_once("\r\n\r\n").unwrap().1.as_bytes().to_vec();
        while body.len() < 5 {
            if socket.read_buf(&mut body).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        say(
            &mut socket,
            &format!(
                "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        )
        .await;
    })
    .await;
    let put = |content: &'static [u8]| {
        client()
            .put(server.url.clone())
            .stream("text/plain", 5, net::stream_file(content))
            .send()
    };
    let reply = put(b"hello").await.unwrap();
    assert_eq!(
        (reply.status, reply.body),
        (StatusCode::CREATED, Bytes::from("hello"))
    );
    let error = put(b"hell").await.unwrap_err();
    assert!(matches!(error, Error::Source { .. }), "{error:?}");
    let error = put(b"hello!").await.unwrap_err();
    assert!(matches!(error, Error::Source { .. }), "{error:?}");
}

/// An upload may take long in all, as long as it goes on.
#[tokio::test]
async fn an_upload_is_judged_by_its_pauses() {
    const PIECES: usize = 12;
    let impatient = Client::with(Options {
        timeout: Duration::from_millis(200),
        idle: Duration::from_millis(400),
        ..Options::default()
    })
    .unwrap();
    let server = Server::start(|_, head, mut socket| async move {
        let mut left = PIECES - head.split("\r\n\r\n").nth(1).map_or(0, str::len);
        let mut byte = [0];
        while left > 0 && socket.read(&mut byte).await.unwrap_or(0) > 0 {
            left -= 1;
        }
        say(&mut socket, "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await;
    })
    .await;
    // Each pause is shorter than the limit of a pause, all together are longer than any limit.
    let pieces = |pause: u64, hangs_after: usize| {
        let stream = futures::stream::iter(0..PIECES).then(move |n| async move {
            let pause = if n == hangs_after { 60_000 } else { pause };
            tokio::time::sleep(Duration::from_millis(pause)).await;
            Ok(Bytes::from_static(b"x"))
        });
        Box::pin(stream) as net::ByteStream
    };
    let started = Instant::now();
    let reply = impatient
        .put(server.url.clone())
        .stream("application/octet-stream", PIECES as u64, pieces(80, PIECES))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status, StatusCode::CREATED);
    assert!(started.elapsed() > Duration::from_millis(900));
    let started = Instant::now();
    let stuck = impatient
        .put(server.url.clone())
        .stream("application/octet-stream", PIECES as u64, pieces(1, 5))
        .send()
        .await;
    assert!(matches!(stuck, Err(Error::Timeout { .. })), "{stuck:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}
