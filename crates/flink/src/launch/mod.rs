//! From a job to the body of a YARN submission, without any I/O. [`Prepared`] does not depend on a
//! run: its configuration file is named by content and can lie on HDFS long before the start.
//! [`Launch`] adds the run, and [`Launch::submission`] the application id, which is known last.

mod plan;
mod prepare;
mod preview;

pub use hadoop::xml::PlacedFile;
pub use plan::{Cluster, Launch, MAX_ENVIRONMENT_BYTES, PlanInput, Restore};
pub use prepare::{Content, INLINE_SCRIPT_BYTES, PrepareInput, Prepared, RUNNER_CLASS, script_file};

/// Link name of the log settings in the container's directory.
const LOG4J_KEY: &str = "log4j.properties";
