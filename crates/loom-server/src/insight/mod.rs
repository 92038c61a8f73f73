//! What the server knows about itself and about how runs go: health, metrics, analytics, traces.
//!
//! A `Projector` follows the feed once for all of them, from the journal's beginning.
//! It folds each run's events with the core's own [`History`](loom_core::History), so that times and
//! causes are what `loom show` tells. What it has read before the server started goes into the
//! `Table` alone: counters begin at zero, and spans are sent once.

mod analysis;
mod disk;
mod expose;
mod fact;
mod health;
mod http;
mod meter;
mod metrics;
mod open;
mod pattern;
mod process;
mod projector;
mod run;
mod service;
mod table;
mod trace;

pub use disk::Space;
pub(crate) use expose::CONTENT_TYPE as METRICS_TYPE;
pub use meter::CommitMeter;
pub(crate) use open::OpenRuns;
pub use service::Insight;
pub(crate) use service::InsightParts;
pub use trace::Otlp;
