//! What can be asked on the command line.

mod examples;
mod execute;
mod file;
mod global;
mod look;
pub(crate) mod parse;
mod scope;
mod token;

pub(crate) use execute::{
    CancelArgs, Execution, ResolveArgs, ResumeArgs, RetryArgs, RunArgs, SkipArgs, Variables,
};
pub(crate) use file::{
    FileLimits, GraphArgs, GraphFormat, ImportArgs, ImportFormat, InitArgs, ValidateArgs,
};
pub(crate) use global::Global;
pub(crate) use look::{EventsArgs, ListArgs, LogsArgs, ShowArgs, StateFilter, WhyArgs};
pub(crate) use parse::check_name;
pub(crate) use scope::Scope;
pub(crate) use token::{TokenCommand, TokenCreateArgs};

use crate::settings::Flags;
use clap::{Args, Parser, Subcommand, ValueEnum};
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

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
