//! Checks of the code's own rules.
fn main() {}
