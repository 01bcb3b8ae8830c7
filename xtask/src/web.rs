//! What the browser gets, and the Java runner: built when their inputs changed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{self, Need};
use crate::{Res, cache, run};

/// Where cargo-leptos puts the finished site; `site-root` of the workspace manifest.
pub(crate) fn site() -> PathBuf {
    cache::checkout().join("target/site")
}

/// Scripts and fonts into `public/vendor`, then WASM, style and assets into the site directory.
pub(crate) fn build() -> Res<()> {
    let path = tools::web()?;
    let _lock = cache::lock("web")?;
    scripts()?;
    let inputs = [
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        "app/Cargo.toml",
        "app/src",
        "frontend",
        "crates/domain",
        "style",
        "public",
        "xtask/src/web.rs",
    ];
    let finished = site().join("pkg/penstock.wasm");
    step("web", &inputs, &finished, || {
        let mut leptos = tools::cargo();
        leptos
            .args(["leptos", "build", "--release", "--frontend-only", "--split"])
            .env("PATH", &path);
        // Otherwise the style's `@import` lines go out as they are: a chain of requests, and not found.
        leptos.env("LEPTOS_STYLE_BUNDLE", "true").env("NO_COLOR", "1");
        leptos.env("RUSTFLAGS", rustflags());
        run::quiet("building the WASM application", "web", &mut leptos)?;
        optimise(&path)
    })?;
    run::say(&format!("site is in {}", site().display()));
    Ok(())
}

/// How each module is made small on the wire, measured with gzip: without inlining, and with functions
/// in the order of their names, which puts the copies of one generic function side by side. `-Oz` makes
/// fewer bytes that compress worse. Names are dropped on the way out.
const PASSES: [&str; 10] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "-O2",
    "--flexible-inline-max-function-size=0",
    "--always-inline-max-function-size=0",
    "--one-caller-inline-max-function-size=0",
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "-o",
];

/// As in `.cargo/config.toml`, and with places of panics told without the directories of this machine.
fn rustflags() -> String {
    let home = std::env::home_dir().unwrap_or_default().join(".cargo");
    let home = std::env::var_os("CARGO_HOME").map_or(home, PathBuf::from);
    let registry = home.join("registry/src");
    let mut flags = "--cfg erase_components".to_owned();
    for source in fs::read_dir(&registry).into_iter().flatten().flatten() {
        flags.push_str(&format!(" --remap-path-prefix={}=", source.path().display()));
    }
    flags
}

fn optimise(path: &OsStr) -> Res<()> {
    let mut files = Vec::new();
    collect(&site().join("pkg"), &mut files);
    let esbuild = cache::checkout().join("app/js/node_modules/.bin/esbuild");
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "js"))
    {
        let mut minify = Command::new(&esbuild);
        minify
            .arg(file)
            .args(["--minify", "--allow-overwrite", "--log-level=warning"]);
        minify.arg(format!("--outfile={}", file.display()));
        run::output(&mut minify)?;
    }
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "wasm"))
    {
        let mut pass = Command::new("wasm-opt");
        pass.env("PATH", path).arg(file).args(PASSES).arg(file);
        run::output(&mut pass)?;
    }
    Ok(())
}

/// The editor bundle and the fonts.
fn scripts() -> Res<()> {
    let dir = cache::checkout().join("app/js");
    tools::npm_ci(&dir, "fetching the editor's packages")?;
    let vendor = cache::checkout().join("public/vendor");
    step("scripts", &["app/js"], &vendor, || {
        let mut npm = Command::new("npm");
        npm.args(["run", "build"]).current_dir(&dir);
        run::quiet("bundling the editor", "scripts", &mut npm)
    })
}

/// The runners and their test jobs; the runners' jars are built into the server. Answers Flink's; that
/// of Spark lies beside it.
pub(crate) fn runner() -> Res<PathBuf> {
    tools::system(&[Need::Java, Need::Maven])?;
    let _lock = cache::lock("runner")?;
    spark_runner()?;
    let into = cache::dir("runner")?;
    let jar = into.join("penstock-runner.jar");
    step("runner", &["runner"], &jar, || {
        let mut maven = maven("runner");
        run::quiet(
            "building the runner",
            "runner",
            maven.args(["-q", "-DskipTests", "package"]),
        )?;
        publish("runner", &["penstock-runner.jar", "penstock-testjobs.jar"], &into)
    })?;
    Ok(jar)
}

