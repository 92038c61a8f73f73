//! Registered workflows: what may be run by name.

mod cache;
mod check;
mod document;
mod lists;
mod needs;
mod prepared;
mod service;
mod view;

pub use document::WorkflowKey;
pub use prepared::Prepared;
pub use service::{Tagged, Workflows};

pub(crate) use lists::{newest_first, version_list, workflow_list};
pub(crate) use needs::needs;
