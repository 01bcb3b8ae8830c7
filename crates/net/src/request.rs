use crate::{Client, Download, Error, Reply, error};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, sleep, timeout_at},
};
use url::Url;

/// A body that is produced while it is sent.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

const MAX_TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

enum Body {
    Empty,
    Whole(Bytes),
    Stream { length: u64, stream: ByteStream },
}

/// A request being put together.
pub struct Request {
    client: Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    timeout: Duration,
    max_body: u64,
    repeat: bool,
    invalid: Option<String>,
}

impl Request {
    pub(crate) fn new(client: Client, method: Method, url: Url) -> Self {
        let (timeout, max_body) = (client.timeout, client.max_body);
        Self {
            client,
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::Empty,
            timeout,
            max_body,
            repeat: false,
            invalid: None,
        }
    }

    /// Adds one pair to the query, encoded.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            Err(_) => self.invalid = Some(format!("value of header {name}")),
        }
        self
    }

    pub fn accept_json(self) -> Self {
        self.header(header::ACCEPT, "application/json")
    }

    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = Body::Whole(body.into());
        self
    }

    pub fn json(self, body: &impl serde::Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(json) => self.body("application/json", json),
            Err(error) => Self {
                invalid: Some(format!("JSON body: {error}")),
                ..self
            },
        }
    }

    /// Sends exactly `length` bytes from `stream`; such a request is never repeated. Its time-out
    /// bounds no whole but each pause: between two pieces, and until the answer.
    pub fn stream(mut self, content_type: &'static str, length: u64, stream: ByteStream) -> Self {
        self.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = Body::Stream { length, stream };
        self
    }

    /// Time for everything: connection, repeats, and for [`Request::send`] the whole answer; not for
    /// a streamed body, whose pauses count.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Most bytes of the answer that are taken.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = bytes;
        self
    }

    /// Says that sending it twice does no harm: it is then repeated, within its deadline, when the
    /// connection fails.
    pub fn idempotent(mut self) -> Self {
        self.repeat = true;
        self
    }

    /// Whether the request may be repeated, the opposite of [`Request::idempotent`].
    pub fn once(mut self) -> Self {
        self.repeat = false;
        self
    }

    /// Sends it and reads the whole answer, whatever its status.
    pub async fn send(self) -> Result<Reply, Error> {
        let (download, body) = self.run(true).await?;
        Ok(download.with_body(body))
    }

    /// Sends it and returns as soon as the head of the answer is there. The deadline covers the
    /// head; the body has its own limit of idle time.
    pub async fn open(self) -> Result<Download, Error> {
        Ok(self.run(false).await?.0)
    }

    async fn run(mut self, read: bool) -> Result<(Download, Bytes), Error> {
        let target = target(&self.method, &self.url);
        if let Some(reason) = self.invalid {
            return Err(Error::Invalid { target, reason });
        }
        if !matches!(self.url.scheme(), "http" | "https") || !self.url.username().is_empty() {
            return Err(Error::Invalid {
                target,
                reason: "only plain http and https addresses".into(),
            });
        }
        let repeat = self.repeat && !matches!(self.body, Body::Stream { .. });
        let deadline = Instant::now() + self.timeout;
        let pulse = Pulse::new(self.client.idle);
        let streams = matches!(self.body, Body::Stream { .. });
        let mut stream = None;
        if let Body::Stream { length, stream: body } = self.body {
            self.headers
                .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            let beat = pulse.clone();
            stream = Some(exactly(length, body).inspect(move |_| beat.beat()));
            self.body = Body::Empty;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let mut request = self
                .client
                .inner
                .request(self.method.clone(), self.url.clone())
                .headers(self.headers.clone());
            if let Some(body) = stream.take() {
                request = request.body(reqwest::Body::wrap_stream(body));
            } else if let Body::Whole(body) = &self.body {
                request = request.body(body.clone());
            } else if matches!(self.method, Method::POST | Method::PUT) {
                // Jetty wants a length even where there is nothing to send.
                request = request.header(header::CONTENT_LENGTH, 0);
            }
            let exchange = async {
                let response = request
                    .send()
                    .await
                    .map_err(|error| sending(&target, error, self.timeout))?;
                let mut download = Download::new(target.clone(), response, self.max_body, self.client.idle);
                let body = if read {
                    download.read_all().await?
                } else {
                    Bytes::new()
                };
                Ok((download, body))
            };
            let (outcome, after) = if streams {
                (pulse.watch(exchange).await, self.client.idle)
            } else {
                (timeout_at(deadline, exchange).await.ok(), self.timeout)
            };
            let late = || Error::Timeout {
                target: target.clone(),
                after,
            };
            let outcome = outcome.unwrap_or_else(|| Err(late()));
            match outcome {
                Err(error) if repeat && tries < MAX_TRIES && error.is_transient() => {
                    let pause = FIRST_PAUSE * 2u32.pow(tries - 1);
                    let pause = pause.mul_f64(rand::random_range(0.5..1.5));
                    if Instant::now() + pause >= deadline {
                        return Err(error);
                    }
                    tracing::debug!(%error, tries, "request is repeated");
                    sleep(pause).await;
                }
                outcome => return outcome,
            }
        }
    }
}

