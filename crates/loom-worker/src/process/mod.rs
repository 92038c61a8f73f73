//! Runs one process to its end: output, exit, timeout and stop requests are awaited together, on
//! the attempt's own thread.
//!
//! - The process leads a group of its own, and the group ends with its leader: what is left of it
//!   gets a moment to finish, then TERM, then KILL after the grace period.
//! - Children that left the group and hold the pipes are not waited for.

mod launch;
mod outcome;
mod running;

use crate::environment;
use crate::job::{Ended, Job, failed, failure, output, timed_out};
use crate::output::Emitted;
use loom_protocol::{AttemptOutput, ErrorCode};
use outcome::{error_object, exit_failure};
use running::{End, Running};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long what is left of a group may go on after its leader has ended.
const SETTLE: Duration = Duration::from_millis(100);
/// How often something is looked at that cannot be waited for.
const LOOK: Duration = Duration::from_millis(5);

/// A process to start.
pub(crate) struct Launch {
    /// The program: a path, or a name to look up in `PATH`.
    pub(crate) program: OsString,
    /// Its arguments, without its name.
    pub(crate) args: Vec<OsString>,
    /// The folder that it starts in; a relative `program` path starts from it too.
    pub(crate) cwd: PathBuf,
    /// Environment variables beyond those of every attempt.
    pub(crate) env: Vec<(String, String)>,
    /// What it reads on standard input, then the end of file; without it, the end of file at once.
    pub(crate) stdin: Option<Vec<u8>>,
}

/// Runs a process as a job's attempt: its environment, its outputs, its log, its failure.
pub(crate) fn run(job: &mut Job, launch: Launch) -> Result<Vec<AttemptOutput>, Ended> {
    let output_file = job.host.output_file().map_err(|error| {
        failure(
            ErrorCode::TaskSpawn,
            format!("no folder for the file $LOOM_OUTPUT could be made: {error}; check TMPDIR"),
            true,
        )
    })?;
    let mut emitted = Emitted::new(&job.request.outputs);
    let end = start(job, launch, &output_file).and_then(|running| running.finish(&mut emitted));
    let (status, end) = match end {
        Ok(ended) => ended,
        Err(ended) => {
            let _ = std::fs::remove_file(&output_file);
            return Err(ended);
        }
    };
    emitted.stdout_ended();
    let file = read_output_file(&output_file, &mut emitted);
    job.log.finish();
    if end == End::Stopped {
        return Err(Ended::Stopped);
    }
    let mut info = if end == End::TimedOut {
        timed_out(&job.request)
    } else if !status.success() {
        exit_failure(status, &emitted)
    } else if let Err(error) = file {
        let message = format!("the file $LOOM_OUTPUT cannot be read: {error}");
        failed(ErrorCode::BadOutput, message, false)
    } else if let Some(problem) = emitted.problem() {
        failed(ErrorCode::BadOutput, problem, false)
    } else {
        let outputs = emitted.into_outputs();
        return Ok(outputs.into_iter().map(|(name, value)| output(name, value)).collect());
    };
    info.exit_status = status.code();
    info.error = emitted.get("ERROR").and_then(error_object);
    info.tail = job.log.tail();
    Err(Ended::Failed(Box::new(info)))
}

fn read_output_file(path: &Path, emitted: &mut Emitted) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // Never waits, whatever the command put there in a file's place.
    let opened = std::fs::File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
        .open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let read = if file.metadata()?.is_file() {
        emitted.file(file)
    } else {
        Err(io::Error::other("it is not a file any more"))
    };
    let _ = std::fs::remove_file(path);
    read
}

fn start<'a>(job: &'a mut Job, launch: Launch, file: &Path) -> Result<Running<'a>, Ended> {
    let variables = environment::of(&job.request, file)?;
    let started = launch::start(&launch, &job.host.inherited, &variables)?;
    drop(variables);
    Ok(Running::new(job, started, launch.stdin))
}

#[cfg(test)]
mod tests;
