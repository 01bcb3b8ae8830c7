//! Faults in front of the services: scripted ones that hit the n-th matching request, and seeded
//! random ones.

use crate::Service;
use std::ops::Range;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The connection ends; nothing was done.
    DropBefore,
    /// The request is worked on, then the connection ends without an answer.
    ProcessThenDrop,
    /// Answers this instead; nothing was done.
    Status(u16, String),
    /// The request is worked on, but this is the answer, as of a gateway in between.
    ProcessThenStatus(u16, String),
    /// Works on the request so many real milliseconds later, also if the caller has gone.
    Delay(u64),
    /// Answers 200 and bytes that are not JSON; nothing was done.
    Garbage,
    /// Works on the request, sends half of the answer, ends the connection.
    Truncate,
    /// Takes so many bytes of an upload, then ends the connection; the shorter file stays.
    CutUploadAt(u64),
}

/// Which requests a fault hits.
#[derive(Debug, Clone)]
pub struct Fault {
    service: Service,
    method: Option<String>,
    path: Option<PathMatch>,
    op: Option<String>,
    hits: Range<u64>,
    action: Action,
    seen: u64,
}

#[derive(Debug, Clone)]
enum PathMatch {
    Prefix(String),
    Exact(String),
    Contains(String),
}

impl Fault {
    /// Hits the first request of `service` once, until told otherwise.
    pub fn on(service: Service, action: Action) -> Self {
        Self {
            service,
            method: None,
            path: None,
            op: None,
            hits: 0..1,
            action,
            seen: 0,
        }
    }

    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Paths that start so.
    pub fn path(mut self, prefix: &str) -> Self {
        self.path = Some(PathMatch::Prefix(prefix.to_owned()));
        self
    }

    /// This path alone.
    pub fn path_is(mut self, path: &str) -> Self {
        self.path = Some(PathMatch::Exact(path.to_owned()));
        self
    }

    /// Paths that hold this text.
    pub fn path_has(mut self, text: &str) -> Self {
        self.path = Some(PathMatch::Contains(text.to_owned()));
        self
    }

    /// A WebHDFS operation, in any case.
    pub fn op(mut self, op: &str) -> Self {
        self.op = Some(op.to_ascii_uppercase());
        self
    }

    /// The n-th match, counted from 1.
    pub fn nth(mut self, n: u64) -> Self {
        let length = self.hits.end - self.hits.start;
        let start = n.saturating_sub(1);
        self.hits = start..start.saturating_add(length);
        self
    }

    /// So many matches in a row.
    pub fn times(mut self, times: u64) -> Self {
        self.hits.end = self.hits.start.saturating_add(times);
        self
    }

    /// Every match from the n-th on.
    pub fn always(mut self) -> Self {
        self.hits.end = u64::MAX;
        self
    }

    /// The POST that submits an application.
    pub fn on_submit(action: Action) -> Self {
        Self::on(Service::Rm, action)
            .method("POST")
            .path_is("/ws/v1/cluster/apps")
    }

    fn matches(&self, service: Service, method: &str, path: &str, op: &str) -> bool {
        self.service == service
            && self.method.as_ref().is_none_or(|want| want == method)
            && self.op.as_ref().is_none_or(|want| want.eq_ignore_ascii_case(op))
            && self.path.as_ref().is_none_or(|want| match want {
                PathMatch::Prefix(prefix) => path.starts_with(prefix.as_str()),
                PathMatch::Exact(exact) => path == exact,
                PathMatch::Contains(text) => path.contains(text.as_str()),
            })
    }
}

/// Random faults; the same seed and the same requests give the same faults.
#[derive(Debug, Clone)]
pub struct Chaos {
    pub seed: u64,
    /// How many of a thousand requests are hit.
    pub per_mille: u16,
    /// Empty: every service.
    pub services: Vec<Service>,
    pub actions: Vec<Action>,
}

#[derive(Default)]
pub(crate) struct Faults {
    scripted: Vec<Fault>,
    chaos: Option<(Chaos, u64)>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.scripted.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn set_chaos(&mut self, chaos: Option<Chaos>) {
        self.chaos = chaos.map(|chaos| {
            let state = chaos.seed;
            (chaos, state)
        });
    }

    /// The fault that hits this request; every scripted fault counts it.
    pub(crate) fn pick(&mut self, service: Service, method: &str, path: &str, op: &str) -> Option<Action> {
        let mut hit = None;
        for fault in &mut self.scripted {
            if fault.matches(service, method, path, op) {
                if fault.hits.contains(&fault.seen) && hit.is_none() {
                    hit = Some(fault.action.clone());
                }
                fault.seen += 1;
            }
        }
        if hit.is_some() {
            return hit;
        }
        let (chaos, state) = self.chaos.as_mut()?;
        if chaos.actions.is_empty() || !(chaos.services.is_empty() || chaos.services.contains(&service)) {
            return None;
        }
        let dice = next(state);
        if dice % 1000 >= u64::from(chaos.per_mille) {
            return None;
        }
        let at = usize::try_from(next(state) % chaos.actions.len() as u64).unwrap_or(0);
        chaos.actions.get(at).cloned()
    }
}

/// SplitMix64.
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_the_requests_it_names() {
        let mut faults = Faults::default();
        faults.add(Fault::on_submit(Action::DropBefore).nth(2).times(2));
        let mut post = |path: &str| faults.pick(Service::Rm, "POST", path, "").is_some();
        assert!(!post("/ws/v1/cluster/apps/new-application"));
        let hits: Vec<_> = (0..5).map(|_| post("/ws/v1/cluster/apps")).collect();
        assert_eq!(hits, [false, true, true, false, false]);
    }

    #[test]
    fn a_seed_repeats_itself() {
        let run = |seed| {
            let mut faults = Faults::default();
            faults.set_chaos(Some(Chaos {
                seed,
                per_mille: 300,
                services: vec![Service::Rm],
                actions: vec![Action::DropBefore, Action::Garbage],
            }));
            (0..200)
                .map(|_| faults.pick(Service::Rm, "GET", "/", ""))
                .collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).iter().flatten().count();
        assert!((30..90).contains(&hits), "{hits}");
    }
}
