//! Reporting our own runs to another system, in dotflow's protocol.
//!
//! A thread of its own reads the journal behind the runs and posts what it finds, in the journal's
//! order, one call after the other. The journal is the spool: the place up to which all is delivered
//! is a document, so that what could not be delivered is delivered later, by this process or the
//! next. No run waits for any of it.
//!
//! Of the processes that share a store one reports at a time, by a lease.

mod call;
mod place;
mod post;
mod work;

pub use place::Target;
pub use work::Reporter;
