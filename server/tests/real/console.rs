//! A console as a process: started, ended without a word, started again on the same data.

use crate::{
    api::Api,
    sandbox::Sandbox,
    wait::{until, within},
};
use std::{
    fs::{File, OpenOptions},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};
use tempfile::TempDir;

/// The operating system's own signal; the process has no say in it.
const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

pub(crate) struct Console {
    home: TempDir,
    program: PathBuf,
    port: u16,
    management: u16,
    child: Mutex<Option<Child>>,
}

/// Two ports that nobody has at the moment.
fn ports() -> (u16, u16) {
    let free = || TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (one, two) = (free(), free());
    (one.local_addr().unwrap().port(), two.local_addr().unwrap().port())
}

impl Console {
    /// With an empty data directory; on SQLite unless a database is named.
    pub(crate) async fn start(sandbox: &Sandbox, database: Option<&str>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (port, management) = ports();
        let quoted = |path: &std::path::Path| serde_json::to_string(&path.to_string_lossy()).unwrap();
        let database = database.map_or(String::new(), |url| format!("[database]\nurl = \"{url}\"\n"));
        let settings = format!(
            "[server]\ndata_dir = {}\nrunner_jar = {}\nlisten = \"127.0.0.1:{port}\"\n\
             management = \"127.0.0.1:{management}\"\npublic_url = \"http://127.0.0.1:{port}\"\n{database}\
             [log]\nlevel = \"info,server::middleware=warn\"\n[clusters]\ntick_ms = 1000\nallowed_directories = [{}, {}, {}, {}, {}]\n",
            quoted(&home.path().join("data")),
            quoted(&sandbox.runner),
            quoted(&sandbox.client),
            quoted(&sandbox.flink),
            quoted(&sandbox.spark),
            quoted(&sandbox.older_spark),
            quoted(&sandbox.flink_1),
        );
        std::fs::write(home.path().join("penstock.toml"), settings).unwrap();
        let console = Self {
            home,
            program: sandbox.program(),
            port,
            management,
            child: Mutex::new(None),
        };
        console.launch(None).await;
        console
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // What tells tests where things are is not the console's configuration.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PENSTOCK_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.home.path());
        command.args(["--config", "penstock.toml"]).args(words);
        command
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("console.log")
    }

    /// The end of what the process wrote, over all its lives.
    pub(crate) fn log_tail(&self) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Starts the process; `crash_at` names the point at which it ends itself.
    pub(crate) async fn launch(&self, crash_at: Option<&str>) {
        let open = || -> File {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.log())
                .unwrap()
        };
        let mut command = self.command(&["serve"]);
        command.stdin(Stdio::null()).stdout(open()).stderr(open());
        if let Some(point) = crash_at {
            command.env("PENSTOCK_CRASH_AT", point);
        }
        *self.child.lock().unwrap() = Some(command.spawn().unwrap());
        let http = net::Client::new().unwrap();
        let url = net::Url::parse(&format!("http://127.0.0.1:{}/readyz", self.management)).unwrap();
        until("the console is ready", async || {
            if let Some(status) = self.ended() {
                panic!("the console ended with {status}\n{}", self.log_tail());
            }
            let request = http.get(url.clone()).once();
            match request.send().await {
                Ok(reply) if reply.status.is_success() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    fn ended(&self) -> Option<std::process::ExitStatus> {
        let mut child = self.child.lock().unwrap();
        child.as_mut().and_then(|child| child.try_wait().unwrap())
    }

    /// Ends the process as a power cut would.
    pub(crate) fn kill(&self) {
        use std::os::unix::process::ExitStatusExt;
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            let status = child.wait().unwrap();
            assert_eq!(status.signal(), Some(SIGKILL), "{status}");
        }
    }

    /// Waits until the process has ended itself at its crash point.
    pub(crate) async fn crashed(&self) {
        use std::os::unix::process::ExitStatusExt;
        let status = within(
            Duration::from_secs(60),
            "the crash point is reached",
            async || self.ended().ok_or_else(|| self.log_tail()),
        )
        .await;
        assert_eq!(status.signal(), Some(SIGABRT), "{status}\n{}", self.log_tail());
        *self.child.lock().unwrap() = None;
    }

    /// What a subcommand prints.
    fn ask(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said} {errors}");
        said
    }

    /// Makes a user with a role of a team.
    pub(crate) fn user(&self, name: &str, membership: &str) {
        self.ask(&["user", "create", "--name", name, "--team", membership]);
    }

    /// The REST interface with the rights of a user.
    pub(crate) fn api(&self, user: &str) -> Api {
        let token = self.ask(&[
            "token", "create", "--user", user, "--name", "stories", "--days", "1",
        ]);
        assert!(token.starts_with("pst_"), "{}", token.len());
        Api::new(format!("http://127.0.0.1:{}", self.port), token)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Ok(Some(child)) = self.child.get_mut() {
            // It may have ended by itself; either way nothing stays behind.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
