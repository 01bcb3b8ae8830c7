//! Running other programs, and saying what goes on.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::{Res, cache};

/// When this tool began; the time in front of every line counts from here.
pub(crate) fn began() -> Instant {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    *BEGAN.get_or_init(Instant::now)
}

/// One progress line with the seconds since the start.
pub(crate) fn say(message: &str) {
    println!("[{:6.1}s] {message}", began().elapsed().as_secs_f32());
    let _ = std::io::stdout().flush();
}

/// How often a long silent step says that it is still at work.
const TICK: Duration = Duration::from_secs(10);

/// Runs `command` with its output in `<cache>/logs/<log>.log`, a line before and after, a sign of life
/// every ten seconds, and the end of the log when it fails.
pub(crate) fn quiet(label: &str, log: &str, command: &mut Command) -> Res<()> {
    let path = cache::dir("logs")?.join(format!("{log}.log"));
    let file = File::create(&path).map_err(|e| format!("cannot create {}: {e}", path.display()))?;
    let errors = file.try_clone().map_err(|e| e.to_string())?;
    say(label);
    let start = Instant::now();
    // Its log is shown when it fails; a tool's own back trace would hide the reason.
    command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .env("RUST_BACKTRACE", "0");
    let mut child = command.spawn().map_err(|e| cannot_start(command, &e))?;
    let mut next = TICK;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        if start.elapsed() > next {
            let last = tail(&path, 1).trim().chars().take(100).collect::<String>();
            say(&format!("… {:.0} s: {last}", start.elapsed().as_secs_f32()));
            next += TICK;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if status.success() {
        say(&format!("  done in {:.1} s", start.elapsed().as_secs_f32()));
        return Ok(());
    }
    Err(format!(
        "{label}: {status}\n{}\nfull output: {}",
        tail(&path, 40),
        path.display()
    ))
}

/// Runs `command`, hands each line of its output (both streams) to `each`, and tells whether it succeeded.
pub(crate) fn lines(command: &mut Command, mut each: impl FnMut(&str) + Send) -> Res<bool> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| cannot_start(command, &e))?;
    let (sender, receiver) = std::sync::mpsc::sync_channel::<String>(256);
    let pump = |stream: Option<Box<dyn std::io::Read + Send>>| {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let Some(stream) = stream else { return };
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(text).is_err() {
                    return;
                }
                line.clear();
            }
        })
    };
    let out = pump(child.stdout.take().map(|s| Box::new(s) as _));
    let err = pump(child.stderr.take().map(|s| Box::new(s) as _));
    drop(sender);
    for line in receiver {
        each(&line);
    }
    let _ = (out.join(), err.join());
    Ok(child.wait().map_err(|e| e.to_string())?.success())
}

/// The standard output of a short command; its standard error is the error text.
pub(crate) fn output(command: &mut Command) -> Res<String> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| cannot_start(command, &e))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    Err(format!(
        "{name}: {}\n{}",
        out.status,
        String::from_utf8_lossy(&out.stderr).trim()
    ))
}

/// Whether a program of this name is on the path.
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// The last `count` lines of a file; reads at most its last 64 KiB.
pub(crate) fn tail(path: &Path, count: usize) -> String {
    use std::io::{Read, Seek, SeekFrom};
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let length = fs::metadata(path).map(|m| m.len()).unwrap_or(0);
        let _ = file.seek(SeekFrom::Start(length.saturating_sub(64 * 1024)));
        let _ = file.take(64 * 1024).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Polls `done` until it is true or `limit` has passed.
pub(crate) fn wait_for(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!(
        "cannot start {}: {error}",
        command.get_program().to_string_lossy()
    )
}
