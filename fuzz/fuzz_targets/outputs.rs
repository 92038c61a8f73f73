//! What tasks emit: `cargo +nightly fuzz run outputs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| loom_worker::fuzz_outputs(data));
