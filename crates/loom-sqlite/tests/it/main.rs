//! The driver against the conformance suite, the reference model, faults and other processes.

#![expect(clippy::unwrap_used, reason = "this is test code: a failed call fails the test")]

mod conformance;
