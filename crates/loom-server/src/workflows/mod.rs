//! Registered workflows: what may be run by name.

mod cache;
mod document;
mod needs;
mod prepared;
mod service;

pub use document::WorkflowKey;
pub use prepared::Prepared;
pub use service::{Tagged, Workflows};

pub(crate) use needs::needs;
