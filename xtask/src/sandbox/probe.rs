//! Processes and ports as the kernel shows them under `/proc`.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every process id there is.
pub(crate) fn processes() -> Vec<u32> {
    let Ok(dir) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    dir.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn arguments(pid: u32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    bytes
        .split(|b| *b == 0)
        .map(|a| String::from_utf8_lossy(a).into_owned())
        .collect()
}

/// Whether the process lives and has exactly this argument. A zombie has no arguments any more.
pub(crate) fn has_argument(pid: u32, argument: &str) -> bool {
    arguments(pid).iter().any(|a| a == argument)
}

/// Resident memory in KiB.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or(0)
}

/// Processes whose working directory lies in `dir`.
pub(crate) fn working_in(dir: &Path) -> Vec<u32> {
    let inside = |pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
    processes().into_iter().filter(inside).collect()
}

/// Sends a signal; a process that is gone already is no error.
pub(crate) fn signal(pid: u32, name: &str) {
    let script = "kill -s \"$1\" \"$2\" 2>/dev/null";
    let _ = Command::new("sh")
        .args(["-c", script, "sh", name, &pid.to_string()])
        .status();
}

/// Whether a daemon could listen there now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Who listens on the port, as "pid 12 (name arguments…)", if this user may see it.
pub(crate) fn listener(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| listening_inode(table, port))?;
    let wanted = PathBuf::from(format!("socket:[{inode}]"));
    let holds = |pid: &u32| {
        let Ok(dir) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        dir.flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == wanted))
    };
    let pid = processes().into_iter().find(holds)?;
    let command: String = arguments(pid).join(" ").trim().chars().take(80).collect();
    Some(format!("pid {pid} ({command})"))
}

/// The socket in state LISTEN (0A) on this local port in one of the kernel's tables.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    let suffix = format!(":{port:04X}");
    fs::read_to_string(table).ok()?.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let matches = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        matches.then(|| fields.get(9)?.parse().ok()).flatten()
    })
}
