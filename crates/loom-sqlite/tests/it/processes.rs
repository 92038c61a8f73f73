//! Several processes on one store: this test binary, started again as the others.

use crate::open;
use crate::random::Random;
use loom_store::conformance::samples::{created, event, records, run_id};
use loom_store::{Claim, QueryStore, RunStore};
use rusqlite::Connection;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const STORE: &str = "LOOM_TEST_STORE";
const ROLE: &str = "LOOM_TEST_ROLE";

/// Another process on the store. It is ended with the value.
struct Other {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(store: &Path, role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::as_another_process", "--nocapture", "--test-threads=1"])
            .env(STORE, store)
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take(), child, lines }
    }

    /// What it says next, as a word and a number, or `None` at its end.
    fn hear(&mut self, word: &str) -> Option<u64> {
        loop {
            let line = self.lines.next()?.unwrap();
            // The harness's own line may stand before the first of ours.
            let said = line.rsplit("... ").next().unwrap();
            if let Some(number) = said.strip_prefix(word) {
                return Some(number.trim().parse().unwrap());
            }
        }
    }

    fn end_well(mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the other processes do; in the test run itself there is no role to play.
#[test]
fn as_another_process() {
    let (Ok(store), Ok(role)) = (std::env::var(STORE), std::env::var(ROLE)) else { return };
    let mut store = open(Path::new(&store));
    let (role, number) = role.split_once(' ').unwrap();
    let number = number.parse().unwrap();
    match role {
        "own" => {
            store.commit(&[created(run_id(number))]).unwrap();
            println!("owned {number}");
        }
        "claim" => {
            let claimed = store.claim(run_id(number)).unwrap() == Claim::Claimed;
            println!("claimed {}", u8::from(claimed));
        }
        "grow" => {
            let (first, second) = (run_id(number), run_id(number + 1));
            store.commit(&[created(first), created(second)]).unwrap();
            for n in 1.. {
                let grown = |run| records(run, n, vec![event(n)]);
                store.commit(&[grown(first), grown(second)]).unwrap();
                println!("durable {n}");
            }
        }
        _ => panic!("no such role: {role}"),
    }
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_living_processs_run_is_its_own_and_a_dead_ones_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    let mut store = open(&path);
    for (n, killed) in [(1, true), (2, false)] {
        let mut other = Other::start(&path, &format!("own {n}"));
        assert_eq!(other.hear("owned"), Some(n));
        assert!(store.run(run_id(n)).unwrap().alive);
        let Claim::OwnedBy(owner) = store.claim(run_id(n)).unwrap() else { panic!("taken over") };
        assert!(owner.starts_with(&format!("{}-", other.child.id())), "{owner}");
        if killed {
            drop(other);
        } else {
            other.end_well();
        }
        assert!(!store.run(run_id(n)).unwrap().alive);
        assert_eq!(store.claim(run_id(n)).unwrap(), Claim::Claimed);
    }
}

#[test]
fn a_dead_processs_run_is_claimed_by_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    for n in 1..=3 {
        let mut owner = Other::start(&path, &format!("own {n}"));
        owner.hear("owned").unwrap();
        drop(owner);
        let role = format!("claim {n}");
        let mut others: Vec<Other> = (0..4).map(|_| Other::start(&path, &role)).collect();
        let won: u64 = others.iter_mut().map(|other| other.hear("claimed").unwrap()).sum();
        assert_eq!(won, 1);
    }
}

#[test]
fn two_processes_record_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    let mut others = [10, 20].map(|n| Other::start(&path, &format!("grow {n}")));
    for n in 1..=100 {
        for other in &mut others {
            assert_eq!(other.hear("durable"), Some(n));
        }
    }
    drop(others);
    let mut store = open(&path);
    for n in [10, 11, 20, 21] {
        assert!(store.load(run_id(n)).unwrap().events.len() >= 100);
    }
}

#[test]
fn what_was_durable_survives_kill_9_and_nothing_is_half_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    let mut random = Random(20);
    for round in 0..20 {
        let number = 2 * round;
        let mut other = Other::start(&path, &format!("grow {number}"));
        for _ in 0..random.below(60) {
            other.hear("durable").unwrap();
        }
        let moment = Instant::now() + Duration::from_micros(random.below(400));
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        other.child.kill().unwrap();
        let mut durable = 0;
        while let Some(n) = other.hear("durable") {
            durable = n;
        }
        drop(other);

        let mut store = open(&path);
        let Ok(first) = store.load(run_id(number)) else {
            assert_eq!(durable, 0, "round {round}: a created run is gone");
            continue;
        };
        let second = store.load(run_id(number + 1)).unwrap();
        assert!(first.events.len() as u64 >= durable, "round {round}");
        assert_eq!(first.events, second.events, "round {round}: half a commit");
        assert_eq!(store.claim(run_id(number)).unwrap(), Claim::Claimed);
        let next = first.events.len() as u64 + 1;
        store.commit(&[records(run_id(number), next, vec![event(next)])]).unwrap();
    }
    let conn = Connection::open(&path).unwrap();
    let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}
