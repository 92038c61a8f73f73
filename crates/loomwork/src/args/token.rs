//! `loom token`: what callers of a server show.

use super::parse;
use clap::{Args, Subcommand};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; it is shown this once
    Create(TokenCreateArgs),
    /// The tokens of the store, oldest first
    List,
    /// End a token for good
    Revoke(TokenRevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    /// Who or what will use it
    pub(crate) name: String,
    /// What it may do: viewer, operator, author, admin, or a role of one's own; may be given often
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<String>,
    /// Where it may do so, instead of everywhere; may be given often
    #[arg(long = "namespace", value_name = "NAME")]
    pub(crate) namespaces: Vec<String>,
    /// When it ends: 30d, 12h, 90m [default: never]
    #[arg(long, value_name = "AGE", value_parser = parse::age)]
    pub(crate) expires: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct TokenRevokeArgs {
    /// The token's identity, as `loom token list` shows it
    pub(crate) id: String,
}
