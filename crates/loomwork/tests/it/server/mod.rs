//! `loom serve`, over real HTTP.

mod harness;
mod runs;
