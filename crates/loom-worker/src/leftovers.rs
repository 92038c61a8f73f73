//! Ends what a crash left behind: processes that still carry a run's identity in their environment.

use crate::job::failed;
use crate::sys::{self, Signal};
use loom_protocol::{ErrorCode, FailureInfo};
use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

/// The variable by which attempts carry their run's identity.
const MARK: &str = "LOOM_RUN_ID";
/// How long killed processes may take to be gone.
const KILLED: Duration = Duration::from_secs(5);

/// Ends every process group in which a process of this user carries the run's identity: TERM, after
/// `grace` KILL. Returns how many groups there were, once they are gone. Never ends the calling
/// process, its ancestors, or the groups that they are in; a process of the run that shares such a
/// group cannot be told from them and is left to its parent.
///
/// Only for a run whose attempts are not running in a living worker.
pub fn end_leftovers(run: &str, grace: Duration) -> Result<usize, FailureInfo> {
    let unknown = |error: io::Error| {
        let message = format!("processes of run {run} could not be looked for: {error}");
        failed(ErrorCode::Leftovers, message, true)
    };
    let found = groups(run).map_err(unknown)?;
    let all = found.len();
    if all == 0 {
        return Ok(0);
    }
    let left = end(found, Signal::Term, grace);
    let left = end(left, Signal::Kill, KILLED);
    // What a group member started meanwhile, in a group of its own.
    let late = groups(run).map_err(unknown)?;
    let left: BTreeSet<u32> = end(late, Signal::Kill, KILLED).into_iter().chain(left).collect();
    if left.is_empty() {
        return Ok(all);
    }
    let left: Vec<String> = left.iter().map(u32::to_string).collect();
    let message = format!(
        "processes of run {run} are still alive after KILL, in the process groups {}; end them, for \
         two attempts of one task must not overlap",
        left.join(", ")
    );
    Err(failed(ErrorCode::Leftovers, message, true))
}

/// Sends a signal to each group and waits; returns those that are alive when the time is over.
fn end(mut groups: BTreeSet<u32>, signal: Signal, patience: Duration) -> BTreeSet<u32> {
    for group in &groups {
        sys::signal_group(*group, signal);
    }
    let until = Instant::now() + patience;
    let mut look = Duration::from_millis(1);
    loop {
        groups.retain(|group| crate::group::alive(*group));
        let now = Instant::now();
        if groups.is_empty() || now >= until {
            return groups;
        }
        let _ = sys::poll(&mut [], Some(until.min(now + look)));
        look = (look * 2).min(Duration::from_millis(50));
    }
}

/// The groups of this user's processes that carry the run's identity, without our own and those of
/// our ancestors.
fn groups(run: &str) -> io::Result<BTreeSet<u32>> {
    let mut groups = BTreeSet::new();
    for process in list::marked(&format!("{MARK}={run}"))? {
        if let Some(group) = sys::group_of(process).filter(|group| *group > 1) {
            groups.insert(group);
        }
    }
    if !groups.is_empty() {
        for ancestor in ancestors() {
            groups.remove(&ancestor);
            if let Some(group) = sys::group_of(ancestor) {
                groups.remove(&group);
            }
        }
    }
    Ok(groups)
}

/// This process, its parent, and so on.
fn ancestors() -> Vec<u32> {
    let mut found = vec![std::process::id()];
    while let Some(parent) = found.last().copied().and_then(list::parent)
        && parent > 1
        && !found.contains(&parent)
    {
        found.push(parent);
    }
    found
}

#[cfg(target_os = "linux")]
mod list {
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, Instant};

    /// How often, and after which pause, a process that shows no environment is looked at again.
    const LOOKS: u32 = 10;
    const PAUSE: Duration = Duration::from_millis(2);

    /// Our user's processes with this entry in the environment that they were started with.
    pub(super) fn marked(entry: &str) -> io::Result<Vec<u32>> {
        let user = crate::sys::user();
        let mut found = Vec::new();
        let mut blank = Vec::new();
        for process in std::fs::read_dir("/proc")?.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // Processes come and go: one that cannot be read is gone or not ours.
            if !process.metadata().is_ok_and(|metadata| metadata.uid() == user) {
                continue;
            }
            match look(pid, entry) {
                Look::Marked => found.push(pid),
                Look::Other => {}
                Look::Blank => blank.push(pid),
            }
        }
        // A process that is just executing another program shows no environment for a moment.
        for _ in 0..LOOKS {
            if blank.is_empty() {
                break;
            }
            let _ = crate::sys::poll(&mut [], Some(Instant::now() + PAUSE));
            blank.retain(|pid| match look(*pid, entry) {
                Look::Marked => {
                    found.push(*pid);
                    false
                }
                Look::Other => false,
                Look::Blank => true,
            });
        }
        Ok(found)
    }

    /// What a process's environment says.
    enum Look {
        Marked,
        Other,
        /// It shows none, though it has a program.
        Blank,
    }

    fn look(pid: u32, entry: &str) -> Look {
        match std::fs::read(format!("/proc/{pid}/environ")) {
            Ok(environment) if environment.is_empty() => {
                // Kernel threads and the dead have no program.
                let program = std::fs::read_link(format!("/proc/{pid}/exe"));
                if program.is_ok() { Look::Blank } else { Look::Other }
            }
            Ok(environment) => {
                let marked = environment.split(|byte| *byte == 0).any(|it| it == entry.as_bytes());
                if marked { Look::Marked } else { Look::Other }
            }
            Err(_) => Look::Other,
        }
    }

    pub(super) fn parent(pid: u32) -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod list {
    use std::io;
    use std::process::Command;

    /// Our user's processes with this entry in the environment that they were started with.
    pub(super) fn marked(entry: &str) -> io::Result<Vec<u32>> {
        let user = crate::sys::user().to_string();
        let list = Command::new("ps").args(["eww", "-U", &user, "-o", "pid=,command="]).output()?;
        let text = String::from_utf8_lossy(&list.stdout);
        let carries = |line: &&str| line.split_ascii_whitespace().any(|word| word == entry);
        let pid = |line: &str| line.split_ascii_whitespace().next()?.parse().ok();
        Ok(text.lines().filter(carries).filter_map(pid).collect())
    }

    pub(super) fn parent(pid: u32) -> Option<u32> {
        let list =
            Command::new("ps").args(["-o", "ppid=", "-p", &pid.to_string()]).output().ok()?;
        String::from_utf8_lossy(&list.stdout).trim().parse().ok()
    }
}
