//! Starting, finding and steering runs.

mod act;
mod identity;
mod look;
mod service;
mod start;
mod view;

pub use service::Runs;
pub use start::StartContext;
