//! What the commands that messages recommend have to say, so that they are about the same runs.

use crate::progress::quoted;
use crate::settings::{Origin, Settings};
use std::fmt;
use std::sync::OnceLock;

/// Stands behind the verb of every command that a message recommends for a run: writes the options
/// that named the store or the server of this command. What the environment or the configuration
/// named holds for the next command too, and is not said.
pub(crate) static HERE: Aim = Aim(OnceLock::new());

/// Options, each with a space before it.
pub(crate) struct Aim(OnceLock<String>);

impl Aim {
    /// Takes what was given as options. Once in a process.
    pub(crate) fn take(&self, settings: &Settings) {
        let keys = ["store", "client.server", "client.token_file"];
        let given = keys.into_iter().filter_map(|key| settings.named(key));
        let options = given.filter_map(|(value, origin)| match origin {
            Origin::Flag(flag) => Some(format!(" --{flag} {}", quoted(&value))),
            _ => None,
        });
        self.0.get_or_init(|| options.collect());
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get().map_or("", String::as_str))
    }
}
