//! Black-box tests of the binary `loom`: real processes, stores and signals.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::print_stdout, reason = "a test says its seed and why it checks nothing")]

mod ask;
mod authority;
mod diagnostics;
mod durability;
mod events;
mod files;
mod harness;
mod hostile;
mod inspect;
mod plugins;
mod run;
mod secrets;
mod seeds;
mod server;
mod signals;
mod slots;
mod task_by_hand;
mod watch;
mod why;
