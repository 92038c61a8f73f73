//! The server as its clients meet it: the real binary on a new durable store, over loopback. One line
//! a figure.
//!
//! `cargo bench -p loomwork --bench server` measures everything; words after `--` choose: `starts`,
//! `gets`, `events`, `idle`, `chains`, `restate`, `memory`. `restate` needs `node` and `npm`, and takes
//! Restate's server from the npm registry; it is left out unless it is named.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "what fails here has no figure")]
#![expect(clippy::disallowed_methods, reason = "the pace of a load is not synchronisation")]

mod chains;
mod client;
mod daemon;
mod events;
mod figures;
mod requests;
mod restate;

fn main() {
    let all: [(&str, fn()); 7] = [
        ("starts", requests::starts),
        ("gets", requests::gets),
        ("events", events::latency),
        ("idle", events::idle),
        ("chains", chains::loom),
        ("restate", restate::chains),
        ("memory", chains::memory),
    ];
    // Cargo says `--bench` to all benchmarks.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let wanted = |name: &str| {
        if words.is_empty() { name != "restate" } else { words.iter().any(|word| word == name) }
    };
    for word in &words {
        assert!(all.iter().any(|(name, _)| name == word), "there is no benchmark `{word}`");
    }
    for (name, measure) in all {
        if wanted(name) {
            measure();
        }
    }
}