fn sending(target: &str, error: reqwest::Error, after: Duration) -> Error {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(this) = cause {
        if let Some(short) = this.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(SourceError(reason)) = short.downcast_ref::<SourceError>()
        {
            return Error::Source {
                target: target.to_owned(),
                reason: reason.clone(),
            };
        }
        cause = this.source();
    }
    Error::from_reqwest(target, error, after)
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct SourceError(String);

/// When a transfer last went on.
#[derive(Clone)]
struct Pulse {
    idle: Duration,
    last: Arc<Mutex<Instant>>,
}

impl Pulse {
    fn new(idle: Duration) -> Self {
        Self {
            idle,
            last: Arc::new(Mutex::new(Instant::now())),
        }
    }

    fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn ends(&self) -> Instant {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) + self.idle
    }

    /// What `exchange` brings; `None` once nothing has gone on for too long.
    async fn watch<T>(&self, exchange: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(exchange);
        loop {
            let ends = self.ends();
            match timeout_at(ends, &mut exchange).await {
                Ok(outcome) => return Some(outcome),
                Err(_) if self.ends() > ends => {}
                Err(_) => return None,
            }
        }
    }
}

/// `stream`, ended with an error when it has more or fewer than `length` bytes: a file that changed
/// while it was read must not become a short file elsewhere.
fn exactly(length: u64, stream: ByteStream) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let wrong = |reason: String| io::Error::other(SourceError(reason));
    futures::stream::try_unfold((stream, 0u64), move |(mut stream, sent)| async move {
        match stream.next().await {
            Some(Ok(chunk)) => {
                let sent = sent + chunk.len() as u64;
                if sent > length {
                    return Err(wrong(format!("more than the announced {length} bytes")));
                }
                Ok(Some((chunk, (stream, sent))))
            }
            Some(Err(error)) => Err(wrong(error.to_string())),
            None if sent < length => Err(wrong(format!("{sent} of {length} bytes"))),
            None => Ok(None),
        }
    })
}

/// What a reader yields, as a body.
pub fn stream_file(reader: impl AsyncRead + Send + Unpin + 'static) -> ByteStream {
    const CHUNK: usize = 256 << 10;
    Box::pin(futures::stream::try_unfold(reader, |mut reader| async move {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = (&mut reader).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        Ok((read > 0).then(|| (Bytes::from(chunk), reader)))
    }))
}

/// What is in memory, as a body that is sent piece by piece.
pub fn stream_bytes(mut bytes: Bytes) -> ByteStream {
    const PIECE: usize = 256 << 10;
    let pieces = std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(PIECE));
        (!piece.is_empty()).then_some(Ok(piece))
    });
    Box::pin(futures::stream::iter(pieces))
}

/// How errors and logs name a request: without user info, query and fragment.
fn target(method: &Method, url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for addresses that cannot hold a user at all.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    error::redact(&format!("{method} {url}"))
}
