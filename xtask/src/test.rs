//! `cargo xtask check` and `cargo xtask test`: every step with its time, one line of counts at the end.

use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::postgres::Postgres;
use crate::sandbox::conf::Ports;
use crate::sandbox::hdfs;
use crate::sandbox::spark;
use crate::tools::{self, Need};
use crate::{Res, borders, cache, fetch, run, sandbox, web};

/// First-load code may weigh this much, compressed.
const CODE_LIMIT: u64 = 350_000;
const STYLE_LIMIT: u64 = 12_000;

/// What the steps have counted so far.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    broken: Vec<String>,
}

impl Tally {
    /// Runs one step; a step that is no test suite counts as one test.
    fn step(&mut self, name: &str, work: impl FnOnce() -> Res<()>) {
        self.suite(name, || work().map(|()| Counts { passed: 1, failed: 0 }));
    }

    /// Runs one suite and adds up what it counted.
    fn suite(&mut self, name: &str, work: impl FnOnce() -> Res<Counts>) {
        run::say(&format!("== {name}"));
        let start = Instant::now();
        let outcome = work();
        let seconds = start.elapsed().as_secs_f32();
        match outcome {
            Ok(counts) => {
                self.passed += counts.passed;
                self.failed += counts.failed;
                if counts.failed > 0 {
                    self.broken.push(name.to_owned());
                }
                let Counts { passed, failed } = counts;
                run::say(&format!(
                    "-- {name}: {passed} passed, {failed} failed ({seconds:.1} s)"
                ));
            }
            Err(message) => {
                self.failed += 1;
                self.broken.push(name.to_owned());
                run::say(&format!("-- {name}: FAILED ({seconds:.1} s)\n{message}"));
            }
        }
    }

