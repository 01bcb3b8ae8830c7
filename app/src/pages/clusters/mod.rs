//! Clusters: what they are, whether they answer, and how to register one.

mod detail;
mod list;
mod new;

pub use detail::Cluster;
pub use list::Clusters;
pub use new::NewCluster;
