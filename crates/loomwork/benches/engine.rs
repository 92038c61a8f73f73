//! How much the engine gets through, on a real store: `cargo bench -p loomwork --bench engine`.

mod support;

use divan::Bencher;
use divan::counter::ItemsCount;
use loom_core::RunId;
use loom_engine::NewSubmission;
use support::{Bench, chain, independent};

fn main() {
    divan::main();
}

/// Items are runs of three tasks in a chain, 1,000 of them in flight.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn chains_in_flight(bencher: Bencher<'_, '_>) {
    let plan = chain(3);
    let runs = 20_000;
    bencher.counter(ItemsCount::new(runs as usize)).with_inputs(Bench::new).bench_local_values(
        |mut bench| {
            let template = bench.submission(&plan);
            for nth in 0..runs {
                bench.send(NewSubmission { id: RunId::new(1, nth), ..template.clone() });
                if nth >= 1_000 {
                    bench.wait(1);
                }
            }
            bench.wait(1_000);
            bench
        },
    );
}

/// Items are runs, of 64 threads that each wait until theirs is durable before they submit the next.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn many_submitters(bencher: Bencher<'_, '_>) {
    let plan = chain(3);
    let (threads, each) = (64_u32, 400_u32);
    bencher.counter(ItemsCount::new(threads * each)).with_inputs(Bench::new).bench_local_values(
        |mut bench| {
            let template = bench.submission(&plan);
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    let (handle, template) = (&bench.handle, &template);
                    scope.spawn(move || {
                        for nth in 0..each {
                            let id = RunId::new(1, u128::from(thread * each + nth));
                            let accepted = handle.submit(NewSubmission { id, ..template.clone() });
                            accepted.expect("the engine lives");
                        }
                    });
                }
            });
            bench
        },
    );
}

/// Items are tasks. What one costs must not grow with the run.
#[divan::bench(args = [1_000, 100_000], sample_count = 20, sample_size = 1, max_time = 10)]
fn one_run(bencher: Bencher<'_, '_>, tasks: usize) {
    let plan = independent(tasks);
    let mut bench = Bench::new();
    bencher.counter(ItemsCount::new(tasks)).bench_local(|| {
        let submission = bench.submission(&plan);
        bench.send(submission);
        bench.wait(1);
    });
    bench.stop();
}

/// Items are tasks, of 10,000 runs of ten.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn many_runs(bencher: Bencher<'_, '_>) {
    let plan = independent(10);
    bencher.counter(ItemsCount::new(100_000_usize)).with_inputs(Bench::new).bench_local_values(
        |mut bench| {
            let template = bench.submission(&plan);
            for nth in 0..10_000 {
                bench.send(NewSubmission { id: RunId::new(1, nth), ..template.clone() });
            }
            bench.wait(10_000);
            bench
        },
    );
}
