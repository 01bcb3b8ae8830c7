//! A real single-node Hadoop (HDFS and YARN) for development and tests, on the loopback address only.

pub(crate) mod conf;
pub(crate) mod daemon;
pub(crate) mod hdfs;
pub(crate) mod probe;
pub(crate) mod spark;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use self::conf::{Layout, Ports, SUPERUSER};
use self::daemon::{ALL, Daemon};
use crate::{Res, cache, fetch, http, run};

/// The most a start may take once everything is fetched.
const START_LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn command(words: &[&str]) -> Res<ExitCode> {
    let done = |outcome: Res<()>| outcome.map(|()| ExitCode::SUCCESS);
    match words {
        ["up"] => done(up()),
        ["down"] => done(down(false)),
        ["down", "--wipe"] => done(down(true)),
        ["status"] => status(false),
        ["status", "--json"] => status(true),
        ["logs"] => done(logs(&ALL)),
        ["logs", name] => done(logs(&[Daemon::named(name)?])),
        ["start", name] => done(start(Daemon::named(name)?)),
        ["stop", name] => done(stop(Daemon::named(name)?, false)),
        ["stop", name, "--kill"] => done(stop(Daemon::named(name)?, true)),
        ["env"] => done(env()),
        ["flink"] => done(fetch::flink(fetch::FLINK_VERSIONS[1]).map(drop)),
        ["flink", version] => done(fetch::flink(version).map(drop)),
        ["spark"] => done(fetch_spark(&spark::VERSIONS)),
        ["spark", version] => done(fetch_spark(&[version])),
        _ => Err(
            "sandbox up | down [--wipe] | status [--json] | logs [daemon] | start <daemon> | \
                  stop <daemon> [--kill] | env | flink [version] | spark [version]"
                .into(),
        ),
    }
}

/// Brings up what is not up. Nothing happens to a daemon that works.
pub(crate) fn up() -> Res<()> {
    let (layout, ports) = (Layout::new()?, Ports::configured()?);
    let _lock = cache::lock("sandbox")?;
    same_ports(&layout, ports)?;
    fetch::hadoop()?;
    let flink = fetch::flink(fetch::FLINK_VERSION)?;
    conf::write(&layout, ports)?;
    if whole(&layout, ports) {
        hdfs::prepare(ports)?;
        run::say("sandbox is already up");
        return Ok(());
    }
    let start = Instant::now();
    cache::write(&layout.run.join("port-base"), &ports.base.to_string())?;
    let down = ALL.into_iter().filter(|daemon| daemon.pid(&layout).is_none());
    let down: Vec<Daemon> = down.collect();
    // Before the first starts, so that a taken port leaves nothing half started.
    down.iter().try_for_each(|daemon| daemon.check_ports(ports))?;
    down.iter().try_for_each(|daemon| daemon.spawn(&layout, ports))?;
    wait(&layout, ports, &ALL)?;
    hdfs::prepare(ports)?;
    let resident: u64 = ALL
        .iter()
        .filter_map(|d| d.pid(&layout))
        .map(probe::resident)
        .sum();
    run::say(&format!(
        "sandbox is up after {:.0} s, {} MiB resident: ResourceManager http://127.0.0.1:{}, NameNode \
         http://127.0.0.1:{}, client XML {}, Flink {}",
        start.elapsed().as_secs_f32(),
        resident / 1024,
        ports.rm_http(),
        ports.nn_http(),
        layout.client.display(),
        flink.display()
    ));
    Ok(())
}

/// Whether any of its daemons lives.
pub(crate) fn is_running() -> Res<bool> {
    let layout = Layout::new()?;
    Ok(ALL.iter().any(|daemon| daemon.pid(&layout).is_some()))
}

/// Running daemons listen where they were started, not where the environment points now.
fn same_ports(layout: &Layout, ports: Ports) -> Res<()> {
    let running = ALL.iter().any(|d| d.pid(layout).is_some());
    let base = std::fs::read_to_string(layout.run.join("port-base")).unwrap_or_default();
    if running && base != ports.base.to_string() {
        return Err(format!(
            "the sandbox runs with port base {base}, but {} is asked for: `cargo xtask sandbox down` first",
            ports.base
        ));
    }
    Ok(())
}

/// Every daemon answers, HDFS has its DataNode and YARN its node.
fn whole(layout: &Layout, ports: Ports) -> bool {
    ALL.iter().all(|d| d.pid(layout).is_some() && d.answers(ports)) && joined(ports).is_none()
}

