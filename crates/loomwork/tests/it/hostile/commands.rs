//! Commands and plugins that misbehave, and calls about what is not there.

use crate::harness::Loom;
use crate::watch::{Watched, eventually, is_alive};
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

/// The most memory that a process has used, in MiB.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn an_output_line_of_a_hundred_mebibytes_costs_no_memory() {
    let loom = Loom::with(
        r#"
name: long
tasks:
  - { name: log, plugin: cmd, outputs: [LOG], params: { command: "head -c 104857600 /dev/zero | tr '\\0' x; echo; echo LOG=1" } }
  - name: declared
    plugin: cmd
    outputs: [BIG]
    params: { command: "printf BIG=; head -c 104857600 /dev/zero | tr '\\0' y" }
  - { name: undeclared, plugin: cmd, outputs: [U], params: { command: "printf X=; head -c 104857600 /dev/zero | tr '\\0' z; echo; echo U=1" } }
  - name: file
    plugin: cmd
    outputs: [F]
    params: { command: "{ printf F=; head -c 104857600 /dev/zero | tr '\\0' f; } > $LOOM_OUTPUT" }
  - { name: last, plugin: cmd, inputs: [LOG, U], params: { command: "touch last; until test -e go; do sleep 0.01; done" } }
"#,
    );
    let run = Watched::start(&loom, &["run", "w.yaml", "--json", "--workers", "1"]);
    eventually("the last task", || loom.path("last").exists().then_some(()));
    let peak = peak(run.pid());
    fs::write(loom.path("go"), "").unwrap();
    let said = run.end().exits(1);
    assert!(peak < 150, "{peak} MiB");
    assert!(said.out.len() < 1 << 20, "{} bytes of events", said.out.len());
    let failed: Vec<Value> =
        said.json().into_iter().filter(|event| event["type"] == "task.failed").collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    for event in &failed {
        assert_eq!(event["failure"]["code"], "L406", "{event}");
        assert!(event["failure"]["message"].as_str().unwrap().contains("bytes"), "{event}");
    }
    let mut logged = 0;
    for entry in fs::read_dir(loom.path("store/loom.db.d/logs")).unwrap() {
        for log in fs::read_dir(entry.unwrap().path()).unwrap() {
            logged = logged.max(log.unwrap().metadata().unwrap().len());
        }
    }
    assert!((64 << 20..65 << 20).contains(&logged), "a log of {logged} bytes");
}

#[test]
fn bytes_that_are_no_text_fail_an_output_and_stay_valid_json_elsewhere() {
    let loom = Loom::with(
        r#"
name: bytes
tasks:
  - name: a
    plugin: cmd
    outputs: [A]
    params: { command: "printf 'no\\377text\\nB=x\\377\\376y\\nA=x\\377y\\n'; printf '\\300\\n' >&2" }
  - name: b
    plugin: cmd
    outputs: [N]
    params: { command: "printf 'B=x\\377\\376y\\nN=nul\\000here\\n'" }
  - { name: c, plugin: cmd, inputs: [N], params: { command: "touch ran" } }
"#,
    );
    let said = loom.loom(&["run", "w.yaml", "--json"]).exits(1).json();
    let of = |task: &str, kind: &str| {
        said.iter().find(|event| event["task"] == task && event["type"] == kind).unwrap()
    };
    let a = &of("a", "task.failed")["failure"];
    assert_eq!(a["code"], "L406");
    assert!(a["message"].as_str().unwrap().contains("output `A` is not UTF-8: its byte 2 is 0xff"));
    assert_eq!(of("b", "task.succeeded")["outputs"][0]["value"], "x\u{fffd}\u{fffd}y");
    // No process can be given a NUL in its environment.
    assert_eq!(of("c", "task.failed")["failure"]["code"], "L412");
    assert!(!loom.path("ran").exists());
    loom.loom(&["logs", "last", "a"]).exits(0);
}

#[test]
fn a_value_too_long_for_a_process_fails_the_task_that_takes_it() {
    let loom = Loom::with(
        r#"
name: long
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "printf A=; head -c 200000 /dev/zero | tr '\\0' x" } }
  - { name: b, plugin: cmd, inputs: [A], params: { command: "touch ran" } }
"#,
    );
    loom.loom(&["run", "w.yaml"]).exits(1).says("[L412]").says("A");
    assert!(!loom.path("ran").exists());
}

