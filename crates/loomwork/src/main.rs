//! The binary `loom`.
fn main() {}
