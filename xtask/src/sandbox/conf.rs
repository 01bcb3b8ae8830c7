//! Ports, directories and configuration files of the sandbox.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Res, cache, fetch};

/// The account the daemons of HDFS run as: HDFS' superuser, and YARN's administrator.
pub(crate) const SUPERUSER: &str = "hadoop";
/// The console's own principal: an ordinary user.
pub(crate) const CONSOLE: &str = "penstock";
/// The users teams run their applications as.
pub(crate) const TEAMS: [&str; 2] = ["team_a", "team_b"];

/// The sandbox's ports, all derived from one base.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) base: u16,
}

impl Ports {
    /// `PENSTOCK_SANDBOX_PORT_BASE`, or 18000: below the range the system hands out by itself.
    pub(crate) fn configured() -> Res<Self> {
        let Ok(text) = std::env::var("PENSTOCK_SANDBOX_PORT_BASE") else {
            return Ok(Self { base: 18000 });
        };
        match text.parse() {
            Ok(base) if (1024..=65400).contains(&base) => Ok(Self { base }),
            _ => Err(format!(
                "PENSTOCK_SANDBOX_PORT_BASE must be 1024 to 65400, not \"{text}\""
            )),
        }
    }

    pub(crate) fn nn_rpc(self) -> u16 {
        self.base + 20
    }
    pub(crate) fn nn_http(self) -> u16 {
        self.base + 70
    }
    pub(crate) fn dn_data(self) -> u16 {
        self.base + 66
    }
    pub(crate) fn dn_http(self) -> u16 {
        self.base + 64
    }
    pub(crate) fn dn_ipc(self) -> u16 {
        self.base + 67
    }
    pub(crate) fn rm_client(self) -> u16 {
        self.base + 32
    }
    pub(crate) fn rm_scheduler(self) -> u16 {
        self.base + 30
    }
    pub(crate) fn rm_tracker(self) -> u16 {
        self.base + 31
    }
    pub(crate) fn rm_admin(self) -> u16 {
        self.base + 33
    }
    pub(crate) fn rm_http(self) -> u16 {
        self.base + 88
    }
    pub(crate) fn nm_rpc(self) -> u16 {
        self.base + 41
    }
    pub(crate) fn nm_localizer(self) -> u16 {
        self.base + 40
    }
    pub(crate) fn nm_http(self) -> u16 {
        self.base + 42
    }
}

/// The sandbox's directories, all in the cache.
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
    /// Jars of the daemons; also on the class path of YARN containers.
    pub(crate) hadoop: PathBuf,
    /// What the daemons read.
    pub(crate) conf: PathBuf,
    /// What a client gets: this is registered as the cluster's client XML.
    pub(crate) client: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) run: PathBuf,
}

impl Layout {
    pub(crate) fn new() -> Res<Self> {
        let root = cache::dir("sandbox")?;
        let sub = |name: &str| root.join(name);
        Ok(Self {
            hadoop: sub(&format!("hadoop-{}", fetch::HADOOP_VERSION)),
            conf: sub("conf"),
            client: sub("client-conf"),
            data: sub("data"),
            logs: sub("logs"),
            run: sub("run"),
            root,
        })
    }
}

type Settings = Vec<(&'static str, String)>;

/// Writes the daemons' and the client's configuration; files that would not change are left alone.
pub(crate) fn write(layout: &Layout, ports: Ports) -> Res<()> {
    // The web applications are looked up on the class path, and the jars do not bring these directories.
    for app in ["hdfs", "datanode", "cluster", "node"] {
        make(&layout.conf.join("webapps").join(app))?;
    }
    for dir in [&layout.data, &layout.logs, &layout.run] {
        make(dir)?;
    }
    let (core, hdfs, yarn) = (client_core(ports), client_hdfs(ports), client_yarn(layout, ports));
    site(&layout.client, "core-site.xml", &core)?;
    site(&layout.client, "hdfs-site.xml", &hdfs)?;
    site(&layout.client, "yarn-site.xml", &yarn)?;
    site(
        &layout.conf,
        "core-site.xml",
        &[core, daemon_core(layout)].concat(),
    )?;
    site(
        &layout.conf,
        "hdfs-site.xml",
        &[hdfs, daemon_hdfs(layout, ports)].concat(),
    )?;
    site(
        &layout.conf,
        "yarn-site.xml",
        &[yarn, daemon_yarn(layout, ports)].concat(),
    )?;
    site(&layout.conf, "capacity-scheduler.xml", &scheduler())?;
    cache::write(&layout.conf.join("log4j.properties"), DAEMON_LOG)
}

fn make(dir: &Path) -> Res<()> {
    fs::create_dir_all(dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))
}

