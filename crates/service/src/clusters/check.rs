// Placeholder by the lead so that the crate compiles; the owner of this file replaces it.
use crate::{Result, Service};
use domain::{Viewer, cluster::Probe};
impl Service {
    pub async fn check_cluster(&self, _viewer: &Viewer, _code: &str) -> Result<Vec<Probe>> {
        Ok(vec![])
    }
}
