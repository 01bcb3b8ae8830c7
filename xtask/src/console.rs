//! A console this tool starts: its program, configuration, process, and its REST API.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::probe;
use crate::{Res, cache, http, run, web};

/// How long a console may take to become ready; the debug build needs a few seconds on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A console with everything it owns in one directory, on the loopback address.
pub(crate) struct Console {
    /// Configuration, data, log and the copy of the program.
    pub(crate) home: PathBuf,
    /// Where it listens; health and metrics are on the next port.
    pub(crate) port: u16,
}

impl Console {
    pub(crate) fn new(name: &str, port: u16) -> Res<Self> {
        let home = cache::dir(name)?;
        // A token and a database lie there.
        let _ = fs::set_permissions(&home, Permissions::from_mode(0o700));
        Ok(Self { home, port })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn management(&self) -> u16 {
        self.port + 1
    }

    /// A copy, so that a build does not pull the program from under the running console.
    fn program(&self) -> PathBuf {
        self.home.join("penstock")
    }

    fn settings(&self) -> PathBuf {
        self.home.join("penstock.toml")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("console.log")
    }

    /// Whether it has never run, or was wiped.
    pub(crate) fn is_new(&self) -> bool {
        !self.home.join("data/penstock.db").exists()
    }

    fn is_it(&self, pid: u32) -> bool {
        probe::has_argument(pid, &self.program().to_string_lossy()) && probe::has_argument(pid, "serve")
    }

    /// The running console.
    pub(crate) fn pid(&self) -> Option<u32> {
        probe::processes().into_iter().find(|pid| self.is_it(*pid))
    }

    fn answers(&self) -> bool {
        http::request("GET", self.management(), "/readyz", None).is_ok_and(|(status, _)| status == 200)
    }

    /// Starts `built` on SQLite, or starts it anew when it runs but anything it was started with has changed
    /// since. Without `jar` the program carries site and runner itself. Returns the time it took to become ready; `None` when it ran already.
    pub(crate) fn serve(&self, built: &Path, jar: Option<&Path>) -> Res<Option<Duration>> {
        let settings = self.toml(jar)?;
        let stamp = self.home.join("started-with");
        let with = run::output(Command::new("sha256sum").arg(built).args(jar))? + &settings;
        if let Some(pid) = self.pid() {
            if fs::read_to_string(&stamp).is_ok_and(|seen| seen == with) && self.answers() {
                return Ok(None);
            }
            run::say(&format!(
                "the console was built anew; stopping the old one (pid {pid})"
            ));
            self.stop()?;
        }
        for port in [self.port, self.management()] {
            if !probe::is_free(port) {
                let holder = probe::listener(port).unwrap_or_else(|| "a process that cannot be seen".into());
                return Err(format!(
                    "port {port} of 127.0.0.1, needed by the console, is taken by {holder}; end it, or set \
                     PENSTOCK_DEMO_PORT"
                ));
            }
        }
        cache::write(&self.settings(), &settings)?;
        let program = self.program();
        let _ = fs::remove_file(&program);
        fs::copy(built, &program).map_err(|e| format!("cannot copy {}: {e}", built.display()))?;
        let took = self.launch()?;
        cache::write(&stamp, &with)?;
        Ok(Some(took))
    }

    /// Starts the copied program with the written configuration.
    pub(crate) fn launch(&self) -> Res<Duration> {
        let log = self.log();
        let out = File::create(&log).map_err(|e| format!("cannot write {}: {e}", log.display()))?;
        // The first start prints a link that signs the administrator in.
        let _ = fs::set_permissions(&log, Permissions::from_mode(0o600));
        let err = out.try_clone().map_err(|e| e.to_string())?;
        let mut command = self.command(&["serve"]);
        // Its own process group: an interrupt at the terminal is for this tool, not for the console.
        command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0);
        let begun = Instant::now();
        let mut child = command
            .spawn()
            .map_err(|e| format!("cannot start the console: {e}"))?;
        while begun.elapsed() < START_LIMIT {
            if self.answers() {
                return Ok(begun.elapsed());
            }
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("the console does not come up\n{}", run::tail(&log, 30)))
    }

