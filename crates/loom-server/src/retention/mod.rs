//! Rules by which ended runs are deleted, and the janitor who goes by them.

mod janitor;
mod service;

pub use service::Retention;

pub(crate) use janitor::tend;
