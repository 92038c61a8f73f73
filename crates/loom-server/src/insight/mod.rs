//! What the server knows about itself and about how runs go: health, metrics, analytics, traces.
//!
//! A `Projector` follows the feed for metrics and analytics, from the journal's beginning; an
//! `Exporter` follows it for traces, from where it stopped. Both fold each run's events with the
//! core's own [`History`](loom_core::History), so that times and causes are what `loom show` tells.
//! What was recorded before the server started goes into the `Table` alone: counters begin at zero.
//! Runs that are deleted go out of it too.

mod bottlenecks;
mod disk;
mod expose;
mod fact;
mod gone;
mod health;
mod http;
mod meter;
mod metrics;
mod open;
mod pattern;
mod performance;
mod process;
mod projector;
mod question;
mod run;
mod sample;
mod service;
mod table;
mod tail;
mod trace;

pub use disk::Space;
pub(crate) use expose::{CONTENT_TYPE as METRICS_TYPE, Page};
pub(crate) use gone::Forgetter;
pub use meter::CommitMeter;
pub(crate) use open::OpenRuns;
pub use sample::Sample;
pub(crate) use service::InsightParts;
pub use service::{Insight, Scope};
pub use trace::Otlp;
