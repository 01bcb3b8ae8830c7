//! `cargo xtask demo`: from a fresh clone to a console on a real cluster.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::sandbox::conf::Ports;
use crate::sandbox::{hdfs, probe};
use crate::tools::{self, Need};
use crate::{Res, cache, fetch, http, run, sandbox, web};

/// Where the console listens; health and metrics on the next port.
const PORT: u16 = 8686;
const MANAGEMENT: u16 = 8687;

/// What the example jobs read.
pub(crate) const AIRPORTS: &str = "/data/airports.csv";

pub(crate) fn start() -> Res<()> {
    run::say("this builds the console and starts a Hadoop of its own; the first time takes a while");
    tools::system(&[Need::Compiler, Need::Java, Need::Maven, Need::Node, Need::Pip])?;
    // Fetching and starting Hadoop is mostly waiting, so it goes beside the compiler.
    let cluster = std::thread::spawn(cluster);
    let jar = web::runner()?;
    web::build()?;
    let mut cargo = tools::cargo();
    cargo.args(["build", "-p", "server", "--bin", "penstock"]);
    run::quiet("building the server", "server", &mut cargo)?;
    cluster
        .join()
        .unwrap_or_else(|_| Err("starting the sandbox ended by a panic".into()))?;
    serve(&jar)?;
    run::say(&format!(
        "the console is at http://127.0.0.1:{PORT}; `cargo xtask demo --stop` ends it all"
    ));
    Ok(())
}

/// The sandbox with the data set.
fn cluster() -> Res<()> {
    sandbox::up()?;
    let ports = Ports::configured()?;
    hdfs::directory(ports, "/data", "hadoop", "755")?;
    hdfs::publish(ports, &fetch::airports()?, AIRPORTS)
}

/// The console, then the sandbox.
pub(crate) fn stop() -> Res<()> {
    if let Some(pid) = console()? {
        run::say(&format!("stopping the console (pid {pid})"));
        end(pid)?;
    }
    sandbox::down(false)
}

fn end(pid: u32) -> Res<()> {
    let gone = || !is_console(pid);
    probe::signal(pid, "TERM");
    if run::wait_for(Duration::from_secs(15), gone) {
        return Ok(());
    }
    probe::signal(pid, "KILL");
    if run::wait_for(Duration::from_secs(5), gone) {
        Ok(())
    } else {
        Err(format!("pid {pid} does not end"))
    }
}

fn home() -> Res<PathBuf> {
    cache::dir("demo")
}

/// A copy, so that a build does not pull the program from under the running console.
fn program() -> Res<PathBuf> {
    Ok(home()?.join("penstock"))
}

fn is_console(pid: u32) -> bool {
    program().is_ok_and(|program| probe::has_argument(pid, &program.to_string_lossy()))
}

/// The running console of the demo.
fn console() -> Res<Option<u32>> {
    Ok(probe::processes().into_iter().find(|pid| is_console(*pid)))
}

/// Starts the console, or starts it anew when it runs but was built again since.
fn serve(jar: &Path) -> Res<()> {
    let built = tools::target_dir()?.join("debug/penstock");
    if let Some(pid) = console()? {
        if same(&built, &program()?) && http::request("GET", MANAGEMENT, "/readyz", None).is_ok() {
            run::say(&format!("the console runs already (pid {pid})"));
            return Ok(());
        }
        end(pid)?;
    }
    for port in [PORT, MANAGEMENT] {
        if !probe::is_free(port) {
            let holder = probe::listener(port).unwrap_or_else(|| "a process that cannot be seen".into());
            return Err(format!(
                "port {port} of 127.0.0.1, needed by the console, is taken by {holder}"
            ));
        }
    }
    let program = program()?;
    let _ = fs::remove_file(&program);
    fs::copy(&built, &program).map_err(|e| format!("cannot copy {}: {e}", built.display()))?;
    let log = home()?.join("console.log");
    let out = File::create(&log).map_err(|e| format!("cannot write {}: {e}", log.display()))?;
    let err = out.try_clone().map_err(|e| e.to_string())?;
    let mut command = command()?;
    command.arg("serve").env("PENSTOCK_SERVER_RUNNER_JAR", jar);
    // Its own process group: an interrupt at the terminal is for this tool, not for the console.
    command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0);
    let child = command
        .spawn()
        .map_err(|e| format!("cannot start the console: {e}"))?;
    run::say(&format!(
        "starting the console (pid {}), log {}",
        child.id(),
        log.display()
    ));
    let ready = || http::request("GET", MANAGEMENT, "/readyz", None).is_ok_and(|(status, _)| status == 200);
    let started = run::wait_for(Duration::from_secs(30), || ready() || !is_console(child.id()));
    if started && is_console(child.id()) {
        return Ok(());
    }
    Err(format!("the console does not come up\n{}", run::tail(&log, 30)))
}

/// The console's program with the demo's configuration: SQLite, the built site, the sandbox's files.
fn command() -> Res<Command> {
    let mut command = Command::new(program()?);
    command.current_dir(home()?);
    command.env("PENSTOCK_SERVER_DATA_DIR", home()?.join("data"));
    command.env("PENSTOCK_SERVER_LISTEN", format!("127.0.0.1:{PORT}"));
    command.env("PENSTOCK_SERVER_MANAGEMENT", format!("127.0.0.1:{MANAGEMENT}"));
    command.env("PENSTOCK_SERVER_PUBLIC_URL", format!("http://127.0.0.1:{PORT}"));
    command.env("PENSTOCK_SERVER_SITE_DIR", web::site());
    command.env("PENSTOCK_CLUSTERS_ALLOWED_DIRECTORIES", cache::dir("sandbox")?);
    Ok(command)
}

fn same(one: &Path, other: &Path) -> bool {
    let sum = |path: &Path| run::output(Command::new("sha256sum").arg(path));
    match (sum(one), sum(other)) {
        (Ok(one), Ok(other)) => one.get(..64) == other.get(..64),
        _ => false,
    }
}
