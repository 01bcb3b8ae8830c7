//! What a process has used, as the kernel shows it.

use std::fs;

/// The kernel counts processor time in hundredths of a second towards programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// State letter and seconds of processor time, user and system, children that were waited for included.
pub(super) fn cpu(pid: u32) -> Option<(char, f64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets; everything after the last bracket is fields.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let state = fields.first()?.chars().next()?;
    let ticks: f64 = fields
        .get(11..15)?
        .iter()
        .filter_map(|f| f.parse::<f64>().ok())
        .sum();
    Some((state, ticks / TICKS_PER_SECOND))
}

/// The most memory the process has had resident, in MiB; 0 once it has ended.
pub(super) fn peak(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_is_seen() {
        let (state, seconds) = super::cpu(std::process::id()).unwrap_or(('?', -1.0));
        assert!("RSD".contains(state), "{state}");
        assert!(seconds >= 0.0);
        assert!(super::peak(std::process::id()) > 1.0);
    }
}
