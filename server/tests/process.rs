//! The binary itself: starting, being asked by its subcommands, refusing a second one, stopping.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test starts the binary and stops where something is missing"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

fn penstock(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_penstock"));
    command.args(arguments).current_dir(dir).env_clear();
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    penstock(dir, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Ends with the test, whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_console_from_its_first_start_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (port, management) = (free_port(), free_port());
    let file = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\nmanagement = \"127.0.0.1:{management}\"\n\
         public_url = \"http://127.0.0.1:{port}\"\n[log]\nformat = \"json\"\n"
    );
    std::fs::write(dir.path().join("penstock.toml"), file).unwrap();
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let child = penstock(dir.path(), &["serve"])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("ready"));
    let link = lines.next().unwrap().unwrap();
    let secret = link.split("#token=").nth(1).unwrap().to_owned();
    assert_eq!(secret.len(), 43, "{link}");

    assert!(get(management, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(management, "/readyz").starts_with("HTTP/1.1 200"));
    let counted = "penstock_reconciler_activations_total{reconciler=\"submit\"}";
    let deadline = Instant::now() + Duration::from_secs(10);
    while !get(management, "/metrics").contains(counted) {
        assert!(Instant::now() < deadline, "the submit reconciler never ran");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(get(management, "/api/v1/me").starts_with("HTTP/1.1 404"));
    assert!(
        get(port, "/healthz").starts_with("HTTP/1.1 404"),
        "health is for the management listener"
    );

    let second = run(dir.path(), &["serve"]);
    assert!(!second.status.success());
    let told = text(&second.stderr);
    assert!(told.contains(&format!("process {}", running.0.id())), "{told}");

    let token = run(
        dir.path(),
        &["token", "create", "--user", "admin", "--name", "t", "--days", "1"],
    );
    assert!(text(&token.stdout).starts_with("pst_"), "{}", text(&token.stderr));
    let unknown = run(
        dir.path(),
        &["token", "create", "--user", "nobody", "--name", "t"],
    );
    assert!(!unknown.status.success());
    assert!(text(&unknown.stderr).contains("no such user"));
    // The refusal reaches a caller that sends everything before it reads.
    let large = 10 * 1024 * 1024;
    let head = format!(
        "POST /api/v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\ncontent-type: \
         application/json\r\ncontent-length: {large}\r\nconnection: close\r\n\r\n",
        text(&token.stdout).trim()
    );
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&vec![b'x'; large]).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    let again = run(dir.path(), &["login-link"]);
    assert!(text(&again.stdout).starts_with(&format!("http://127.0.0.1:{port}/login#token=")));

    let started = Instant::now();
    assert!(
        Command::new("kill")
            .arg(running.0.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    let status = running.0.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(started.elapsed() < Duration::from_secs(10));

    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.lines().count() > 2);
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    for secret in [secret.as_str(), text(&token.stdout).trim()] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    let alone = run(dir.path(), &["user", "create", "--name", "li"]);
    assert!(text(&alone.stdout).starts_with("usr_"), "{}", text(&alone.stderr));
}

#[test]
fn the_configuration_is_checked_and_shown_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let good = penstock(dir.path(), &["config", "check"])
        .env("PENSTOCK_DATABASE_URL", "postgres://u:hunter2@db/penstock")
        .output()
        .unwrap();
    assert!(good.status.success());
    assert!(text(&good.stdout).contains("postgres://u:redacted@db/penstock"));
    assert!(!text(&good.stdout).contains("hunter2"));
    for (name, value) in [
        ("PENSTOCK_SERVER_PUBLIC_URL", "http://example.org"),
        ("PENSTOCK_SERVER_PUBLIC", "https://example.org"),
        ("PENSTOCK_CONFIG", "/does/not/exist"),
    ] {
        let bad = penstock(dir.path(), &["serve"])
            .env(name, value)
            .output()
            .unwrap();
        assert!(!bad.status.success(), "{name}");
        assert!(
            text(&bad.stderr).contains("the configuration is not usable"),
            "{}",
            text(&bad.stderr)
        );
    }
}
