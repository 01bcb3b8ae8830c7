//! Clusters: what they are, whether they answer, and how to register one.

mod detail;
mod list;
mod new;

pub use detail::cluster;
pub use list::clusters;
pub use new::new_cluster;
