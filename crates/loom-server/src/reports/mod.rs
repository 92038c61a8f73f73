//! Runs that other systems execute, and report in dotflow's protocol.
//!
//! A workflow of theirs is a run here, with the same journal as all others: what is reported becomes
//! events by the rules of `loom-core`. Which run shows which workflow is kept in a document, so that
//! reports find it after a restart, and a workflow that starts anew after its end is a new run.

mod document;
mod fields;
mod house;
mod number;
mod service;
mod shape;

pub use service::{Reports, Taken};
