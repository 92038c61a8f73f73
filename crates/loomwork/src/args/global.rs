//! What can be asked of every command.

use crate::terminal::When;
use clap::Args;
use std::path::PathBuf;

/// The heading of what is about a server.
const SERVER: &str = "Options for a server";

/// For every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The store: an SQLite file, as a path or sqlite:PATH [default: loom/loom.db in the state folder]
    /// [env: `LOOM_STORE`]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The configuration [default: loom/loom.toml in the configuration folder]
    #[arg(long, global = true, env = "LOOM_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// The server whose runs are meant, instead of those of a store, such as `https://loom.example`
    /// [env: `LOOM_SERVER`]
    #[arg(long, global = true, value_name = "URL", help_heading = SERVER)]
    pub(crate) server: Option<String>,
    /// A file with the token that the server is shown; `LOOM_TOKEN` may hold the token itself
    /// [env: `LOOM_TOKEN_FILE`]
    #[arg(long, global = true, value_name = "FILE", help_heading = SERVER)]
    pub(crate) token_file: Option<String>,
    /// The certificates that the server's is signed by, in PEM, instead of the built-in ones
    /// [env: `LOOM_CA`]
    #[arg(long, global = true, value_name = "FILE", help_heading = SERVER)]
    pub(crate) ca: Option<String>,
    /// Show the token over plain http, too, where everybody on the way can read it
    #[arg(long, global = true, help_heading = SERVER)]
    pub(crate) insecure_token: bool,
    /// Print JSON documents, one a line, on standard output
    #[arg(long, global = true, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to colour; `NO_COLOR` is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

impl Global {
    /// The settings among these that are given: the key of each, and the text.
    pub(crate) fn flags(&self) -> impl Iterator<Item = (&'static str, String)> {
        let insecure = self.insecure_token.then(|| true.to_string());
        [
            ("store", self.store.clone()),
            ("client.server", self.server.clone()),
            ("client.token_file", self.token_file.clone()),
            ("client.ca", self.ca.clone()),
            ("client.insecure_token", insecure),
        ]
        .into_iter()
        .filter_map(|(key, text)| Some((key, text?)))
    }
}
