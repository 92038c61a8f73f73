//! Limits: how many runs of a workflow, or of a key, there may be at once, how many may begin in a
//! time, and how many tasks of a queue may be under way.
//!
//! A `rule` says which runs a limit counts, a `ledger` what is taken of it under one key, and
//! `decide` who may begin: all three are pure. What is taken is a document of the store, which is
//! replaced only where it is still what the decision was made from; so a run that begins has been
//! counted, whatever crashes, and servers on one store do not count past each other. The `gate`
//! follows the journal: a run that ends gives back what it took. Runs that wait are created and held;
//! who they are is known to the store, and in which order is kept in the `book`.
//!
//! Where no limit is in force nothing is read, and nobody is asked.

mod book;
mod decide;
mod document;
mod gate;
mod ledger;
mod line;
mod picture;
mod rule;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use gate::Gatekeeper;
pub use picture::waits;
pub(crate) use picture::{holders, time_to_come};
pub use service::Limits;
