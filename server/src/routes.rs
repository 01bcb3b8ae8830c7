//! The table of routes. Everything the console answers to goes through [`Routes`], which takes a
//! policy for each and has no default; the same table tells the middleware what a caller needs.

use crate::state::AppState;
use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use http::Method;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// What a caller must bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nothing. A closed list: see the test of the route table.
    Public,
    /// The session cookie.
    Session,
    /// An API token, or the session cookie.
    Api,
}

/// How long a request may take and how large its body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Up to 2 MiB of JSON, 30 s.
    Normal,
    /// A body of up to so many bytes that is streamed to disk.
    Upload(usize),
    /// An answer that may go on for long: 30 s to its first byte.
    Stream,
}

pub const NORMAL_BODY: usize = 2 * 1024 * 1024;

impl Weight {
    pub fn timeout(self) -> Duration {
        match self {
            Weight::Normal | Weight::Stream => Duration::from_secs(30),
            Weight::Upload(_) => Duration::from_secs(60 * 60),
        }
    }

    pub fn body(self) -> usize {
        match self {
            Weight::Normal | Weight::Stream => NORMAL_BODY,
            Weight::Upload(max) => max,
        }
    }
}

/// What the table says about a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub policy: Policy,
    pub weight: Weight,
}

/// Method and pattern of each route, and its rule.
#[derive(Debug, Clone, Default)]
pub struct Table(Arc<BTreeMap<(String, String), Rule>>);

impl Table {
    /// The rule of a matched route; `HEAD` is answered by `GET`'s handler.
    pub fn rule(&self, method: &Method, pattern: &str) -> Option<Rule> {
        let method = if method == Method::HEAD {
            Method::GET.as_str()
        } else {
            method.as_str()
        };
        self.0.get(&(method.to_owned(), pattern.to_owned())).copied()
    }

    /// Whether the pattern is a route under any method.
    pub fn has(&self, pattern: &str) -> bool {
        self.0.keys().any(|(_, p)| p == pattern)
    }

    /// Every route: method, pattern, rule.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Rule)> {
        self.0.iter().map(|((m, p), r)| (m.as_str(), p.as_str(), *r))
    }
}

/// Collects routes.
pub struct Routes {
    router: OpenApiRouter<AppState>,
    table: BTreeMap<(String, String), Rule>,
}

impl Routes {
    pub fn new(openapi: utoipa::openapi::OpenApi) -> Self {
        Self {
            router: OpenApiRouter::with_openapi(openapi),
            table: BTreeMap::new(),
        }
    }

    /// Adds one route.
    #[must_use]
    pub fn add<H, T>(self, method: &Method, pattern: &str, policy: Policy, weight: Weight, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        // Only the five methods below are ever given.
        let filter = match *method {
            Method::POST => MethodFilter::POST,
            Method::PUT => MethodFilter::PUT,
            Method::DELETE => MethodFilter::DELETE,
            Method::PATCH => MethodFilter::PATCH,
            _ => MethodFilter::GET,
        };
        let route: MethodRouter<AppState> = on(filter, handler);
        let mut routes = self;
        routes.note(method.as_str(), pattern, Rule { policy, weight });
        routes.router = routes.router.route(pattern, route);
        routes
    }

    /// Adds documented routes of the REST API (the result of `routes!`), all for [`Policy::Api`].
    #[must_use]
    pub fn api(self, weight: Weight, (schemas, paths, route): UtoipaMethodRouter<AppState>) -> Self {
        let mut routes = self;
        for (pattern, item) in &paths.paths {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("DELETE", item.delete.is_some()),
                ("PATCH", item.patch.is_some()),
            ];
            for (method, _) in methods.into_iter().filter(|(_, used)| *used) {
                let rule = Rule {
                    policy: Policy::Api,
                    weight,
                };
                routes.note(method, pattern, rule);
            }
        }
        routes.router = routes.router.routes((schemas, paths, route));
        routes
    }

    fn note(&mut self, method: &str, pattern: &str, rule: Rule) {
        self.table.insert((method.to_owned(), pattern.to_owned()), rule);
    }

    /// The router, its table, and the description of the API.
    pub fn finish(self) -> (Router<AppState>, Table, utoipa::openapi::OpenApi) {
        let (router, openapi) = self.router.split_for_parts();
        (router, Table(Arc::new(self.table)), openapi)
    }
}
