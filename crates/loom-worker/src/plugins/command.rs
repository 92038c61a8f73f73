//! How a plugin's process is started.

use crate::environment::Inherited;
use crate::leftovers;
use crate::sys::{self, Signal};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::job::{Ended, failure};
use loom_protocol::ErrorCode;

/// The variable that tells a plugin's process the folder of its files.
pub(crate) const PLUGIN_DIR: &str = "LOOM_PLUGIN_DIR";

/// Ends its process group when the other end of its standard input is closed.
const GUARD: &str = "trap '' TERM; read -r _; kill -KILL 0";

/// A process that does not outlive `loom`. A guard in its group holds a pipe to us, and ends the group
/// when the pipe breaks. Its environment cannot name the run that it works for, since that changes; it
/// names us, so that whoever takes up our runs after a crash can wait until the guard has done its
/// work, or do it.
pub(super) struct Guarded {
    pub(super) child: Child,
    pub(super) guard: Child,
}

/// What starts a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PluginCommand {
    /// An absolute path, or a name to look up on `PATH`.
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// The folder of the plugin's files, for [`PLUGIN_DIR`].
    pub(crate) folder: PathBuf,
}

impl PluginCommand {
    /// Starts it in the folder `base`, as the leader of a process group, with pipes to talk through.
    pub(super) fn spawn(&self, base: &Path, inherited: &Inherited) -> io::Result<Guarded> {
        let child = Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .envs(inherited.all())
            .env(PLUGIN_DIR, &self.folder)
            .envs(leftovers::keeper().map(|us| (leftovers::KEEPER, us)))
            .current_dir(base)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let group = child.id();
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD])
            .env_clear()
            .process_group(group as i32)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        guard.map(|guard| Guarded { child, guard }).inspect_err(|_| {
            sys::signal_group(group, Signal::Kill);
        })
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
