//! Stores that cannot be used: damaged, from a newer version, foreign, not to be written, no file.

use crate::harness::{Loom, Said};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

const WORKFLOW: &str =
    "name: r\ntasks:\n  - { name: a, plugin: cmd, params: { command: \"echo a >> ran\" } }";

/// A folder with a store in which a run has ended.
fn used() -> Loom {
    let loom = Loom::with(WORKFLOW);
    loom.loom(&["run", "w.yaml"]).exits(0);
    fs::remove_file(loom.path("ran")).unwrap();
    loom
}

/// All files below a folder, with their content, but for the locks that tell who lives and the index of the
/// log, in which readers say where they read.
fn content(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("owners") || path.ends_with("loom.db-shm") {
            continue;
        }
        if path.is_dir() {
            content(&path, found);
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
}

/// Every command refuses the store with this code, and touches nothing.
#[track_caller]
fn all_refuse(loom: &Loom, code: &str, says: &str) {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    content(loom.root(), &mut before);
    let calls: [&[&str]; 7] = [
        &["run", "w.yaml"],
        &["run", "w.yaml", "--json"],
        &["list"],
        &["show", "last"],
        &["resume", "last"],
        &["cancel", "last"],
        &["prune", "--older-than", "1d"],
    ];
    for call in calls {
        refuses(loom.loom(call), code, says);
    }
    assert!(!loom.path("ran").exists(), "something ran");
    content(loom.root(), &mut after);
    let names = |found: &BTreeMap<String, Vec<u8>>| found.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "a file was changed");
}

#[track_caller]
fn refuses(said: Said, code: &str, says: &str) {
    assert!(!said.err.contains("panicked"), "{said:?}");
    let said = said.exits(3).warns(&format!("error[{code}]")).warns(says);
    assert!(said.err.contains("help"), "it does not say how to mend it: {said:?}");
}

#[test]
fn a_damaged_store_is_named_and_left_alone() {
    let loom = used();
    let path = loom.path("store/loom.db");
    // Else the log, which holds most of so small a store, would mend it.
    let conn = Connection::open(&path).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(conn);
    let sound = fs::read(&path).unwrap();
    for damage in
        [&b""[..], b"x", b"not a database, but long enough to be taken for one".as_slice()]
    {
        fs::write(&path, damage).unwrap();
        all_refuse(&loom, "L504", "loom.db");
    }
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    all_refuse(&loom, "L504", "loom.db");
    let mut damaged = sound.clone();
    damaged[4096..].fill(0x5a);
    fs::write(&path, damaged).unwrap();
    all_refuse(&loom, "L504", "loom.db");
    fs::write(&path, sound).unwrap();
    loom.loom(&["show", "last"]).exits(0).says("succeeded");
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let loom = used();
    let conn = Connection::open(loom.path("store/loom.db")).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    conn.close().unwrap();
    all_refuse(&loom, "L505", "upgrade loom");
}

#[test]
fn a_store_without_its_key_is_looked_at_and_not_written() {
    let loom = Loom::with(
        "name: s\nsecrets: [PIN]\ntasks:\n  - { name: a, plugin: cmd, inputs: [PIN], outputs: [A], \
         params: { command: \"echo a >> ran; echo A=1\" } }",
    );
    loom.loom(&["run", "w.yaml", "--var", "PIN=hunter2"]).exits(0);
    fs::remove_file(loom.path("ran")).unwrap();
    let key = loom.path("store/loom.db.d/key");
    let kept = fs::read(&key).unwrap();
    for lost in [None, Some([7; 32])] {
        fs::remove_file(&key).unwrap();
        if let Some(other) = lost {
            fs::write(&key, other).unwrap();
        }
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        content(loom.root(), &mut before);
        for call in [&["run", "w.yaml", "--var", "PIN=other"][..], &["serve"], &["retry", "last"]] {
            refuses(loom.loom(call), "L509", "loom.db.d/key");
        }
        for call in [&["list"][..], &["show", "last"], &["why", "last"], &["logs", "last"]] {
            loom.loom(call).exits(0);
        }
        content(loom.root(), &mut after);
        assert!(before == after && !loom.path("ran").exists(), "something was done");
        fs::write(&key, &kept).unwrap();
    }
    loom.loom(&["run", "w.yaml", "--var", "PIN=other"]).exits(0);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let loom = used();
    let path = loom.path("store/loom.db");
    fs::remove_file(&path).unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE theirs (x)").unwrap();
    conn.close().unwrap();
    all_refuse(&loom, "L504", "another program");
}

