//! A `loom` that is watched while it runs: lines as they come, with deadlines.

use crate::harness::{Loom, Said};
use serde_json::Value;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long anything may take that is not expected to take long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A `loom` under way. It is killed if the test ends first.
pub(crate) struct Watched {
    child: Child,
    lines: Receiver<String>,
    seen: String,
    stderr: PathBuf,
}

/// What comes next from a [`Watched`].
pub(crate) enum Next {
    /// A line, without its end.
    Line(String),
    /// Nothing in the time given.
    Silence,
    /// Nothing ever again.
    End,
}

impl Watched {
    pub(crate) fn start(loom: &Loom, args: &[&str]) -> Self {
        Self::spawn(loom, loom.command(args))
    }

    pub(crate) fn spawn(loom: &Loom, mut command: Command) -> Self {
        let name = format!("stderr-{}", Random::from_system().next());
        let stderr = loom.path(&name);
        command.stdout(Stdio::piped()).stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { return };
                if sender.send(String::from_utf8(line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: String::new(), stderr }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn next(&mut self, patience: Duration) -> Next {
        match self.lines.recv_timeout(patience) {
            Ok(line) => {
                self.seen += &line;
                self.seen.push('\n');
                Next::Line(line)
            }
            Err(RecvTimeoutError::Timeout) => Next::Silence,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// Waits for the next event of this type.
    #[track_caller]
    pub(crate) fn event(&mut self, kind: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        while let Next::Line(line) = self.next(until.saturating_duration_since(Instant::now())) {
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["type"] == kind {
                return event;
            }
        }
        panic!("no event `{kind}`:\n{}\n{}", self.seen, self.errors());
    }

    /// Sends it a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// What standard error says so far.
    pub(crate) fn errors(&self) -> String {
        String::from_utf8(fs::read(&self.stderr).unwrap()).unwrap()
    }

    /// Ends it as a loss of power would.
    pub(crate) fn kill(mut self) -> Said {
        self.child.kill().unwrap();
        self.end()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Said {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.next(until.saturating_duration_since(Instant::now())) {
                Next::Line(_) => {}
                Next::Silence => panic!("it does not end:\n{}\n{}", self.seen, self.errors()),
                Next::End => break,
            }
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let said = Said { code, out: std::mem::take(&mut self.seen), err: self.errors() };
        assert!(!said.err.contains("panicked"), "{said:?}");
        said
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until there is something to see.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < until, "{what} does not come");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Whether a process is there and is more than a zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A generator that a seed decides (`SplitMix64`).
pub(crate) struct Random(u64);

impl Random {
    /// From `LOOM_TEST_SEED`, else by chance; the seed is printed, so that a failure shows it.
    pub(crate) fn from_seed() -> Self {
        let seed = match std::env::var("LOOM_TEST_SEED") {
            Ok(text) => text.parse().expect("LOOM_TEST_SEED is a number"),
            Err(_) => Self::from_system().next(),
        };
        println!("LOOM_TEST_SEED={seed} repeats this");
        Self(seed)
    }

    fn from_system() -> Self {
        // The keys of hash maps are random numbers of the system.
        Self(RandomState::new().hash_one(()))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
