//! What the ResourceManager itself says of an application, asked the same way for both sides.

use std::time::{Duration, Instant};

use crate::sandbox::conf::{Ports, SUPERUSER};
use crate::{Res, http, run};

/// An application the ResourceManager has taken.
pub(super) struct Accepted {
    pub(super) id: String,
    /// From the beginning of the measurement until the state was seen, in milliseconds.
    pub(super) after_ms: f64,
    /// When the ResourceManager took the submission, in milliseconds since 1970.
    pub(super) submitted_at: f64,
}

/// Asks every 10 ms until the application with this tag is ACCEPTED or further.
pub(super) fn accepted(ports: Ports, tag: &str, begun: Instant, limit: Duration) -> Res<Accepted> {
    let path =
        format!("/ws/v1/cluster/apps?applicationTags={tag}&user.name={SUPERUSER}&deSelects=resourceRequests");
    while begun.elapsed() < limit {
        let answer = http::get(ports.rm_http(), &path).unwrap_or_default();
        let app = &answer["apps"]["app"][0];
        let state = app["state"].as_str().unwrap_or_default();
        if let (Some(id), false) = (
            app["id"].as_str(),
            matches!(state, "" | "NEW" | "NEW_SAVING" | "SUBMITTED"),
        ) {
            return Ok(Accepted {
                id: id.to_owned(),
                after_ms: begun.elapsed().as_secs_f64() * 1000.0,
                submitted_at: app["startedTime"].as_f64().unwrap_or(f64::NAN),
            });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(format!(
        "no application with the tag {tag} within {} s",
        limit.as_secs()
    ))
}

/// Kills an application and waits until its containers are gone, so that the next start meets a quiet cluster.
pub(super) fn kill(ports: Ports, id: &str) -> Res<()> {
    let state = format!("/ws/v1/cluster/apps/{id}/state?user.name={SUPERUSER}");
    let body = Some(("application/json", br#"{"state":"KILLED"}"#.as_slice()));
    http::request("PUT", ports.rm_http(), &state, body)?;
    quiet(ports, id)
}

pub(super) fn quiet(ports: Ports, id: &str) -> Res<()> {
    let path = format!("/ws/v1/cluster/apps/{id}?user.name={SUPERUSER}");
    let ended = || {
        let app = http::get(ports.rm_http(), &path).unwrap_or_default();
        matches!(
            app["app"]["state"].as_str(),
            Some("KILLED" | "FAILED" | "FINISHED")
        )
    };
    let node = "/ws/v1/node/containers";
    let left = || {
        let containers =
            http::get(ports.nm_http(), &format!("{node}?user.name={SUPERUSER}")).unwrap_or_default();
        let suffix = id.trim_start_matches("application");
        containers["containers"]["container"]
            .as_array()
            .is_some_and(|all| {
                all.iter()
                    .any(|c| c["id"].as_str().is_some_and(|c| c.contains(suffix)))
            })
    };
    if run::wait_for(Duration::from_secs(60), || ended() && !left()) {
        Ok(())
    } else {
        Err(format!("{id} does not end"))
    }
}
