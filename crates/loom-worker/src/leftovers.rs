//! Ends what a crash left behind: processes of attempts, which carry their run's identity in their
//! environment, and processes of plugins that are kept, which carry the identity of their `loom`.

use crate::job::failed;
use crate::sys::{self, Signal};
use loom_protocol::{ErrorCode, FailureInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

/// The variable by which attempts carry their run's identity.
const RUN: &str = "LOOM_RUN_ID";
/// The variable by which processes of plugins carry the identity of the `loom` that keeps them.
pub(crate) const KEEPER: &str = "LOOM_KEEPER";
/// How long killed processes may take to be gone.
const KILLED: Duration = Duration::from_secs(5);

/// Process groups with the run that each works for; none if that is not known.
type Groups = BTreeMap<u32, Option<String>>;

/// Ends every process group in which a process of this user carries the identity of one of these
/// runs, or of a `loom` that is dead: TERM, after `grace` KILL. Answers once they are gone, with the
/// runs of which something is left, and why. Never ends the calling process, its ancestors, or the
/// groups that they are in; a process of a run that shares such a group cannot be told from them and
/// is left to its parent.
///
/// Only for runs whose attempts are not running in a living worker.
pub fn end_leftovers(runs: &BTreeSet<String>, grace: Duration) -> Vec<(String, FailureInfo)> {
    let found = match groups(runs) {
        Ok(found) => found,
        Err(error) => return unknown(runs, &error),
    };
    if found.is_empty() {
        return Vec::new();
    }
    let left = end(found, Signal::Term, grace);
    let mut left = end(left, Signal::Kill, KILLED);
    // What a group member started meanwhile, in a group of its own.
    match groups(runs) {
        Ok(late) => left.append(&mut end(late, Signal::Kill, KILLED)),
        Err(error) => return unknown(runs, &error),
    }
    let mut by_run: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, run) in left {
        // A plugin may have been at work for any of them.
        let of = run.map_or_else(|| runs.iter().cloned().collect(), |run| vec![run]);
        of.into_iter().for_each(|run| by_run.entry(run).or_default().push(group.to_string()));
    }
    by_run.into_iter().map(|(run, groups)| (run.clone(), alive(&run, &groups.join(", ")))).collect()
}

/// No run is known to be free of leftovers.
fn unknown(runs: &BTreeSet<String>, error: &io::Error) -> Vec<(String, FailureInfo)> {
    let failure = |run: &String| {
        let message = format!("processes of run {run} could not be looked for: {error}");
        (run.clone(), failed(ErrorCode::Leftovers, message, true))
    };
    runs.iter().map(failure).collect()
}

fn alive(run: &str, groups: &str) -> FailureInfo {
    let message = format!(
        "processes of run {run} are still alive after KILL, in the process groups {groups}; end them, \
         for two attempts of one task must not overlap"
    );
    failed(ErrorCode::Leftovers, message, true)
}

/// Sends a signal to each group and waits; returns those that are alive when the time is over.
fn end(mut groups: Groups, signal: Signal, patience: Duration) -> Groups {
    for group in groups.keys() {
        sys::signal_group(*group, signal);
    }
    let until = Instant::now() + patience;
    let mut look = Duration::from_millis(1);
    loop {
        groups.retain(|group, _| crate::group::alive(*group));
        let now = Instant::now();
        if groups.is_empty() || now >= until {
            return groups;
        }
        let _ = sys::poll(&mut [], Some(until.min(now + look)));
        look = (look * 2).min(Duration::from_millis(50));
    }
}

