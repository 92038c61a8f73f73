//! What can be asked on the command line.

mod examples;
mod global;
pub(crate) mod parse;
mod scope;
mod token;

pub(crate) use global::Global;
pub(crate) use parse::check_name;
pub(crate) use scope::Scope;
pub(crate) use token::{TokenCommand, TokenCreateArgs};

use crate::settings::Flags;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use loom_core::{RunState, Value};
use loom_server::Target;
use std::path::PathBuf;
use std::time::Duration;

/// Durable workflows of tasks that fire when their variables are set.
#[derive(Debug, Parser)]
#[command(name = "loom", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What a workflow file may be.
#[derive(Debug, Args)]
pub(crate) struct FileLimits {
    /// Change a limit of workflow files: bytes, tasks, nodes or depth; may be given often
    #[arg(long = "limit", value_name = "NAME=NUMBER")]
    pub(crate) limits: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a workflow, record a run of it and execute it to the end
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Serve workflows over HTTP
    #[command(after_help = examples::SERVE)]
    Serve(Flags),
    /// Print the settings in force, and where each comes from
    #[command(after_help = examples::CONFIG)]
    Config(Flags),
    /// Tokens that a server lets in
    #[command(subcommand, after_help = examples::TOKEN)]
    Token(TokenCommand),
    /// Go on with a run that was interrupted
    #[command(after_help = examples::RESUME)]
    Resume(ResumeArgs),
    /// Try the failed tasks of a run again, or one of them
    #[command(after_help = examples::RETRY)]
    Retry(RetryArgs),
    /// Settle a failed, cancelled or waiting task by hand: it counts as succeeded
    #[command(after_help = examples::RESOLVE)]
    Resolve(ResolveArgs),
    /// Skip a task that has not started: what needs it is skipped too
    #[command(after_help = examples::SKIP)]
    Skip(SkipArgs),
    /// End a run, or one task of it, wherever it runs
    #[command(after_help = examples::CANCEL)]
    Cancel(CancelArgs),
    /// The runs of the store, youngest first
    #[command(after_help = examples::LIST)]
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// One run: where it stands, its variables, a timeline
    #[command(after_help = examples::SHOW)]
    Show(ShowArgs),
    /// What the attempts of a run wrote
    #[command(after_help = examples::LOGS)]
    Logs(LogsArgs),
    /// Why a run, or a task, stands where it does, from recorded facts
    #[command(after_help = examples::WHY)]
    Why(WhyArgs),
    /// Every type of event, with its schema and an example
    #[command(after_help = examples::EVENTS)]
    Events(EventsArgs),
    /// Check workflow files without running them
    #[command(after_help = examples::VALIDATE)]
    Validate(ValidateArgs),
    /// Draw a workflow
    #[command(after_help = examples::GRAPH)]
    Graph(GraphArgs),
    /// Print the JSON Schema of workflow files, for editors
    #[command(after_help = examples::SCHEMA)]
    Schema,
    /// Turn another system's workflow into a workflow file
    #[command(after_help = examples::IMPORT)]
    Import(ImportArgs),
    /// Write a first workflow that runs
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Delete old runs with their journals and logs
    #[command(after_help = examples::PRUNE)]
    Prune(PruneArgs),
    /// The page of an error's code
    #[command(after_help = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Print what a shell needs to complete command lines
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Write the manual pages
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

impl Command {
    /// What it is told to set; `None` if no setting matters to it.
    pub(crate) fn flags(&self) -> Option<Flags> {
        match self {
            Self::Serve(flags) | Self::Config(flags) => Some(flags.clone()),
            Self::Run(RunArgs { execution, .. })
            | Self::Resume(ResumeArgs { execution, .. })
            | Self::Retry(RetryArgs { execution, .. })
            | Self::Resolve(ResolveArgs { execution, .. })
            | Self::Skip(SkipArgs { execution, .. }) => {
                let url = execution.permissions_url.clone();
                Some(Flags::of("permissions_url", url))
            }
            Self::Cancel(_)
            | Self::List(_)
            | Self::Show(_)
            | Self::Logs(_)
            | Self::Why(_)
            | Self::Graph(GraphArgs { run: Some(_), .. })
            | Self::Prune(_)
            | Self::Token(_) => Some(Flags::default()),
            Self::Validate(_)
            | Self::Graph(_)
            | Self::Schema
            | Self::Events(_)
            | Self::Import(_)
            | Self::Init(_)
            | Self::Plugin(_)
            | Self::Explain(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }

    /// How it executes a run, if it does.
    pub(crate) const fn execution(&mut self) -> Option<&mut Execution> {
        match self {
            Self::Run(RunArgs { execution, .. })
            | Self::Resume(ResumeArgs { execution, .. })
            | Self::Retry(RetryArgs { execution, .. })
            | Self::Resolve(ResolveArgs { execution, .. })
            | Self::Skip(SkipArgs { execution, .. }) => Some(execution),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only runs in this state; interrupted ones have not ended and nobody is at work on them
    #[arg(long)]
    pub(crate) state: Option<StateFilter>,
    /// Only runs of this workflow
    #[arg(long, value_name = "NAME")]
    pub(crate) workflow: Option<String>,
    /// At most so many
    #[arg(
        long = "limit",
        value_name = "N",
        default_value_t = 20,
        value_parser = parse::count,
        allow_negative_numbers = true
    )]
    pub(crate) most: usize,
}

/// A state to list runs by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateFilter {
    /// As recorded.
    Of(RunState),
    /// Not ended, and nobody at work.
    Interrupted,
}

impl StateFilter {
    const ALL: [Self; RunState::ALL.len() + 1] = {
        let mut all = [Self::Interrupted; RunState::ALL.len() + 1];
        let mut at = 0;
        while at < RunState::ALL.len() {
            all[at] = Self::Of(RunState::ALL[at]);
            at += 1;
        }
        all
    };
}

impl ValueEnum for StateFilter {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Of(state) => state.name(),
            Self::Interrupted => "interrupted",
        }))
    }
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// Every task, however many there are
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// The task; `TASK[3]` is one item of a `for_each` task
    pub(crate) task: Option<String>,
    /// Only this attempt, from 1
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        allow_negative_numbers = true
    )]
    pub(crate) attempt: Option<u32>,
    /// Go on as more is written, until the run has ended
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The run: its identity, its beginning or end (4 characters or more), or `last`
    pub(crate) run: String,
    /// The task, or `TASK[3]`, one item of a `for_each` task; the whole run without it
    pub(crate) task: Option<String>,
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

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Every plugin, and where it was found
    List(PluginListArgs),
    /// Write a plugin that works, with a test that passes
    New(PluginNewArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PluginListArgs {
    /// The folder of the workflow, beside which plugins/ is looked for
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PluginNewArgs {
    /// The plugin's name
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, default_value = "shell")]
    pub(crate) lang: Language,
    /// The folder for plugins; made if it is not there
    #[arg(long, value_name = "FOLDER", default_value = "plugins")]
    pub(crate) folder: PathBuf,
}

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// A shell script with a manifest
    Shell,
    /// A Python class
    Python,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Runs that ended longer ago than this: 30d, 12h, 90m
    #[arg(long, value_name = "AGE", value_parser = parse::age)]
    pub(crate) older_than: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code, such as L205
    pub(crate) code: String,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Where to write a page for each command; without it the first page is printed
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
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
pub(crate) struct EventsArgs {
    /// Only these types
    #[arg(
        value_name = "TYPE",
        value_parser = PossibleValuesParser::new(loom_protocol::RunEventKind::TYPES)
    )]
    pub(crate) types: Vec<String>,
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

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
