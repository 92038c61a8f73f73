//! Workflow files: `cargo +nightly fuzz run workflow`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| loom_spec::fuzz_workflow(data));
