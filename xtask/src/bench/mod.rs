//! `cargo xtask bench`: starts by the console and by the engine's own client, paired on the same cluster, and
//! what the console itself costs.

mod client;
mod table;
mod usage;
mod yarn;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use self::table::{Bound, Table, median, quantile};
use crate::console::{Api, Console};
use crate::demo::setup;
use crate::sandbox::conf::{Ports, TEAMS};
use crate::sandbox::{hdfs, probe};
use crate::tools::{self, Need};
use crate::{Res, cache, run, sandbox, web};

const ROOT: &str = "/penstock/bench";
const PORT: u16 = 8786;
const MAIN_CLASS: &str = "io.penstock.testjobs.StreamForever";

/// Starts that are measured, after one that is not.
const OURS: usize = 20;
const THEIRS: usize = 5;

/// How long the console is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(30);

/// One start, in milliseconds and MiB.
struct Start {
    /// Until 202 for the console, until the program ended for the client.
    answered_ms: f64,
    /// Until the ResourceManager had taken the submission, by its own clock.
    submitted_ms: f64,
    /// Until ACCEPTED was seen.
    accepted_ms: f64,
    /// Processor time of the submitting process.
    cpu_ms: f64,
    peak_mib: f64,
}

pub(crate) fn run() -> Res<ExitCode> {
    tools::system(&[
        Need::Compiler,
        Need::Java,
        Need::Maven,
        Need::Node,
        Need::Pip,
        Need::Chromium,
    ])?;
    let was_up = sandbox::is_running()?;
    let cluster = std::thread::spawn(sandbox::up);
    let jar = web::runner()?;
    let jobs_jar = jar.with_file_name("penstock-testjobs.jar");
    web::build()?;
    let program = release(&jar)?;
    cluster
        .join()
        .unwrap_or_else(|_| Err("starting the sandbox ended by a panic".into()))?;
    let ports = Ports::configured()?;
    hdfs::remove(ports, ROOT)?;
    hdfs::directory(ports, &setup::data(), TEAMS[0], "755")?;
    cache::remove_dir(&cache::dir("bench/console")?)?;
    let console = Console::new("bench/console", PORT)?;
    let mut table = Table::default();
    let outcome = measure(&console, &program, &jobs_jar, &mut table);
    console.stop()?;
    if !was_up {
        sandbox::down(false)?;
    }
    outcome?;
    table.print();
    let file = save(&table)?;
    run::say(&format!(
        "{} aims missed; written to {}",
        table.missed(),
        file.display()
    ));
    Ok(if table.missed() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The one file a release is: web assets, migrations and runner inside.
pub(crate) fn release(jar: &Path) -> Res<PathBuf> {
    let mut cargo = tools::cargo();
    cargo
        .args(["build", "--release", "-p", "server", "--bin", "penstock"])
        .args(["--features", "embed"])
        .env("PENSTOCK_SITE", web::site())
        .env("PENSTOCK_RUNNER_JAR", jar);
    run::quiet("building the release", "release", &mut cargo)?;
    Ok(tools::target_dir()?.join("release/penstock"))
}

fn measure(console: &Console, program: &Path, jobs_jar: &Path, table: &mut Table) -> Res<()> {
    table.tell("release binary, MiB", file_mib(program)?);
    startup(console, program, table)?;
    let api = console.api()?;
    page(console, table)?;
    setup::register(&api, jobs_jar, ROOT)?;
    let ours = ours(console, &api)?;
    client::prepare(jobs_jar)?;
    let name = jobs_jar
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut theirs = Vec::new();
    // The first one is not counted: it fills the disk cache, as our first one does.
    for number in 0..=THEIRS {
        let start = client::start(number, &name)?;
        run::say(&format!(
            "client {number}: {:.0} ms to submitted, {:.0} ms in all, {:.0} ms processor",
            start.submitted_ms, start.answered_ms, start.cpu_ms
        ));
        theirs.extend((number > 0).then_some(start));
    }
    compare(&ours, &theirs, table);
    Ok(())
}

fn startup(console: &Console, program: &Path, table: &mut Table) -> Res<()> {
    let first = console
        .serve(program, None)?
        .ok_or("a console runs there already")?;
    table.tell("first start to ready, ms", first.as_secs_f64() * 1000.0);
    let mut later = Vec::new();
    for _ in 0..5 {
        console.stop()?;
        later.push(console.launch()?.as_secs_f64() * 1000.0);
    }
    table.aim("start to ready, ms", median(&later), Bound::AtMost, 1000.0);
    run::say(&format!("leaving the console alone for {} s", IDLE.as_secs()));
    std::thread::sleep(IDLE);
    let pid = console.pid().ok_or("the console has ended")?;
    #[allow(clippy::cast_precision_loss)]
    let idle = probe::resident(pid) as f64 / 1024.0;
    table.aim("idle memory, MiB", idle, Bound::AtMost, 80.0);
    Ok(())
}

/// The jobs page in a browser that has never been there.
fn page(console: &Console, table: &mut Table) -> Res<()> {
    let dir = cache::checkout().join("end2end");
    tools::npm_ci(&dir, "fetching the browser tests' packages")?;
    run::say("loading the jobs page, five times at full speed and five at a quarter");
    let mut node = Command::new("node");
    node.arg("load.mjs").arg(console.url()).arg(console.login_link()?);
    let said = run::output(node.current_dir(&dir))?;
    let seen: Value = serde_json::from_str(said.trim()).map_err(|e| format!("load.mjs: {e}"))?;
    let number = |speed: &str, key: &str| seen[speed][key].as_f64().unwrap_or(f64::NAN);
    let aims = [
        ("largest paint, ms", "lcp_ms", 600.0, 1200.0),
        ("blocking time, ms", "blocking_ms", 50.0, 250.0),
        ("interactive, ms", "interactive_ms", 800.0, 1600.0),
        ("layout shift", "layout_shift", 0.02, 0.02),
    ];
    for (what, key, full, quarter) in aims {
        table.aim(
            &format!("jobs page: {what}"),
            number("x1", key),
            Bound::AtMost,
            full,
        );
        table.aim(
            &format!("jobs page, ¼ speed: {what}"),
            number("x4", key),
            Bound::AtMost,
            quarter,
        );
    }
    let sizes = web::first_load()?;
    table.aim("first load, code, KB gzip", kb(sizes.code), Bound::AtMost, 350.0);
    table.aim("first load, style, KB gzip", kb(sizes.style), Bound::AtMost, 12.0);
    table.aim(
        "first load, all as sent (brotli), KB",
        number("x1", "total_bytes") / 1000.0,
        Bound::AtMost,
        420.0,
    );
    table.tell(
        "first load, code as sent, KB",
        number("x1", "code_bytes") / 1000.0,
    );
    table.tell("first load, requests", number("x1", "requests"));
    Ok(())
}

/// Prepared starts of a small job, each killed as soon as it is accepted.
fn ours(console: &Console, api: &Api) -> Res<Vec<Start>> {
    let ports = Ports::configured()?;
    let job = job(api)?;
    let pid = console.pid().ok_or("the console has ended")?;
    let mut starts = Vec::new();
    for number in 0..=OURS {
        let cpu = || usage::cpu(pid).map_or(f64::NAN, |(_, seconds)| seconds * 1000.0);
        let before = cpu();
        let began_at = now_ms();
        let begun = Instant::now();
        let started = api.post(&format!("/jobs/{job}/runs"), &json!({}))?;
        let answered_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let id = started["id"].as_str().ok_or("a run without id")?.to_owned();
        let tag = format!("penstock-run-{id}");
        let accepted = yarn::accepted(ports, &tag, begun, Duration::from_secs(60))?;
        let cpu_ms = cpu() - before;
        api.post(&format!("/runs/{id}/stop"), &json!({"mode": "kill"}))?;
        let over = || {
            api.get(&format!("/runs/{id}"))
                .is_ok_and(|run| !run["ended_at"].is_null())
        };
        if !run::wait_for(Duration::from_secs(90), over) {
            return Err(format!("{id} does not end"));
        }
        yarn::quiet(ports, &accepted.id)?;
        let start = Start {
            answered_ms,
            submitted_ms: accepted.submitted_at - began_at,
            accepted_ms: accepted.after_ms,
            cpu_ms,
            peak_mib: usage::peak(pid),
        };
        run::say(&format!(
            "console {number}: {:.1} ms to 202, {:.0} ms to submitted, {:.0} ms processor",
            start.answered_ms, start.submitted_ms, start.cpu_ms
        ));
        // The first one puts the team's copies in place: what is measured are prepared starts.
        starts.extend((number > 0).then_some(start));
    }
    Ok(starts)
}

fn job(api: &Api) -> Res<String> {
    let like = api
        .find("/jobs", |job| job["name"] == setup::JAR)?
        .ok_or("the example job is missing")?;
    let example = api.get(&format!("/jobs/{}", like["id"].as_str().unwrap_or_default()))?;
    let mut spec = example["spec"].clone();
    spec["name"] = json!("bench");
    spec["main_class"] = json!(MAIN_CLASS);
    spec["args"] = json!([]);
    let made = api.post("/jobs", &json!({"team": example["team"], "spec": spec}))?;
    Ok(made["id"].as_str().ok_or("a job without id")?.to_owned())
}

fn compare(ours: &[Start], theirs: &[Start], table: &mut Table) {
    let of = |starts: &[Start], what: fn(&Start) -> f64| starts.iter().map(what).collect::<Vec<f64>>();
    let answered = of(ours, |s| s.answered_ms);
    table.aim(
        "console: start to 202, ms, median",
        median(&answered),
        Bound::AtMost,
        20.0,
    );
    table.aim(
        "console: start to 202, ms, p95",
        quantile(&answered, 0.95),
        Bound::AtMost,
        20.0,
    );
    let mut row = |what: &str, value: fn(&Start) -> f64| {
        let (mine, other) = (median(&of(ours, value)), median(&of(theirs, value)));
        table.tell(&format!("console: {what}"), mine);
        table.tell(&format!("client: {what}"), other);
        (mine, other)
    };
    let (_, submitted) = row("start to submitted, ms", |s| s.submitted_ms);
    row("start to ACCEPTED, ms", |s| s.accepted_ms);
    row("peak memory, MiB", |s| s.peak_mib);
    let (cpu, their_cpu) = row("processor time of a start, ms", |s| s.cpu_ms);
    table.tell(
        "client: start to its end, ms",
        median(&of(theirs, |s| s.answered_ms)),
    );
    table.aim(
        "times less until the person is answered",
        submitted / median(&answered),
        Bound::AtLeast,
        100.0,
    );
    // A start of ours can cost less than the kernel can count; the sum over all of them is shown then.
    #[allow(clippy::cast_precision_loss)]
    let mean = of(ours, |s| s.cpu_ms).iter().sum::<f64>() / ours.len() as f64;
    table.tell("console: processor time of a start, ms, mean", mean);
    table.aim(
        "times less processor time",
        their_cpu / mean.max(cpu),
        Bound::AtLeast,
        100.0,
    );
}

#[allow(clippy::cast_precision_loss)]
fn kb(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}

#[allow(clippy::cast_precision_loss)]
fn file_mib(path: &Path) -> Res<f64> {
    let size = std::fs::metadata(path)
        .map_err(|e| format!("{}: {e}", path.display()))?
        .len();
    Ok(size as f64 / 1_048_576.0)
}

/// Milliseconds since 1970.
fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(f64::NAN, |since| since.as_secs_f64() * 1000.0)
}

fn save(table: &Table) -> Res<PathBuf> {
    let commit = run::output(
        Command::new("git")
            .args(["rev-parse", "HEAD"])
            .current_dir(cache::checkout()),
    );
    #[allow(clippy::cast_possible_truncation)]
    let at = now_ms() as i64;
    let report = json!({"at": at, "commit": commit.unwrap_or_default().trim(), "rows": table.json()});
    let file = cache::dir("bench")?.join(format!("{at}.json"));
    cache::write(&file, &format!("{report:#}\n"))?;
    Ok(file)
}