/// The groups of this user's processes that are left of these runs, or of dead `loom`s, without our
/// own and those of our ancestors.
fn groups(runs: &BTreeSet<String>) -> io::Result<Groups> {
    let mut groups = Groups::new();
    for (process, mark) in list::marked(|entry| Mark::read(entry, runs))? {
        let run = match mark {
            Mark::Run(run) => Some(run),
            Mark::Keeper(keeper) if is_dead(&keeper) => None,
            Mark::Keeper(_) => continue,
        };
        if let Some(group) = sys::group_of(process).filter(|group| *group > 1) {
            groups.insert(group, run);
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

/// Whose a process is.
enum Mark {
    Run(String),
    Keeper(String),
}

impl Mark {
    /// What an entry of a process's environment says.
    fn read(entry: &[u8], runs: &BTreeSet<String>) -> Option<Self> {
        let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        match name {
            RUN => runs.get(value).cloned().map(Self::Run),
            KEEPER => Some(Self::Keeper(value.to_owned())),
            _ => None,
        }
    }
}

/// The identity of this process: its number could be another's after its end, so it comes with the
/// time of its start; and both with the space of numbers that they belong to.
pub(crate) fn keeper() -> Option<String> {
    identity(std::process::id())
}

fn identity(process: u32) -> Option<String> {
    Some(format!("{process}-{}-{}", list::start(process)?, list::number_space()?))
}

/// Whether no process has this identity any more. One of another space of numbers, as of a
/// container, cannot be looked at from here.
fn is_dead(keeper: &str) -> bool {
    let (Some((process, _)), Some((_, space))) = (keeper.split_once('-'), keeper.rsplit_once('-'))
    else {
        return false;
    };
    let Ok(process) = process.parse() else { return false };
    list::number_space().is_some_and(|ours| ours.to_string() == space)
        && identity(process).as_deref() != Some(keeper)
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

mod list {
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, Instant};

    /// How often, and after which pause, a process that shows no environment is looked at again.
    const LOOKS: u32 = 10;
    const PAUSE: Duration = Duration::from_millis(2);

    /// Our user's processes with an entry that `read` takes, in the environment that they were started
    /// with.
    pub(super) fn marked<M>(read: impl Fn(&[u8]) -> Option<M>) -> io::Result<Vec<(u32, M)>> {
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
            match look(pid, &read) {
                Look::Marked(mark) => found.push((pid, mark)),
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
            blank.retain(|pid| match look(*pid, &read) {
                Look::Marked(mark) => {
                    found.push((*pid, mark));
                    false
                }
                Look::Other => false,
                Look::Blank => true,
            });
        }
        Ok(found)
    }

    /// What a process's environment says.
    enum Look<M> {
        Marked(M),
        Other,
        /// It shows none, though it has a program.
        Blank,
    }

    fn look<M>(pid: u32, read: impl Fn(&[u8]) -> Option<M>) -> Look<M> {
        match std::fs::read(format!("/proc/{pid}/environ")) {
            Ok(environment) if environment.is_empty() => {
                // Kernel threads and the dead have no program.
                let program = std::fs::read_link(format!("/proc/{pid}/exe"));
                if program.is_ok() { Look::Blank } else { Look::Other }
            }
            Ok(environment) => {
                let mark = environment.split(|byte| *byte == 0).find_map(read);
                mark.map_or(Look::Other, Look::Marked)
            }
            Err(_) => Look::Other,
        }
    }

    pub(super) fn parent(pid: u32) -> Option<u32> {
        field(&stat(pid)?, 4)
    }

    /// When a process that has not exited started, in ticks since the machine did.
    pub(super) fn start(pid: u32) -> Option<u64> {
        let stat = stat(pid)?;
        let state: char = field(&stat, 3)?;
        if matches!(state, 'Z' | 'X') { None } else { field(&stat, 22) }
    }

    fn stat(pid: u32) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()
    }

    /// A field by its number in proc(5), from the third on; the second may hold anything.
    fn field<T: std::str::FromStr>(stat: &str, number: usize) -> Option<T> {
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(number - 3)?.parse().ok()
    }

    /// Which space of process numbers we live in.
    pub(super) fn number_space() -> Option<u64> {
        std::fs::metadata("/proc/self/ns/pid").ok().map(|space| space.ino())
    }
}
