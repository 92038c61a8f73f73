//! What commands work with.

use super::{Command, GraphArgs};

/// What a command works with. Where that is not runs: its name, and what to do instead.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// Runs, of a store or of a server.
    Runs,
    /// A store on this machine.
    Store(&'static str, &'static str),
    /// Settings, those for a server among them.
    Settings,
    /// No runs.
    Nothing(&'static str, &'static str),
}

impl Command {
    /// What it works with.
    pub(crate) const fn scope(&self) -> Scope {
        match self {
            Self::Run(_)
            | Self::Resume(_)
            | Self::Retry(_)
            | Self::Resolve(_)
            | Self::Skip(_)
            | Self::Cancel(_)
            | Self::List(_)
            | Self::Show(_)
            | Self::Logs(_)
            | Self::Why(_)
            | Self::Graph(GraphArgs { run: Some(_), .. }) => Scope::Runs,
            Self::Prune(_) => {
                Scope::Store("prune", "the server's retention rules delete runs: /api/v1/retention")
            }
            Self::Token(_) => {
                Scope::Store("token", "call it where the server's store is, or POST /api/v1/tokens")
            }
            Self::Config(_) => Scope::Settings,
            Self::Serve(_) => Scope::Nothing("`loom serve`", "it is a server"),
            Self::Validate(_) => Scope::Nothing(
                "`loom validate`",
                "`loom run FILE --server URL` has the server check it",
            ),
            Self::Graph(_)
            | Self::Schema
            | Self::Events(_)
            | Self::Import(_)
            | Self::Init(_)
            | Self::Plugin(_)
            | Self::Explain(_)
            | Self::Completions(_)
            | Self::Man(_) => Scope::Nothing("the command", "it works with files alone"),
        }
    }
}
