//! Custom plugins: how they are found, and how their three forms are run.

mod command;
mod find;
mod manifest;
mod oneshot;
mod persistent;
mod problem;
mod python;
mod request;
mod yaml;

pub use find::{FoundPlugin, PLUGIN_PATH, PluginForm, PluginPlace, PluginSet};
pub use problem::PluginProblem;

#[cfg(test)]
mod tests;
