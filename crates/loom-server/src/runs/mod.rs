//! Starting, finding and steering runs.

mod act;
mod again;
mod batch;
mod cursor;
mod identity;
mod later;
mod log;
mod look;
mod search;
mod service;
mod start;
mod sweep;
mod tasks;
mod view;
mod why;

pub(crate) use later::Starter;
pub use log::Log;
pub use search::Paging;
pub use service::Runs;
pub use start::StartContext;

pub(crate) use look::Look;
pub(crate) use search::state;
pub(crate) use view::link;
pub use view::{detail, run};
