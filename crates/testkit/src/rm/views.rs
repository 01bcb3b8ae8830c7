//! Applications, attempts and containers as the REST tells them, with its oddities: members that
//! are absent until something exists, numbers as text, repeated keys.

use super::{
    app::{App, Container, State},
    bad_request,
};
use crate::{
    Service,
    answer::{self, Answer},
    cluster::{Cluster, World},
    script::FinalStatus,
    serve::Call,
};
use domain::Millis;
use serde_json::{Map, Value, json};

/// Memory and cores in the long form.
pub(crate) fn resource(memory: i64, vcores: i64) -> Value {
    let item = |name: &str, units: &str, value: i64| {
        json!({
            "attributes": {}, "maximumAllocation": i64::MAX, "minimumAllocation": 0, "name": name,
            "resourceType": "COUNTABLE", "units": units, "value": value,
        })
    };
    json!({"memory": memory, "vCores": vcores, "resourceInformations": {"resourceInformation": [
        item("memory-mb", "Mi", memory), item("vcores", "", vcores),
    ]}})
}

pub(crate) fn app(cluster: &Cluster, world: &World, app: &App, user: &str) -> Answer {
    let value = view(cluster, world, app, user, &[]);
    repeated_keys(&json!({"app": value}))
}

pub(crate) fn list(cluster: &Cluster, world: &World, call: &Call, user: &str) -> Answer {
    let list = |name: &str| -> Vec<String> {
        let text = call.q(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let states: Vec<_> = list("states")
        .into_iter()
        .chain(list("state"))
        .map(|s| s.to_ascii_uppercase())
        .collect();
    if let Some(bad) = states.iter().find(|state| !State::ALL.contains(&state.as_str())) {
        return bad_request(format_args!(
            "Exception: Invalid application-state {bad} specified. It should be one of [{}]",
            State::ALL.join(", ")
        ));
    }
    let mut times = [0; 4];
    let names = [
        "startedTimeBegin",
        "startedTimeEnd",
        "finishedTimeBegin",
        "finishedTimeEnd",
    ];
    for (at, name) in names.into_iter().enumerate() {
        let default = if at % 2 == 0 { 0 } else { Millis::MAX };
        times[at] = match call.q(name).map(str::parse) {
            None => default,
            Some(Ok(time)) => time,
            Some(Err(_)) => {
                return bad_request(format_args!("NumberFormatException: For input string in {name}"));
            }
        };
    }
    let limit = match call.q("limit").map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => return bad_request("Exception: limit value must be greater then 0"),
    };
    let tags: Vec<_> = list("applicationTags")
        .iter()
        .map(|tag| tag.to_lowercase())
        .collect();
    let types: Vec<_> = list("applicationTypes")
        .iter()
        .map(|kind| kind.to_lowercase())
        .collect();
    let without = list("deSelects");
    let (who, queue, name, last) = (
        call.q("user"),
        call.q("queue"),
        call.q("name"),
        call.q("finalStatus"),
    );
    let matching = world.rm.apps.values().rev().filter(|app| {
        (states.is_empty() || states.iter().any(|state| state == app.shown().name()))
            && (tags.is_empty() || app.submission.tags.iter().any(|tag| tags.contains(tag)))
            && (types.is_empty() || types.contains(&app.submission.app_type.to_lowercase()))
            && who.is_none_or(|who| who == app.user)
            && queue.is_none_or(|queue| {
                !app.state.is_final() && super::submit::queue_path(queue) == app.submission.queue
            })
            && name.is_none_or(|name| name == app.submission.name)
            && last.is_none_or(|last| last.eq_ignore_ascii_case(app.final_status.name()))
            && (times[0]..=times[1]).contains(&app.started)
            && (times[2]..=times[3]).contains(&app.ended)
    });
    let apps: Vec<_> = matching
        .take(limit)
        .map(|app| view(cluster, world, app, user, &without))
        .collect();
    let apps = if apps.is_empty() {
        json!({})
    } else {
        json!({"app": apps})
    };
    repeated_keys(&json!({"apps": apps}))
}

fn view(cluster: &Cluster, world: &World, app: &App, user: &str, without: &[String]) -> Value {
    let now = cluster.clock.now();
    let rm = cluster.address(world.rm.active.unwrap_or(Service::Rm));
    let may_see = app.may_view(&cluster.options, user);
    let over = app.state.is_final();
    let running = app.shown() == State::Running;
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    put("id", json!(app.id.to_string()));
    put("user", json!(app.user));
    put("name", json!(app.submission.name));
    put("queue", json!(app.submission.queue));
    put("state", json!(app.shown().name()));
    put("finalStatus", json!(app.final_status.name()));
    put(
        "progress",
        json!(if over {
            100.0
        } else if running {
            10.0
        } else {
            0.0
        }),
    );
    let ui = if over {
        "History"
    } else if running {
        "ApplicationMaster"
    } else {
        "UNASSIGNED"
    };
    put("trackingUI", json!(ui));
    if running || app.state == State::Finished {
        put("trackingUrl", json!(format!("http://{rm}/proxy/{}/", app.id)));
    } else if over {
        put(
            "trackingUrl",
            json!(format!("http://{rm}/cluster/app/{}", app.id)),
        );
    }
    put("diagnostics", json!(app.diagnostics));
    put("clusterId", json!(world.rm.started_on));
    put("applicationType", json!(app.submission.app_type));
    put("applicationTags", json!(app.submission.tags.join(",")));
    put("priority", json!(app.submission.priority));
    let seen = |time: Millis| json!(if may_see { time } else { 0 });
    put("startedTime", seen(app.started));
    put("launchTime", seen(app.launched));
    put("finishedTime", seen(app.ended));
    let until = if over { app.ended } else { now };
    put("elapsedTime", seen((until - app.started).max(0)));
    let container = app.am_container().filter(|_| may_see);
    let nm = cluster.address(Service::Nm);
    if let Some(container) = container {
        put("amContainerLogs", json!(logs_link(cluster, app, container)));
        put("amHostHttpAddress", json!(nm.to_string()));
        if let Some((port, _)) = app.server.as_ref().filter(|_| app.resync_at.is_none()) {
            put("amRPCAddress", json!(format!("127.0.0.1:{port}")));
        }
    }
    put(
        "masterNodeId",
        json!(if container.is_some() {
            node_id(cluster)
        } else {
            String::new()
        }),
    );
    let live: Vec<_> = app
        .containers
        .iter()
        .filter(|container| container.ended.is_none())
        .collect();
    let memory: i64 = live.iter().map(|container| container.memory_mb).sum();
    let count = i64::try_from(live.len()).unwrap_or(0);
    let now_or_past = |value: i64| {
        json!(if !may_see {
            0
        } else if over {
            -1
        } else {
            value
        })
    };
    put("allocatedMB", now_or_past(memory));
    put("allocatedVCores", now_or_past(count));
    put("reservedMB", now_or_past(0));
    put("reservedVCores", now_or_past(0));
    put("runningContainers", now_or_past(count));
    let seconds = app
        .containers
        .iter()
        .map(|c| (c.memory_mb, c.ended.unwrap_or(now) - c.started));
    let (memory_seconds, vcore_seconds) = seconds.fold((0, 0), |sum, (memory, ms)| {
        (sum.0 + memory * ms.max(0) / 1000, sum.1 + ms.max(0) / 1000)
    });
    put("memorySeconds", json!(memory_seconds));
    put("vcoreSeconds", json!(vcore_seconds));
    put("queueUsagePercentage", json!(0.0));
    put("clusterUsagePercentage", json!(0.0));
    put(
        "resourceSecondsMap",
        if app.state == State::NewSaving {
            json!({})
        } else {
            json!(format!("{MARK}{memory_seconds}/{vcore_seconds}"))
        },
    );
    for name in [
        "preemptedResourceMB",
        "preemptedResourceVCores",
        "numNonAMContainerPreempted",
        "numAMContainerPreempted",
        "preemptedMemorySeconds",
        "preemptedVcoreSeconds",
    ] {
        put(name, json!(0));
    }
    put("preemptedResourceSecondsMap", json!({}));
    if may_see {
        let status = match app.state {
            State::Finished | State::Killed => "SUCCEEDED",
            State::Failed if !app.containers.is_empty() => "SUCCEEDED",
            _ => "NOT_START",
        };
        put("logAggregationStatus", json!(status));
    }
    put("unmanagedApplication", json!(false));
    put("appNodeLabelExpression", json!(""));
    put("amNodeLabelExpression", json!(""));
    if !over && app.state != State::NewSaving {
        put(
            "resourceInfo",
            json!({"resourceUsagesByPartition": [{
                "partitionName": "", "used": resource(memory, count), "reserved": resource(0, 0),
                "pending": resource(0, 0), "amUsed": resource(app.submission.memory_mb, 1),
            }]}),
        );
    }
    put(
        "timeouts",
        json!({"timeout": [
            {"type": "LIFETIME", "expiryTime": "UNLIMITED", "remainingTimeInSeconds": -1},
        ]}),
    );
    for name in without {
        out.remove(name.as_str());
    }
    Value::Object(out)
}

const MARK: &str = "resource-seconds:";

/// The real answer holds the key `entry` twice, which no JSON value can: it is made in the text.
fn repeated_keys(value: &Value) -> Answer {
    let text = value.to_string();
    let mark = format!("\"{MARK}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(mark.as_str()) {
        out.push_str(before);
        let (numbers, after) = after.split_once('"').unwrap_or((after, ""));
        let (memory, cores) = numbers.split_once('/').unwrap_or((numbers, "0"));
        out.push_str(&format!(
            r#"{{"entry":{{"key":"memory-mb","value":"{memory}"}},"entry":{{"key":"vcores","value":"{cores}"}}}}"#
        ));
        rest = after;
    }
    out.push_str(rest);
    Answer::new(200, answer::JSON, out)
}

fn node_id(cluster: &Cluster) -> String {
    format!(
        "127.0.0.1:{}",
        cluster.address(Service::Nm).port().wrapping_sub(1)
    )
}

fn logs_link(cluster: &Cluster, app: &App, container: &Container) -> String {
    format!(
        "http://{}/node/containerlogs/{}/{}",
        cluster.address(Service::Nm),
        container.id,
        app.user
    )
}

pub(crate) fn attempts(cluster: &Cluster, app: &App, user: &str) -> Answer {
    let may_see = app.may_view(&cluster.options, user);
    let attempts: Vec<_> = app
        .attempts
        .iter()
        .map(|attempt| {
            let container = app
                .containers
                .iter()
                .find(|container| container.attempt == attempt.number);
            let state = match (attempt.ended, app.state, container) {
                (Some(_), _, _) => attempt.end_state,
                (None, State::Running, _) => "RUNNING",
                (None, _, Some(_)) => "LAUNCHED",
                (None, _, None) => "SCHEDULED",
            };
            let container = container.filter(|_| may_see);
            let node = |text: String| if container.is_some() { text } else { String::new() };
            let mut view = json!({
                "id": attempt.number, "startTime": attempt.started,
                "finishedTime": attempt.ended.unwrap_or(0),
                "containerId": container.map_or("", |container| container.id.as_str()),
                "nodeHttpAddress": node(cluster.address(Service::Nm).to_string()),
                "nodeId": node(node_id(cluster)),
                "logsLink": container.map_or(String::new(), |container| logs_link(cluster, app, container)),
                "blacklistedNodes": "", "appAttemptId": app.attempt_id(attempt.number),
                "exportPorts": node("null".into()), "appAttemptState": state,
            });
            if container.is_some() {
                view["nodesBlacklistedBySystem"] = json!("");
            }
            view
        })
        .collect();
    let attempts = if attempts.is_empty() {
        json!({})
    } else {
        json!({"appAttempt": attempts})
    };
    Answer::json(&json!({"appAttempts": attempts}))
}

/// Not wrapped, one container not in a list, none at all once they have ended.
pub(crate) fn containers(cluster: &Cluster, app: &App, attempt: &str) -> Answer {
    let now = cluster.clock.now();
    let nm = cluster.address(Service::Nm);
    let mut views: Vec<_> = app
        .containers
        .iter()
        .filter(|container| container.ended.is_none() && app.attempt_id(container.attempt) == attempt)
        .map(|container| {
            json!({
                "containerId": container.id, "allocatedMB": container.memory_mb.to_string(),
                "allocatedVCores": "1", "assignedNodeId": node_id(cluster), "priority": "0",
                "startedTime": container.started.to_string(), "finishedTime": "0",
                "elapsedTime": (now - container.started).to_string(),
                "logUrl": logs_link(cluster, app, container), "containerExitStatus": "0",
                "containerState": "RUNNING", "nodeHttpAddress": format!("http://{nm}"),
                "nodeId": node_id(cluster),
                "allocatedResources": {"entry": [
                    {"key": "memory-mb", "value": container.memory_mb.to_string()},
                    {"key": "vcores", "value": "1"},
                ]},
                "exposedPorts": "",
            })
        })
        .collect();
    match views.len() {
        0 => Answer::json(&json!({})),
        1 => Answer::json(&json!({"container": views.remove(0)})),
        _ => Answer::json(&json!({"container": views})),
    }
}

/// What a test may know of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppView {
    pub id: String,
    pub user: String,
    pub name: String,
    pub queue: String,
    pub state: String,
    pub final_status: FinalStatus,
    pub diagnostics: String,
    pub tags: Vec<String>,
    pub command: String,
    pub environment: std::collections::BTreeMap<String, String>,
    /// The body that was posted.
    pub xml: String,
    pub containers: Vec<String>,
    /// `host:port` of the master's server.
    pub server: Option<String>,
    pub job: Option<String>,
}

impl AppView {
    pub(crate) fn of(app: &App) -> Self {
        Self {
            id: app.id.to_string(),
            user: app.user.clone(),
            name: app.submission.name.clone(),
            queue: app.submission.queue.clone(),
            state: app.shown().name().to_owned(),
            final_status: app.final_status,
            diagnostics: app.diagnostics.clone(),
            tags: app.submission.tags.clone(),
            command: app.submission.command.clone(),
            environment: app.submission.environment.clone(),
            xml: app.submission.xml.clone(),
            containers: app
                .containers
                .iter()
                .map(|container| container.id.clone())
                .collect(),
            server: app.server.as_ref().map(|(port, _)| format!("127.0.0.1:{port}")),
            job: app.job.as_ref().map(|job| job.id.clone()),
        }
    }
}
