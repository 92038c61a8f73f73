//! What an ended process says of itself, as a failure for people.

use crate::job::failed;
use crate::output::Emitted;
use loom_protocol::{ErrorCode, FailureInfo, json};
use serde_json::Value;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// The exit status by which a command asks to be tried again later (`EX_TEMPFAIL`).
const EXIT_LATER: i32 = 75;
/// The output by which it says when, in seconds.
const RETRY_AFTER: &str = "LOOM_RETRY_AFTER";

/// The object that was emitted as `ERROR`, by a line of standard output or typed in the file.
pub(super) fn error_object(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) => Some(value.clone()),
        Value::String(text) => json::read(text.as_bytes()).ok().filter(Value::is_object),
        _ => None,
    }
}

/// The failure of a process that did not exit with status 0.
pub(super) fn exit_failure(status: ExitStatus, emitted: &Emitted) -> FailureInfo {
    if let Some(signal) = status.signal() {
        let message = format!(
            "the command was ended by signal {signal}{}{}",
            signal_name(signal),
            if signal == libc::SIGKILL { "; did the machine run out of memory?" } else { "" }
        );
        return failed(ErrorCode::TaskSignal, message, true);
    }
    let code = status.code().unwrap_or(-1);
    let hint = match code {
        126 => " (126: found, but not executable)",
        127 => " (127: command not found)",
        _ => "",
    };
    let message = format!("the command exited with status {code}{hint}");
    let mut info = failed(ErrorCode::TaskExit, message, true);
    if code == EXIT_LATER {
        info.retry_after = emitted.get(RETRY_AFTER).and_then(seconds);
    }
    info
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGHUP => " (HUP)",
        libc::SIGINT => " (INT)",
        libc::SIGILL => " (ILL: illegal instruction)",
        libc::SIGABRT => " (ABRT: it aborted)",
        libc::SIGBUS => " (BUS: bad memory access)",
        libc::SIGFPE => " (FPE: arithmetic error)",
        libc::SIGKILL => " (KILL)",
        libc::SIGSEGV => " (SEGV: bad memory access)",
        libc::SIGPIPE => " (PIPE)",
        libc::SIGTERM => " (TERM)",
        libc::SIGXCPU => " (XCPU: processor time limit)",
        libc::SIGXFSZ => " (XFSZ: file size limit)",
        _ => "",
    }
}
