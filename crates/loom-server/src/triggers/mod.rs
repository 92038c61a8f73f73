//! Requests from elsewhere that start runs.
//!
//! `proof` says whether a request may, `take` what it gives to the run: both are pure. A delivery
//! that comes again is the same request to start a run, known by its key.

mod document;
mod proof;
mod service;
mod take;

pub use service::Triggers;
