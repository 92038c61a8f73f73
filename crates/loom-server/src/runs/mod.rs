//! Starting, finding and steering runs.

mod act;
mod again;
mod batch;
mod change;
mod cursor;
mod identity;
mod later;
mod log;
mod look;
mod search;
mod service;
mod start;
mod sweep;
mod takers;
mod task_page;
mod tasks;
mod view;
mod why;

pub(crate) use identity::Reserved;
pub(crate) use later::Starter;
pub use log::Log;
pub use search::Paging;
pub use service::Runs;
pub use start::StartContext;
pub(crate) use start::{LABELS_MAX, check, check_names, check_needs};
pub(crate) use sweep::tend;
pub use takers::{Taken, Taker, takers};

pub(crate) use look::Look;
pub(crate) use search::{key_list, state};
pub use task_page::TaskPaging;
pub(crate) use view::{counts, intervention, link, variable};
pub use view::{detail, run, state as wire_state, tasks};
pub use why::{Beyond, run_why, task_why};