/// In a project of its own: it needs other libraries.
fn spark_runner() -> Res<()> {
    let into = cache::dir("runner")?;
    let jar = into.join("penstock-spark-runner.jar");
    step("spark-runner", &["runner/spark"], &jar, || {
        let mut maven = maven("runner/spark");
        run::quiet(
            "building the runner for Spark",
            "spark-runner",
            maven.args(["-q", "-DskipTests", "package"]),
        )?;
        publish(
            "runner/spark",
            &["penstock-spark-runner.jar", "penstock-spark-testjobs.jar"],
            &into,
        )
    })
}

/// Maven on the project in that directory.
pub(crate) fn maven(project: &str) -> Command {
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-ntp", "-f"])
        .arg(cache::checkout().join(project).join("pom.xml"));
    maven
}

fn publish(project: &str, names: &[&str], into: &Path) -> Res<()> {
    for name in names {
        let from = cache::checkout().join(project).join("target").join(name);
        fs::copy(&from, into.join(name)).map_err(|e| format!("cannot copy {}: {e}", from.display()))?;
    }
    Ok(())
}

/// Does `work` unless `product` is there and was made from the same inputs.
fn step(name: &str, inputs: &[&str], product: &Path, work: impl FnOnce() -> Res<()>) -> Res<()> {
    // What lies in the checkout has its stamp there: another checkout's is none of its business.
    let stamps = if product.starts_with(cache::checkout()) {
        cache::checkout().join("target/stamps")
    } else {
        cache::dir("stamps")?
    };
    let stamp = stamps.join(name);
    let state = format!("{}\n{}", cache::checkout().display(), fingerprint(inputs)?);
    if product.exists() && fs::read_to_string(&stamp).is_ok_and(|seen| seen == state) {
        return Ok(());
    }
    let _ = fs::remove_file(&stamp);
    work()?;
    cache::write(&stamp, &state)
}

/// Path and hash of every file below the inputs, generated directories aside.
fn fingerprint(inputs: &[&str]) -> Res<String> {
    let mut files = Vec::new();
    for input in inputs {
        collect(&cache::checkout().join(input), &mut files);
    }
    files.sort();
    let mut sums = Command::new("sha256sum");
    run::output(sums.arg("--").args(&files).current_dir(cache::checkout()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    let name = path.file_name().unwrap_or_default();
    if path.is_file() {
        files.push(path.to_owned());
    } else if name != "node_modules" && name != "target" {
        let Ok(dir) = fs::read_dir(path) else { return };
        dir.flatten().for_each(|entry| collect(&entry.path(), files));
    }
}

/// Compressed bytes a first visit loads, without fonts.
pub(crate) struct FirstLoad {
    pub(crate) code: u64,
    pub(crate) style: u64,
}

/// Weighs the built site: the program with its loaders and the scripts they import, and the style sheet.
/// The list of jobs is part of the program; modules of other pages, and of parts that open on a click,
/// come when they are asked for. The browser tests see to it that the list asks for none of them.
pub(crate) fn first_load() -> Res<FirstLoad> {
    let package = site().join("pkg");
    let mut files = Vec::new();
    collect(&package, &mut files);
    let mut code = 0;
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // Each script here is imported by another, up to the one the page starts with.
        if name == "penstock.wasm" || name.ends_with(".js") {
            code += gzipped(&file)?;
        }
    }
    Ok(FirstLoad {
        code,
        style: gzipped(&package.join("penstock.css"))?,
    })
}

fn gzipped(path: &Path) -> Res<u64> {
    let out = Command::new("gzip").args(["-9", "-c"]).arg(path).output();
    let out = out.map_err(|e| format!("cannot start gzip: {e}"))?;
    if !out.status.success() {
        return Err(format!("cannot compress {}", path.display()));
    }
    Ok(out.stdout.len() as u64)
}
