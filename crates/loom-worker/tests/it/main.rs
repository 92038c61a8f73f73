//! The worker as its users see it: requests in, reports out, real processes.

mod lanes;
mod leftovers;
mod processes;
mod support;
