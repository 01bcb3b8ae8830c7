//! Stands between the console and the ResourceManager and loses answers.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const SUBMISSION: &str = "POST /ws/v1/cluster/apps?";
const SUBMISSION_BARE: &str = "POST /ws/v1/cluster/apps ";
const MAX_HEAD: usize = 64 << 10;

/// One request per connection; ends with its owner.
pub(crate) struct Proxy {
    pub(crate) address: String,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    /// Answers to a submission that will be lost.
    to_lose: AtomicU32,
    submissions: AtomicU32,
    /// Statuses of lost answers, added up.
    lost: AtomicU32,
}

impl Proxy {
    /// To `upstream`, a `host:port`.
    pub(crate) async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let counts = Arc::new(Counts::default());
        let task = tokio::spawn(accept(listener, upstream, Arc::clone(&counts)));
        Self {
            address,
            counts,
            task,
        }
    }

    /// The answer to the next submission reaches nobody.
    pub(crate) fn lose_next(&self) {
        self.counts.to_lose.store(1, Ordering::SeqCst);
    }

    /// How many submissions were forwarded, and the status of the lost answer.
    pub(crate) fn seen(&self) -> (u32, u32) {
        (
            self.counts.submissions.load(Ordering::SeqCst),
            self.counts.lost.load(Ordering::SeqCst),
        )
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, upstream: String, counts: Arc<Counts>) {
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, counts) = (upstream.clone(), Arc::clone(&counts));
        tokio::spawn(async move {
            // A broken connection is what this is for.
            let _ = exchange(client, &upstream, &counts).await;
        });
    }
}

async fn exchange(mut client: TcpStream, upstream: &str, counts: &Counts) -> std::io::Result<()> {
    let mut request = Vec::new();
    let end = loop {
        if let Some(at) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if request.len() > MAX_HEAD || client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    let length: usize = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
    while request.len() < end + 4 + length {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let mut server = TcpStream::connect(upstream).await?;
    let mut lines: Vec<&str> = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"))
        .collect();
    lines.push("Connection: close");
    server
        .write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes())
        .await?;
    server.write_all(&request[end + 4..]).await?;
    if head.starts_with(SUBMISSION) || head.starts_with(SUBMISSION_BARE) {
        counts.submissions.fetch_add(1, Ordering::SeqCst);
        if counts.to_lose.swap(0, Ordering::SeqCst) > 0 {
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).await?;
            let line = String::from_utf8_lossy(&answer);
            let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
            counts.lost.fetch_add(status.unwrap_or(0), Ordering::SeqCst);
            return Ok(());
        }
    }
    tokio::io::copy(&mut server, &mut client).await?;
    client.shutdown().await
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
