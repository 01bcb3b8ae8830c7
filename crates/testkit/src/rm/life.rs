//! What happens to applications as time goes by.

use super::app::{App, AppId, Attempt, Container, State};
use crate::{
    cluster::{Cluster, World},
    flink::{self, Job},
    hdfs::{
        HdfsError,
        tree::{READ, Tree},
    },
    history::Deed,
    script::{FinalStatus, Move},
};
use domain::Millis;
use std::{collections::BTreeMap, sync::Arc};

/// Does everything that is due.
pub(crate) fn catch_up(cluster: &Arc<Cluster>, world: &mut World) {
    let now = cluster.clock.now();
    let live: Vec<AppId> = world
        .rm
        .apps
        .values()
        .filter(|app| !app.state.is_final())
        .map(|app| app.id)
        .collect();
    for id in live {
        while let Some((at, what)) = next_due(world, id, now) {
            perform(cluster, world, id, at, what);
        }
    }
}

enum Due {
    Move(Move),
    Killed(String),
    Resynced,
}

fn next_due(world: &mut World, id: AppId, now: Millis) -> Option<(Millis, Due)> {
    let app = world.rm.apps.get_mut(&id).filter(|app| !app.state.is_final())?;
    if let Some(at) = app.resync_at.filter(|at| *at <= now) {
        return Some((at, Due::Resynced));
    }
    if let Some((at, who)) = app.killed.clone().filter(|(at, _)| *at <= now) {
        let earlier = app.plan.front().is_some_and(|(due, _)| *due < at);
        if !earlier {
            return Some((at, Due::Killed(who)));
        }
    }
    let due = app.plan.front().is_some_and(|(due, _)| *due <= now);
    let step = if due { app.plan.pop_front() } else { None };
    step.map(|(at, step)| (at, Due::Move(step)))
}

fn perform(cluster: &Arc<Cluster>, world: &mut World, id: AppId, at: Millis, what: Due) {
    match what {
        Due::Resynced => {
            if let Some(app) = world.rm.apps.get_mut(&id) {
                app.resync_at = None;
            }
        }
        Due::Killed(who) => {
            let text = format!("Application {id} was killed by user {who}");
            end(cluster, world, id, at, State::Killed, FinalStatus::Killed, text);
        }
        Due::Move(step) => apply(cluster, world, id, at, step),
    }
}

/// Makes one step at once.
pub(crate) fn apply(cluster: &Arc<Cluster>, world: &mut World, id: AppId, at: Millis, step: Move) {
    let epoch = world.rm.epoch;
    let Some(app) = world.rm.apps.get_mut(&id).filter(|app| !app.state.is_final()) else {
        return;
    };
    match step {
        Move::Accepted => {
            app.state = State::Accepted;
            app.diagnostics = "Application is Activated, waiting for resources to be assigned for AM.".into();
            new_attempt(app, at);
        }
        Move::Launched => launch(cluster, world, id, at, epoch),
        Move::Running => {
            if app.containers.is_empty() {
                launch(cluster, world, id, at, epoch);
            }
            let Some(app) = world.rm.apps.get_mut(&id).filter(|app| !app.state.is_final()) else {
                return;
            };
            app.state = State::Running;
            app.diagnostics = String::new();
            if app.server.is_none() && app.is_flink() {
                app.server = cluster.serve_job_manager(id).ok();
            }
        }
        Move::Job => {
            if app.is_flink() {
                let job = Job::new(&app.submission, at);
                app.job = Some(job);
            }
        }
        Move::Tasks { running, total } => {
            if let Some(job) = &mut app.job {
                (job.running, job.total) = (running, total);
                if job.state == "RESTARTING" && running > 0 {
                    job.set_state("RUNNING", at);
                }
            }
            while app.is_flink() && app.containers.len() < 2 {
                add_container(app, epoch, at, 1024);
            }
        }
        Move::JobState(state) => {
            if let Some(job) = &mut app.job {
                job.set_state(&state, at);
            }
        }
        Move::Savepoint(trigger) => flink::rest::complete_savepoint(app, &mut world.tree, &trigger, at),
        Move::Checkpoint(address) => {
            let path = format!("{}/_metadata", path_of_uri(&address));
            if flink::write(&mut world.tree, &app.user, &path, b"checkpoint".to_vec(), at)
                && let Some(job) = &mut app.job
            {
                job.checkpoint = Some(address);
            }
        }
        Move::Finish(status, diagnostics) => {
            end(cluster, world, id, at, State::Finished, status, diagnostics);
        }
        Move::Crash(text) => crash(cluster, world, id, at, &text),
    }
}

fn new_attempt(app: &mut App, at: Millis) {
    let number = u32::try_from(app.attempts.len()).unwrap_or(0) + 1;
    app.attempts.push(Attempt {
        number,
        started: at,
        ended: None,
        end_state: "",
    });
}

fn add_container(app: &mut App, epoch: u64, at: Millis, memory_mb: i64) {
    let attempt = app.attempts.last().map_or(1, |attempt| attempt.number);
    let number = app
        .containers
        .iter()
        .filter(|container| container.attempt == attempt)
        .count()
        + 1;
    let epoch = if epoch == 0 {
        String::new()
    } else {
        format!("e{epoch:02}_")
    };
    let id = format!(
        "container_{epoch}{}_{:04}_{attempt:02}_{number:06}",
        app.id.start, app.id.number
    );
    let logs = if app.is_flink() {
        flink::first_logs(number == 1)
    } else {
        BTreeMap::from([
            ("stdout".to_owned(), Vec::new()),
            ("stderr".to_owned(), Vec::new()),
        ])
    };
    app.containers.push(Container {
        id,
        attempt,
        memory_mb,
        started: at,
        ended: None,
        logs,
    });
}

