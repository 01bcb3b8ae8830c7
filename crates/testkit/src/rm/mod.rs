//! The ResourceManager: its applications, and its REST.

pub(crate) mod app;
pub(crate) mod life;
mod proxy;
mod scheduler;
mod submit;
pub(crate) mod views;

pub(crate) use app::{App, AppId, State};

use crate::{
    Service,
    answer::{self, Answer},
    cluster::{Cluster, World},
    history::Deed,
    serve::Call,
};
use domain::Millis;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// What the active ResourceManager remembers. The stand-by shares it, as by the state store.
pub(crate) struct Rm {
    pub(crate) active: Option<Service>,
    /// When the active one was started or took over.
    pub(crate) started_on: Millis,
    pub(crate) apps: BTreeMap<AppId, App>,
    /// Ended applications, the first to be forgotten in front.
    pub(crate) ended: VecDeque<AppId>,
    pub(crate) submitted: u64,
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) killed: u64,
    issued: u64,
    /// Counts restarts; part of container ids from the first restart on.
    pub(crate) epoch: u64,
    /// Scripts of applications by their name.
    pub(crate) scripts: BTreeMap<String, crate::Script>,
    pub(crate) default_script: Option<crate::Script>,
}

impl Rm {
    pub(crate) fn new(now: Millis) -> Self {
        Self {
            active: Some(Service::Rm),
            started_on: now,
            apps: BTreeMap::new(),
            ended: VecDeque::new(),
            submitted: 0,
            finished: 0,
            failed: 0,
            killed: 0,
            issued: 0,
            epoch: 0,
            scripts: BTreeMap::new(),
            default_script: None,
        }
    }

    /// A start or take-over: new ids, counts from zero. Without recovery nothing is remembered.
    pub(crate) fn restarted(&mut self, now: Millis, recover: bool, resync: Millis) {
        self.started_on = now.max(self.started_on + 1);
        self.issued = 0;
        self.epoch += 1;
        (self.submitted, self.finished, self.failed, self.killed) = (0, 0, 0, 0);
        if !recover {
            for app in self.apps.values() {
                app.stop_server();
            }
            self.apps.clear();
            self.ended.clear();
            return;
        }
        // What the store had not got yet is lost.
        self.apps.retain(|_, app| app.state != State::NewSaving);
        for app in self.apps.values_mut() {
            if app.state == State::Running {
                // The master has to register with the new process first.
                app.resync_at = Some(now + resync);
            }
        }
    }

    pub(crate) fn issue(&mut self) -> AppId {
        self.issued += 1;
        AppId {
            start: self.started_on,
            number: self.issued,
        }
    }
}

const YARN: &str = "org.apache.hadoop.yarn.webapp";

fn not_found(message: impl std::fmt::Display) -> Answer {
    answer::remote_exception(
        404,
        &format!("{YARN}.NotFoundException"),
        &format!("java.lang.Exception: {message}"),
    )
}

fn bad_request(message: impl std::fmt::Display) -> Answer {
    answer::remote_exception(
        400,
        &format!("{YARN}.BadRequestException"),
        &format!("java.lang.{message}"),
    )
}

pub(crate) fn handle(cluster: &Arc<Cluster>, call: &Call) -> Answer {
    let caller = cluster.caller(call.q("user.name"), call.q("doas"));
    let mut world = cluster.world();
    let path = call.path.trim_end_matches('/');
    let active = world.rm.active;
    if active != Some(call.service) {
        return match path {
            "/ws/v1/cluster" | "/ws/v1/cluster/info" => info(cluster, &world, "STANDBY"),
            _ => standby(cluster, call, active),
        };
    }
    let user = match caller {
        Ok(user) => user,
        Err(message) => {
            return answer::remote_exception(
                403,
                "org.apache.hadoop.security.authorize.AuthorizationException",
                &message,
            );
        }
    };
    if let Some(rest) = path.strip_prefix("/proxy/") {
        drop(world);
        return proxy::handle(cluster, call, rest);
    }
    let Some(rest) = path.strip_prefix("/ws/v1/cluster") else {
        return match path {
            "/conf" => conf(cluster, call),
            _ => Answer::html(404, "<html><h1>404 Not Found</h1></html>"),
        };
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", [] | ["info"]) => info(cluster, &world, "ACTIVE"),
        ("GET", ["metrics"]) => scheduler::metrics(cluster, &world),
        ("GET", ["scheduler"]) => scheduler::queues(cluster, &world),
        ("GET", ["nodes"]) => scheduler::nodes(cluster, &world),
        ("GET", ["apps"]) => views::list(cluster, &world, call, &user),
        ("POST", ["apps"]) => submit::submit(cluster, &mut world, call, &user),
        ("POST", ["apps", "new-application"]) => {
            let id = world.rm.issue();
            cluster.did(Deed::IdIssued { app: id.to_string() });
            Answer::json(&json!({
                "application-id": id.to_string(),
                "maximum-resource-capability":
                    views::resource(cluster.options.max_memory_mb, cluster.options.max_vcores),
            }))
        }
        (method, ["apps", id, rest @ ..]) => match AppId::parse(id) {
            Err(message) => bad_request(message),
            Ok(id) => one(cluster, &mut world, call, &user, method, id, rest),
        },
        _ => Answer::html(404, "<html><h1>Sorry, got error 404</h1></html>"),
    }
}

