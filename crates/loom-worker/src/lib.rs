//! Runs attempts: processes, built-in and custom plugins, HTTP.
//!
//! Knows nothing of runs, graphs or stores: an [`loom_protocol::AttemptRequest`] comes in, reports
//! go out. Our own worker gets no privilege that a worker in another language would lack.
//!
//! Everything blocks, on threads that are reused; there is no async runtime. The only `unsafe` code
//! is in `sys`, for calls to the C library that the standard library does not offer, or not so cheaply.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "loom runs on Linux: it finds what a crash left behind in /proc, and nobody has tried it elsewhere"
);

mod attempt;
mod builtin;
mod contract;
mod environment;
mod group;
mod host;
mod http;
mod job;
mod lanes;
mod leftovers;
mod log;
mod notices;
mod output;
mod params;
mod permissions;
mod plugins;
mod pool;
mod process;
mod redact;
mod scaffold;
mod secrets;
mod shell;
mod stop;
mod sys;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testserver;
mod timers;
mod worker;

pub use builtin::Builtins;
pub use http::read_certificates;
pub use job::{BadParam, Ended, Idle, Job, Plugin, failure, output};
pub use leftovers::end_leftovers;
pub use log::{AttemptLog, Stream};
pub use notices::FolderWatch;
pub use permissions::PERMISSION_TIMEOUT;
pub use plugins::{FoundPlugin, PLUGIN_PATH, PluginForm, PluginPlace, PluginProblem, PluginSet};
pub use scaffold::{PluginLanguage, Scaffold, scaffold};
pub use stop::StopSignal;
pub use sys::{Space, space};
pub use worker::{Immediate, PluginSource, Reporter, Worker, WorkerOptions};

/// What the fuzzer of the output parser calls.
#[doc(hidden)]
pub fn fuzz_outputs(data: &[u8]) {
    output::fuzz(data);
}
