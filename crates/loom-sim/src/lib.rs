//! Deterministic simulation of the engine under faults (private).
//!
//! One seed is one world: random workflows run on the real engine and the reference store, with a
//! manual clock and pretended processes, while commits take the engine's life before or after they are
//! recorded, the store is locked at any call, and runs become unreadable for good. Processes outlive an
//! engine, as real ones do, and are not always ended when another asks for it. The ledger watches every
//! start, every end and every commit, and panics as soon as a promise is broken; the message carries the
//! seed, which replays the same world.
//!
//! Every fifth seed is a crowd, too: several engines on one store, which keep limits together while some of
//! them die.
//!
//! `cargo run -p loom-sim -- 10000` tries ten thousand seeds.

mod crowd;
mod executor;
mod ledger;
mod random;
mod store;
mod workflows;
mod world;

pub use world::{Totals, simulate};
