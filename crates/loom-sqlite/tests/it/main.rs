//! The driver against the conformance suite, the reference model, faults and other processes.
#![expect(clippy::unwrap_used, reason = "this is test code: a failed call fails the test")]
#![expect(clippy::print_stdout, reason = "skipped tests say why")]

mod conformance;
mod differential;
mod faults;
mod keys;
mod power;
mod processes;
mod random;
mod readers;
mod recorder;
mod search;

use loom_sqlite::{Options, SqliteStore};
use std::path::Path;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).unwrap()
}
