//! From a job to the body of a YARN submission, without any I/O. [`Prepared`] does not depend on a
//! run: its one archive is named by content and can lie on HDFS long before the start, so that a
//! start writes nothing. [`Launch`] adds the run, and [`Launch::submission`] the application id,
//! which is known last.

mod command;
mod files;
mod plan;
mod prepare;
mod preview;

pub use files::{Bundle, Dependency, Role};
pub use hadoop::xml::PlacedFile;
pub use plan::{Launch, PlanInput};
pub use prepare::{Cluster, PrepareInput, Prepared};

/// Main class of the program that runs SQL scripts.
pub const SQL_CLASS: &str = "io.penstock.spark.SparkSql";
/// Main class that calls another one with arguments out of a file.
const MAIN_CLASS: &str = "io.penstock.spark.Main";
const PYTHON_CLASS: &str = "org.apache.spark.deploy.PythonRunner";

/// Link names of the client's convention.
const CONF: &str = "__spark_conf__";
const LIBS: &str = "__spark_libs__";
const APP_JAR: &str = "__app__.jar";
/// Link names of our own.
const OVERLAY: &str = "__overlay__";
const RUNNER_JAR: &str = "__penstock__.jar";
const JDK: &str = "__jdk__";
const PYTHON: &str = "__python__";
/// Files of ours in the archive of settings.
const ARGS_FILE: &str = "penstock-args";
const SCRIPT_FILE: &str = "penstock.sql";
const PYTHON_FILE: &str = "penstock-main.py";
