//! What is looked at: runs, their logs, events.

use super::parse;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};
use loom_core::RunState;

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
pub(crate) struct EventsArgs {
    /// Only these types
    #[arg(
        value_name = "TYPE",
        value_parser = PossibleValuesParser::new(loom_protocol::RunEventKind::TYPES)
    )]
    pub(crate) types: Vec<String>,
}
