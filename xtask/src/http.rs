//! The few HTTP requests this tool makes, all to daemons on the loopback address.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::Res;

/// No answer read here is larger; a daemon gone wild must not fill the memory.
const MOST: u64 = 8 * 1024 * 1024;

/// What a request carries: `Content-Type` and bytes.
pub(crate) type Body<'a> = Option<(&'a str, &'a [u8])>;

/// One request to `127.0.0.1:port`; the status and the body.
pub(crate) fn request(method: &str, port: u16, path: &str, body: Body<'_>) -> Res<(u16, String)> {
    send(method, port, path, None, body)
}

/// The same with an `Authorization: Bearer` header.
pub(crate) fn send(
    method: &str,
    port: u16,
    path: &str,
    bearer: Option<&str>,
    body: Body<'_>,
) -> Res<(u16, String)> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let fail = |e: std::io::Error| format!("{method} 127.0.0.1:{port}{path}: {e}");
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).map_err(fail)?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .map_err(fail)?;
    stream
        .set_write_timeout(Some(Duration::from_secs(5)))
        .map_err(fail)?;
    let (kind, body) = body.unwrap_or(("", &[]));
    let mut more = String::new();
    if !kind.is_empty() {
        more += &format!("Content-Type: {kind}\r\n");
    }
    if let Some(token) = bearer {
        more += &format!("Authorization: Bearer {token}\r\n");
    }
    // HTTP/1.0, so that the answer ends with the connection and is never chunked.
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n{more}\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body))
        .map_err(fail)?;
    let mut bytes = Vec::new();
    stream.take(MOST).read_to_end(&mut bytes).map_err(fail)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut rest = text.as_ref();
    loop {
        let (head, body) = rest.split_once("\r\n\r\n").ok_or("an answer without headers")?;
        let status: u16 = head
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .ok_or("an answer without status")?;
        // A DataNode says 100 first, whether asked to or not.
        if status >= 200 {
            return Ok((status, body.to_owned()));
        }
        rest = body;
    }
}

/// GET that must answer 200 with JSON.
pub(crate) fn get(port: u16, path: &str) -> Res<Value> {
    match request("GET", port, path, None)? {
        (200, body) => serde_json::from_str(&body).map_err(|e| format!("{path}: {e}")),
        (status, _) => Err(format!("GET {path}: status {status}")),
    }
}
