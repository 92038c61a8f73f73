//! The worker as its users see it: requests in, reports out, real processes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod lanes;
mod leftovers;
mod processes;
mod support;
