//! The JobManager's REST.

use super::{Job, Savepoint, write};
use crate::{
    answer::Answer,
    cluster::Cluster,
    history::Deed,
    rm::{App, AppId},
    script::{FinalStatus, Move, Savepoints},
    serve::Call,
};
use domain::Millis;
use serde_json::{Value, json};
use std::sync::Arc;

/// From a cancel to the end of the application, in milliseconds of the cluster.
const CANCEL_MS: i64 = 40;
/// From a stop's savepoint to the end of the application.
const LEAVE_MS: i64 = 100;

fn failure(status: u16, text: &str) -> Answer {
    Answer {
        status,
        ..Answer::json(&json!({"errors": [text]}))
    }
}

fn accepted(value: &Value) -> Answer {
    Answer {
        status: 202,
        ..Answer::json(value)
    }
}

pub(crate) fn handle(cluster: &Arc<Cluster>, id: AppId, call: &Call) -> Answer {
    let now = cluster.clock.now();
    let mut world = cluster.world();
    let savepoints = world.savepoints.clone();
    let Some(app) = world.rm.apps.get_mut(&id) else {
        return failure(
            503,
            "Service temporarily unavailable due to an ongoing leader election. Please refresh.",
        );
    };
    let path = call.path.trim_end_matches('/').trim_start_matches("/v1");
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let jobs = app.job.as_ref();
    let version = super::version(&app.submission);
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["jobs", "overview"]) => Answer::json(&match jobs {
            Some(job) => overview(job, now),
            None => json!({"jobs": []}),
        }),
        ("GET", ["jobs"]) => {
            let jobs: Vec<_> = jobs
                .iter()
                .map(|job| json!({"id": job.id, "status": job.state}))
                .collect();
            Answer::json(&json!({"jobs": jobs}))
        }
        ("GET", ["overview"]) => {
            let running = u32::from(jobs.is_some_and(|job| !job.is_over()));
            Answer::json(&json!({
                "taskmanagers": 1, "slots-total": 2, "slots-available": 0, "jobs-running": running,
                "jobs-finished": 0, "jobs-cancelled": 0, "jobs-failed": 0, "flink-version": version,
            }))
        }
        ("GET", ["jobmanager", "config"]) => {
            let mut settings = vec![json!({"key": "high-availability.cluster-id", "value": id.to_string()})];
            if let Some(job) = jobs {
                settings.push(json!({"key": "$internal.pipeline.job-id", "value": job.id}));
            }
            Answer::json(&json!(settings))
        }
        ("GET", ["config"]) => Answer::json(&json!({
            "refresh-interval": 3000, "flink-version": version, "features": {"web-submit": false, "web-cancel": true},
        })),
        ("GET", ["taskmanagers"]) => {
            let workers: Vec<_> = app
                .containers
                .iter()
                .skip(1)
                .map(|worker| json!({"id": worker.id, "slotsNumber": 1}))
                .collect();
            Answer::json(&json!({"taskmanagers": workers}))
        }
        (method, ["jobs", job, rest @ ..]) => {
            if jobs.is_none_or(|have| have.id != *job) {
                return failure(404, &format!("Job {job} not found"));
            }
            of_job(cluster, &savepoints, app, call, method, rest, now)
        }
        _ => failure(404, &format!("Not found: {}", call.raw_path)),
    }
}

