//! How long commits take and how much they hold.

use super::expose::{Histogram, Page};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const LATENCY: &[f64] =
    &[0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
const SIZE: &[f64] = &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0];

/// Told of every commit by whoever makes them.
#[derive(Debug)]
pub struct CommitMeter(Mutex<Figures>);

#[derive(Debug)]
struct Figures {
    latency: Histogram,
    events: Histogram,
    failed: u64,
}

impl Default for CommitMeter {
    fn default() -> Self {
        let (latency, events) = (Histogram::new(LATENCY), Histogram::new(SIZE));
        Self(Mutex::new(Figures { latency, events, failed: 0 }))
    }
}

impl CommitMeter {
    /// So many events are durable, which took so long.
    pub fn committed(&self, events: usize, took: Duration) {
        let mut figures = self.figures();
        figures.events.add(events as f64);
        figures.latency.add(took.as_secs_f64());
    }

    /// The store refused a commit.
    pub fn failed(&self) {
        self.figures().failed += 1;
    }

    pub(super) fn write(&self, page: &mut Page) {
        let figures = self.figures();
        let name = "loom_commit_seconds";
        page.metric(name, "histogram", "Time of a commit of the engine, to the disk.");
        page.histogram(name, &[], &figures.latency);
        let name = "loom_commit_events";
        page.metric(name, "histogram", "Events recorded by one commit.");
        page.histogram(name, &[], &figures.events);
        let help = "Commits that the store refused; the engine repeats what may be repeated.";
        page.single("loom_commits_failed_total", "counter", help, figures.failed);
    }

    fn figures(&self) -> std::sync::MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
