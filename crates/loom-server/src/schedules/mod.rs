//! Runs that start by themselves.
//!
//! A `rule` says when a schedule ticks, and `decide` what becomes of each tick: both are pure.
//! `clockwork` looks at each schedule when it is due, writes what was decided, and only then starts
//! and cancels runs, so that a tick has one run, across restarts and across servers on one store.

mod check;
mod clockwork;
mod decide;
mod document;
mod rule;
mod service;
mod state;
mod step;

pub(crate) use clockwork::Clockwork;
pub use service::Schedules;
