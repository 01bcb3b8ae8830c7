use crate::Error;
use net::Url;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The addresses of one service with stand-bys; remembers which one answered last. Clones share
/// the memory.
#[derive(Debug, Clone)]
pub struct Endpoints {
    urls: Arc<[Url]>,
    active: Arc<AtomicUsize>,
}

impl Endpoints {
    /// Base addresses such as `http://rm1:8088`; at least one, http or https, without user or query.
    pub fn new(addresses: &[String]) -> Result<Self, Error> {
        let urls = addresses
            .iter()
            .map(|text| base_url(text))
            .collect::<Result<Vec<_>, _>>()?;
        if urls.is_empty() {
            return Err(Error::BadRequest {
                message: "no address is configured".into(),
            });
        }
        Ok(Self {
            urls: urls.into(),
            active: Arc::default(),
        })
    }

    /// The address that answered last.
    pub fn active(&self) -> &Url {
        &self.urls[self.active.load(Ordering::Relaxed) % self.urls.len()]
    }

    pub fn all(&self) -> &[Url] {
        &self.urls
    }

    /// Calls with one address after the other, the active one first, until one answers. A call that
    /// must not be `repeatable` goes on only where certainly nothing was done.
    pub(crate) async fn call<T, F: Future<Output = Result<T, Error>>>(
        &self,
        repeatable: bool,
        mut call: impl FnMut(Url) -> F,
    ) -> Result<T, Error> {
        let first = self.active.load(Ordering::Relaxed);
        let mut failed = None;
        for step in 0..self.urls.len() {
            let at = (first + step) % self.urls.len();
            match call(self.urls[at].clone()).await {
                Err(Error::Standby { .. }) => {}
                Err(error @ Error::Unreachable { .. }) => {
                    failed.get_or_insert(error);
                }
                Err(error @ (Error::Timeout { .. } | Error::Broken { .. })) if repeatable => {
                    failed.get_or_insert(error);
                }
                Err(error @ (Error::Timeout { .. } | Error::Broken { .. })) => return Err(error),
                answered => {
                    self.active.store(at, Ordering::Relaxed);
                    return answered;
                }
            }
        }
        Err(failed.unwrap_or_else(|| Error::NoActive {
            targets: self.urls.iter().map(Url::to_string).collect(),
        }))
    }
}

/// An address of a service as a URL; `host:port` alone means http.
pub(crate) fn base_url(text: &str) -> Result<Url, Error> {
    let wrong = || Error::BadRequest {
        message: format!("not an address of a service: {}", net::redact(text)),
    };
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(full.trim_end_matches('/')).map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(url) } else { Err(wrong()) }
}

/// `base` with `path` (already encoded, starting with `/`) behind its own.
pub(crate) fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}
