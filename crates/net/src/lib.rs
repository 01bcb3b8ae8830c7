//! The one place the console opens outgoing HTTP connections from: every request has a deadline,
//! every body a cap, redirects are shown to the caller instead of followed, proxy variables of the
//! environment are ignored, and no error carries a query string (WebHDFS keeps identities and
//! tokens there).

#[cfg(target_family = "wasm")]
compile_error!("net is part of the server; a page must never link it");

mod client;
mod error;
pub mod observation;
mod request;
mod response;
pub mod secrets;

pub use bytes::Bytes;
pub use client::{Client, Options};
pub use error::{Error, redact};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use request::{ByteStream, Request, stream_bytes, stream_file};
pub use response::{Download, Reply};
pub use url::Url;
