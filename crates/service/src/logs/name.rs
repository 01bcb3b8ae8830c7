//! Names of containers and log files as they come in addresses.

use crate::{Error, Result};
use hadoop::{ApplicationId, ContainerId};

const MAX_FILE_NAME: usize = 255;

/// Where a container stands within its application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub attempt: u32,
    pub number: u64,
}

impl Place {
    /// Whether it is the first of its attempt, in which the ApplicationMaster runs.
    pub(super) fn is_first(self) -> bool {
        self.number == 1
    }
}

/// The place of a container; `None` when it is not one of the application's.
pub(super) fn place(container: &ContainerId, application: ApplicationId) -> Option<Place> {
    let rest = container.as_str().strip_prefix("container_")?;
    let rest = match rest.strip_prefix('e') {
        // The epoch counts restarts of the ResourceManager and says nothing about the application.
        Some(rest) => rest.split_once('_').filter(|(epoch, _)| is_number(epoch))?.1,
        None => rest,
    };
    let parts: Vec<&str> = rest.split('_').collect();
    let [stamp, app, attempt, number] = parts.as_slice() else {
        return None;
    };
    let all = [stamp, app, attempt, number];
    if !all.iter().all(|part| is_number(part))
        || format!("application_{stamp}_{app}") != application.to_string()
    {
        return None;
    }
    Some(Place {
        attempt: attempt.parse().ok()?,
        number: number.parse().ok()?,
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A container of the application, from an address.
pub(super) fn container(text: &str, application: ApplicationId) -> Result<ContainerId> {
    let id: Option<ContainerId> = text.parse().ok();
    id.filter(|id| place(id, application).is_some())
        .ok_or_else(|| Error::not_found("container"))
}

/// Passes when `name` can be the name of a log file.
pub(super) fn file(name: &str) -> Result<()> {
    let wrong = name.is_empty()
        || name.len() > MAX_FILE_NAME
        || name == "."
        || name == ".."
        || name.chars().any(|c| c.is_control() || c == '/' || c == '\\');
    if wrong {
        Err(Error::not_found("file"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_containers_of_the_application() {
        let app: ApplicationId = "application_1795207336844_0016".parse().unwrap();
        let good = [
            ("container_1795207336844_0016_01_000001", 1, 1),
            ("container_e17_1795207336844_0016_02_000003", 2, 3),
            ("container_1795207336844_0016_01_1234567", 1, 1_234_567),
        ];
        for (text, attempt, number) in good {
            let id = container(text, app).unwrap();
            assert_eq!(place(&id, app), Some(Place { attempt, number }));
        }
        for bad in [
            "container_1795207336844_0017_01_000001",
            "container_1795207336845_0016_01_000001",
            "container_1795207336844_16_01_000001",
            "container_e_1795207336844_0016_01_000001",
            "container_exx_1795207336844_0016_01_000001",
            "container_1795207336844_0016_01",
            "container_1795207336844_0016_01_000001_1",
            "container_1795207336844_0016_01_x",
            "container_1795207336844_0016__000001",
            "container_1795207336844_0016_01_000001/../x",
            "application_1795207336844_0016",
            "",
        ] {
            assert!(container(bad, app).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_is_one_name() {
        for good in [
            "jobmanager.log",
            "gc.log.0.current",
            "prelaunch.err",
            "日志.log",
            "a b",
        ] {
            assert!(file(good).is_ok(), "{good}");
        }
        let long = "x".repeat(256);
        for bad in ["", ".", "..", "a/b", "../x", "a\\b", "a\nb", "a\0", &long] {
            assert!(file(bad).is_err(), "{bad}");
        }
    }
}
