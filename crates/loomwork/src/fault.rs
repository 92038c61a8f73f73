//! How a command ends without having done what was asked.

use crate::aim::HERE;
use loom_engine::EngineError;
use loom_protocol::{ErrorCode, ExitCode};
use loom_store::StoreError;
use std::fmt::Display;
use std::io;

/// A documented error, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: ErrorCode,
    /// What happened and where.
    pub(crate) message: String,
    /// How to mend it; one line each.
    pub(crate) help: Vec<String>,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Ended {
    /// An error that has yet to be told.
    Fault(Box<Fault>),
    /// All has been told.
    Told(ExitCode),
    /// Nobody reads the output any more.
    Unread,
}

/// What a command comes to.
pub(crate) type Outcome = Result<ExitCode, Ended>;

impl Fault {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: Vec::new() }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// A store's failure, with how to go on with the run that it happened to, if one did.
    pub(crate) fn of_store(error: &StoreError, run: Option<&str>) -> Self {
        let go_on = |first: &str| match run {
            Some(run) => format!("{first}, then: loom resume{HERE} {run}"),
            None => format!("{first}, then try again"),
        };
        let kept = "what was recorded stays";
        match error {
            StoreError::NoRun(run) => {
                Self::new(ErrorCode::NoSuchRun, format!("no such run: {run}"))
                    .help(format!("`loom list{HERE}` shows the runs of the store"))
            }
            StoreError::Conflict(run) => {
                let message = format!("run {run} was taken over by another process");
                Self::new(ErrorCode::StoreConflict, message)
                    .help(format!("loom show{HERE} {run} says where it stands"))
            }
            StoreError::NotEnded(run) => Self::new(ErrorCode::Refused, error.to_string())
                .help(format!("end it first: loom cancel{HERE} {run}")),
            StoreError::Busy(_) => Self::new(ErrorCode::StoreBusy, format!("{error}; {kept}"))
                .help(go_on("end what keeps it locked (fuser -v FILE)")),
            StoreError::Full(what) => {
                Self::new(ErrorCode::StoreFull, format!("the disk is full: {what}; {kept}"))
                    .help(go_on("make room"))
            }
            StoreError::TooLarge(what) => Self::new(ErrorCode::BadArgument, what),
            StoreError::Unavailable(_) => Self::new(ErrorCode::StoreUnavailable, error.to_string())
                .help("check the path and its rights, or name another store with --store"),
            StoreError::Corrupt(_) => Self::new(ErrorCode::StoreCorrupt, error.to_string())
                .help("copy the file and its -wal and -shm away before trying anything"),
            StoreError::Key(_) => Self::new(ErrorCode::StoreKey, error.to_string())
                .help("restore the key file from a backup; a store without its key can be looked at only")
                .help("if it is lost for good, go on in another store: --store"),
            StoreError::Newer { .. } => Self::new(ErrorCode::StoreNewer, error.to_string())
                .help("upgrade loom, or use another store with --store"),
        }
    }

    /// An engine's refusal or failure about this run.
    pub(crate) fn of_engine(error: &EngineError, run: &str) -> Self {
        match error {
            EngineError::Refused(refusal) => crate::refusal::fault(refusal, run),
            EngineError::Alive(owner) => alive(run, Some(owner)),
            EngineError::Exists(_) => Self::new(ErrorCode::RunExists, error.to_string())
                .help(format!("`loom show{HERE} {run}` shows it")),
            EngineError::NotHere(_) | EngineError::Busy | EngineError::Stopped => {
                Self::new(ErrorCode::MachineFailed, error.to_string())
                    .help(format!("loom show{HERE} {run} says where the run stands"))
            }
            EngineError::Leftovers(_) => Self::new(ErrorCode::Leftovers, error.to_string())
                .help(format!("end the processes that it names, then: loom resume{HERE} {run}")),
            EngineError::Store(error) => Self::of_store(error, Some(run)),
        }
    }

    /// A failure of the machine rather than of the store or the call.
    pub(crate) fn machine(what: impl Display, error: impl Display) -> Self {
        Self::new(ErrorCode::MachineFailed, format!("{what}: {error}"))
    }
}

/// A living process has the run.
pub(crate) fn alive(run: &str, owner: Option<&str>) -> Fault {
    let pid = owner.and_then(|owner| owner.split('-').next());
    let who = pid.map_or_else(String::new, |pid| format!(": pid {pid} on this machine"));
    Fault::new(ErrorCode::RunIsAlive, format!("another process has run {run}{who}")).help(format!(
        "watch it with `loom logs{HERE} {run} --follow`, or end it with `loom cancel{HERE} {run}`"
    ))
}

/// A call that cannot be understood, from what the parser of arguments says of it for people: what is
/// wrong up to a blank line, then tips, and how the command is called.
pub(crate) fn misuse(said: &str) -> Fault {
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let (what, rest) = said.split_once("\n\n").unwrap_or((said, ""));
    let what: Vec<&str> = what.split_whitespace().collect();
    let tips = rest.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    let calls = rest.lines().filter_map(|line| line.strip_prefix("Usage: "));
    let mut fault = Fault::new(ErrorCode::BadArgument, what.join(" "));
    fault.help.extend(tips.map(str::to_owned));
    fault.help.extend(calls.map(|call| format!("call it as `{call}`")));
    fault
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Fault::of_store(&error, None).into()
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Unread;
        }
        Fault::machine("cannot write the output", error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_of_arguments_says_is_taken_apart() {
        let said = "error: unexpected argument '--nonsense' found\n\n  tip: a similar argument exists: \
                    '--no'\n\nUsage: loom run --json <FILE>\n\nFor more information, try '--help'.\n";
        let fault = misuse(said);
        assert_eq!(fault.message, "unexpected argument '--nonsense' found");
        let help = ["a similar argument exists: '--no'", "call it as `loom run --json <FILE>`"];
        assert_eq!(fault.help, help);
        let listed = misuse("error: these are missing:\n  <FILE>\n  <TASK>\n");
        assert_eq!((&*listed.message, listed.help.len()), ("these are missing: <FILE> <TASK>", 0));
    }
}
