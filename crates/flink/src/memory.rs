//! How Flink divides the memory of its processes. The ApplicationMaster is started with the result,
//! so the numbers have to be the ones Flink itself would compute.

use domain::{Code, Failure};
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;

/// Flink keeps fractions as 32-bit floats; 0.1 is a little more there.
const DEFAULT_FRACTION: f32 = 0.1;

/// Shares of the JobManager's process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobManagerMemory {
    pub heap: u64,
    pub off_heap: u64,
    pub metaspace: u64,
    pub overhead: u64,
    /// Whether the JVM is told to keep within `off_heap`.
    pub limit_direct: bool,
}

type Conf = BTreeMap<String, String>;

/// Reads a size as Flink does: `1024m`, `1 gb`, `17 bytes`; a bare number is bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => MIB,
        "g" | "gb" | "gibibytes" => 1 << 30,
        "t" | "tb" | "tebibytes" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn invalid(key: &str, reason: impl std::fmt::Display) -> Failure {
    Failure::new(Code::FieldInvalid)
        .with("field", key)
        .with("reason", reason)
}

fn size(conf: &Conf, key: &str, default: u64) -> Result<u64, Failure> {
    conf.get(key).map_or(Ok(default), |text| {
        parse_size(text).ok_or_else(|| invalid(key, "1024m, 2g"))
    })
}

fn fraction(conf: &Conf, key: &str) -> Result<f64, Failure> {
    let fraction = match conf.get(key) {
        None => DEFAULT_FRACTION,
        Some(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|f| (0.0..1.0).contains(f))
            .ok_or_else(|| invalid(key, "0 … 1"))?,
    };
    Ok(f64::from(fraction))
}

/// Truncates as Flink does.
fn share(bytes: u64, fraction: f64) -> u64 {
    (bytes as f64 * fraction) as u64
}

/// The shares of a JobManager whose process may use `process_mb`, with the job's own settings.
///
/// # Errors
/// [`Code::FieldInvalid`] naming the setting that cannot be read or the memory that does not fit.
pub fn job_manager(process_mb: u64, conf: &Conf) -> Result<JobManagerMemory, Failure> {
    let process = process_mb.saturating_mul(MIB);
    let metaspace = size(conf, "jobmanager.memory.jvm-metaspace.size", 256 * MIB)?;
    let off_heap = size(conf, "jobmanager.memory.off-heap.size", 128 * MIB)?;
    let least = size(conf, "jobmanager.memory.jvm-overhead.min", 192 * MIB)?;
    let most = size(conf, "jobmanager.memory.jvm-overhead.max", 1 << 30)?;
    let overhead = share(
        process,
        fraction(conf, "jobmanager.memory.jvm-overhead.fraction")?,
    );
    let too_small = || {
        invalid(
            "job_manager_mb",
            format!("{process_mb} MiB leave no heap beside metaspace, off-heap and overhead"),
        )
    };
    let rest = process
        .checked_sub(metaspace)
        .and_then(|rest| rest.checked_sub(off_heap))
        .ok_or_else(too_small)?;
    let (heap, overhead) = match conf.get("jobmanager.memory.heap.size") {
        None => {
            let overhead = overhead.max(least).min(most);
            (rest.checked_sub(overhead).ok_or_else(too_small)?, overhead)
        }
        // With the heap given, what is left is the overhead, and Flink refuses one out of bounds.
        Some(text) => {
            let key = "jobmanager.memory.heap.size";
            let heap = parse_size(text).ok_or_else(|| invalid(key, "1024m, 2g"))?;
            let overhead = rest
                .checked_sub(heap)
                .filter(|overhead| (least..=most).contains(overhead))
                .ok_or_else(|| {
                    invalid(
                        key,
                        format!(
                            "{} to {} MiB fit into a process of {process_mb} MiB",
                            rest.saturating_sub(most) / MIB,
                            rest.saturating_sub(least) / MIB
                        ),
                    )
                })?;
            (heap, overhead)
        }
    };
    if heap == 0 {
        return Err(too_small());
    }
    let limit_direct = conf
        .get("jobmanager.memory.enable-jvm-direct-memory-limit")
        .is_some_and(|v| v.trim() == "true");
    Ok(JobManagerMemory {
        heap,
        off_heap,
        metaspace,
        overhead,
        limit_direct,
    })
}

/// Heap below which tasks hardly run.
const TASK_HEAP_WANTED: u64 = 192 * MIB;
const MANAGED_LEAST: u64 = 32 * MIB;

