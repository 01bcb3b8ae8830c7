//! The containers of an application and their files, as they are shown.

use super::{
    Target,
    bring::node_failure,
    name, signed,
    source::{Live, PARALLEL, Stored, host_of_address},
};
use crate::{Result, Service};
use domain::{
    Engine, Failure,
    logs::{LogContainer, LogFile},
};
use futures::StreamExt;
use hadoop::ApplicationId;
use std::collections::BTreeMap;

impl Service {
    pub(super) async fn list_live(&self, target: &Target, live: Vec<Live>) -> Result<Vec<LogContainer>> {
        let Target {
            row,
            connection,
            application,
        } = target;
        let asked: Vec<(LogContainer, Option<Failure>)> = futures::stream::iter(live)
            .map(|live| async move {
                let mut failure = None;
                let mut files = Vec::new();
                if let Some(address) = &live.node
                    && let Some(nm) = connection.nm_as(&row.hadoop_user, address)
                {
                    match nm.logs(&live.id).await {
                        Ok(list) => {
                            files = list
                                .items
                                .into_iter()
                                .map(|file| LogFile {
                                    name: file.name,
                                    bytes: signed(file.size),
                                })
                                .collect()
                        }
                        Err(hadoop::Error::NotFound { .. }) => {}
                        Err(error) => failure = Some(node_failure(address, &error)),
                    }
                }
                let container = LogContainer {
                    id: live.id.to_string(),
                    role: role(row.kind.engine(), live.master).to_owned(),
                    node: live.node.as_deref().map(host_of_address),
                    running: live.running,
                    files,
                };
                (container, failure)
            })
            .buffered(PARALLEL)
            .collect()
            .await;
        if asked.iter().all(|(_, failure)| failure.is_some())
            && let Some(failure) = asked.iter().find_map(|(_, failure)| failure.clone())
        {
            return Err(failure.into());
        }
        let mut containers: Vec<LogContainer> = asked.into_iter().map(|(container, _)| container).collect();
        sort(&mut containers, *application);
        Ok(containers)
    }
}

pub(super) fn list_stored(stored: &Stored, application: ApplicationId, engine: Engine) -> Vec<LogContainer> {
    let mut containers: BTreeMap<&str, LogContainer> = BTreeMap::new();
    for (node, file) in stored.files() {
        let container = containers.entry(&file.container).or_insert_with(|| LogContainer {
            id: file.container.clone(),
            role: String::new(),
            node: Some(node.node.clone()).filter(|host| !host.is_empty()),
            running: false,
            files: Vec::new(),
        });
        match container.files.iter_mut().find(|known| known.name == file.name) {
            Some(known) => known.bytes += signed(file.length),
            None => container.files.push(LogFile {
                name: file.name.clone(),
                bytes: signed(file.length),
            }),
        }
    }
    let mut containers: Vec<LogContainer> = containers.into_values().collect();
    containers.retain(|container| name::container(&container.id, application).is_ok());
    for container in &mut containers {
        let first = container
            .id
            .parse()
            .ok()
            .and_then(|id| name::place(&id, application))
            .is_some_and(|place| place.is_first());
        let master = first
            || container
                .files
                .iter()
                .any(|file| file.name.starts_with("jobmanager."));
        container.role = role(engine, master).to_owned();
    }
    sort(&mut containers, application);
    containers
}

fn role(engine: Engine, master: bool) -> &'static str {
    match (engine, master) {
        (Engine::Flink, true) => "jobmanager",
        (Engine::Flink, false) => "taskmanager",
        (Engine::Spark, true) => "driver",
        (Engine::Spark, false) => "executor",
    }
}

/// JobManagers and drivers first, the newest attempt's in front; then by place.
fn sort(containers: &mut [LogContainer], application: ApplicationId) {
    containers.sort_by_key(|container| {
        let place = container
            .id
            .parse()
            .ok()
            .and_then(|id| name::place(&id, application));
        (
            !matches!(container.role.as_str(), "jobmanager" | "driver"),
            std::cmp::Reverse(place.map(|p| p.attempt)),
            place.map(|p| p.number),
        )
    });
    for container in containers {
        container.files.sort_by(|a, b| a.name.cmp(&b.name));
    }
}
