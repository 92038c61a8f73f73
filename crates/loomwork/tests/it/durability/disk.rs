//! Disks that fill up, as small file systems in memory. Mounting them needs rights that not everybody
//! has; without them the tests say so and check nothing.

use crate::harness::{Loom, Said};
use crate::watch::{Watched, eventually};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// A file system of its own, in a folder of a site.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Of this size, in KiB. None if this user may not mount.
    fn mount(loom: &Loom, folder: &str, size: u32) -> Option<Self> {
        let path = loom.path(folder);
        fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}k"), "tmpfs"]).arg(&path);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self { path }),
            refused => {
                println!("skipped: this user may not mount a tmpfs: {refused:?}");
                None
            }
        }
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut filler =
            File::options().create(true).append(true).open(self.path.join("filler")).unwrap();
        while filler.write(&[0; 1024]).is_ok_and(|written| written > 0) {}
    }

    fn make_room(&self) {
        fs::remove_file(self.path.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A chain of tasks, each of which records that it began, waits to be let go and emits 20 KiB.
fn chain(length: usize) -> Loom {
    let mut text = "name: chain\ntasks:\n".to_owned();
    for link in 0..length {
        let input = if link == 0 { String::new() } else { format!("V{}", link - 1) };
        let _ = writeln!(
            text,
            "  - name: t{link}\n    plugin: cmd\n    inputs: [{input}]\n    outputs: [V{link}]\n    \
             params: {{ command: \"sh step.sh {link}\" }}"
        );
    }
    Loom::with(&text).file(
        "step.sh",
        "echo $1 >> began; until test -e go$1; do sleep 0.01; done\n\
         echo V$1=$1$(head -c 20000 /dev/zero | tr '\\0' x); echo $1 >> ended\n",
    )
}

#[test]
fn a_full_disk_ends_the_run_in_order_and_room_lets_it_go_on() {
    let loom = chain(6);
    let Some(disk) = Disk::mount(&loom, "store", 1024) else { return };
    let mut run = Watched::start(&loom, &["run", "w.yaml", "--json"]);
    for link in 0..3 {
        fs::write(loom.path(&format!("go{link}")), "").unwrap();
    }
    eventually("the third success", || (run.event("task.succeeded")["task"] == "t2").then_some(()));
    disk.fill();
    for link in 3..6 {
        fs::write(loom.path(&format!("go{link}")), "").unwrap();
    }
    let said = run.end().exits(3).warns("error[L502]: the disk is full").warns("loom resume ");
    assert!(said.out.lines().last().unwrap().contains(r#""code":"L502""#), "{said:?}");

    // Not a byte is free, not even what the end of the process gave back.
    disk.fill();
    let shown = loom.loom(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["counts"]["succeeded"], 3, "{shown}");
    let value = shown["variables"].as_array().unwrap().iter().find(|one| one["name"] == "V2");
    assert_eq!(value.unwrap()["value"].as_str().unwrap().len(), 20_001);
    loom.loom(&["list"]).exits(0).says("interrupted");
    loom.loom(&["why", "last", "t3"]).exits(0).says("t3");
    loom.loom(&["logs", "last", "t2"]).exits(0).says("V2=2xxx");
    let run = shown["id"].as_str().unwrap();
    loom.loom(&["resume", run]).exits(3).warns("error[L502]").warns("make room");
    loom.loom(&["run", "w.yaml"]).exits(3).warns("error[L502]").warns("make room, then try again");
    let other = loom.path("store/other.db");
    loom.loom(&["run", "w.yaml", "--store", other.to_str().unwrap()]).exits(3).warns("error[L502]");
    assert!(!other.exists());

    disk.make_room();
    loom.loom(&["resume", run]).exits(0).says("succeeded: 6 tasks");
    let began = loom.read("began");
    for recorded in ["0", "1", "2"] {
        assert_eq!(began.lines().filter(|&line| line == recorded).count(), 1, "{began}");
    }
    let shown = loom.loom(&["show", run, "--json"]).exits(0).json().remove(0);
    assert_eq!((&shown["state"], &shown["counts"]["succeeded"]), (&"succeeded".into(), &6.into()));
    assert_eq!(loom.loom(&["list", "--json"]).exits(0).json().len(), 1);
}

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk() {
    let loom = chain(16);
    for link in 0..16 {
        fs::write(loom.path(&format!("go{link}")), "").unwrap();
    }
    let said = limited(&loom, &["run", "w.yaml"]).exits(3).warns("error[L502]").warns("ulimit -f");
    assert!(said.out.contains("✔ t0"), "{said:?}");
    loom.loom(&["list"]).exits(0).says("interrupted");
    loom.loom(&["resume", "last"]).exits(0).says("succeeded: 16 tasks");
    let began = loom.read("began");
    assert_eq!(began.lines().filter(|line| *line == "0").count(), 1, "{began}");
}

#[test]
fn what_tasks_start_meets_a_limit_on_the_size_of_files_as_it_is() {
    let loom = Loom::with(
        r#"
name: big
tasks:
  - { name: a, plugin: cmd, params: { command: "head -c 1000000 /dev/zero > big; echo $? > status" } }
"#,
    );
    limited(&loom, &["run", "w.yaml"]).exits(0);
    assert_eq!(loom.read("status").trim().parse(), Ok(128 + libc::SIGXFSZ));
}

/// Runs `loom` where no file may be longer than 400 blocks, for which a new store is short enough.
fn limited(loom: &Loom, args: &[&str]) -> Said {
    let plain = loom.command(args);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 400 && exec \"$@\"", "sh"]).arg(plain.get_program());
    shell.args(plain.get_args()).current_dir(loom.root()).env_clear();
    shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Said::of(shell.output().unwrap())
}

#[test]
fn a_full_disk_of_logs_disturbs_no_run_and_is_told() {
    let loom = Loom::with(
        r#"
name: talkative
tasks:
  - name: long
    plugin: cmd
    outputs: [A]
    params: { command: "head -c 300000 /dev/zero | tr '\\0' x; echo; echo A=1" }
  - { name: next, plugin: cmd, inputs: [A], outputs: [B], params: { command: "echo B=$A$A" } }
"#,
    );
    let Some(_disk) = Disk::mount(&loom, "store/loom.db.d/logs", 64) else { return };
    loom.loom(&["run", "w.yaml"])
        .exits(0)
        .says("B=11")
        .warns("cannot be written: No space left on device");
    loom.loom(&["logs", "last", "long"]).exits(0).says("xxxx");
}
