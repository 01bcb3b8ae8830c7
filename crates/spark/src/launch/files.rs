//! Files of an application: what the nodes fetch, and how driver and executors are told of it.

use super::{APP_JAR, JDK, LIBS, OVERLAY, PYTHON, RUNNER_JAR};
use domain::{Code, Failure};
use hadoop::xml::{LocalResource, PlacedFile, ResourceKind, Visibility};
use std::collections::BTreeSet;

/// What a file beside the program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A jar of the environment: on the class path before the distribution's own jars.
    Overlay,
    /// A jar of the job.
    Jar,
    /// In the working directory under its name.
    File,
    /// Unpacked into a directory of its name.
    Archive,
    /// A Python module (`.py`) or package (`.zip`, `.egg`, `.whl`).
    PyFile,
}

/// A file beside the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its name where the job runs.
    pub name: String,
    pub role: Role,
    pub file: PlacedFile,
}

/// An archive with something to run: a JDK, or Python with its packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub file: PlacedFile,
    /// Directory in the archive that has `bin/`; empty when it is the top.
    pub home: String,
}

impl Bundle {
    /// The directory with `bin/`, below the working directory.
    pub(super) fn below(&self, link: &str) -> String {
        let home = self.home.trim_matches('/');
        if home.is_empty() {
            link.to_owned()
        } else {
            format!("{link}/{home}")
        }
    }
}

/// Everything the nodes fetch but the archive of settings.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    /// For driver and executors.
    pub(super) common: Vec<LocalResource>,
    /// For the driver alone.
    pub(super) driver: Vec<LocalResource>,
    /// Names of jars for the job's class loader.
    pub(super) secondary: Vec<String>,
    pub(super) has_overlay: bool,
    /// Entries of Python's search path, below the working directory.
    pub(super) python_path: Vec<String>,
    names: BTreeSet<String>,
}

pub(super) fn unusable(path: &str, reason: &str) -> Failure {
    Failure::new(Code::FieldInvalid)
        .with("field", path)
        .with("reason", reason)
}

impl Files {
    pub(super) fn libraries(&mut self, archive: &PlacedFile) -> Result<(), Failure> {
        self.add(LIBS, archive, ResourceKind::Archive, false)
    }

    pub(super) fn app_jar(&mut self, jar: &PlacedFile) -> Result<(), Failure> {
        self.add(APP_JAR, jar, ResourceKind::File, false)
    }

    pub(super) fn runner(&mut self, jar: &PlacedFile) -> Result<(), Failure> {
        self.secondary.push(RUNNER_JAR.to_owned());
        self.add(RUNNER_JAR, jar, ResourceKind::File, false)
    }

    pub(super) fn script(&mut self, name: &str, script: &PlacedFile) -> Result<(), Failure> {
        self.add(name, script, ResourceKind::File, true)
    }

    pub(super) fn jdk(&mut self, jdk: &Bundle) -> Result<(), Failure> {
        self.add(JDK, &jdk.file, ResourceKind::Archive, false)
    }

    pub(super) fn python(&mut self, python: &Bundle) -> Result<(), Failure> {
        self.add(PYTHON, &python.file, ResourceKind::Archive, false)
    }

    /// `pyspark.zip` and Py4J.
    pub(super) fn python_library(&mut self, path: &str, file: &PlacedFile) -> Result<(), Failure> {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.python_path.push(name.to_owned());
        self.add(name, file, ResourceKind::File, false)
    }

    pub(super) fn dependency(&mut self, dependency: &Dependency) -> Result<(), Failure> {
        let (name, file) = (dependency.name.as_str(), &dependency.file);
        match dependency.role {
            Role::Overlay => {
                self.has_overlay = true;
                self.add(&format!("{OVERLAY}/{name}"), file, ResourceKind::File, false)
            }
            Role::Jar => {
                self.secondary.push(name.to_owned());
                self.add(name, file, ResourceKind::File, false)
            }
            Role::File => self.add(name, file, ResourceKind::File, false),
            Role::Archive => self.add(name, file, ResourceKind::Archive, false),
            Role::PyFile if name.ends_with(".py") => {
                if !self.python_path.iter().any(|entry| entry == "__pyfiles__") {
                    self.python_path.insert(0, "__pyfiles__".to_owned());
                }
                self.add(&format!("__pyfiles__/{name}"), file, ResourceKind::File, false)
            }
            Role::PyFile => {
                self.python_path.push(name.to_owned());
                self.add(name, file, ResourceKind::File, false)
            }
        }
    }

    fn add(
        &mut self,
        key: &str,
        file: &PlacedFile,
        kind: ResourceKind,
        driver_only: bool,
    ) -> Result<(), Failure> {
        if let Some(bad) = key.chars().chain(file.uri.chars()).find(|c| is_harmful(*c)) {
            return Err(unusable(key, &format!("{bad:?}")));
        }
        let name = key.rsplit('/').next().unwrap_or_default();
        if name.is_empty() || name == "." || name == ".." || key.starts_with('/') {
            return Err(unusable(key, "a file name"));
        }
        if !self.names.insert(key.to_owned()) {
            return Err(unusable(key, "is there twice"));
        }
        let list = if driver_only {
            &mut self.driver
        } else {
            &mut self.common
        };
        list.push(LocalResource {
            key: key.to_owned(),
            uri: file.uri.clone(),
            kind,
            visibility: file.visibility,
            size: file.size,
            timestamp: file.mtime,
        });
        Ok(())
    }

    /// How the ApplicationMaster is told of the files its executors need.
    pub(super) fn dist_cache(&self) -> Vec<(&'static str, String)> {
        let all =
            |of: &dyn Fn(&LocalResource) -> String| self.common.iter().map(of).collect::<Vec<_>>().join(",");
        vec![
            (
                "spark.yarn.cache.filenames",
                all(&|file| format!("{}#{}", file.uri, file.key)),
            ),
            ("spark.yarn.cache.sizes", all(&|file| file.size.to_string())),
            (
                "spark.yarn.cache.timestamps",
                all(&|file| file.timestamp.to_string()),
            ),
            (
                "spark.yarn.cache.visibilities",
                all(&|file| {
                    match file.visibility {
                        Visibility::Public => "PUBLIC",
                        Visibility::Private => "PRIVATE",
                        Visibility::Application => "APPLICATION",
                    }
                    .to_owned()
                }),
            ),
            (
                "spark.yarn.cache.types",
                all(&|file| {
                    match file.kind {
                        ResourceKind::File => "FILE",
                        ResourceKind::Archive => "ARCHIVE",
                    }
                    .to_owned()
                }),
            ),
        ]
    }
}

/// Characters that end a field in a class path, a list of files or the node's script.
fn is_harmful(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "'\"`$\\;{}<>*?|&,#".contains(c)
}

/// A name that stands unharmed in lists, paths and a shell.
pub(super) fn link_name(name: &str, ending: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or_default();
    let stem = name.strip_suffix(ending).unwrap_or(name);
    let stem: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.+".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(150)
        .collect();
    let stem = stem.trim_start_matches('.');
    let stem = if stem.is_empty() { "job" } else { stem };
    format!("{stem}{ending}")
}
