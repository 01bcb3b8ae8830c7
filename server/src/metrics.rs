//! Counters of the requests, as Prometheus text. Labels are route patterns, so their number is limited.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Upper ends of the latency classes, in seconds.
const BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Debug, Default, Clone)]
struct Cell {
    count: u64,
    seconds: f64,
    buckets: [u64; BUCKETS.len()],
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    route: String,
    method: String,
    status: u16,
}

/// Numbers of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Key, Cell>>,
}

/// The methods that get a label of their own; a client may send any word.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"];

impl Metrics {
    /// Counts an answered request.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let key = Key {
            route: route.to_owned(),
            method: if METHODS.contains(&method) {
                method
            } else {
                "other"
            }
            .to_owned(),
            status,
        };
        let seconds = took.as_secs_f64();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = requests.entry(key).or_default();
        cell.count += 1;
        cell.seconds += seconds;
        for (bucket, end) in cell.buckets.iter_mut().zip(BUCKETS) {
            if seconds <= end {
                *bucket += 1;
            }
        }
    }

    /// The text of the requests' part.
    pub fn text(&self) -> String {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = Text::default();
        out.head("penstock_http_requests_total", "counter", "Answered requests.");
        for (key, cell) in requests.iter() {
            out.value("penstock_http_requests_total", &key.labels(), cell.count);
        }
        let name = "penstock_http_request_seconds";
        out.head(name, "histogram", "Time to the first byte of the answer.");
        for (key, cell) in requests.iter() {
            let labels = key.labels();
            for (count, end) in cell.buckets.iter().zip(BUCKETS) {
                let mut labels = labels.clone();
                labels.push(("le", end.to_string()));
                out.value("penstock_http_request_seconds_bucket", &labels, count);
            }
            let mut all = labels.clone();
            all.push(("le", "+Inf".to_owned()));
            out.value("penstock_http_request_seconds_bucket", &all, cell.count);
            out.value("penstock_http_request_seconds_sum", &labels, cell.seconds);
            out.value("penstock_http_request_seconds_count", &labels, cell.count);
        }
        out.0
    }
}

impl Key {
    fn labels(&self) -> Vec<(&'static str, String)> {
        vec![
            ("route", self.route.clone()),
            ("method", self.method.clone()),
            ("status", self.status.to_string()),
        ]
    }
}

/// Prometheus' text format.
#[derive(Debug, Default)]
pub struct Text(pub String);

impl Text {
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub fn value(&mut self, name: &str, labels: &[(&str, String)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        if !labels.is_empty() {
            let labels: Vec<String> = labels
                .iter()
                .map(|(key, value)| format!("{key}=\"{}\"", escape(value)))
                .collect();
            let _ = write!(self.0, "{{{}}}", labels.join(","));
        }
        let _ = writeln!(self.0, " {value}");
    }
}

fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        for ms in [1, 20, 20, 60_000] {
            metrics.request("/jobs", "GET", 200, Duration::from_millis(ms));
        }
        metrics.request("unmatched", "BREW", 404, Duration::ZERO);
        let text = metrics.text();
        let labels = r#"route="/jobs",method="GET",status="200""#;
        for line in [
            format!("penstock_http_requests_total{{{labels}}} 4"),
            format!("penstock_http_request_seconds_bucket{{{labels},le=\"0.005\"}} 1"),
            format!("penstock_http_request_seconds_bucket{{{labels},le=\"0.025\"}} 3"),
            format!("penstock_http_request_seconds_bucket{{{labels},le=\"+Inf\"}} 4"),
            r#"penstock_http_requests_total{route="unmatched",method="other",status="404"} 1"#.to_owned(),
        ] {
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
