//! What the browser gets, and the Java runner: built when their inputs changed.

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
    ];
    let finished = site().join("pkg/penstock.wasm");
    step("web", &inputs, &finished, || {
        let mut leptos = tools::cargo();
        leptos
            .args(["leptos", "build", "--release", "--frontend-only", "--split"])
            .env("PATH", &path);
        // Otherwise the style's `@import` lines go out as they are: a chain of requests, and not found.
        leptos.env("LEPTOS_STYLE_BUNDLE", "true").env("NO_COLOR", "1");
        run::quiet("building the WASM application", "web", &mut leptos)
    })?;
    run::say(&format!("site is in {}", site().display()));
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

/// The runner and test jobs; the runner's jar is built into the server.
pub(crate) fn runner() -> Res<PathBuf> {
    tools::system(&[Need::Java, Need::Maven])?;
    let _lock = cache::lock("runner")?;
    let into = cache::dir("runner")?;
    let jar = into.join("penstock-runner.jar");
    step("runner", &["runner"], &jar, || {
        let mut maven = maven();
        run::quiet(
            "building the runner",
            "runner",
            maven.args(["-q", "-DskipTests", "package"]),
        )?;
        publish("runner", &["penstock-runner.jar", "penstock-testjobs.jar"], &into)
    })?;
    Ok(jar)
}

/// The same for Spark, in a project of its own: it needs other libraries, and only some work needs it.
pub(crate) fn spark_runner() -> Res<PathBuf> {
    tools::system(&[Need::Java, Need::Maven])?;
    let _lock = cache::lock("runner")?;
    let into = cache::dir("runner")?;
    let jar = into.join("penstock-spark-runner.jar");
    step("spark-runner", &["runner/spark"], &jar, || {
        let mut maven = maven_on("runner/spark");
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
    })?;
    Ok(jar)
}

/// Maven on the runner's project.
pub(crate) fn maven() -> Command {
    maven_on("runner")
}

fn maven_on(project: &str) -> Command {
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
    let stamp = cache::dir("stamps")?.join(name);
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