/// What is still missing between the daemons, if anything.
fn joined(ports: Ports) -> Option<&'static str> {
    let bean = daemon::namenode_bean(ports).unwrap_or_default();
    if bean["NumLiveDataNodes"] != 1 || bean["FSState"] != "Operational" {
        return Some("the NameNode with a live DataNode and out of safe mode");
    }
    let nodes = http::get(ports.rm_http(), "/ws/v1/cluster/nodes?states=RUNNING").unwrap_or_default();
    if nodes["nodes"]["node"].as_array().is_none_or(Vec::is_empty) {
        return Some("the ResourceManager with a running NodeManager");
    }
    None
}

fn wait(layout: &Layout, ports: Ports, daemons: &[Daemon]) -> Res<()> {
    let end = Instant::now() + START_LIMIT;
    let mut silent: Vec<Daemon> = daemons.to_vec();
    loop {
        for daemon in &silent {
            if daemon.pid(layout).is_none() {
                return Err(format!(
                    "{} ended at once\n{}",
                    daemon.name(),
                    daemon.last_words(layout)
                ));
            }
        }
        silent.retain(|daemon| {
            let answers = daemon.answers(ports);
            if answers {
                run::say(&format!(
                    "{} answers on port {}",
                    daemon.name(),
                    daemon.web_port(ports)
                ));
            }
            !answers
        });
        let missing = if silent.is_empty() {
            joined(ports)
        } else {
            Some("every daemon to answer")
        };
        let Some(missing) = missing else { return Ok(()) };
        if Instant::now() > end {
            let words: Vec<String> = silent.iter().map(|d| d.last_words(layout)).collect();
            let limit = START_LIMIT.as_secs();
            return Err(format!(
                "waited {limit} s in vain for {missing}\n{}",
                words.join("\n\n")
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Ends the applications, the daemons, and containers that outlived their NodeManager.
pub(crate) fn down(wipe: bool) -> Res<()> {
    let (layout, ports) = (Layout::new()?, Ports::configured()?);
    let _lock = cache::lock("sandbox")?;
    same_ports(&layout, ports)?;
    if Daemon::ResourceManager.pid(&layout).is_some() {
        end_applications(ports);
    }
    let mut stopped = 0;
    for daemon in ALL.iter().rev() {
        stopped += usize::from(daemon.stop(&layout, false)?);
    }
    // NodeManager recovery leaves containers alive on purpose; here nobody will come back for them.
    let local = layout.data.join("nm-local");
    for pid in probe::working_in(&local) {
        probe::signal(pid, "KILL");
    }
    run::wait_for(Duration::from_secs(5), || probe::working_in(&local).is_empty());
    if wipe {
        cache::remove_dir(&layout.data)?;
        cache::remove_dir(&layout.logs)?;
    }
    run::say(if stopped == 0 {
        "sandbox was not running"
    } else {
        "sandbox is down"
    });
    Ok(())
}

/// Asks YARN to kill what runs, so that the next start does not find applications without processes.
fn end_applications(ports: Ports) {
    let path = format!(
        "/ws/v1/cluster/apps?states=NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING&deSelects=resourceRequests&user.name={SUPERUSER}"
    );
    let running = || -> Vec<String> {
        let answer = http::get(ports.rm_http(), &path).unwrap_or_default();
        let apps = answer["apps"]["app"].as_array().cloned().unwrap_or_default();
        apps.iter()
            .filter_map(|app| app["id"].as_str().map(str::to_owned))
            .collect()
    };
    for id in running() {
        run::say(&format!("killing {id}"));
        let state = format!("/ws/v1/cluster/apps/{id}/state?user.name={SUPERUSER}");
        let _ = http::request(
            "PUT",
            ports.rm_http(),
            &state,
            Some(("application/json", br#"{"state":"KILLED"}"#)),
        );
    }
    run::wait_for(Duration::from_secs(5), || running().is_empty());
}

/// Brings one daemon back and waits until it has rejoined.
fn start(daemon: Daemon) -> Res<()> {
    let (layout, ports) = (Layout::new()?, Ports::configured()?);
    let _lock = cache::lock("sandbox")?;
    same_ports(&layout, ports)?;
    if daemon.pid(&layout).is_some() && daemon.answers(ports) {
        run::say(&format!("{} is already up", daemon.name()));
        return Ok(());
    }
    if daemon.pid(&layout).is_none() {
        fetch::hadoop()?;
        conf::write(&layout, ports)?;
        cache::write(&layout.run.join("port-base"), &ports.base.to_string())?;
        daemon.spawn(&layout, ports)?;
    }
    let end = Instant::now() + START_LIMIT;
    // A NameNode without DataNode stays in safe mode, and that is all one can ask of it then.
    while !daemon.answers(ports) {
        if daemon.pid(&layout).is_none() || Instant::now() > end {
            return Err(format!(
                "{} does not come up\n{}",
                daemon.name(),
                daemon.last_words(&layout)
            ));
        }
        let only_safe_mode = daemon == Daemon::NameNode
            && Daemon::DataNode.pid(&layout).is_none()
            && daemon::namenode_bean(ports).is_some();
        if only_safe_mode {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    run::say(&format!("{} is up", daemon.name()));
    Ok(())
}

fn stop(daemon: Daemon, hard: bool) -> Res<()> {
    let layout = Layout::new()?;
    let _lock = cache::lock("sandbox")?;
    if !daemon.stop(&layout, hard)? {
        run::say(&format!("{} was not running", daemon.name()));
    }
    Ok(())
}

fn status(as_json: bool) -> Res<ExitCode> {
    let (layout, ports) = (Layout::new()?, Ports::configured()?);
    let mut rows = Vec::new();
    let mut all_up = true;
    for daemon in ALL {
        let pid = daemon.pid(&layout);
        let state = match pid {
            None => "down",
            Some(_) if daemon.answers(ports) => "up",
            Some(_) => "not answering",
        };
        all_up &= state == "up";
        let resident = pid.map(probe::resident).unwrap_or(0) / 1024;
        rows.push((daemon, pid, resident, state));
    }
    if as_json {
        let daemons: Vec<_> = rows
            .iter()
            .map(|(daemon, pid, resident, state)| {
                json!({"name": daemon.name(), "pid": pid, "port": daemon.web_port(ports),
                       "rss_mib": resident, "state": state})
            })
            .collect();
        println!("{}", json!({"up": all_up, "daemons": daemons}));
    } else {
        for (daemon, pid, resident, state) in rows {
            let pid = pid.map_or("-".to_owned(), |pid| pid.to_string());
            println!(
                "{:<16} pid {pid:<8} port {:<6} {resident:>5} MiB  {state}",
                daemon.name(),
                daemon.web_port(ports)
            );
        }
    }
    Ok(if all_up {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn logs(daemons: &[Daemon]) -> Res<()> {
    let layout = Layout::new()?;
    let count = if daemons.len() == 1 { 60 } else { 8 };
    for daemon in daemons {
        let log = daemon.log(&layout);
        println!("== {}\n{}\n", log.display(), run::tail(&log, count));
    }
    Ok(())
}

/// Fetches what is missing of these versions of Spark and says where they are.
fn fetch_spark(versions: &[&str]) -> Res<()> {
    crate::web::runner()?;
    for version in versions {
        run::say(&format!("Spark {version}: {}", spark::spark(version)?.display()));
    }
    Ok(())
}

/// What scripts and tests need to know, as `KEY=VALUE` lines.
fn env() -> Res<()> {
    for (key, value) in variables()? {
        println!("{key}={value}");
    }
    Ok(())
}

pub(crate) fn variables() -> Res<Vec<(&'static str, String)>> {
    let (layout, ports) = (Layout::new()?, Ports::configured()?);
    let web = |port: u16| format!("http://127.0.0.1:{port}");
    Ok(vec![
        ("PENSTOCK_SANDBOX_RM", web(ports.rm_http())),
        ("PENSTOCK_SANDBOX_NN", web(ports.nn_http())),
        ("PENSTOCK_SANDBOX_NM", web(ports.nm_http())),
        (
            "PENSTOCK_SANDBOX_DEFAULT_FS",
            format!("hdfs://127.0.0.1:{}", ports.nn_rpc()),
        ),
        ("PENSTOCK_SANDBOX_CONF", layout.client.display().to_string()),
        (
            "PENSTOCK_SANDBOX_HADOOP_LIB",
            layout.hadoop.join("lib").display().to_string(),
        ),
        (
            "PENSTOCK_SANDBOX_FLINK",
            fetch::flink_place(fetch::FLINK_VERSIONS[0])?
                .display()
                .to_string(),
        ),
        // Named, not fetched: `sandbox flink` and `sandbox spark` do that.
        (
            "PENSTOCK_SANDBOX_FLINK_1",
            fetch::flink_place(fetch::FLINK_VERSIONS[1])?
                .display()
                .to_string(),
        ),
        (
            "PENSTOCK_SANDBOX_SPARK",
            spark::place(spark::VERSIONS[0])?.display().to_string(),
        ),
        (
            "PENSTOCK_SANDBOX_SPARK_3",
            spark::place(spark::VERSIONS[1])?.display().to_string(),
        ),
        (
            "PENSTOCK_SPARK_RUNNER_JAR",
            cache::dir("runner")?
                .join("penstock-spark-runner.jar")
                .display()
                .to_string(),
        ),
        (
            "PENSTOCK_SPARK_TESTJOBS_JAR",
            cache::dir("runner")?
                .join("penstock-spark-testjobs.jar")
                .display()
                .to_string(),
        ),
        ("PENSTOCK_SANDBOX_LOGS", layout.logs.display().to_string()),
        ("PENSTOCK_SANDBOX_SUPERUSER", SUPERUSER.to_owned()),
    ])
}
