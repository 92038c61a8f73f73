//! What from outside starts runs: requests from elsewhere, and files.
//!
//! Of requests `proof` says whether one may, and `take` what it gives to the run: both are pure. A
//! delivery that comes again is the same request to start a run, known by its key.

mod check;
mod document;
mod files;
mod proof;
mod receive;
mod service;
mod take;

pub use service::Triggers;

pub(crate) use files::Lookout;
pub(crate) use service::TriggerParts;
