//! Everything that happens to runs, in the order in which it became durable.
//!
//! The journal is the source: one thread reads what was committed since it last looked, and hands
//! it to all who follow. The engine's commits ring a [`Bell`]; runs of other processes on the same
//! store are found by looking now and then. A position names a row for good, so that a reader who
//! comes back goes on where it stopped, across restarts of either side.

mod bell;
mod cursor;
mod damage;
mod filter;
mod follow;
mod follow_run;
mod heard;
mod hub;

pub use bell::{Bell, Ringer};
pub use cursor::Cursor;
pub(crate) use damage::Damage;
pub(crate) use filter::{Filter, Types};
pub use follow::{Batch, Follower};
pub(crate) use follow::{bad_cursor, bad_number};
pub use follow_run::RunFollower;
pub(crate) use heard::{AllEvents, Heard, RunEvents};
pub(crate) use hub::{Hub, Names, News, Row, grown};
