//! Custom plugins: how they are found, and how their three forms are run.

mod problem;
mod yaml;

pub use problem::PluginProblem;
