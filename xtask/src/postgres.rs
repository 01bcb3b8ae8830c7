//! A throw-away PostgreSQL on a private port, for the tests of the store.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Res, cache, run};

/// A running server; it is stopped and its files are removed when this is dropped.
pub(crate) struct Postgres {
    programs: PathBuf,
    home: PathBuf,
    account: Option<&'static str>,
    pub(crate) url: String,
}

/// The directory of the newest server programs; Debian does not put them on the path.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let number = |dir: &PathBuf| dir.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions
        .flatten()
        .map(|entry| entry.path())
        .max_by_key(|dir| number(dir))?;
    let bin = newest.join("bin");
    bin.join("initdb").is_file().then_some(bin)
}

/// A certificate that signs itself may not call itself an authority, or no client takes it for a server's.
const CERTIFICATE: &str = "[req]\ndistinguished_name = name\nx509_extensions = server\n[name]\n[server]\n\
                           basicConstraints = critical, CA:FALSE\nsubjectAltName = IP:127.0.0.1\n";

impl Postgres {
    pub(crate) fn start() -> Res<Self> {
        let programs = programs().ok_or("no PostgreSQL server found: apt-get install postgresql")?;
        let root = run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        // The server refuses to run as root, and another account may not enter root's cache directory.
        let (account, home) = if root {
            let known = |name: &str| run::output(Command::new("id").args(["-u", name])).is_ok();
            let account = if known("postgres") { "postgres" } else { "nobody" };
            (
                Some(account),
                PathBuf::from("/var/tmp/penstock-postgres").join(std::process::id().to_string()),
            )
        } else {
            (None, cache::dir("postgres")?.join(std::process::id().to_string()))
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.local_addr())
            .map_err(|e| format!("no free port: {e}"))?
            .port();
        let password = secret()?;
        let url = format!("postgres://penstock:{password}@127.0.0.1:{port}/postgres");
        let server = Self {
            programs,
            home,
            account,
            url,
        };
        server.create(&password)?;
        server.launch(port)?;
        Ok(server)
    }

    fn create(&self, password: &str) -> Res<()> {
        fs::create_dir_all(&self.home).map_err(|e| format!("cannot create {}: {e}", self.home.display()))?;
        let file = self.home.join("password");
        cache::write(&file, password)?;
        if let Some(account) = self.account {
            run::output(Command::new("chown").arg("-R").arg(account).arg(&self.home))?;
            if let Some(parent) = self.home.parent() {
                let _ = fs::set_permissions(parent, Permissions::from_mode(0o711));
            }
        }
        fs::set_permissions(&self.home, Permissions::from_mode(0o700)).map_err(|e| e.to_string())?;
        let mut init = self.command("initdb");
        init.arg("-D").arg(self.data()).args([
            "-U",
            "penstock",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        init.arg("--auth=scram-sha-256").arg("--pwfile").arg(&file);
        run::quiet("creating a PostgreSQL for the tests", "initdb", &mut init)?;
        self.certify()
    }

    /// Makes the certificate the server shows, where its account finds it.
    fn certify(&self) -> Res<()> {
        let data = self.data();
        let (key, certificate) = (data.join("server.key"), self.certificate());
        let settings = self.home.join("openssl.cnf");
        cache::write(&settings, CERTIFICATE)?;
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        openssl
            .args(["-subj", "/CN=penstock-tests", "-config"])
            .arg(&settings);
        openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        run::output(&mut openssl)?;
        // The server refuses a key that others can read.
        fs::set_permissions(&key, Permissions::from_mode(0o600)).map_err(|e| e.to_string())?;
        if let Some(account) = self.account {
            run::output(Command::new("chown").arg(account).arg(&key).arg(&certificate))?;
        }
        Ok(())
    }

    /// The certificate to trust; it is its own authority.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.data().join("server.crt")
    }

    fn launch(&self, port: u16) -> Res<()> {
        // Nothing in it outlives the tests, so it need not survive a power cut.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off \
             -c ssl=on -c synchronous_commit=off -c full_page_writes=off -c max_connections=300",
            self.home.display()
        );
        let mut start = self.command("pg_ctl");
        start
            .arg("-D")
            .arg(self.data())
            .arg("-l")
            .arg(self.home.join("server.log"));
        start.args(["-w", "-t", "30", "-o"]).arg(options).arg("start");
        run::quiet("starting it", "postgres", &mut start)
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match self.account {
            None => Command::new(program),
            Some(account) => {
                let mut command = Command::new("runuser");
                command.args(["-u", account, "--"]).arg(program);
                command
            }
        };
        command.current_dir(Path::new("/"));
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        let _ = run::output(
            stop.arg("-D")
                .arg(self.data())
                .args(["-m", "immediate", "-w", "stop"]),
        );
        let _ = cache::remove_dir(&self.home);
    }
}

fn secret() -> Res<String> {
    use std::io::Read;
    let mut bytes = [0_u8; 16];
    let mut source = fs::File::open("/dev/urandom").map_err(|e| format!("no random numbers: {e}"))?;
    source
        .read_exact(&mut bytes)
        .map_err(|e| format!("no random numbers: {e}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
