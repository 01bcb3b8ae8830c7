//! One daemon: a plain Java process that outlives this tool and is found again by its command line.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::conf::{Layout, Ports, SUPERUSER};
use super::probe;
use crate::{Res, cache, http, run};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    NameNode,
    DataNode,
    ResourceManager,
    NodeManager,
}

/// In the order they are started.
pub(crate) const ALL: [Daemon; 4] = [
    Daemon::NameNode,
    Daemon::DataNode,
    Daemon::ResourceManager,
    Daemon::NodeManager,
];

impl Daemon {
    pub(crate) fn named(name: &str) -> Res<Self> {
        let known = ALL.iter().find(|d| d.name() == name).copied();
        known.ok_or_else(|| {
            format!(
                "no daemon \"{name}\"; there are: {}",
                ALL.map(|d| d.name()).join(" ")
            )
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NameNode => "namenode",
            Self::DataNode => "datanode",
            Self::ResourceManager => "resourcemanager",
            Self::NodeManager => "nodemanager",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::NameNode => "org.apache.hadoop.hdfs.server.namenode.NameNode",
            Self::DataNode => "org.apache.hadoop.hdfs.server.datanode.DataNode",
            Self::ResourceManager => "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
            Self::NodeManager => "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
        }
    }

    /// The Hadoop user; YARN's daemons are ordinary users of HDFS, as on a real cluster.
    fn user(self) -> &'static str {
        match self {
            Self::NameNode | Self::DataNode => SUPERUSER,
            Self::ResourceManager | Self::NodeManager => "yarn",
        }
    }

    /// Java heap in MB. The four together must stay below 1.2 GiB resident.
    fn heap(self) -> u32 {
        match self {
            Self::NameNode | Self::DataNode | Self::NodeManager => 224,
            Self::ResourceManager => 288,
        }
    }

