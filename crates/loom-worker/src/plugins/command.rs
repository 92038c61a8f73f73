//! How a plugin's process is started.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::job::{Ended, failure};
use loom_protocol::ErrorCode;

/// The variable that tells a plugin's process the folder of its files.
pub(crate) const PLUGIN_DIR: &str = "LOOM_PLUGIN_DIR";

/// What starts a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginCommand {
    /// An absolute path, or a name to look up on `PATH`.
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// The folder of the plugin's files, for [`PLUGIN_DIR`].
    pub(crate) folder: PathBuf,
}

impl PluginCommand {
    /// Starts it in the folder `base`, as the leader of a process group, with pipes to talk through.
    pub(crate) fn spawn(&self, base: &Path) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            .env(PLUGIN_DIR, &self.folder)
            .current_dir(base)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }

    /// The failure of an attempt whose process could not be started.
    pub(crate) fn failed(&self, name: &str, base: &Path, error: &io::Error) -> Ended {
        let program = self.program.display();
        let (why, retryable) = match error.kind() {
            io::ErrorKind::NotFound if !base.is_dir() => {
                (format!("the folder {} does not exist", base.display()), false)
            }
            io::ErrorKind::NotFound => {
                (format!("{program} is not found; install it, or correct the plugin"), false)
            }
            io::ErrorKind::PermissionDenied => {
                (format!("{program} cannot be executed ({error}); run chmod +x {program}"), false)
            }
            _ => (format!("{program}: {error}"), true),
        };
        let message = format!("plugin `{name}` could not be started: {why}");
        failure(ErrorCode::TaskSpawn, message, retryable)
    }
}

/// Whether this is a file that somebody may execute.
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
