//! What was observed of a run is written down, with the answer that proved it.

use crate::{
    Result, Service,
    chaos::crash_point,
    clusters::Connection,
    reconcile::Name,
    runs::{
        change::{Change, Proof},
        decide::{self, Engine},
    },
};
use domain::{
    Code, Failure,
    run::{RunState, Usage},
};
use hadoop::types::{App, AppState};
use serde_json::json;
use store::runs::RunRow;

impl Service {
    /// Writes what was observed, if it differs from what is stored.
    pub(super) async fn take(&self, mut row: RunRow, app: &App, engine: &Engine) -> Result<()> {
        let now = self.now();
        let before = row.clone();
        let same_attempt = app.attempt() == Some(row.attempts);
        let state = decide::state(
            row.state,
            row.requested,
            app.state,
            app.final_status,
            same_attempt,
            engine,
        );
        row.attempts = row.attempts.max(app.attempt().unwrap_or(0));
        row.observed_at = Some(now);
        row.observed_by = Some(
            match engine {
                Engine::Job { .. } => "flink",
                Engine::Driver(Some(_)) => "spark",
                Engine::Driver(None) | Engine::NotSeen | Engine::NoJob => "rm",
            }
            .to_owned(),
        );
        row.tracking_url = app.tracking_url.clone().or(row.tracking_url);
        row.rest_url = app.am_rpc_address.clone().or(row.rest_url);
        if let Engine::Job {
            tasks_running,
            tasks_total,
            ..
        } = engine
        {
            (row.tasks_running, row.tasks_total) = (Some(*tasks_running), Some(*tasks_total));
        }
        if let Engine::Driver(Some((running, total))) = engine {
            (row.tasks_running, row.tasks_total) = (Some(*running), Some(*total));
        }
        if app.state == AppState::Running && row.started_at.is_none() {
            row.started_at = Some(if app.launch_time > 0 { app.launch_time } else { now });
        }
        row.usage = usage(&row, app);
        let ended = state.is_terminal();
        if ended {
            row.final_status = Some(format!("{:?}", app.final_status).to_uppercase());
            row.tasks_running = None;
            row.usage = Usage {
                memory_mb_seconds: app.memory_seconds,
                vcore_seconds: app.vcore_seconds,
                ..Usage::default()
            };
            if app.finished_time > 0 {
                row.ended_at = Some(app.finished_time);
            }
            row.failure = match state {
                RunState::Failed => Some(self.first_cause(row.kind.engine(), app)),
                RunState::Killed if !app.diagnostics.trim().is_empty() => {
                    Some(Failure::new(Code::AppFailed).with("reason", app.diagnostics.trim()))
                }
                _ => None,
            };
        }
        if state == before.state && same(&before, &row) {
            return Ok(());
        }
        let change = if state == before.state {
            Change::note("progress")
        } else {
            Change::state(&mut row, state, now)
        };
        let evidence = json!({
            "application": app.id.to_string(),
            "state": app.state,
            "finalStatus": app.final_status,
            "diagnostics": app.diagnostics.chars().take(4000).collect::<String>(),
            "amRPCAddress": app.am_rpc_address,
            "job": match engine {
                Engine::Job { state, tasks_running, tasks_total } => json!({ "state": format!("{state:?}"), "running": tasks_running, "total": tasks_total }),
                Engine::NoJob => json!("none"),
                Engine::Driver(Some((running, total))) => json!({ "running": running, "total": total }),
                Engine::Driver(None) | Engine::NotSeen => json!(null),
            },
        });
        let source = row.observed_by.clone().unwrap_or_default();
        let proof = Proof {
            source: &source,
            note: None,
            evidence: Some(evidence),
        };
        crash_point!("track.before_write");
        let mut tx = self.db().begin().await?;
        let written = if state == before.state {
            // Figures that move are no history.
            let expected = row.row_version;
            let written = store::runs::update(&mut tx, &row, expected).await?;
            row.row_version = expected + 1;
            written
        } else {
            self.save_run(&mut tx, &mut row, change, proof).await?
        };
        if !written {
            // A stop came in between; the next tick sees both.
            return Ok(tx.rollback().await?);
        }
        tx.commit().await?;
        self.announce_run(&row);
        if ended {
            self.inner.tracker.forget(&row.id);
            self.wake_ended();
            if row.state == RunState::Failed {
                self.inner.board.wake(Name::Explain);
            }
        }
        Ok(())
    }

    /// The ResourceManager does not know the application any more. What ended it may still be told by
    /// the job's archive; else its trace is lost.
    pub(super) async fn forgotten(&self, connection: &Connection, mut row: RunRow) -> Result<()> {
        let now = self.now();
        let archived = self.archived_end(connection, &row).await;
        let (state, source) = match archived {
            Ok(Some(state)) => (state, "archive"),
            Ok(None) => (RunState::LostTrack, "rm"),
            // The archive could not be asked: nothing is concluded.
            Err(_) => return Ok(()),
        };
        if state == RunState::LostTrack {
            let application = row.external_id.clone().unwrap_or_default();
            row.failure = Some(Failure::new(Code::LostTrack).with("application", application));
        }
        row.tasks_running = None;
        row.usage = Usage {
            memory_mb_seconds: row.usage.memory_mb_seconds,
            vcore_seconds: row.usage.vcore_seconds,
            ..Usage::default()
        };
        let change = Change::state(&mut row, state, now);
        let proof = Proof {
            source,
            note: Some("track.forgotten"),
            evidence: Some(json!({ "status": 404 })),
        };
        let mut tx = self.db().begin().await?;
        if self.save_run(&mut tx, &mut row, change, proof).await? {
            tx.commit().await?;
            self.inner.tracker.forget(&row.id);
            self.announce_run(&row);
            self.wake_ended();
            if state == RunState::Failed {
                self.inner.board.wake(Name::Explain);
            }
        }
        Ok(())
    }

    /// Wakes whoever waits for the end of a run.
    fn wake_ended(&self) {
        for name in [Name::Stop, Name::Savepoint, Name::Collect] {
            self.inner.board.wake(name);
        }
    }
}

fn usage(row: &RunRow, app: &App) -> Usage {
    let (containers, allocated_mb, allocated_vcores) = (
        app.running_containers.max(0),
        app.allocated_mb.max(0),
        app.allocated_vcores.max(0),
    );
    let same = row.usage.containers == containers
        && row.usage.allocated_mb == allocated_mb
        && row.usage.allocated_vcores == allocated_vcores;
    if same {
        // The sums grow all the time; they are written with the next change.
        return row.usage;
    }
    Usage {
        memory_mb_seconds: app.memory_seconds,
        vcore_seconds: app.vcore_seconds,
        containers,
        allocated_mb,
        allocated_vcores,
    }
}

/// Whether nothing that is shown differs.
fn same(a: &RunRow, b: &RunRow) -> bool {
    a.tracking_url == b.tracking_url
        && a.rest_url == b.rest_url
        && (a.tasks_running, a.tasks_total) == (b.tasks_running, b.tasks_total)
        && a.usage == b.usage
        && a.started_at == b.started_at
        && a.attempts == b.attempts
        && a.observed_at.is_some()
}
