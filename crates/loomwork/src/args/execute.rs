//! What executes a run, and what is asked of one.

use super::{FileLimits, parse};
use clap::Args;
use loom_core::Value;
use loom_server::Target;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The workflow file; `-` is standard input. Relative paths in it start from its folder
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) limits: FileLimits,
    /// The most tasks at once, unless the workflow sets `MAX_WORKERS` [default: the number of cores]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        allow_negative_numbers = true
    )]
    pub(crate) workers: Option<u32>,
    #[command(flatten)]
    pub(crate) execution: Execution,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) execution: Execution,
}

#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// The failed or cancelled task; all of them without it
    pub(crate) task: Option<String>,
    #[command(flatten)]
    pub(crate) execution: Execution,
}

#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// The failed, cancelled or waiting task
    pub(crate) task: String,
    /// Set a variable in the task's name: NAME=TEXT or NAME:=JSON; may be given often
    #[arg(long = "output", value_name = "NAME=VALUE", value_parser = parse::variable)]
    pub(crate) outputs: Vec<(String, Value)>,
    /// Leave required outputs unset: whatever waits for them is skipped
    #[arg(long)]
    pub(crate) without_outputs: bool,
    /// Why; recorded with who
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) execution: Execution,
}

#[derive(Debug, Args)]
pub(crate) struct SkipArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// The task, waiting or ready
    pub(crate) task: String,
    /// Why; recorded with who
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) execution: Execution,
}

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// The task to end while the run goes on; the whole run without it
    pub(crate) task: Option<String>,
    /// Why; recorded with who
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

/// Variables that the caller gives.
#[derive(Debug, Args)]
pub(crate) struct Variables {
    /// Set a variable: NAME=TEXT, or NAME:=JSON for a number, list or object; may be given often
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse::variable)]
    pub(crate) given: Vec<(String, Value)>,
    /// Set the variables of a JSON object in a file; `--var` goes before
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Option<PathBuf>,
}

/// How a run is executed.
#[derive(Debug, Args)]
pub(crate) struct Execution {
    /// The most tasks of a queue at once; may be given often
    #[arg(long = "queue", value_name = "NAME=N", value_parser = parse::queue)]
    pub(crate) queues: Vec<(String, u32)>,
    /// The service that says what `AUTH_TOKEN` permits [env: `LOOM_PERMISSIONS_URL`]
    #[arg(long, value_name = "URL")]
    pub(crate) permissions_url: Option<String>,
    /// Where the run is reported to: a setting without a flag here
    #[arg(skip)]
    pub(crate) report: Option<Target>,
}