/// Settings that leave a small TaskManager some heap for its tasks. Flink's own shares are made for
/// larger processes: with less than about 1.2 GiB nearly nothing remains. Empty when the process is
/// large enough, or when the job divides the memory itself.
pub fn small_task_manager(process_mb: u64, conf: &Conf) -> Vec<(&'static str, String)> {
    if conf.keys().any(|key| key.starts_with("taskmanager.memory.")) {
        return Vec::new();
    }
    let process = process_mb.saturating_mul(MIB);
    let default = f64::from(DEFAULT_FRACTION);
    let (metaspace, framework) = (256 * MIB, 128 * MIB);
    let overhead = share(process, default).clamp(192 * MIB, 1 << 30);
    let total = process.saturating_sub(metaspace + overhead);
    let network = share(total, default).max(64 * MIB);
    let managed = share(total, f64::from(0.4_f32));
    let for_tasks = total.saturating_sub(2 * framework + network);
    if for_tasks >= managed + TASK_HEAP_WANTED {
        return Vec::new();
    }
    let mib = |bytes: u64| format!("{}m", bytes / MIB);
    let managed = for_tasks.saturating_sub(TASK_HEAP_WANTED).max(MANAGED_LEAST);
    let mut settings = vec![("taskmanager.memory.managed.size", mib(managed))];
    if for_tasks < managed + TASK_HEAP_WANTED / 2 {
        settings.extend([
            ("taskmanager.memory.framework.off-heap.size", "64m".to_owned()),
            // Batch shuffles take 64 MiB of that by default and fail when it is not there.
            (
                "taskmanager.memory.framework.off-heap.batch-shuffle.size",
                "32m".to_owned(),
            ),
            ("taskmanager.memory.network.min", "32m".to_owned()),
            ("taskmanager.memory.network.max", "32m".to_owned()),
            ("taskmanager.memory.jvm-overhead.min", "96m".to_owned()),
        ]);
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(entries: &[(&str, &str)]) -> Conf {
        entries
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn shares_are_those_flink_computes() {
        for (mb, heap, overhead) in [
            (1024, 469_762_048, 201_326_592),
            (1600, 1_073_741_824, 201_326_592),
            (2048, 1_530_082_096, 214_748_368),
            (4096, 3_462_817_376, 429_496_736),
            (5000, 4_315_938_809, 524_288_007),
            (12 * 1024, 11_408_506_880, 1_073_741_824),
        ] {
            let memory = job_manager(mb, &conf(&[])).unwrap();
            assert_eq!((memory.heap, memory.overhead), (heap, overhead), "{mb}");
            assert_eq!((memory.off_heap, memory.metaspace), (134_217_728, 268_435_456));
        }
    }

    #[test]
    fn own_settings_move_the_shares() {
        let memory = job_manager(
            1600,
            &conf(&[
                ("jobmanager.memory.heap.size", "1g"),
                ("jobmanager.memory.jvm-metaspace.size", "128 mb"),
            ]),
        )
        .unwrap();
        assert_eq!(memory.heap, 1 << 30);
        assert_eq!(memory.overhead, (1600 - 1024 - 128 - 128) * MIB);
        for (mb, settings) in [
            (500, conf(&[])),
            (1024, conf(&[("jobmanager.memory.heap.size", "900m")])),
            (1024, conf(&[("jobmanager.memory.heap.size", "much")])),
            (
                1024,
                conf(&[("jobmanager.memory.off-heap.size", "99999999999999999999g")]),
            ),
            (1024, conf(&[("jobmanager.memory.jvm-overhead.fraction", "NaN")])),
        ] {
            assert_eq!(
                job_manager(mb, &settings).unwrap_err().code,
                Code::FieldInvalid,
                "{mb} {settings:?}"
            );
        }
    }

    #[test]
    fn sizes_are_read_as_flink_reads_them() {
        for (text, bytes) in [
            ("64m", Some(64 * MIB)),
            (" 1 GB ", Some(1 << 30)),
            ("10", Some(10)),
            ("10 bytes", Some(10)),
            ("m", None),
            ("1.5g", None),
            ("-1", None),
            ("1 parsec", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }

    /// Task heap that Flink computes for a process with these settings.
    fn task_heap(process_mb: u64, settings: &[(&str, String)]) -> Option<u64> {
        let get = |key: &str, default: u64| {
            settings
                .iter()
                .find(|(k, _)| *k == key)
                .map_or(default, |(_, v)| parse_size(v).unwrap())
        };
        let process = process_mb * MIB;
        let overhead = share(process, 0.1)
            .max(get("taskmanager.memory.jvm-overhead.min", 192 * MIB))
            .min(1 << 30);
        let total = process.checked_sub(256 * MIB + overhead)?;
        let network = share(total, 0.1)
            .max(get("taskmanager.memory.network.min", 64 * MIB))
            .min(get("taskmanager.memory.network.max", u64::MAX));
        let managed = get("taskmanager.memory.managed.size", share(total, 0.4));
        let framework = 128 * MIB + get("taskmanager.memory.framework.off-heap.size", 128 * MIB);
        total.checked_sub(network + managed + framework)
    }

    #[test]
    fn every_size_a_job_may_ask_for_leaves_heap_for_tasks() {
        for mb in 640..4000 {
            let settings = small_task_manager(mb, &conf(&[]));
            let heap = task_heap(mb, &settings).unwrap_or_else(|| panic!("{mb}: {settings:?}"));
            assert!(heap >= 24 * MIB, "{mb}: {} MiB {settings:?}", heap / MIB);
        }
        assert_eq!(
            small_task_manager(1024, &conf(&[])),
            [("taskmanager.memory.managed.size", "64m".to_owned())]
        );
        assert!(small_task_manager(1728, &conf(&[])).is_empty());
        assert!(small_task_manager(1024, &conf(&[("taskmanager.memory.managed.fraction", "0")])).is_empty());
    }
}