fn one(
    cluster: &Arc<Cluster>,
    world: &mut World,
    call: &Call,
    user: &str,
    method: &str,
    id: AppId,
    rest: &[&str],
) -> Answer {
    let Some(app) = world.rm.apps.get(&id) else {
        return not_found(format_args!("app with id: {id} not found"));
    };
    match (method, rest) {
        ("GET", []) => views::app(cluster, world, app, user),
        ("GET", ["state"]) => Answer::json(&json!({"state": app.shown().name()})),
        ("PUT", ["state"]) => kill(cluster, world, call, user, id),
        ("GET", ["appattempts"]) => views::attempts(cluster, app, user),
        ("GET", ["appattempts", attempt, "containers"]) => views::containers(cluster, app, attempt),
        _ => Answer::html(404, "<html><h1>Sorry, got error 404</h1></html>"),
    }
}

fn kill(cluster: &Arc<Cluster>, world: &mut World, call: &Call, user: &str, id: AppId) -> Answer {
    let wanted = serde_json::from_slice::<Value>(&call.body)
        .ok()
        .and_then(|body| body.get("state")?.as_str().map(str::to_owned));
    if wanted.as_deref() != Some("KILLED") {
        return bad_request("Exception: Only 'KILLED' is allowed as a target state.");
    }
    let now = cluster.clock.now();
    let Some(app) = world.rm.apps.get_mut(&id) else {
        return not_found(format_args!("app with id: {id} not found"));
    };
    if !app.may_modify(&cluster.options, user) {
        return Answer::new(
            403,
            answer::JSON,
            format!("Unauthorized attempt to kill appid {id} by remote user {user}"),
        );
    }
    cluster.did(Deed::KillRequested {
        app: id.to_string(),
        user: user.to_owned(),
    });
    if app.state.is_final() {
        return Answer::json(&json!({"state": app.state.name()}));
    }
    let word = if app.killed.is_some() {
        "FINAL_SAVING"
    } else {
        "KILLING"
    };
    if app.killed.is_none() {
        app.killed = Some((now + cluster.options.kill_ms, user.to_owned()));
    }
    Answer {
        status: 202,
        ..Answer::json(&json!({"state": word}))
    }
    .at(format!("http://{}{}", call.host, call.raw_path))
}

fn info(cluster: &Cluster, world: &World, state: &str) -> Answer {
    let version = &cluster.options.version;
    Answer::json(&json!({"clusterInfo": {
        "id": world.rm.started_on, "startedOn": world.rm.started_on, "state": "STARTED", "haState": state,
        "rmStateStoreName": "org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore",
        "resourceManagerVersion": version, "resourceManagerBuildVersion": format!("{version} from a test"),
        "resourceManagerVersionBuiltOn": "2025-08-20T10:36Z", "hadoopVersion": version,
        "hadoopBuildVersion": format!("{version} from a test"), "hadoopVersionBuiltOn": "2025-08-20T10:30Z",
        "haZooKeeperConnectionState": "Could not find leader elector. Verify both HA and automatic failover are enabled.",
    }}))
}

fn standby(cluster: &Cluster, call: &Call, active: Option<Service>) -> Answer {
    match active {
        Some(active) => {
            let query = if call.raw_query.is_empty() { "" } else { "?" };
            let to = format!(
                "http://{}{}{query}{}",
                cluster.address(active),
                call.raw_path,
                call.raw_query
            );
            Answer::text(307, format!("This is standby RM. The redirect url is: {to}\n")).at(to)
        }
        None => Answer::text(
            200,
            "There is no active RM right now. Will retry in the next 5 seconds.\n",
        ),
    }
}

/// The settings the ResourceManager tells, as far as anybody asks.
fn conf(cluster: &Cluster, call: &Call) -> Answer {
    let name = call.q("name").unwrap_or_default();
    let options = &cluster.options;
    let value = match name {
        "yarn.application.classpath" => "/opt/hadoop/conf,/opt/hadoop/lib/*".to_owned(),
        "yarn.scheduler.minimum-allocation-mb" => "128".to_owned(),
        "yarn.scheduler.maximum-allocation-mb" => options.max_memory_mb.to_string(),
        "yarn.acl.enable" => options.acls.to_string(),
        "yarn.log-aggregation-enable" => "true".to_owned(),
        "yarn.resourcemanager.max-completed-applications" => options.max_completed.to_string(),
        "yarn.resourcemanager.am.max-attempts" => "2".to_owned(),
        "yarn.resourcemanager.recovery.enabled" => "true".to_owned(),
        "yarn.nodemanager.remote-app-log-dir" => "/tmp/logs".to_owned(),
        "yarn.nodemanager.remote-app-log-dir-suffix" => "logs".to_owned(),
        "fs.defaultFS" => crate::client_xml::default_fs(options),
        _ => {
            return Answer {
                content_type: answer::JSON,
                ..Answer::empty(404)
            };
        }
    };
    Answer::json(
        &json!({"property": {"key": name, "value": value, "isFinal": false, "resource": "yarn-site.xml"}}),
    )
}