    /// The servlet filter that knows the caller, with `doas`, in this daemon.
    fn filter(self) -> &'static str {
        match self {
            Self::ResourceManager => {
                "org.apache.hadoop.yarn.server.security.http.RMAuthenticationFilterInitializer"
            }
            _ => "org.apache.hadoop.security.authentication.server.ProxyUserAuthenticationFilterInitializer",
        }
    }

    /// A NodeManager shows any log to a caller without a name; the others know how to treat one.
    fn takes_anonymous(self) -> bool {
        self != Self::NodeManager
    }

    fn ports(self, ports: Ports) -> Vec<u16> {
        match self {
            Self::NameNode => vec![ports.nn_rpc(), ports.nn_http()],
            Self::DataNode => vec![ports.dn_data(), ports.dn_http(), ports.dn_ipc()],
            Self::ResourceManager => vec![
                ports.rm_client(),
                ports.rm_scheduler(),
                ports.rm_tracker(),
                ports.rm_admin(),
                ports.rm_http(),
            ],
            Self::NodeManager => vec![ports.nm_rpc(), ports.nm_localizer(), ports.nm_http()],
        }
    }

    pub(crate) fn web_port(self, ports: Ports) -> u16 {
        match self {
            Self::NameNode => ports.nn_http(),
            Self::DataNode => ports.dn_http(),
            Self::ResourceManager => ports.rm_http(),
            Self::NodeManager => ports.nm_http(),
        }
    }

    /// Whether it does its work: not merely alive, but answering as it should.
    pub(crate) fn answers(self, ports: Ports) -> bool {
        match self {
            Self::NameNode => namenode_bean(ports).is_some_and(|bean| bean["FSState"] == "Operational"),
            Self::DataNode => http::get(
                ports.dn_http(),
                "/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo",
            )
            .is_ok(),
            Self::ResourceManager => http::get(ports.rm_http(), "/ws/v1/cluster/info").is_ok_and(|info| {
                info["clusterInfo"]["haState"] == "ACTIVE" && info["clusterInfo"]["state"] == "STARTED"
            }),
            Self::NodeManager => http::get(
                ports.nm_http(),
                &format!("/ws/v1/node/info?user.name={SUPERUSER}"),
            )
            .is_ok_and(|info| info["nodeInfo"]["nodeHealthy"] == true),
        }
    }

    /// The part of the command line only a daemon of this very sandbox has.
    fn marker(self, layout: &Layout) -> String {
        format!("-Dpenstock.sandbox={}:{}", layout.root.display(), self.name())
    }

    fn pid_file(self, layout: &Layout) -> PathBuf {
        layout.run.join(format!("{}.pid", self.name()))
    }

    pub(crate) fn log(self, layout: &Layout) -> PathBuf {
        layout.logs.join(format!("{}.log", self.name()))
    }

    fn out(self, layout: &Layout) -> PathBuf {
        layout.logs.join(format!("{}.out", self.name()))
    }

    /// The process id, if it lives. A stale pid file is no proof, nor is a missing one.
    pub(crate) fn pid(self, layout: &Layout) -> Option<u32> {
        let marker = self.marker(layout);
        let recorded = fs::read_to_string(self.pid_file(layout))
            .ok()
            .and_then(|t| t.trim().parse().ok());
        recorded
            .filter(|pid| probe::has_argument(*pid, &marker))
            .or_else(|| {
                probe::processes()
                    .into_iter()
                    .find(|pid| probe::has_argument(*pid, &marker))
            })
    }

    /// Starts the process; returns without waiting for it to answer.
    pub(crate) fn spawn(self, layout: &Layout, ports: Ports) -> Res<()> {
        self.check_ports(ports)?;
        if self == Self::NameNode && !layout.data.join("name/current/VERSION").exists() {
            let mut format = self.java(layout)?;
            format
                .arg("-Dpenstock.log=/dev/null")
                .arg(self.class())
                .args(["-format", "-nonInteractive"]);
            run::quiet("formatting HDFS", "namenode-format", &mut format)?;
        }
        let out = File::create(self.out(layout)).map_err(|e| format!("cannot write a log: {e}"))?;
        let err = out.try_clone().map_err(|e| e.to_string())?;
        let mut command = self.java(layout)?;
        command.arg(format!("-Dpenstock.log={}", self.log(layout).display()));
        command.arg(self.marker(layout)).arg(self.class());
        // Its own process group: an interrupt at the terminal is for this tool, not for the daemon.
        command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0);
        let mut child = command.spawn().map_err(|e| format!("cannot start java: {e}"))?;
        run::say(&format!("starting {} (pid {})", self.name(), child.id()));
        cache::write(&self.pid_file(layout), &child.id().to_string())?;
        // For a moment after the start the kernel shows no command line yet, as for one that has ended.
        let marker = self.marker(layout);
        run::wait_for(Duration::from_secs(5), || {
            probe::has_argument(child.id(), &marker) || !matches!(child.try_wait(), Ok(None))
        });
        Ok(())
    }

    fn java(self, layout: &Layout) -> Res<Command> {
        let home = java_home()?;
        let mut command = Command::new(home.join("bin/java"));
        command.current_dir(&layout.run);
        command.arg(format!("-Xmx{}m", self.heap()));
        // Small machines: a heap that starts small and gives back what it does not use, one collector
        // thread and few malloc arenas keep the resident size down.
        command.args([
            "-Xms32m",
            "-XX:MinHeapFreeRatio=15",
            "-XX:MaxHeapFreeRatio=30",
            "-XX:+UseSerialGC",
        ]);
        command.args([
            "-XX:MaxDirectMemorySize=96m",
            "-XX:ReservedCodeCacheSize=64m",
            "-XX:-UsePerfData",
        ]);
        command.args(["-XX:+ExitOnOutOfMemoryError", "-Dfile.encoding=UTF-8"]);
        command.args(["--add-opens", "java.base/java.lang=ALL-UNNAMED"]);
        command.arg(format!("-Dpenstock.filter={}", self.filter()));
        command.arg(format!("-Dpenstock.anonymous={}", self.takes_anonymous()));
        command.arg(format!("-Dhadoop.log.dir={}", layout.logs.display()));
        command.arg(format!("-Dyarn.log.dir={}", layout.logs.display()));
        command.arg(format!("-Dhadoop.home.dir={}", layout.hadoop.display()));
        command.arg("-cp").arg(format!(
            "{}:{}/lib/*",
            layout.conf.display(),
            layout.hadoop.display()
        ));
        command
            .env("HADOOP_CONF_DIR", &layout.conf)
            .env("HADOOP_YARN_HOME", &layout.hadoop);
        command
            .env("JAVA_HOME", &home)
            .env("HADOOP_USER_NAME", self.user());
        command
            .env("MALLOC_ARENA_MAX", "2")
            .env_remove("JAVA_TOOL_OPTIONS");
        Ok(command)
    }

    /// Fails with who holds a port this daemon listens on.
    pub(crate) fn check_ports(self, ports: Ports) -> Res<()> {
        for port in self.ports(ports) {
            if probe::is_free(port) {
                continue;
            }
            let holder = probe::listener(port).unwrap_or_else(|| "a process that cannot be seen".into());
            return Err(format!(
                "port {port} of 127.0.0.1, needed by the {}, is taken by {holder}. End that process, or set \
                 PENSTOCK_SANDBOX_PORT_BASE to another range (now {}).",
                self.name(),
                ports.base
            ));
        }
        Ok(())
    }

    /// Ends the process and waits until it is gone: asked at first, then (or with `hard` at once) killed.
    pub(crate) fn stop(self, layout: &Layout, hard: bool) -> Res<bool> {
        let Some(pid) = self.pid(layout) else {
            let _ = fs::remove_file(self.pid_file(layout));
            return Ok(false);
        };
        let marker = self.marker(layout);
        let gone = || !probe::has_argument(pid, &marker);
        run::say(&format!("stopping {} (pid {pid})", self.name()));
        probe::signal(pid, if hard { "KILL" } else { "TERM" });
        if !run::wait_for(Duration::from_secs(10), gone) {
            probe::signal(pid, "KILL");
            if !run::wait_for(Duration::from_secs(5), gone) {
                return Err(format!("{} (pid {pid}) does not end", self.name()));
            }
        }
        let _ = fs::remove_file(self.pid_file(layout));
        Ok(true)
    }

    /// The end of what it said, for a message about a start that failed.
    pub(crate) fn last_words(self, layout: &Layout) -> String {
        let log = self.log(layout);
        format!(
            "{}\n{}\n{}",
            log.display(),
            run::tail(&self.out(layout), 10),
            run::tail(&log, 15)
        )
    }
}

/// The NameNode's own account of the file system.
pub(crate) fn namenode_bean(ports: Ports) -> Option<serde_json::Value> {
    let path = "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState";
    http::get(ports.nn_http(), path)
        .ok()
        .map(|answer| answer["beans"][0].clone())
}

/// A Java 17 (or 11) home: `JAVA_HOME`, Debian's directories, or where `java` on the path leads to.
pub(crate) fn java_home() -> Res<PathBuf> {
    let given = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let mut known: Vec<PathBuf> = fs::read_dir("/usr/lib/jvm")
        .map(|dir| dir.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    known.retain(|path| path.to_string_lossy().contains("17"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .filter_map(|dir| dir.join("java").canonicalize().ok())
        .filter_map(|java| Some(java.parent()?.parent()?.to_owned()));
    let mut candidates = given.into_iter().chain(known).chain(on_path);
    let found = candidates.find(|home| home.join("bin/java").is_file());
    found.ok_or_else(|| "no Java found: apt-get install openjdk-17-jdk-headless".to_owned())
}
