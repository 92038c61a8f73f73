//! `when`: `cargo +nightly fuzz run expression`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| loom_core::expr::fuzz_expression(data));
