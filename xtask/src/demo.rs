//! `cargo xtask demo`: from a fresh clone to a console on a real cluster.

pub(crate) mod setup;
mod spark;

use std::fs;

use crate::console::Console;
use crate::sandbox::conf::{Ports, TEAMS};
use crate::sandbox::hdfs;
use crate::tools::{self, Need};
use crate::{Res, cache, fetch, run, sandbox, web};

/// Where the demo's console keeps its files on HDFS; other consoles have directories beside it.
const ROOT: &str = "/penstock/demo";

/// `PENSTOCK_DEMO_PORT`, or 8686; health and metrics are on the next port.
fn port() -> Res<u16> {
    let Ok(text) = std::env::var("PENSTOCK_DEMO_PORT") else {
        return Ok(8686);
    };
    match text.parse() {
        Ok(port) if (1024..65535).contains(&port) => Ok(port),
        _ => Err(format!(
            "PENSTOCK_DEMO_PORT must be 1024 to 65534, not \"{text}\""
        )),
    }
}

pub(crate) fn start() -> Res<()> {
    let console = Console::new("demo", port()?)?;
    if console.is_new() {
        run::say(
            "building the console and starting a Hadoop of its own; the first time takes 15 to 40 minutes",
        );
    }
    tools::system(&[Need::Compiler, Need::Java, Need::Maven, Need::Node, Need::Pip])?;
    // Fetching and starting Hadoop is mostly waiting, so it goes beside the compiler.
    let fresh = console.is_new();
    let cluster = std::thread::spawn(move || cluster(fresh));
    let distribution = std::thread::spawn(|| sandbox::spark::spark(sandbox::spark::VERSIONS[0]).map(drop));
    let jar = web::runner()?;
    web::build()?;
    let mut cargo = tools::cargo();
    cargo.args(["build", "-p", "server", "--bin", "penstock"]);
    run::quiet("building the server", "server", &mut cargo)?;
    cluster
        .join()
        .unwrap_or_else(|_| Err("starting the sandbox ended by a panic".into()))?;
    distribution
        .join()
        .unwrap_or_else(|_| Err("fetching Spark ended by a panic".into()))?;
    let built = tools::target_dir()?.join("debug/penstock");
    if let Some(took) = console.serve(&built, Some(&jar))? {
        run::say(&format!("the console is ready after {:.1} s", took.as_secs_f32()));
    }
    let api = console.api()?;
    setup::register(&api, &jar.with_file_name("penstock-testjobs.jar"), ROOT)?;
    spark::register(&api, &jar.with_file_name("penstock-spark-testjobs.jar"))?;
    farewell(&console)
}

/// The sandbox with the data set. A new console must not find the files of one that is gone.
fn cluster(fresh: bool) -> Res<()> {
    let mark = cache::dir("demo")?.join("started-sandbox");
    if !sandbox::is_running()? {
        cache::write(&mark, "")?;
    }
    sandbox::up()?;
    let ports = Ports::configured()?;
    if fresh {
        hdfs::remove(ports, ROOT)?;
    }
    hdfs::directory(ports, &setup::data(), TEAMS[0], "755")?;
    hdfs::publish(
        ports,
        &fetch::airports()?,
        &format!("{}/airports.csv", setup::data()),
        TEAMS[0],
    )
}

fn farewell(console: &Console) -> Res<()> {
    let link = console.login_link()?;
    run::say("ready");
    println!(
        "\n  sign in   {link}\n            (works once, within 30 minutes; run this command again for another)\n  \
         address   {}\n  token     {} (for the REST API: {}/api/v1/openapi.json)\n  log       {}\n\n\
         Open \"{}\" and press Start; the rows it found are in the log jobmanager.out,\n\
         its result is on HDFS in {}/by-state.\n\
         `cargo xtask demo --stop` ends what this command started.",
        console.url(),
        console.home.join("token").display(),
        console.url(),
        console.log().display(),
        setup::BATCH,
        setup::data(),
    );
    Ok(())
}

/// The console, then the sandbox if this command started it.
pub(crate) fn stop() -> Res<()> {
    let console = Console::new("demo", port()?)?;
    run::say(if console.stop()? {
        "the console is stopped"
    } else {
        "the console was not running"
    });
    let mark = console.home.join("started-sandbox");
    if mark.exists() {
        sandbox::down(false)?;
        return fs::remove_file(&mark).map_err(|e| format!("cannot remove {}: {e}", mark.display()));
    }
    if sandbox::is_running()? {
        run::say(
            "the sandbox was started by another command and goes on; `cargo xtask sandbox down` ends it",
        );
    }
    Ok(())
}