#[test]
fn a_store_that_is_a_folder_or_below_a_file_is_refused() {
    let loom = Loom::with(WORKFLOW);
    fs::create_dir_all(loom.path("store/loom.db")).unwrap();
    all_refuse(&loom, "L503", "loom.db");
    fs::remove_dir_all(loom.path("store")).unwrap();
    fs::write(loom.path("store"), "a file").unwrap();
    refuses(loom.loom(&["run", "w.yaml"]), "L503", "store");
    assert!(!loom.path("ran").exists());
}

#[test]
fn a_store_in_a_folder_that_is_read_only_is_looked_at_and_not_written() {
    let loom = used();
    let folder = loom.path("store");
    let mount = |options: &str| {
        let mut mount = Command::new("mount");
        mount.args(["--bind", "-o", options]).arg(&folder).arg(&folder);
        mount.output().is_ok_and(|output| output.status.success())
    };
    // Rights do not hold root back; a read-only mount does.
    if !mount("ro") {
        println!("skipped: this user may not mount a folder read-only");
        return;
    }
    let mut remount = Command::new("mount");
    remount.args(["-o", "remount,ro,bind"]).arg(&folder);
    let remounted = remount.output().unwrap();
    let result = std::panic::catch_unwind(|| {
        assert!(remounted.status.success(), "{remounted:?}");
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        content(loom.root(), &mut before);
        for call in [&["run", "w.yaml"][..], &["prune", "--older-than", "0s"]] {
            refuses(loom.loom(call), "L503", "loom.db");
        }
        for call in [&["list"][..], &["show", "last"], &["why", "last"], &["logs", "last"]] {
            loom.loom(call).exits(0);
        }
        content(loom.root(), &mut after);
        assert!(before == after && !loom.path("ran").exists(), "something was done");
        let other = folder.join("other.db");
        let said = loom.loom(&["run", "w.yaml", "--store", other.to_str().unwrap()]);
        refuses(said, "L503", "other.db");
    });
    let _ = Command::new("umount").arg("-l").arg(&folder).status();
    result.unwrap();
    loom.loom(&["run", "w.yaml"]).exits(0);
}

#[test]
fn a_store_that_is_a_device_is_refused() {
    let loom = Loom::with(WORKFLOW);
    for call in [&["run", "w.yaml", "--store", "/dev/null"][..], &["list", "--store", "/dev/null"]]
    {
        refuses(loom.loom(call), "L503", "/dev/null is no file");
    }
    assert!(!loom.path("ran").exists());
    assert!(!std::path::Path::new("/dev/null-journal").exists());
}

#[test]
fn a_damaged_run_hides_no_other_and_a_gap_in_its_journal_is_found() {
    let loom = used();
    loom.loom(&["run", "w.yaml"]).exits(0);
    let store = Connection::open(loom.path("store/loom.db")).unwrap();
    let first = "DELETE FROM journal WHERE id = (SELECT min(id) FROM journal)";
    assert_eq!(store.execute(first, []).unwrap(), 1);
    drop(store);
    let listed = loom.loom(&["list"]).exits(0).says("damaged").says("1/1");
    assert_eq!(listed.out.matches("succeeded").count(), 2, "{}", listed.out);
    let run = loom.loom(&["list", "--json"]).json()[1]["id"].as_str().unwrap().to_owned();
    loom.loom(&["show", &run]).exits(3).warns("lacks its event 1");
}

#[test]
fn a_folder_that_may_not_be_read_is_not_taken_for_one_without_a_store() {
    let loom = Loom::with(WORKFLOW);
    // Below a file nothing can be looked for, whoever one is.
    let below = loom.root().join("w.yaml/loom.db");
    let said = loom.loom(&["list", "--store", below.to_str().unwrap()]);
    said.exits(3).warns("error[L503]").warns("cannot reach");
}

#[test]
fn events_that_cannot_be_written_are_an_error_but_not_of_the_run() {
    let loom = Loom::with(WORKFLOW);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut run = loom.command(&["run", "w.yaml", "--json"]);
    let run = run.stdout(full).output().unwrap();
    assert_eq!(run.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&run.stderr).contains("error[L507]"), "{run:?}");
    loom.loom(&["list"]).exits(0).says("succeeded");
}
