//! Static files: from the binary in a release build, from a directory otherwise. Nothing else on
//! the host can be reached through it.

use crate::{problem::Refusal, state::AppState};
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{Code, Engine};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

#[cfg(feature = "embed")]
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// A file of the built site with its compressed forms.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedFile {
    pub path: &'static str,
    /// Hash of the content; the compressed forms are told apart by a suffix.
    pub tag: &'static str,
    pub plain: &'static [u8],
    pub gzip: Option<&'static [u8]>,
    pub brotli: Option<&'static [u8]>,
}

/// Where static files come from.
#[derive(Debug)]
pub enum Assets {
    Embedded(&'static [EmbeddedFile]),
    Directory(PathBuf),
    /// A build without assets and no directory named: pages work, unstyled and without scripts.
    Absent,
}

/// Largest file served from a directory.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

impl Assets {
    /// The files of the binary if it has any, else those of the directory.
    pub fn new(directory: Option<PathBuf>) -> Self {
        #[cfg(feature = "embed")]
        if directory.is_none() {
            return Assets::Embedded(embedded::FILES);
        }
        directory.map_or(Assets::Absent, Assets::Directory)
    }

    async fn get(&self, path: &str, accepts: Accepts) -> Option<Found> {
        match self {
            Assets::Absent => None,
            Assets::Embedded(files) => {
                let file = files.iter().find(|file| file.path == path)?;
                let (bytes, encoding) = match (file.brotli, file.gzip) {
                    (Some(brotli), _) if accepts.brotli => (brotli, Some("br")),
                    (_, Some(gzip)) if accepts.gzip => (gzip, Some("gzip")),
                    _ => (file.plain, None),
                };
                Some(Found {
                    bytes: Bytes::from_static(bytes),
                    tag: format!("\"{}-{}\"", file.tag, encoding.unwrap_or("plain")),
                    encoding,
                })
            }
            Assets::Directory(root) => {
                let full = root.join(path);
                let meta = tokio::fs::metadata(&full).await.ok()?;
                // A link inside the site must not lead out of it.
                let (real, root) = (
                    tokio::fs::canonicalize(&full).await.ok()?,
                    tokio::fs::canonicalize(root).await.ok()?,
                );
                if !meta.is_file() || meta.len() > MAX_FILE_BYTES || !real.starts_with(root) {
                    return None;
                }
                let bytes = Bytes::from(tokio::fs::read(real).await.ok()?);
                Some(Found {
                    tag: hash(&bytes),
                    bytes,
                    encoding: None,
                })
            }
        }
    }
}

/// A file as it is sent.
struct Found {
    bytes: Bytes,
    /// With its quotes.
    tag: String,
    encoding: Option<&'static str>,
}

/// An engine's runner jar inside the binary; `None` in a build that does not carry it.
pub fn embedded_runner(engine: Engine) -> Option<&'static [u8]> {
    #[cfg(feature = "embed")]
    return Some(match engine {
        Engine::Flink => embedded::RUNNER,
        Engine::Spark => embedded::SPARK_RUNNER,
    });
    #[cfg(not(feature = "embed"))]
    {
        let _ = engine;
        None
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Accepts {
    brotli: bool,
    gzip: bool,
}

impl Accepts {
    fn of(headers: &HeaderMap) -> Self {
        let mut accepts = Self::default();
        let value = headers
            .get(header::ACCEPT_ENCODING)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        for entry in value.split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let name = parts.next().unwrap_or("");
            if parts.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")) {
                continue;
            }
            accepts.brotli |= name.eq_ignore_ascii_case("br");
            accepts.gzip |= name.eq_ignore_ascii_case("gzip");
        }
        accepts
    }
}

/// Serves a static file.
pub async fn serve(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if !is_plain(path) {
        return Refusal::from(Code::NoRoute).into_response();
    }
    let headers = request.headers();
    let Some(found) = state.assets.get(path, Accepts::of(headers)).await else {
        return Refusal::from(Code::NoRoute).into_response();
    };
    let Found { bytes, tag, encoding } = found;
    let fresh = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|known| known.split(',').any(|k| k.trim().trim_start_matches("W/") == tag));
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(bytes))
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime(path)));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(path)));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if let (Some(encoding), false) = (encoding, fresh) {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether every part of the path is an ordinary name. Nothing is decoded: our files need no escapes.
fn is_plain(path: &str) -> bool {
    path.len() <= 300
        && path.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
}

fn hash(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("\"{hex}\"")
}

fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ext)| ext) {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Files with their hash in the name never change; all others are asked for again each time.
fn caching(path: &str) -> &'static str {
    if has_hash(path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or("");
    let Some((stem, _)) = name.split_once('.') else {
        return false;
    };
    path.starts_with("vendor/")
        && stem
            .rsplit_once('-')
            .is_some_and(|(_, hash)| hash.len() >= 8 && hash.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ordinary_names_are_looked_up() {
        for good in ["pkg/penstock.js", "vendor/editor-AB12CD34.js", "favicon.svg"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in [
            "",
            "pkg/",
            "pkg//a",
            "../a",
            "pkg/../a",
            "pkg/./a",
            "pkg/.env",
            "pkg/%2e%2e/a",
            "pkg/a\\b",
            "pkg/a b",
            "pkg/\u{e9}",
            "pkg/a;x",
            "/etc/passwd",
        ] {
            assert!(!is_plain(bad), "{bad}");
        }
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(has_hash("vendor/editor-AB12CD34.js"));
        assert!(!has_hash("vendor/editor.js"));
        assert!(!has_hash("vendor/code-mirror.js"));
        assert!(!has_hash("pkg/penstock-AB12CD34.js"));
    }

    #[test]
    fn a_refused_encoding_is_not_used() {
        let accepts = |text| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            let a = Accepts::of(&headers);
            (a.brotli, a.gzip)
        };
        assert_eq!(accepts("gzip, deflate, br"), (true, true));
        assert_eq!(accepts("gzip;q=1.0, br;q=0"), (false, true));
        assert_eq!(accepts("identity"), (false, false));
    }
}
