//! Questions of analytics over a million recorded attempts, as many as a server keeps.
//!
//! `cargo bench -p loom-server`. The target: each answered in 100 ms. Look at the fastest round:
//! whatever else the machine does only adds to one.

use divan::Bencher;
use loom_protocol::api::{Bottlenecks, Performance};
use loom_server::insight::Sample;

const ATTEMPTS: [u64; 2] = [10_000, 1_000_000];

fn main() {
    divan::main();
}

#[divan::bench(args = ATTEMPTS, sample_count = 20)]
fn performance(bencher: Bencher<'_, '_>, attempts: u64) {
    let sample = Sample::new(attempts);
    bencher.bench_local(|| -> Performance { sample.performance() });
}

#[divan::bench(args = ATTEMPTS, sample_count = 20)]
fn bottlenecks(bencher: Bencher<'_, '_>, attempts: u64) {
    let sample = Sample::new(attempts);
    bencher.bench_local(|| -> Bottlenecks { sample.bottlenecks() });
}
