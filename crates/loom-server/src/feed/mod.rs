//! Everything that happens to runs, in the order in which it became durable.
//!
//! The journal is the source: one thread reads what was committed since it last looked, and hands
//! it to all who follow. The engine's commits ring a [`Bell`]; runs of other processes on the same
//! store are found by looking now and then. A position names a row for good, so that a reader who
//! comes back goes on where it stopped, across restarts of either side.

mod bell;
mod cursor;
mod filter;
mod follow;
mod follow_run;
mod heard;
mod hub;

pub use bell::{Bell, Ringer};
pub use cursor::Cursor;
pub(crate) use filter::{Filter, Types};
pub(crate) use follow::bad_cursor;
pub use follow::{Batch, Follower};
pub use follow_run::RunFollower;
pub(crate) use heard::{AllEvents, Heard, RunEvents};
pub(crate) use hub::{Hub, Names, News, Row, grown};
