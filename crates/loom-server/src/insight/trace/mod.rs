//! Traces over OTLP: a run is a trace, a task a span, an attempt a child of its task's.
//!
//! Spans are made of recorded events and their times, once each has ended; their identities follow
//! from the run's, so that the process of an attempt knew its own before. Nothing here slows a run.

mod collector;
mod export;
mod otlp;
mod span;

pub use collector::Otlp;
pub(super) use export::{Exporter, Sent};