    fn close(self) -> ExitCode {
        if !self.broken.is_empty() {
            run::say(&format!("failed: {}", self.broken.join(", ")));
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Counts {
    passed: u64,
    failed: u64,
}

/// The quick look before a commit: formatting, borders, lints.
pub(crate) fn check() -> Res<ExitCode> {
    let mut tally = Tally::default();
    lints(&mut tally);
    Ok(tally.close())
}

/// The borders alone: this takes a second.
pub(crate) fn borders() -> Res<()> {
    match borders::violations()? {
        found if found.is_empty() => Ok(()),
        found => Err(found.join("\n")),
    }
}

fn lints(tally: &mut Tally) {
    tally.suite("formatting", || {
        plain(tools::cargo().args(["fmt", "--all", "--check"]))
    });
    tally.step("borders", borders);
    tally.suite("clippy, native", || {
        plain(tools::cargo().args(["clippy", "--all-targets", "--", "-D", "warnings"]))
    });
    tally.suite("clippy, browser", || {
        let target = "--target=wasm32-unknown-unknown";
        plain(tools::cargo().args(["clippy", "-p", "frontend", target, "--", "-D", "warnings"]))
    });
}

/// The suite. `full` adds what takes too long for every change.
pub(crate) fn all(full: bool) -> Res<ExitCode> {
    tools::system(&[
        Need::Compiler,
        Need::Java,
        Need::Maven,
        Need::Node,
        Need::Pip,
        Need::Postgres,
        Need::Chromium,
    ])?;
    let mut tally = Tally::default();
    let was_up = sandbox::is_running()?;
    // Fetching and starting Hadoop is mostly waiting, so it goes beside the compiler.
    let cluster = std::thread::spawn(sandbox::up);
    let prefetch = std::thread::spawn(tools::web);
    let versions = if full {
        &spark::VERSIONS[..]
    } else {
        &spark::VERSIONS[..1]
    };
    let distributions = std::thread::spawn(move || {
        fetch::flink(fetch::FLINK_VERSIONS[1])?;
        versions.iter().try_for_each(|v| spark::spark(v).map(drop))
    });
    lints(&mut tally);
    tally.suite("runners", runners);
    tally.step("build tools", || joined(prefetch).map(drop));
    tally.step("sandbox", || joined(cluster));
    tally.step("distributions", || joined(distributions));
    tally.step("web assets", web::build);
    let postgres = Postgres::start()?;
    let mut environment = environment(&postgres)?;
    if full {
        environment.push(("PENSTOCK_TEST_FULL", "1".to_owned()));
    }
    tally.suite("cargo test", || {
        counted(
            tools::cargo()
                .args(["test", "--no-fail-fast"])
                .envs(environment.iter().cloned()),
        )
    });
    if full {
        tally.suite("Spark, every version", || {
            let arguments = [
                "test",
                "-p",
                "spark",
                "--test",
                "real",
                "--",
                "--ignored",
                "--test-threads=1",
            ];
            counted(tools::cargo().args(arguments).envs(environment.iter().cloned()))
        });
    }
    tally.suite("browser", || browser(&environment));
    tally.step("size of the first load", first_load);
    drop(postgres);
    if !was_up {
        tally.step("sandbox down", || sandbox::down(false));
    }
    Ok(tally.close())
}

/// What tests find their surroundings by.
fn environment(postgres: &Postgres) -> Res<Vec<(&'static str, String)>> {
    let jar = web::runner()?;
    let mut variables = sandbox::variables()?;
    variables.extend([
        ("PENSTOCK_TEST_PG", postgres.url.clone()),
        (
            "PENSTOCK_TEST_PG_CERT",
            postgres.certificate().display().to_string(),
        ),
        (
            "PENSTOCK_TESTJOBS_JAR",
            jar.with_file_name("penstock-testjobs.jar").display().to_string(),
        ),
        ("PENSTOCK_RUNNER_JAR", jar.display().to_string()),
        ("PENSTOCK_SITE", web::site().display().to_string()),
    ]);
    Ok(variables)
}

/// Runs a command in the surroundings tests have: a PostgreSQL of its own, and the sandbox's addresses.
pub(crate) fn with(command: &[&str]) -> Res<ExitCode> {
    tools::system(&[Need::Postgres])?;
    let [program, arguments @ ..] = command else {
        return Err("with <command> [arguments]".into());
    };
    let postgres = Postgres::start()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(environment(&postgres)?)
        .env("CARGO_TARGET_DIR", tools::target_dir()?);
    let status = command
        .status()
        .map_err(|e| format!("cannot start {program}: {e}"))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn joined<T>(thread: std::thread::JoinHandle<Res<T>>) -> Res<T> {
    thread
        .join()
        .unwrap_or_else(|_| Err("the thread ended by a panic".into()))
}

/// A command that passes or fails as a whole.
fn plain(command: &mut Command) -> Res<Counts> {
    if run::lines(command, |line| println!("{line}"))? {
        return Ok(Counts { passed: 1, failed: 0 });
    }
    Err("see above".into())
}

/// A command whose output says how many tests it ran.
fn counted(command: &mut Command) -> Res<Counts> {
    let mut counts = Counts::default();
    let ok = run::lines(command, |line| {
        println!("{line}");
        if let Some(more) = counts_in(line) {
            counts.passed += more.passed;
            counts.failed += more.failed;
        }
    })?;
    // A suite that could not be compiled fails without a count.
    if !ok && counts.failed == 0 {
        counts.failed = 1;
    }
    Ok(counts)
}

/// Reads cargo's "test result:", Maven's closing "Tests run:", Node's closing "pass N" and "fail N".
fn counts_in(line: &str) -> Option<Counts> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    if let Some(rest) = line.strip_prefix("test result: ") {
        let rest = rest.split_once(". ")?.1;
        let passed = number(rest.split_once(" passed")?.0)?;
        let failed = number(rest.split_once("; ")?.1.split_once(" failed")?.0)?;
        return Some(Counts { passed, failed });
    }
    if let Some(at) = line
        .find("Tests run: ")
        .filter(|_| !line.contains("Time elapsed"))
    {
        let fields: Vec<u64> = line[at..].split([':', ',']).filter_map(number).collect();
        let [run, failures, errors, skipped] = fields.as_slice() else {
            return None;
        };
        let failed = failures + errors;
        return Some(Counts {
            passed: run.saturating_sub(failed + skipped),
            failed,
        });
    }
    let (what, count) = line.strip_prefix("\u{2139} ")?.split_once(' ')?;
    let count = number(count)?;
    match what {
        "pass" => Some(Counts {
            passed: count,
            failed: 0,
        }),
        "fail" | "cancelled" => Some(Counts {
            passed: 0,
            failed: count,
        }),
        _ => None,
    }
}

/// The runners' own tests.
fn runners() -> Res<Counts> {
    let mut all = Counts::default();
    for project in ["runner", "runner/spark"] {
        let one = counted(web::maven(project).arg("package"))?;
        all.passed += one.passed;
        all.failed += one.failed;
    }
    Ok(all)
}

/// The browser tests start their own console; they need its program, the site and the sandbox. The program is
/// the one `cargo test` has made for its own tests: another set of features would be another build.
fn browser(environment: &[(&'static str, String)]) -> Res<Counts> {
    let program = tools::target_dir()?.join("debug/penstock");
    if !program.is_file() {
        return Err("there is no server to test; see \"cargo test\" above".into());
    }
    let dir = cache::checkout().join("end2end");
    tools::npm_ci(&dir, "fetching the browser tests' packages")?;
    let mut npm = Command::new("npm");
    npm.arg("test")
        .current_dir(&dir)
        .envs(environment.iter().cloned());
    npm.env("PENSTOCK_BIN", program);
    npm.env("PENSTOCK_RESULTS", cache::dir("end2end")?);
    // Each console of the tests places Flink below it, so it is removed afterwards.
    let root = format!("/penstock/end2end-{}", std::process::id());
    npm.env("PENSTOCK_SANDBOX_ROOT", &root);
    let counts = counted(&mut npm);
    hdfs::remove(Ports::configured()?, &root)?;
    counts
}

/// Compressed size of what a first visit loads.
fn first_load() -> Res<()> {
    let web::FirstLoad { code, style } = web::first_load()?;
    run::say(&format!("code {code} bytes, style {style} bytes, compressed"));
    for (what, size, limit) in [("code", code, CODE_LIMIT), ("style", style, STYLE_LIMIT)] {
        if size > limit {
            return Err(format!(
                "the first load is {size} bytes of {what}, the limit is {limit}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: &str) -> Option<(u64, u64)> {
        counts_in(line).map(|counts| (counts.passed, counts.failed))
    }

    #[test]
    fn closing_lines_are_understood() {
        let cargo = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(pair(cargo), Some((12, 3)));
        assert_eq!(
            pair("[WARNING] Tests run: 10, Failures: 1, Errors: 2, Skipped: 3"),
            Some((4, 3))
        );
        let one_class =
            "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in X";
        assert_eq!(pair(one_class), None);
        assert_eq!(pair("\u{2139} pass 7"), Some((7, 0)));
        assert_eq!(pair("\u{2139} fail 2"), Some((0, 2)));
        assert_eq!(pair("\u{2139} duration_ms 91.2"), None);
        assert_eq!(pair("test a ... ok"), None);
    }
}
