//! Custom plugins: how they are found, and how their three forms are run.

mod command;
mod find;
mod found;
mod manifest;
mod oneshot;
mod persistent;
mod problem;
mod python;
mod request;
mod yaml;

pub use find::{PLUGIN_PATH, PluginSet};
pub use found::{FoundPlugin, PluginForm, PluginPlace};
pub use problem::PluginProblem;

#[cfg(test)]
mod tests;
