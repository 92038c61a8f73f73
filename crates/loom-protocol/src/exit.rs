//! What the process's exit status says.

/// The exit statuses of `loom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// What was asked for was done; a run succeeded.
    Success = 0,
    /// The run failed.
    RunFailed = 1,
    /// The workflow or the call is wrong; nothing ran.
    Usage = 2,
    /// The store or the machine failed.
    Machine = 3,
    /// The run was cancelled or interrupted.
    Cancelled = 130,
}