fn launch(cluster: &Arc<Cluster>, world: &mut World, id: AppId, at: Millis, epoch: u64) {
    let wrong = if cluster.options.check_files {
        world
            .rm
            .apps
            .get(&id)
            .and_then(|app| wrong_file(&world.tree, app))
    } else {
        None
    };
    let Some(app) = world.rm.apps.get_mut(&id) else {
        return;
    };
    if app.attempts.is_empty() {
        new_attempt(app, at);
    }
    let memory = app.submission.memory_mb;
    add_container(app, epoch, at, memory);
    app.launched = at;
    if let Some(text) = wrong {
        crash(cluster, world, id, at, &text);
    }
}

/// Why the node cannot fetch the files of the launch.
fn wrong_file(tree: &Tree, app: &App) -> Option<String> {
    app.submission.resources.iter().find_map(|file| {
        let uri = &file.uri;
        let path = path_of_uri(uri);
        let reader = if file.public { "" } else { app.user.as_str() };
        let missing = || HdfsError::not_found(format!("File does not exist: {uri}"));
        let found = tree
            .find(reader, &path)
            .and_then(|inode| inode.ok_or_else(missing))
            .and_then(|inode| tree.require(reader, inode, &path, READ).map(|()| inode));
        let why = match found {
            Ok(inode) if inode.modified == file.timestamp => return None,
            Ok(inode) => format!(
                "Resource {uri} changed on src filesystem - expected: \"{}\", was: \"{}\"",
                file.timestamp, inode.modified
            ),
            Err(error) if file.public && error.status == 403 => format!(
                "Resource {uri} is not publicly accessible and as such cannot be part of the public cache."
            ),
            Err(error) => error.message,
        };
        Some(format!(
            "exited with  exitCode: -1000\nFailing this attempt.Diagnostics: {why}"
        ))
    })
}

/// `/a/b` of `hdfs://host:port/a/b`.
pub(crate) fn path_of_uri(uri: &str) -> String {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned()
}

/// The master died: again, if an attempt is left.
fn crash(cluster: &Arc<Cluster>, world: &mut World, id: AppId, at: Millis, text: &str) {
    let epoch = world.rm.epoch;
    let Some(app) = world.rm.apps.get_mut(&id) else {
        return;
    };
    let made = u32::try_from(app.attempts.len()).unwrap_or(0);
    if made > 0 && made < app.submission.max_attempts {
        close_attempt(app, at, "FAILED");
        app.stop_server();
        (app.server, app.job, app.state) = (None, None, State::Accepted);
        new_attempt(app, at);
        let memory = app.submission.memory_mb;
        add_container(app, epoch, at, memory);
        let again = [
            (50, Move::Running),
            (70, Move::Job),
            (100, Move::Tasks { running: 2, total: 2 }),
        ];
        app.plan = again
            .into_iter()
            .map(|(after, step)| (at + after, step))
            .collect();
        return;
    }
    let diagnostics = match app.attempts.last() {
        None => text.to_owned(),
        Some(attempt) => format!(
            "Application {id} failed {made} times (global limit =2; local limit is ={}) due to AM Container for {} \
             {text}\nFor more detailed output, check the application tracking page. Failing the application.",
            app.submission.max_attempts,
            app.attempt_id(attempt.number),
        ),
    };
    end(
        cluster,
        world,
        id,
        at,
        State::Failed,
        FinalStatus::Failed,
        diagnostics,
    );
}

fn close_attempt(app: &mut App, at: Millis, how: &'static str) {
    if let Some(attempt) = app.attempts.last_mut() {
        attempt.ended = Some(at);
        attempt.end_state = how;
    }
    for container in &mut app.containers {
        container.ended.get_or_insert(at);
    }
}

fn end(
    cluster: &Arc<Cluster>,
    world: &mut World,
    id: AppId,
    at: Millis,
    state: State,
    status: FinalStatus,
    diagnostics: String,
) {
    let Some(app) = world.rm.apps.get_mut(&id) else {
        return;
    };
    // A master that leaves in an orderly way tidies up behind itself; a killed one does not.
    if state == State::Finished && app.is_flink() {
        flink::farewell(app, &mut world.tree, status, at);
    }
    app.stop_server();
    app.server = match state {
        // The address stays in the answers of an application that ended by itself.
        State::Finished => app.server.take(),
        _ => None,
    };
    close_attempt(app, at, state.name());
    (app.state, app.final_status, app.diagnostics, app.ended) = (state, status, diagnostics, at);
    (app.killed, app.resync_at) = (None, None);
    app.plan.clear();
    let rm = &mut world.rm;
    match state {
        State::Finished => rm.finished += 1,
        State::Failed => rm.failed += 1,
        _ => rm.killed += 1,
    }
    rm.ended.push_back(id);
    while rm.ended.len() > cluster.options.max_completed {
        if let Some(oldest) = rm.ended.pop_front() {
            rm.apps.remove(&oldest);
        }
    }
    cluster.did(Deed::Ended {
        app: id.to_string(),
        state: state.name().to_owned(),
        final_status: status.name().to_owned(),
    });
}