    pub(crate) fn stop(&self) -> Res<bool> {
        let Some(pid) = self.pid() else { return Ok(false) };
        let gone = || !self.is_it(pid);
        for (signal, seconds) in [("TERM", 20), ("KILL", 5)] {
            probe::signal(pid, signal);
            if run::wait_for(Duration::from_secs(seconds), gone) {
                return Ok(true);
            }
        }
        Err(format!("pid {pid} does not end"))
    }

    /// SQLite, the built site, the sandbox's files.
    fn toml(&self, jar: Option<&Path>) -> Res<String> {
        let text = |path: &Path| serde_json::to_string(&path.to_string_lossy()).map_err(|e| e.to_string());
        let outside = match jar {
            Some(jar) => format!(
                "site_dir = {}\nrunner_jar = {}\n",
                text(&web::site())?,
                text(jar)?
            ),
            None => String::new(),
        };
        Ok(format!(
            "[server]\ndata_dir = {}\nlisten = \"127.0.0.1:{}\"\nmanagement = \"127.0.0.1:{}\"\n\
             public_url = \"{}\"\n{outside}\n\
             [clusters]\ntick_ms = 2000\nallowed_directories = [{}]\n",
            text(&self.home.join("data"))?,
            self.port,
            self.management(),
            self.url(),
            text(&cache::dir("sandbox")?)?,
        ))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.arg("--config").arg(self.settings()).args(words);
        command.current_dir(&self.home);
        // What is set in the terminal for tests or another console is not meant for this one.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PENSTOCK_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// What a subcommand prints.
    fn ask(&self, words: &[&str]) -> Res<String> {
        Ok(run::output(&mut self.command(words))?.trim().to_owned())
    }

    /// An address that signs the administrator in once.
    pub(crate) fn login_link(&self) -> Res<String> {
        let said = self.ask(&["login-link"])?;
        let link = said.split_whitespace().find(|word| word.starts_with("http"));
        link.map(str::to_owned)
            .ok_or_else(|| format!("`penstock login-link` said: {said}"))
    }

    /// The REST API with the administrator's rights. The token is kept in `<home>/token`, for its owner alone.
    pub(crate) fn api(&self) -> Res<Api> {
        let file = self.home.join("token");
        if let Ok(token) = fs::read_to_string(&file) {
            let api = Api {
                port: self.port,
                token,
            };
            if api.get("/me").is_ok() {
                return Ok(api);
            }
        }
        let said = self.ask(&[
            "token", "create", "--user", "admin", "--name", "demo", "--days", "30",
        ])?;
        let token = said
            .split_whitespace()
            .find(|word| word.starts_with("pst_"))
            .ok_or("`penstock token create` printed no token")?;
        let _ = fs::remove_file(&file);
        let kept = write_private(&file, token);
        kept.map_err(|e| format!("cannot write {}: {e}", file.display()))?;
        Ok(Api {
            port: self.port,
            token: token.to_owned(),
        })
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The REST API of a console, with a token.
pub(crate) struct Api {
    port: u16,
    token: String,
}

impl Api {
    pub(crate) fn get(&self, path: &str) -> Res<Value> {
        self.send("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Res<Value> {
        self.send(
            "POST",
            path,
            Some(("application/json", body.to_string().as_bytes())),
        )
    }

    /// The answer's body; `null` when it is empty. Any status but 2xx is an error with what was answered.
    pub(crate) fn send(&self, method: &str, path: &str, body: http::Body<'_>) -> Res<Value> {
        let (status, text) = http::send(
            method,
            self.port,
            &format!("/api/v1{path}"),
            Some(&self.token),
            body,
        )?;
        if !(200..300).contains(&status) {
            return Err(format!("{method} {path}: {status} {text}"));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|e| format!("{method} {path}: {e}"))
    }

    /// The first item of a list for which `wanted` holds.
    pub(crate) fn find(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Res<Option<Value>> {
        let list = self.get(&format!("{path}?limit=500"))?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        Ok(items.into_iter().find(|item| wanted(item)))
    }
}