#[test]
fn a_command_that_ignores_term_is_killed_with_its_children() {
    let loom = Loom::with(
        r#"
name: deaf
tasks:
  - name: a
    plugin: cmd
    execution: { timeout: 0.2 }
    params: { command: "trap '' TERM; sleep 600 & echo $! > child; echo $$ > self; while :; do sleep 0.05; done" }
"#,
    );
    let begun = Instant::now();
    loom.loom(&["run", "w.yaml"]).exits(1).says("[L403]");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    for name in ["self", "child"] {
        let pid = loom.read(name).trim().parse().unwrap();
        eventually("its end", || (!is_alive(pid)).then_some(()));
    }
}

#[test]
fn children_that_hold_the_pipes_are_not_waited_for() {
    let loom = Loom::with(
        r#"
name: holds
tasks:
  - { name: group, plugin: cmd, outputs: [A], params: { command: "sleep 600 & echo $! > group; echo A=1" } }
  - { name: session, plugin: cmd, outputs: [B], params: { command: "setsid sleep 600 & echo $! > session; echo B=1" } }
"#,
    );
    let begun = Instant::now();
    loom.loom(&["run", "w.yaml"]).exits(0).says("succeeded: 2 tasks");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let pid = |name: &str| loom.read(name).trim().parse::<u32>().unwrap();
    let group = pid("group");
    eventually("the end of what stayed in the group", || (!is_alive(group)).then_some(()));
    let session = pid("session");
    let kill = format!("kill -9 {session}");
    let _ = std::process::Command::new("sh").args(["-c", &kill]).status();
}

#[test]
fn a_killed_child_is_a_failure_with_its_signal() {
    let loom = Loom::with(
        "name: k\ntasks:\n  - { name: a, plugin: cmd, params: { command: \"kill -9 $$\" } }",
    );
    loom.loom(&["run", "w.yaml"]).exits(1).says("[L402]").says("KILL");
}

#[test]
fn plugins_that_cannot_be_executed() {
    let workflow = |plugin: &str| {
        Loom::with(&format!(
            "name: p\ntasks:\n  - {{ name: trace, plugin: cmd, params: {{ command: \"touch ran\" }} }}\n  \
             - {{ name: a, plugin: {plugin} }}"
        ))
    };
    let loom = workflow("mine").file("plugins/mine", "#!/bin/sh\ntrue\n");
    loom.loom(&["run", "w.yaml"]).exits(2).warns("error[L302]").warns("chmod +x");
    assert!(!loom.path("ran").exists() && !loom.path("store").exists());
    // What only shows when it is started: no interpreter, no program at all.
    for (content, why) in [
        (
            "#!/nowhere/at/all -x\ntrue\n",
            "its first line names `/nowhere/at/all`, which is not there",
        ),
        ("#!/bin/sh\r\ntrue\r\n", "its first line ends with a carriage return"),
        ("\u{7f}ELF nonsense", "it is no program for this machine"),
    ] {
        let loom = workflow("mine").script("plugins/mine", content);
        loom.loom(&["run", "w.yaml"]).exits(1).says("[L404]").says("mine").says(why);
    }
    let said = workflow("mine").script("plugins/mine", "").loom(&["run", "w.yaml"]);
    assert!(!said.err.contains("panicked"), "{said:?}");
    let folder =
        Loom::with("name: f\ntasks: [{ name: a, plugin: cmd, params: { command: ./store } }]");
    fs::create_dir(folder.path("store")).unwrap();
    folder.loom(&["run", "w.yaml"]).exits(1).says("[L404] `./store` is a folder");
    let loom = workflow("mine").file("plugins/mine/plugin.yaml", "command: [\"./none\"]\n");
    let said = loom.loom(&["run", "w.yaml"]);
    assert!(said.code == 1 || said.code == 2, "{said:?}");
    assert!(said.err.contains("none") || said.out.contains("none"), "{said:?}");
}

#[test]
fn runs_that_do_not_exist() {
    let loom = Loom::with("name: n\ntasks:\n  - { name: a, plugin: noop }");
    for call in ["show", "resume", "retry", "cancel", "logs", "why"] {
        for run in
            ["01m7y5drw3cd9x5d59dpc7rxky", "last", "zzzzzzzz", "'; drop table runs", "\u{1b}[2J"]
        {
            let said = loom.loom(&[call, run]).exits(2).warns("error[L601]");
            assert!(!said.err.contains("panicked") && !said.err.contains('\u{1b}'), "{said:?}");
        }
    }
    assert!(!loom.path("store").exists(), "looking made a store");
    loom.loom(&["run", "w.yaml"]).exits(0);
    loom.loom(&["show", "01m7y5drw3cd9x5d59dpc7rxky"]).exits(2).warns("error[L601]");
    loom.loom(&["resume", "'; drop table runs"]).exits(2).warns("error[L601]");
}
