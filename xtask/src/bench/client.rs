//! The engine's own client on the same cluster: what the console is compared with.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Start, usage, yarn};
use crate::sandbox::conf::{Layout, Ports, TEAMS, flink_jvm_options};
use crate::sandbox::hdfs;
use crate::{Res, cache, fetch, run};

/// Not in the user's home: what clients share is localised by YARN itself, which must get there.
const DIR: &str = "/bench";
const LIMIT: Duration = Duration::from_secs(180);

/// Puts the distribution and the job's jar on HDFS, as one who starts often would have done.
pub(super) fn prepare(jar: &Path) -> Res<()> {
    let flink = fetch::flink(fetch::FLINK_VERSION)?;
    let shell = |label: &str, words: &[&std::ffi::OsStr]| {
        let mut java = java()?;
        java.arg("org.apache.hadoop.fs.FsShell").args(words);
        run::quiet(label, "bench-put", &mut java)
    };
    let mut test = java()?;
    test.args(["org.apache.hadoop.fs.FsShell", "-test", "-e"])
        .arg(format!("{DIR}/placed"));
    if run::output(&mut test).is_ok() {
        return Ok(());
    }
    hdfs::directory(Ports::configured()?, DIR, TEAMS[0], "755")?;
    shell(
        "placing Flink for its own client",
        &[
            "-put".as_ref(),
            "-f".as_ref(),
            flink.join("lib").as_os_str(),
            flink.join("plugins").as_os_str(),
            jar.as_os_str(),
            DIR.as_ref(),
        ],
    )?;
    shell(
        "marking it as placed",
        &["-touchz".as_ref(), format!("{DIR}/placed").as_ref()],
    )
}

/// A JVM with Hadoop's client on its class path, acting as the team's user.
fn java() -> Res<Command> {
    let (layout, flink) = (Layout::new()?, fetch::flink(fetch::FLINK_VERSION)?);
    let mut java = Command::new("java");
    java.args(flink_jvm_options());
    java.arg("-cp").arg(format!(
        "{0}/lib/*:{1}:{2}/lib/*",
        flink.display(),
        layout.client.display(),
        layout.hadoop.display()
    ));
    let log = cache::dir("logs")?.join("bench-client-flink.log");
    java.arg(format!("-Dlog.file={}", log.display()));
    java.arg(format!(
        "-Dlog4j.configurationFile={}",
        flink.join("conf/log4j-cli.properties").display()
    ));
    java.env("HADOOP_USER_NAME", TEAMS[0])
        .env("HADOOP_CONF_DIR", &layout.client)
        .env("FLINK_CONF_DIR", flink.join("conf"))
        .env("FLINK_LIB_DIR", flink.join("lib"))
        .env("FLINK_PLUGINS_DIR", flink.join("plugins"));
    Ok(java)
}

/// `flink run -t yarn-application -d` of a small job.
pub(super) fn start(number: usize, jar: &str) -> Res<Start> {
    let ports = Ports::configured()?;
    let fs = format!("hdfs://127.0.0.1:{}{DIR}", ports.nn_rpc());
    let tag = format!("bench-client-{}-{number}", std::process::id());
    let mut java = java()?;
    java.arg("org.apache.flink.client.cli.CliFrontend");
    java.args(["run", "-t", "yarn-application", "-d"]);
    for setting in [
        format!("yarn.provided.lib.dirs={fs}/lib;{fs}/plugins"),
        "yarn.application.queue=root.default".to_owned(),
        format!("yarn.tags={tag}"),
        "jobmanager.memory.process.size=1024m".to_owned(),
        "taskmanager.memory.process.size=1024m".to_owned(),
    ] {
        java.arg(format!("-D{setting}"));
    }
    java.args(["-c", super::MAIN_CLASS]).arg(format!("{fs}/{jar}"));
    let log = cache::dir("logs")?.join("bench-client.log");
    let out = File::create(&log).map_err(|e| format!("cannot write {}: {e}", log.display()))?;
    let err = out.try_clone().map_err(|e| e.to_string())?;
    java.stdin(Stdio::null()).stdout(out).stderr(err);
    let began_at = super::now_ms();
    let begun = Instant::now();
    let mut child = java.spawn().map_err(|e| format!("cannot start java: {e}"))?;
    let pid = child.id();
    let accepted = std::thread::spawn(move || yarn::accepted(ports, &tag, begun, LIMIT));
    let (mut peak, mut cpu) = (0.0_f64, 0.0);
    // An ended child that nobody has waited for still shows its processor time.
    loop {
        peak = peak.max(usage::peak(pid));
        match usage::cpu(pid) {
            Some((state, seconds)) => {
                cpu = seconds;
                if state == 'Z' {
                    break;
                }
            }
            None => break,
        }
        if begun.elapsed() > LIMIT {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let wall = begun.elapsed().as_secs_f64() * 1000.0;
    let status = child.wait().map_err(|e| e.to_string())?;
    let accepted = accepted
        .join()
        .unwrap_or_else(|_| Err("the thread ended by a panic".into()));
    let told = |message: String| format!("the engine's client: {message}\n{}", run::tail(&log, 20));
    let accepted = accepted.map_err(told)?;
    yarn::kill(ports, &accepted.id)?;
    if !status.success() {
        return Err(told(status.to_string()));
    }
    Ok(Start {
        answered_ms: wall,
        submitted_ms: accepted.submitted_at - began_at,
        accepted_ms: accepted.after_ms,
        cpu_ms: cpu * 1000.0,
        peak_mib: peak,
    })
}
