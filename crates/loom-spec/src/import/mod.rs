//! Workflows of other systems, as workflow files.

mod names;
mod trace;
mod wfformat;

pub use wfformat::wfformat;
