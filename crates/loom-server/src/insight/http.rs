//! Counters of requests.

use super::expose::{Histogram, Page};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Requests by route, method and status: as many as there are routes, whatever is asked for.
#[derive(Default)]
pub(crate) struct Requests(Mutex<Figures>);

#[derive(Default)]
struct Figures {
    counts: BTreeMap<(String, &'static str, u16), u64>,
    times: BTreeMap<(String, &'static str), Histogram>,
}

impl Requests {
    /// A request was answered. The route is a pattern of ours, never what the caller wrote.
    pub(crate) fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        let mut figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *figures.counts.entry((route.to_owned(), method, status)).or_default() += 1;
        let time = figures.times.entry((route.to_owned(), method));
        time.or_insert_with(|| Histogram::new(SECONDS)).add(took.as_secs_f64());
    }

    pub(super) fn write(&self, page: &mut Page) {
        let figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = "loom_http_requests_total";
        page.metric(name, "counter", "Requests by route, method and status.");
        for ((route, method, status), count) in &figures.counts {
            let status = status.to_string();
            let labels = [("route", route.as_str()), ("method", method), ("status", &status)];
            page.sample(name, &labels, count);
        }
        let name = "loom_http_request_duration_seconds";
        page.metric(name, "histogram", "From a request to the head of its answer.");
        for ((route, method), times) in &figures.times {
            page.histogram(name, &[("route", route.as_str()), ("method", method)], times);
        }
    }
}
