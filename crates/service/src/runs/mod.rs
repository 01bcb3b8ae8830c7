//! Runs: started, watched and stopped.

mod change;
mod changes;
mod collect;
mod decide;
mod engine;
mod errand;
mod explain;
mod keep;
mod plan;
mod restore;
mod savepoint;
mod start;
mod statements;
mod stop;
mod submit;
mod track;

pub(crate) use plan::Waiting;
pub(crate) use start::steps;
pub(crate) use submit::{after_failure, backoff, enter, finish, log};
pub(crate) use track::Tracker;

use crate::{Error, Result, Service, require};
use domain::{
    Action, Viewer,
    id::{OperationId, RunId},
    job::LaunchPreview,
    operation::Operation,
    page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
    run::{Run, RunEvent, RunQuery},
};
use store::operations::OperationRow;

impl Service {
    pub async fn run(&self, viewer: &Viewer, id: &RunId) -> Result<Run> {
        let mut run = store::runs::get(self.db(), &viewer.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("run"))?;
        require(viewer, Action::RunRead, &run.team)?;
        self.refresh(&mut run);
        Ok(run)
    }

    pub async fn runs(&self, viewer: &Viewer, mut query: RunQuery) -> Result<Page<Run>> {
        query.limit = if query.limit == 0 {
            DEFAULT_LIMIT
        } else {
            query.limit.min(MAX_LIMIT)
        };
        let mut page = store::runs::list(self.db(), &viewer.scope(), &query).await?;
        page.items.iter_mut().for_each(|run| self.refresh(run));
        Ok(page)
    }

    /// Lays what was seen since the last write over a row: a look that changes nothing is not written.
    pub(crate) fn refresh(&self, run: &mut Run) {
        if !run.state.is_terminal() && run.observed_at.is_some() {
            run.observed_at = run.observed_at.max(self.inner.tracker.seen(&run.id));
        }
    }

    /// The history of a run, oldest first.
    pub async fn run_events(&self, viewer: &Viewer, id: &RunId) -> Result<Vec<RunEvent>> {
        self.run(viewer, id).await?;
        Ok(store::runs::events(self.db(), &viewer.scope(), id).await?)
    }

    /// What was submitted, without secrets.
    pub async fn run_launch(&self, viewer: &Viewer, id: &RunId) -> Result<LaunchPreview> {
        self.run(viewer, id).await?;
        let launch = store::runs::launch(self.db(), &viewer.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("launch"))?;
        serde_json::from_value(launch).map_err(Error::internal)
    }

    pub async fn operation(&self, viewer: &Viewer, id: &OperationId) -> Result<Operation> {
        store::operations::get(self.db(), &viewer.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("operation"))
    }

    /// Writes an operation if nobody else did; its version grows with it.
    pub(crate) async fn save_operation(
        &self,
        tx: &mut store::Tx,
        operation: &mut OperationRow,
    ) -> Result<bool> {
        let expected = operation.row_version;
        operation.updated_at = self.now();
        if !store::operations::update(tx, operation, expected).await? {
            return Ok(false);
        }
        operation.row_version = expected + 1;
        Ok(true)
    }
}
