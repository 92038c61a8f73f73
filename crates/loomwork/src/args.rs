//! What can be asked on the command line.

use crate::terminal::When;
use clap::{Args, Parser, Subcommand};
use loom_core::Value;
use std::path::PathBuf;

/// Durable workflows of tasks that fire when their variables are set.
#[derive(Debug, Parser)]
#[command(name = "loom", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// For every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The store: an SQLite file, as a path or sqlite:PATH [default: loom/loom.db in the state folder]
    #[arg(long, global = true, env = "LOOM_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// Print JSON documents, one a line, on standard output
    #[arg(long, global = true, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to colour; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// Change a limit of workflow files: bytes, tasks, nodes or depth; may be given often
    #[arg(long = "limit", global = true, value_name = "NAME=NUMBER")]
    pub(crate) limits: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a workflow, record a run of it and execute it to the end
    Run(RunArgs),
    /// Go on with a run that was interrupted
    Resume(ResumeArgs),
    /// Try the failed tasks of a run again, or one of them
    Retry(RetryArgs),
    /// Settle a failed or waiting task by hand: it counts as succeeded
    Resolve(ResolveArgs),
    /// End a run, wherever it runs
    Cancel(CancelArgs),
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
    /// The failed task; all of them without it
    pub(crate) task: Option<String>,
    #[command(flatten)]
    pub(crate) execution: Execution,
}

#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// The failed or waiting task
    pub(crate) task: String,
    /// Set a variable in the task's name: NAME=TEXT or NAME:=JSON; may be given often
    #[arg(long = "output", value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub(crate) outputs: Vec<(String, Value)>,
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
    /// Why; recorded with who
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The workflow file; `-` is standard input. Relative paths in it start from its folder
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// The most tasks at once, unless the workflow sets MAX_WORKERS [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) workers: Option<u32>,
    #[command(flatten)]
    pub(crate) execution: Execution,
}

/// Variables that the caller gives.
#[derive(Debug, Args)]
pub(crate) struct Variables {
    /// Set a variable: NAME=TEXT, or NAME:=JSON for a number, list or object; may be given often
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub(crate) given: Vec<(String, Value)>,
    /// Set the variables of a JSON object in a file; `--var` goes before
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Option<PathBuf>,
}

/// How a run is executed.
#[derive(Debug, Args)]
pub(crate) struct Execution {
    /// The most tasks of a queue at once; may be given often
    #[arg(long = "queue", value_name = "NAME=N", value_parser = parse_queue)]
    pub(crate) queues: Vec<(String, u32)>,
    /// The service that says what AUTH_TOKEN permits
    #[arg(long, env = "LOOM_PERMISSIONS_URL", value_name = "URL")]
    pub(crate) permissions_url: Option<String>,
}

fn parse_variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no value; write {text}=VALUE"))?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value = serde_json::from_str(value)
                .map_err(|error| format!("what follows `{name}:=` is not JSON: {error}"))?;
            (name, value)
        }
        None => (name, Value::from(value)),
    };
    check_name(name)?;
    Ok((name.to_owned(), value))
}

/// Whether this may be a variable's name.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if starts && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(());
    }
    Err(format!("`{name}` is not a variable's name: letters, digits and _, no digit first"))
}

fn parse_queue(text: &str) -> Result<(String, u32), String> {
    let wrong = || format!("`{text}` is not NAME=N with N at least 1");
    let (name, most) = text.split_once('=').ok_or_else(wrong)?;
    let most = most.parse().ok().filter(|&most| most > 0).ok_or_else(wrong)?;
    Ok((name.to_owned(), most))
}