fn site(dir: &Path, name: &str, settings: &[(&'static str, String)]) -> Res<()> {
    let mut xml = String::from("<?xml version=\"1.0\"?>\n<configuration>\n");
    for (key, value) in settings {
        let value = value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        xml += &format!("  <property><name>{key}</name><value>{value}</value></property>\n");
    }
    xml += "</configuration>\n";
    cache::write(&dir.join(name), &xml)
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn client_core(ports: Ports) -> Settings {
    vec![
        ("fs.defaultFS", format!("hdfs://{}", at(ports.nn_rpc()))),
        ("hadoop.security.authentication", "simple".into()),
        ("hadoop.security.authorization", "true".into()),
    ]
}

fn client_hdfs(ports: Ports) -> Settings {
    vec![
        ("dfs.namenode.http-address", at(ports.nn_http())),
        ("dfs.replication", "1".into()),
    ]
}

fn client_yarn(layout: &Layout, ports: Ports) -> Settings {
    let class_path = format!("{},{}/lib/*", layout.client.display(), layout.hadoop.display());
    vec![
        ("yarn.resourcemanager.hostname", "127.0.0.1".into()),
        ("yarn.resourcemanager.address", at(ports.rm_client())),
        ("yarn.resourcemanager.scheduler.address", at(ports.rm_scheduler())),
        (
            "yarn.resourcemanager.resource-tracker.address",
            at(ports.rm_tracker()),
        ),
        ("yarn.resourcemanager.admin.address", at(ports.rm_admin())),
        ("yarn.resourcemanager.webapp.address", at(ports.rm_http())),
        ("yarn.application.classpath", class_path),
        ("yarn.acl.enable", "true".into()),
        ("yarn.log-aggregation-enable", "true".into()),
        ("yarn.nodemanager.remote-app-log-dir", "/tmp/logs".into()),
        ("yarn.nodemanager.remote-app-log-dir-suffix", "logs".into()),
        ("yarn.log-aggregation.file-formats", "TFile".into()),
        // The default of 30 s would make every test that restarts the ResourceManager a slow one.
        ("yarn.resourcemanager.connect.retry-interval.ms", "1000".into()),
    ]
}

fn daemon_core(layout: &Layout) -> Settings {
    // None of these accounts exists in the operating system, so their groups have to be told.
    let accounts = [SUPERUSER, "yarn", CONSOLE, TEAMS[0], TEAMS[1]];
    let groups = accounts.map(|name| format!("{name}={name}")).join(";");
    vec![
        ("hadoop.tmp.dir", layout.data.join("tmp").display().to_string()),
        (
            "hadoop.user.group.static.mapping.overrides",
            format!("{groups};dr.who=;"),
        ),
        // Each web server must take the caller from `user.name` and `doas`, or every reader would be the same
        // static user. Which filter does that differs by daemon, so each gets it on its command line.
        ("hadoop.http.filter.initializers", "${penstock.filter}".into()),
        ("hadoop.http.authentication.type", "simple".into()),
        (
            "hadoop.http.authentication.simple.anonymous.allowed",
            "${penstock.anonymous}".into(),
        ),
        ("hadoop.proxyuser.penstock.hosts", "127.0.0.1".into()),
        ("hadoop.proxyuser.penstock.users", TEAMS.join(",")),
    ]
}

fn daemon_hdfs(layout: &Layout, ports: Ports) -> Settings {
    vec![
        ("dfs.namenode.rpc-address", at(ports.nn_rpc())),
        (
            "dfs.namenode.name.dir",
            format!("file://{}", layout.data.join("name").display()),
        ),
        (
            "dfs.datanode.data.dir",
            format!("file://{}", layout.data.join("blocks").display()),
        ),
        ("dfs.datanode.address", at(ports.dn_data())),
        ("dfs.datanode.http.address", at(ports.dn_http())),
        ("dfs.datanode.ipc.address", at(ports.dn_ipc())),
        ("dfs.datanode.hostname", "127.0.0.1".into()),
        (
            "dfs.namenode.datanode.registration.ip-hostname-check",
            "false".into(),
        ),
        ("dfs.permissions.enabled", "true".into()),
        ("dfs.permissions.superusergroup", SUPERUSER.into()),
        ("dfs.namenode.safemode.extension", "0".into()),
        // A DataNode that went away is seen to be dead after 20 s instead of 10 min.
        ("dfs.heartbeat.interval", "1".into()),
        ("dfs.namenode.heartbeat.recheck-interval", "5000".into()),
    ]
}

fn daemon_yarn(layout: &Layout, ports: Ports) -> Settings {
    let data = |name: &str| layout.data.join(name).display().to_string();
    let store = "org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore";
    let scheduler = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.CapacityScheduler";
    vec![
        ("yarn.admin.acl", SUPERUSER.into()),
        ("yarn.resourcemanager.scheduler.class", scheduler.into()),
        ("yarn.resourcemanager.recovery.enabled", "true".into()),
        ("yarn.resourcemanager.store.class", store.into()),
        (
            "yarn.resourcemanager.fs.state-store.uri",
            format!("file://{}", data("rm-state")),
        ),
        (
            "yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms",
            "1000".into(),
        ),
        (
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms",
            "250".into(),
        ),
        ("yarn.nm.liveness-monitor.expiry-interval-ms", "60000".into()),
        ("yarn.scheduler.minimum-allocation-mb", "128".into()),
        ("yarn.scheduler.maximum-allocation-mb", "4096".into()),
        ("yarn.nodemanager.hostname", "127.0.0.1".into()),
        ("yarn.nodemanager.address", at(ports.nm_rpc())),
        ("yarn.nodemanager.localizer.address", at(ports.nm_localizer())),
        ("yarn.nodemanager.webapp.address", at(ports.nm_http())),
        ("yarn.nodemanager.resource.memory-mb", "8192".into()),
        ("yarn.nodemanager.resource.cpu-vcores", "8".into()),
        ("yarn.nodemanager.recovery.enabled", "true".into()),
        ("yarn.nodemanager.recovery.supervised", "true".into()),
        ("yarn.nodemanager.recovery.dir", data("nm-state")),
        ("yarn.nodemanager.local-dirs", data("nm-local")),
        // Each console places its engines anew; YARN would keep 10 GB of what no job uses any more.
        ("yarn.nodemanager.localizer.cache.target-size-mb", "2048".into()),
        ("yarn.nodemanager.log-dirs", data("nm-logs")),
        ("yarn.nodemanager.vmem-check-enabled", "false".into()),
        (
            "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage",
            "99".into(),
        ),
    ]
}

fn scheduler() -> Settings {
    let calculator = "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator";
    let nobody = || " ".to_owned();
    vec![
        ("yarn.scheduler.capacity.resource-calculator", calculator.into()),
        (
            "yarn.scheduler.capacity.maximum-am-resource-percent",
            "0.8".into(),
        ),
        ("yarn.scheduler.capacity.root.queues", "default,adhoc".into()),
        ("yarn.scheduler.capacity.root.acl_submit_applications", nobody()),
        ("yarn.scheduler.capacity.root.acl_administer_queue", nobody()),
        ("yarn.scheduler.capacity.root.default.capacity", "50".into()),
        (
            "yarn.scheduler.capacity.root.default.maximum-capacity",
            "100".into(),
        ),
        (
            "yarn.scheduler.capacity.root.default.user-limit-factor",
            "2".into(),
        ),
        (
            "yarn.scheduler.capacity.root.default.acl_submit_applications",
            format!("{CONSOLE},{}", TEAMS[0]),
        ),
        (
            "yarn.scheduler.capacity.root.default.acl_administer_queue",
            nobody(),
        ),
        ("yarn.scheduler.capacity.root.adhoc.capacity", "50".into()),
        (
            "yarn.scheduler.capacity.root.adhoc.maximum-capacity",
            "100".into(),
        ),
        ("yarn.scheduler.capacity.root.adhoc.user-limit-factor", "2".into()),
        (
            "yarn.scheduler.capacity.root.adhoc.acl_submit_applications",
            format!("{CONSOLE},{}", TEAMS.join(",")),
        ),
        (
            "yarn.scheduler.capacity.root.adhoc.acl_administer_queue",
            nobody(),
        ),
    ]
}

/// Daemons write to a file of bounded size; what the JVM itself says goes to `<daemon>.out`.
const DAEMON_LOG: &str = "\
log4j.rootLogger=INFO,file
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File=${penstock.log}
log4j.appender.file.MaxFileSize=20MB
log4j.appender.file.MaxBackupIndex=1
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
";

/// What a Flink 2 job needs from its JVM on Java 17.
const FLINK_EXPORTS: [&str; 8] = [
    "java.base/sun.net.util",
    "java.rmi/sun.rmi.registry",
    "jdk.compiler/com.sun.tools.javac.api",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.compiler/com.sun.tools.javac.parser",
    "jdk.compiler/com.sun.tools.javac.tree",
    "jdk.compiler/com.sun.tools.javac.util",
    "java.security.jgss/sun.security.krb5",
];
const FLINK_OPENS: [&str; 11] = [
    "lang",
    "net",
    "io",
    "nio",
    "lang.reflect",
    "text",
    "time",
    "util",
    "util.concurrent",
    "util.concurrent.atomic",
    "util.concurrent.locks",
];

/// Flags for a JVM that runs Flink (its command line client included).
pub(crate) fn flink_jvm_options() -> Vec<String> {
    let exports = FLINK_EXPORTS
        .iter()
        .map(|m| format!("--add-exports={m}=ALL-UNNAMED"));
    let opens = FLINK_OPENS
        .iter()
        .map(|p| format!("--add-opens=java.base/java.{p}=ALL-UNNAMED"));
    let channels = "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED".to_owned();
    exports.chain(opens).chain([channels]).collect()
}

/// Writes the `conf/` the Python package lacks.
pub(crate) fn write_flink(home: &Path) -> Res<()> {
    let config = format!(
        "# Memory that fits the sandbox; jobs may ask for more.\n\
         \"jobmanager.memory.process.size\": \"1024m\"\n\
         \"taskmanager.memory.process.size\": \"1024m\"\n\
         \"taskmanager.memory.managed.size\": \"64m\"\n\
         \"taskmanager.numberOfTaskSlots\": \"1\"\n\
         \"parallelism.default\": \"1\"\n\
         \"env.java.opts.all\": \"{}\"\n",
        flink_jvm_options().join(" ")
    );
    cache::write(&home.join("conf/config.yaml"), &config)?;
    cache::write(&home.join("conf/log4j.properties"), FLINK_LOG)?;
    cache::write(&home.join("conf/log4j-cli.properties"), FLINK_LOG)
}

const FLINK_LOG: &str = "\
monitorInterval=30
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = MainAppender
rootLogger.appenderRef.console.ref = ConsoleAppender
appender.main.name = MainAppender
appender.main.type = RollingFile
appender.main.append = true
appender.main.fileName = ${sys:log.file}
appender.main.filePattern = ${sys:log.file}.%i
appender.main.layout.type = PatternLayout
appender.main.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
appender.main.policies.type = Policies
appender.main.policies.size.type = SizeBasedTriggeringPolicy
appender.main.policies.size.size = 100MB
appender.main.strategy.type = DefaultRolloverStrategy
appender.main.strategy.max = 10
appender.console.name = ConsoleAppender
appender.console.type = Console
appender.console.target = SYSTEM_OUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} - %m%n
appender.console.filter.threshold.type = ThresholdFilter
appender.console.filter.threshold.level = ERROR
logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline
logger.netty.level = OFF
";
