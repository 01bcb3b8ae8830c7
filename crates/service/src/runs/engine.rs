//! Flink's own REST interface of a run.

use crate::{Service, clusters::Connection};
use domain::{Code, Failure};
use flink::rest::{Cancel, Client, Observation};
use store::runs::RunRow;

impl Service {
    /// The job's REST interface, at the address the ResourceManager reports.
    pub(crate) fn job_rest(
        &self,
        connection: &Connection,
        row: &RunRow,
        address: Option<&str>,
    ) -> Option<Client> {
        Client::direct(connection.http().clone(), address.or(row.rest_url.as_deref())?)
    }

    /// Asks Flink to end the job of a run.
    pub(crate) async fn cancel_job(&self, connection: &Connection, row: &RunRow) -> Result<(), Failure> {
        let unreachable = |endpoint: String, reason: String| {
            Failure::new(Code::FlinkUnreachable)
                .with("endpoint", endpoint)
                .with("reason", reason)
        };
        let Some(rest) = self.job_rest(connection, row, None) else {
            return Err(unreachable(
                "-".to_owned(),
                "it has not registered yet".to_owned(),
            ));
        };
        for job in self
            .jobs_to_cancel(&rest, row)
            .await
            .map_err(|reason| unreachable(rest.endpoint(), reason))?
        {
            match rest.cancel(&job).await {
                Observation::Known(Cancel::Accepted | Cancel::Ended) | Observation::Gone => {}
                Observation::Inconclusive(error) => {
                    return Err(unreachable(rest.endpoint(), error.to_string()));
                }
            }
        }
        Ok(())
    }

    async fn jobs_to_cancel(&self, rest: &Client, row: &RunRow) -> Result<Vec<String>, String> {
        if let Some(id) = &row.engine_job_id {
            return Ok(vec![id.clone()]);
        }
        match rest.application().await {
            Observation::Known(Some(id)) if Some(&id) != row.external_id.as_ref() => {
                return Err("another application answers there".to_owned());
            }
            Observation::Known(_) | Observation::Gone => {}
            Observation::Inconclusive(error) => return Err(error.to_string()),
        }
        match rest.jobs_overview().await {
            Observation::Known(jobs) => {
                let open: Vec<String> = jobs
                    .into_iter()
                    .filter(|job| !job.state.is_terminal())
                    .map(|job| job.jid)
                    .collect();
                if open.is_empty() {
                    Err("it runs no job at the moment".to_owned())
                } else {
                    Ok(open)
                }
            }
            Observation::Gone => Err("it does not answer for a job".to_owned()),
            Observation::Inconclusive(error) => Err(error.to_string()),
        }
    }
}
