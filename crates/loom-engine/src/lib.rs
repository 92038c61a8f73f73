//! The shell around the core: it gathers inputs into batches, lets the core decide, commits all
//! that was decided in one transaction, and only then performs the effects.
//!
//! [`Engine::turn`] is one such round and does nothing but call its [`loom_store::RunStore`] and its
//! [`Executor`]; time is an argument. [`Engine::spawn`] turns it on a thread of its own, and a
//! [`Handle`] is how everybody else reaches it. While a commit is on its way to disk the next batch
//! gathers in the channel: that is the whole of group commit.
//!
//! Invariants:
//! - No effect is performed, no answer given and no observer told before the commit that recorded
//!   it has succeeded.
//! - The engine knows no process, no file, no concrete store and no wall clock.
//! - After a commit that failed and that no later one may mend, nothing more is decided: the engine
//!   halts. A run that cannot be read is let go of, and observers are told.

mod active;
mod clock;
mod engine;
mod executor;
mod handle;
mod input;
mod limits;
mod options;
mod pace;
mod park;
mod service;
#[cfg(test)]
mod tests;

pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::Engine;
pub use executor::{Carried, Executor, Started};
pub use handle::{Handle, Inbox, channel};
pub use input::{EngineError, Input, NewSubmission, Observer, Reply};
pub use options::Options;
