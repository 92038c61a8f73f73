//! `loom-sim [SEEDS [FROM]]`: simulates so many worlds (default 1,000), from this seed on.

use std::process::ExitCode;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for developers")]
fn main() -> ExitCode {
    let numbers: Result<Vec<u64>, _> = std::env::args().skip(1).map(|arg| arg.parse()).collect();
    let Ok(numbers) = numbers else {
        eprintln!("usage: loom-sim [SEEDS [FROM]]");
        return ExitCode::from(2);
    };
    let seeds = numbers.first().copied().unwrap_or(1000);
    let from = numbers.get(1).copied().unwrap_or(0);
    let mut totals = loom_sim::Totals::default();
    for seed in from..from + seeds {
        totals += loom_sim::simulate(seed);
    }
    println!("{seeds} worlds from seed {from}: {totals}");
    ExitCode::SUCCESS
}
