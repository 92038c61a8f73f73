//! Rules by which ended runs are deleted, and the janitor who goes by them.

mod eraser;
mod janitor;
mod service;

pub use service::Retention;

pub(crate) use eraser::Eraser;
pub(crate) use janitor::tend;
