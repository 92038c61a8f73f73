//! What is done with workflow files.

use super::Variables;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What a workflow file may be.
#[derive(Debug, Args)]
pub(crate) struct FileLimits {
    /// Change a limit of workflow files: bytes, tasks, nodes or depth; may be given often
    #[arg(long = "limit", value_name = "NAME=NUMBER")]
    pub(crate) limits: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// The workflow files; `-` is standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) limits: FileLimits,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The workflow file; `-` is standard input
    #[arg(required_unless_present = "run", conflicts_with = "run")]
    pub(crate) file: Option<PathBuf>,
    /// Draw a run, with where each task stands: its identity, the beginning or end of it, or `last`
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// How to draw it [default: mermaid]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<GraphFormat>,
    #[command(flatten)]
    pub(crate) limits: FileLimits,
}

/// How a workflow is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A Mermaid flowchart
    Mermaid,
    /// For Graphviz
    Dot,
    /// A text picture that marks splits and joins
    Text,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The format of the file
    pub(crate) format: ImportFormat,
    /// The file
    pub(crate) file: PathBuf,
    /// Sleep for each task's recorded runtime times this
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) scale: f64,
    /// Write to this file, which must not exist, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: FileLimits,
}

/// What can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// A trace in the format of `WfCommons`, version 1.3 to 1.5
    Wfformat,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where to write workflow.yaml; made if it is not there
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
}
