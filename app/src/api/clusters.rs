//! Clusters.

use super::{ApiError, codec::Text};
use domain::{
    Millis,
    cluster::{Cluster, ClusterInput, Node, Probe, Queue},
    identity::Team,
};
use leptos::{
    prelude::*,
    server_fn::codec::{GetUrl, Json},
};

#[server(name = CallClusters, prefix = "/fn", endpoint = "clusters", input = GetUrl, output = Text)]
pub async fn clusters() -> Result<Vec<Cluster>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.clusters(&viewer).await?)
}

/// When a cluster answered last.
#[server(name = CallPulse, prefix = "/fn", endpoint = "pulse", input = GetUrl, output = Text)]
pub async fn pulse() -> Result<Option<Millis>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service
        .clusters(&viewer)
        .await?
        .iter()
        .filter_map(|c| c.seen_at)
        .max())
}

#[server(name = CallCluster, prefix = "/fn", endpoint = "cluster", input = GetUrl, output = Text)]
pub async fn cluster(code: String) -> Result<Cluster, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.cluster(&viewer, &code).await?)
}

#[server(name = CallCreateCluster, prefix = "/fn", endpoint = "create_cluster", input = Json, output = Text)]
pub async fn create_cluster(input: ClusterInput) -> Result<Cluster, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.create_cluster(&viewer, input).await?)
}

#[server(name = CallCheckCluster, prefix = "/fn", endpoint = "check_cluster", input = Json, output = Text)]
pub async fn check_cluster(code: String) -> Result<Vec<Probe>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.check_cluster(&viewer, &code).await?)
}

#[server(name = CallQueues, prefix = "/fn", endpoint = "queues", input = GetUrl, output = Text)]
pub async fn queues(code: String) -> Result<Vec<Queue>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.queues(&viewer, &code).await?)
}

#[server(name = CallNodes, prefix = "/fn", endpoint = "nodes", input = GetUrl, output = Text)]
pub async fn nodes(code: String) -> Result<Vec<Node>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.nodes(&viewer, &code).await?)
}

#[server(name = CallTeams, prefix = "/fn", endpoint = "teams", input = GetUrl, output = Text)]
pub async fn teams() -> Result<Vec<Team>, ApiError> {
    let (service, viewer) = super::caller()?;
    Ok(service.teams(&viewer).await?)
}
