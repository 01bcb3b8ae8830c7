use crate::{Error, Request};
use http::Method;
use std::time::Duration;
use url::Url;

/// What differs between two clients; the rest of the rules is the same for all of them.
#[derive(Debug, Clone)]
pub struct Options {
    /// Time to get a connection, TLS included.
    pub connect_timeout: Duration,
    /// Time for a whole request unless the request names its own.
    pub timeout: Duration,
    /// Longest pause while a body is sent or received piece by piece, however long it is.
    pub idle: Duration,
    /// Most bytes of an answer that is read into memory unless the request names its own.
    pub max_body: u64,
    /// Extra certificate authorities, PEM; they are added to those of the system.
    pub ca_pem: Option<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            max_body: 64 << 20,
            ca_pem: None,
        }
    }
}

/// HTTP client. Clones share one connection pool.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) inner: reqwest::Client,
    pub(crate) timeout: Duration,
    pub(crate) idle: Duration,
    pub(crate) max_body: u64,
}

impl Client {
    /// A client with the usual limits; fails only when the TLS library cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Self::with(Options::default())
    }

    /// A client with its own limits or certificate authorities.
    pub fn with(options: Options) -> Result<Self, Error> {
        let extra = match &options.ca_pem {
            Some(pem) => reqwest::Certificate::from_pem_bundle(pem).map_err(Error::setup)?,
            None => Vec::new(),
        };
        let inner = match builder(&options).tls_certs_merge(extra.clone()).build() {
            Ok(inner) => inner,
            // A host without a CA bundle must still reach plain-http clusters; https is then
            // refused at the handshake, not silently unverified.
            Err(_) if extra.is_empty() => builder(&options)
                .tls_certs_only(extra)
                .build()
                .map_err(Error::setup)?,
            Err(error) => return Err(Error::setup(error)),
        };
        Ok(Self {
            inner,
            timeout: options.timeout,
            idle: options.idle,
            max_body: options.max_body,
        })
    }

    /// Time for a whole request that does not name its own.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Starts a request; nothing is sent before [`Request::send`] or [`Request::open`].
    pub fn request(&self, method: Method, url: Url) -> Request {
        Request::new(self.clone(), method, url)
    }

    pub fn get(&self, url: Url) -> Request {
        self.request(Method::GET, url).idempotent()
    }

    pub fn put(&self, url: Url) -> Request {
        self.request(Method::PUT, url)
    }

    pub fn post(&self, url: Url) -> Request {
        self.request(Method::POST, url)
    }

    pub fn delete(&self, url: Url) -> Request {
        self.request(Method::DELETE, url)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the factory the lint points to")]
fn builder(options: &Options) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("penstock/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        // Repeating is decided by `Request::idempotent` alone: a replayed POST can start a job twice.
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(16)
        .pool_idle_timeout(Duration::from_secs(30))
}
