//! What building and testing need on this machine: installed when missing, each at a pinned version.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Res, cache, run};

const CARGO_LEPTOS: &str = "0.3.10";

/// Something of the operating system's packages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Compiler,
    Java,
    Maven,
    Node,
    Pip,
    Postgres,
    Chromium,
}

impl Need {
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Compiler => &["build-essential"],
            Self::Java => &["openjdk-17-jdk-headless"],
            Self::Maven => &["maven"],
            Self::Node => &["nodejs", "npm"],
            Self::Pip => &["python3", "python3-pip"],
            Self::Postgres => &["postgresql", "openssl"],
            // Without the font every Chinese character is an empty box, and its width is wrong.
            Self::Chromium => &["chromium", "fonts-noto-cjk"],
        }
    }

    fn is_met(self) -> bool {
        match self {
            Self::Compiler => run::on_path("cc"),
            Self::Java => run::on_path("javac"),
            Self::Maven => run::on_path("mvn"),
            Self::Node => run::on_path("node") && run::on_path("npm"),
            Self::Pip => run::output(Command::new("python3").args(["-m", "pip", "--version"])).is_ok(),
            Self::Postgres => crate::postgres::programs().is_some() && run::on_path("openssl"),
            Self::Chromium => {
                run::on_path("chromium") && Path::new("/usr/share/fonts/opentype/noto").is_dir()
            }
        }
    }
}

/// Installs the packages behind unmet needs; without root it says what to install.
pub(crate) fn system(needs: &[Need]) -> Res<()> {
    let missing: Vec<&str> = needs
        .iter()
        .filter(|need| !need.is_met())
        .flat_map(|need| need.packages())
        .copied()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install --no-install-recommends -y {}", missing.join(" "));
    let root = run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || !run::on_path("apt-get") {
        return Err(format!(
            "missing on this machine; install it with:\n  sudo {line}"
        ));
    }
    let _lock = cache::lock("apt")?;
    let apt = |label: &str, words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        run::quiet(label, "apt", &mut command)
    };
    apt("reading the package lists", &["update"])?;
    let mut words = vec!["install", "--no-install-recommends", "-y"];
    words.extend(&missing);
    apt(&format!("installing {}", missing.join(" ")), &words)
}

/// `cargo` in the checkout, building into the cache.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(cache::checkout())
        .env("CARGO_TERM_PROGRESS_WHEN", "never");
    if let Ok(target) = target_dir() {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    cargo
}

/// `$CARGO_TARGET_DIR`, or a directory of the cache: a checkout stays small.
pub(crate) fn target_dir() -> Res<PathBuf> {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => Ok(cache::checkout().join(dir)),
        None => cache::dir("target"),
    }
}

/// Everything the WASM build needs; the search path to run it with.
pub(crate) fn web() -> Res<OsString> {
    system(&[Need::Compiler, Need::Node])?;
    wasm_target()?;
    let bindgen = locked_version("wasm-bindgen")?;
    cargo_tool("cargo-leptos", "cargo-leptos", CARGO_LEPTOS, true)?;
    // Its own lock file pins a wasm-bindgen of the same version, so there is nothing to gain from it.
    cargo_tool("wasm-bindgen-cli", "wasm-bindgen", &bindgen, false)?;
    let npm = npm_tools()?;
    let mut path = vec![cache::dir("tools")?.join("bin"), npm];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    std::env::join_paths(path).map_err(|e| e.to_string())
}

fn wasm_target() -> Res<()> {
    let root = run::output(
        Command::new("rustc")
            .arg("--print=sysroot")
            .current_dir(cache::checkout()),
    )?;
    if Path::new(root.trim())
        .join("lib/rustlib/wasm32-unknown-unknown")
        .is_dir()
    {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add", "wasm32-unknown-unknown"])
        .current_dir(cache::checkout());
    run::quiet("adding the wasm32 target", "rustup", &mut rustup)
}

/// Builds a pinned tool into the cache unless it is there. Unoptimised: it is built once and used rarely.
fn cargo_tool(package: &str, program: &str, version: &str, locked: bool) -> Res<()> {
    let tools = cache::dir("tools")?;
    let present = || {
        let mut ask = Command::new(tools.join("bin").join(program));
        run::output(ask.arg("--version")).is_ok_and(|said| said.trim().ends_with(version))
    };
    if present() {
        return Ok(());
    }
    let _lock = cache::lock(package)?;
    if present() {
        return Ok(());
    }
    let build = tools.join(format!("build-{package}"));
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "install",
            package,
            "--debug",
            "--force",
            "--version",
            version,
            "--root",
        ])
        .arg(&tools);
    cargo
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(&tools);
    if locked {
        cargo.arg("--locked");
    }
    run::quiet(
        &format!("building {package} {version} (minutes, once)"),
        package,
        &mut cargo,
    )?;
    cache::remove_dir(&build)
}

/// The version of a crate in Cargo.lock.
fn locked_version(name: &str) -> Res<String> {
    let lock = cache::read(&cache::checkout().join("Cargo.lock"))?;
    let entry = format!("name = \"{name}\"\nversion = \"");
    let rest = lock
        .split_once(&entry)
        .ok_or_else(|| format!("{name} is not in Cargo.lock"))?
        .1;
    rest.split_once('"')
        .map(|(version, _)| version.to_owned())
        .ok_or("Cargo.lock is damaged".into())
}

/// `wasm-opt` as an npm package, installed into the cache; the directory of its programs.
fn npm_tools() -> Res<PathBuf> {
    let from = cache::checkout().join("xtask/npm");
    let into = cache::dir("tools/npm")?;
    for file in ["package.json", "package-lock.json"] {
        cache::write(&into.join(file), &cache::read(&from.join(file))?)?;
    }
    npm_ci(&into, "fetching wasm-opt")?;
    small_modules_first(&into)
}

/// A `wasm-opt` that copies small modules as they are. The page split makes some seventy of them, and starting
/// the real one takes longer than there is to gain.
fn small_modules_first(npm: &Path) -> Res<PathBuf> {
    let dir = cache::dir("tools/wasm-opt")?;
    let program = dir.join("wasm-opt");
    let script = format!(
        "#!/bin/sh\n\
         real='{}'\n\
         [ \"$1\" = --version ] && exec \"$real\" \"$@\"\n\
         in= out= next=\n\
         for word do\n  \
           if [ -n \"$next\" ]; then out=$word next=; continue; fi\n  \
           case $word in -o) next=1 ;; -*) ;; *) in=$word ;; esac\n\
         done\n\
         if [ -f \"$in\" ] && [ -n \"$out\" ] && [ \"$(wc -c < \"$in\")\" -lt 32768 ]; then\n  \
           [ \"$in\" = \"$out\" ] || exec cp \"$in\" \"$out\"\n  exit 0\n\
         fi\n\
         exec \"$real\" \"$@\"\n",
        npm.join("node_modules/.bin/wasm-opt").display()
    );
    cache::write(&program, &script)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
        .map_err(|e| format!("cannot make {} a program: {e}", program.display()))?;
    Ok(dir)
}

/// `npm ci`, unless `node_modules` was installed from this very lock file.
pub(crate) fn npm_ci(dir: &Path, label: &str) -> Res<()> {
    let lock = cache::read(&dir.join("package-lock.json"))?;
    let stamp = dir.join("node_modules/.installed-from");
    if fs::read_to_string(&stamp).is_ok_and(|seen| seen == lock) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(dir);
    npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    run::quiet(label, "npm", &mut npm)?;
    cache::write(&stamp, &lock)
}