fn of_job(
    cluster: &Cluster,
    behaviour: &Savepoints,
    app: &mut App,
    call: &Call,
    method: &str,
    rest: &[&str],
    now: Millis,
) -> Answer {
    let app_id = app.id.to_string();
    let Some(job) = app.job.as_mut() else {
        return failure(404, "no job");
    };
    match (method, rest) {
        ("GET", []) => Answer::json(&details(job, now)),
        ("GET", ["exceptions"]) => Answer::json(&exceptions(&job.exceptions)),
        ("GET", ["checkpoints"]) => {
            let completed = job.checkpoint.as_ref().map(|address| {
                json!({"@class": "completed", "id": 1, "status": "COMPLETED", "is_savepoint": false,
                    "external_path": address, "discarded": false})
            });
            Answer::json(&json!({
                "counts": {"restored": 0, "total": 0, "in_progress": 0, "completed": 0, "failed": 0},
                "latest": {"completed": completed, "savepoint": null, "failed": null, "restored": null},
                "history": [],
            }))
        }
        ("PATCH", []) | ("GET", ["yarn-cancel"]) => {
            if job.is_over() {
                return failure(409, &format!("Job {} has already terminated.", job.id));
            }
            job.set_state("CANCELLING", now);
            app.plan.clear();
            app.plan
                .push_back((now + CANCEL_MS, Move::Finish(FinalStatus::Killed, String::new())));
            accepted(&json!({}))
        }
        ("POST", ["savepoints" | "stop"]) => {
            let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
            let text = |names: [&str; 2]| {
                names
                    .iter()
                    .find_map(|name| body.get(*name))
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let trigger = Some(text(["triggerId", "triggerId"])).filter(|id| !id.is_empty());
            let trigger = trigger.unwrap_or_else(|| format!("{now:032x}"));
            let directory = text(["targetDirectory", "target-directory"]);
            let stops = rest == ["stop"];
            if !job.savepoints.contains_key(&trigger) {
                cluster.did(Deed::SavepointStarted {
                    app: app_id,
                    trigger: trigger.clone(),
                    stops,
                    drains: body.get("drain").and_then(Value::as_bool).unwrap_or(false),
                });
                let ready = job.running == job.total && job.total > 0;
                let refused =
                    "Checkpoint triggering task is not being executed at the moment. Aborting checkpoint.";
                let failure = behaviour.failure.clone();
                let outcome = failure.or((!ready).then(|| refused.to_owned())).map(Err);
                let ready = outcome.is_none();
                job.savepoints
                    .insert(trigger.clone(), Savepoint { directory, outcome });
                if ready {
                    let mut at = now + behaviour.ms;
                    plan(app, at, Move::Savepoint(trigger.clone()));
                    if stops && !behaviour.stays {
                        at += LEAVE_MS;
                        app.plan.retain(|(_, step)| matches!(step, Move::Savepoint(_)));
                        plan(app, at, Move::Finish(FinalStatus::Succeeded, String::new()));
                    }
                }
            }
            accepted(&json!({"request-id": trigger}))
        }
        ("GET", ["savepoints", trigger]) => match job.savepoints.get(*trigger) {
            None => failure(
                404,
                &format!("There is no savepoint operation with triggerId={trigger}"),
            ),
            Some(Savepoint { outcome: None, .. }) => {
                Answer::json(&json!({"status": {"id": "IN_PROGRESS"}, "operation": null}))
            }
            Some(Savepoint {
                outcome: Some(outcome),
                ..
            }) => {
                let operation = match outcome {
                    Ok(location) => json!({"location": location}),
                    Err(text) => json!({"failure-cause": {
                        "class": "java.util.concurrent.CompletionException", "stack-trace": text,
                    }}),
                };
                Answer::json(&json!({"status": {"id": "COMPLETED"}, "operation": operation}))
            }
        },
        _ => failure(404, &format!("Not found: {}", call.raw_path)),
    }
}

fn plan(app: &mut App, at: Millis, step: Move) {
    let behind = app
        .plan
        .iter()
        .position(|(due, _)| *due > at)
        .unwrap_or(app.plan.len());
    app.plan.insert(behind, (at, step));
}

/// The savepoint is written, or the directory cannot be.
pub(crate) fn complete_savepoint(
    app: &mut App,
    tree: &mut crate::hdfs::tree::Tree,
    trigger: &str,
    at: Millis,
) {
    let Some(job) = app.job.as_mut() else { return };
    let short = job.id.get(..6).unwrap_or_default().to_owned();
    let Some(savepoint) = job.savepoints.get_mut(trigger) else {
        return;
    };
    let tail: String = trigger.chars().take(12).collect();
    let location = format!(
        "{}/savepoint-{short}-{tail}",
        savepoint.directory.trim_end_matches('/')
    );
    let path = format!("{}/_metadata", crate::rm::life::path_of_uri(&location));
    savepoint.outcome = Some(if write(tree, &app.user, &path, b"metadata".to_vec(), at) {
        Ok(location)
    } else {
        Err(format!(
            "java.io.IOException: Failed to create savepoint directory at {}",
            savepoint.directory
        ))
    });
}

fn tasks(job: &Job) -> Value {
    let waiting = job.total.saturating_sub(job.running);
    let (created, canceled, finished, failed) = match job.state.as_str() {
        "FINISHED" => (0, 0, waiting, 0),
        "CANCELED" => (0, waiting, 0, 0),
        "FAILED" => (0, 0, 0, waiting),
        _ => (waiting, 0, 0, 0),
    };
    json!({
        "running": job.running, "canceling": 0, "canceled": canceled, "total": job.total, "created": 0,
        "scheduled": created, "deploying": 0, "reconciling": 0, "finished": finished, "initializing": 0,
        "failed": failed,
    })
}

pub(crate) fn overview(job: &Job, now: Millis) -> Value {
    json!({"jobs": [{
        "jid": job.id, "name": job.name, "start-time": job.started, "end-time": job.ended.unwrap_or(-1),
        "duration": job.ended.unwrap_or(now) - job.started, "state": job.state,
        "last-modification": job.changed, "tasks": tasks(job),
    }]})
}

pub(crate) fn details(job: &Job, now: Millis) -> Value {
    let duration = job.ended.unwrap_or(now) - job.started;
    let status = if job.running == job.total && job.total > 0 {
        "RUNNING"
    } else {
        "SCHEDULED"
    };
    let upper = tasks(job);
    let counts: serde_json::Map<_, _> = upper
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "total")
        .map(|(name, value)| (name.to_uppercase(), value.clone()))
        .collect();
    json!({
        "jid": job.id, "name": job.name, "isStoppable": false, "state": job.state, "job-type": "STREAMING",
        "start-time": job.started, "end-time": job.ended.unwrap_or(-1), "duration": duration,
        "maxParallelism": -1, "now": now, "timestamps": {job.state.as_str(): job.changed},
        "vertices": [{
            "id": "cbc357ccb763df2852fee8c4fc7d55f2", "name": "Source -> Sink", "maxParallelism": 128,
            "parallelism": job.total, "status": status, "start-time": job.started,
            "end-time": job.ended.unwrap_or(-1), "duration": duration, "tasks": counts,
            "metrics": {"read-bytes": 0, "read-bytes-complete": true, "write-bytes": 0,
                "write-bytes-complete": true, "read-records": 0, "read-records-complete": true,
                "write-records": 0, "write-records-complete": true},
        }],
        "status-counts": counts,
        "plan": {"jid": job.id, "name": job.name, "type": "STREAMING", "nodes": []},
    })
}

pub(crate) fn exceptions(all: &[(Millis, String)]) -> Value {
    let entries: Vec<_> = all
        .iter()
        .map(|(at, text)| {
            let name = text.split([':', '\n']).next().unwrap_or_default();
            json!({
                "exceptionName": name, "stacktrace": text, "timestamp": at, "failureLabels": {},
                "taskName": null, "endpoint": null, "taskManagerId": null, "concurrentExceptions": [],
            })
        })
        .collect();
    let mut value = json!({"exceptionHistory": {"entries": entries, "truncated": false}});
    if let Some((at, text)) = all.first() {
        value["root-exception"] = json!(text);
        value["timestamp"] = json!(at);
    }
    value["all-exceptions"] = json!([]);
    value["truncated"] = json!(false);
    value
}
