//! A server that answers as told and records what it was asked.

use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// What a connection does with a request.
pub(crate) enum Act {
    /// Sends these bytes.
    Answer(String),
    /// Closes the connection after the request has been read.
    Close,
}

pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `act` gets the request's first line.
    #[expect(
        clippy::disallowed_methods,
        reason = "the server ends with the test's runtime"
    )]
    pub(crate) async fn start(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let (record, act) = (seen.clone(), Arc::new(act));
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (record, act) = (record.clone(), act.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                        if socket.read_buf(&mut head).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let line = String::from_utf8_lossy(&head)
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    record.lock().unwrap().push(line.clone());
                    match act(&line) {
                        Act::Answer(text) => {
                            let _ = socket.write_all(text.as_bytes()).await;
                            // Read on, so that closing does not reset what was sent.
                            let _ = socket.shutdown().await;
                            while socket.read_buf(&mut head).await.unwrap_or(0) > 0 {}
                        }
                        Act::Close => {}
                    }
                });
            }
        });
        Self { address, seen }
    }

    /// First lines of the requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Act {
    Act::Answer(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    ))
}

pub(crate) fn json(status: &str, body: &str) -> Act {
    answer(status, "Content-Type: application/json\r\n", body)
}

pub(crate) fn remote(status: &str, exception: &str, message: &str) -> Act {
    let body = format!(
        r#"{{"RemoteException":{{"exception":"{exception}","message":"{message}","javaClassName":"x.{exception}"}}}}"#
    );
    json(status, &body)
}

/// An address nobody listens on.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
