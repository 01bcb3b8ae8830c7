//! What the statements of a Spark script did: their states, and the rows they left on HDFS.

use super::{collect::RESULTS, restore::hdfs_path};
use crate::{
    Error, Result, Service,
    clusters::{Connection, hdfs_failure},
};
use domain::{
    Action, Viewer,
    id::RunId,
    job::JobKind,
    statement::{Column, StatementResult, StatementRows},
};
use hadoop::HdfsPath;
use spark::events::{self, StatementEvent};
use std::{collections::BTreeMap, sync::Arc};
use store::runs::RunRow;

/// Limits of what is read: the runner keeps a thousand rows, whose cells can be large.
const MAX_SUMMARY: u64 = 8 << 20;
const MAX_ROWS: u64 = 32 << 20;
/// How much of the end of the driver's output is read while the script runs.
const TAIL: u64 = 512 * 1024;

impl Service {
    /// The statements of a run's script as far as they have come; none for other kinds of jobs.
    pub async fn run_statements(&self, viewer: &Viewer, id: &RunId) -> Result<Vec<StatementResult>> {
        let Some((row, connection)) = self.script_of(viewer, id).await? else {
            return Ok(Vec::new());
        };
        if row.state.is_terminal()
            && let Some(text) = read(&connection, &row, events::SUMMARY_FILE, MAX_SUMMARY).await?
        {
            return Ok(events::summary(&text).into_iter().map(result).collect());
        }
        let out = self.log_tail(&connection, &row, "stdout", TAIL).await?;
        // Of each statement the last word counts.
        let mut last = BTreeMap::new();
        for event in events::statement_events(&out.unwrap_or_default()) {
            last.insert(event.index, result(event));
        }
        Ok(last.into_values().collect())
    }

    /// The rows one statement left.
    pub async fn statement_rows(&self, viewer: &Viewer, id: &RunId, number: u32) -> Result<StatementRows> {
        let missing = || Error::not_found("rows");
        let (row, connection) = self.script_of(viewer, id).await?.ok_or_else(missing)?;
        // Not the name the driver told: its output is the job's to write.
        let file = format!("statement-{number}.jsonl");
        let text = read(&connection, &row, &file, MAX_ROWS)
            .await?
            .ok_or_else(missing)?;
        let rows = events::rows(&text).ok_or_else(missing)?;
        let columns = rows.columns.into_iter();
        Ok(StatementRows {
            statement: rows.statement,
            columns: columns
                .map(|column| Column {
                    name: column.name,
                    kind: column.kind,
                })
                .collect(),
            rows: rows.rows,
            truncated: rows.truncated,
        })
    }

    /// The run of a script, for who may read its data. `None`: nothing of it ran.
    async fn script_of(&self, viewer: &Viewer, id: &RunId) -> Result<Option<(RunRow, Arc<Connection>)>> {
        let run = self.run(viewer, id).await?;
        if !viewer.may_own(Action::LogReadOwn, Action::LogReadAny, &run.team, &run.created_by) {
            return Err(Error::forbidden(Action::LogReadAny));
        }
        if run.kind != JobKind::SparkSql || run.external_id.is_none() {
            return Ok(None);
        }
        let row = store::runs::row(self.db(), id)
            .await?
            .ok_or_else(|| Error::not_found("run"))?;
        let connection = self.connection(&row.cluster).await?;
        Ok(Some((row, connection)))
    }
}

/// A file of the run's results; `None` when it is not there.
async fn read(connection: &Connection, row: &RunRow, name: &str, max: u64) -> Result<Option<String>> {
    let dir = row.staging.as_deref().and_then(|uri| hdfs_path(connection, uri));
    let Some(dir) = dir else { return Ok(None) };
    let path: HdfsPath = dir.join(&format!("{RESULTS}/{name}")).map_err(Error::internal)?;
    let user = &row.hadoop_user;
    match connection.hdfs_as(user).read_all(&path, max).await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(hadoop::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(hdfs_failure(connection, user, &path, &error).into()),
    }
}

fn result(event: StatementEvent) -> StatementResult {
    StatementResult {
        index: event.index,
        of: event.of,
        line: event.line,
        end_line: event.end_line,
        kind: event.kind,
        state: event.state,
        millis: event.millis,
        rows: event.rows,
        truncated: event.truncated,
        has_rows: event.results.is_some(),
        error: event.error,
    }
}
