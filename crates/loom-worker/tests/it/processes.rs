//! Processes that behave, and those that do not.

use crate::support::{Bench, GRACE, LONG, alone, resources};
use loom_protocol::{AttemptNews, AttemptOutput, ErrorCode, StopHow};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn outputs_come_from_standard_output_and_from_the_file() {
    let bench = Bench::new();
    let mut request = bench.command("echo B=2 >&2; echo A=1; printf 'A=\\351t\\303\\251'");
    request.outputs = vec!["A".into()];
    let failed = bench.failure(request);
    assert_eq!(failed.code, ErrorCode::BadOutput);
    assert!(failed.message.contains("output `A` is not UTF-8: its byte 1 is 0xe9"), "{failed:?}");
    let request =
        bench.command("echo A=1; echo '{\"C\": [1]}' >> \"$LOOM_OUTPUT\"; printf 'Z=\\377'");
    assert_eq!(json!(bench.outputs(request)), json!({"A": "1", "C": [1], "Z": "\u{fffd}"}));
}

#[test]
fn the_environment_holds_the_variables_and_the_attempt() {
    let bench = Bench::new();
    let mut request = bench.command(
        "echo \"R=$X|$LIST|$ITEM|$ITEM_INDEX|$LOOM_RUN_ID|$LOOM_TASK|$LOOM_ATTEMPT|$LOOM_WORKFLOW\"",
    );
    let variable = |name: &str, value| AttemptOutput { name: name.into(), value, secret: false };
    request.shared = Arc::new(vec![variable("X", json!("shared")), variable("LIST", json!([1]))]);
    request.inputs = vec![variable("X", json!("input"))];
    request.item = Some(json!("it"));
    request.id.item = Some(4);
    assert_eq!(bench.outputs(request)["R"], json!("input|[1]|it|4|run|task0|1|flow"));
}

#[test]
fn standard_input_is_empty_or_what_is_given() {
    let bench = Bench::new();
    assert!(bench.outputs(bench.command("cat; :")).is_empty());
    let text = "x".repeat(1 << 20);
    let command = json!({"command": "echo \"N=$(wc -c)\"", "stdin": text});
    let outputs = bench.outputs(bench.request("cmd", command));
    assert_eq!(outputs["N"].as_str().unwrap().trim(), "1048576");
    // A command that echoes more than a pipe holds, and one that never reads.
    let echo = bench.request("cmd", json!({"command": ["cat"], "stdin": text}));
    assert!(bench.outputs(echo).is_empty());
    let deaf = bench.request("cmd", json!({"command": "exec <&-; true", "stdin": text}));
    assert!(bench.outputs(deaf).is_empty());
}

#[test]
fn failures_say_what_happened() {
    let bench = Bench::new();
    let exit = bench.failure(bench.command("echo out; echo err >&2; exit 3"));
    assert_eq!((exit.code, exit.exit_status, exit.retryable), (ErrorCode::TaskExit, Some(3), true));
    let mut tail = exit.tail;
    tail.sort();
    assert_eq!(tail, ["err", "out"]);
    let signal = bench.failure(bench.command("kill -SEGV $$"));
    assert_eq!((signal.code, signal.exit_status), (ErrorCode::TaskSignal, None));
    let later = bench.failure(bench.command("echo LOOM_RETRY_AFTER=1.5; exit 75"));
    assert_eq!(later.retry_after, Some(Duration::from_millis(1500)));
    let error = bench.failure(bench.command("echo 'ERROR={\"code\": 7}'; exit 1"));
    assert_eq!(error.error, Some(json!({"code": 7})));
    std::fs::write(bench.folder.path().join("data"), "").unwrap();
    for (line, part) in [
        ("no-such-program-here", "install it"),
        ("./missing", "No such file"),
        ("./data", "chmod +x"),
    ] {
        let spawn = bench.failure(bench.command(line));
        assert_eq!((spawn.code, spawn.retryable), (ErrorCode::TaskSpawn, false));
        assert!(spawn.message.contains(part), "{}", spawn.message);
    }
    let folder = bench.failure(bench.request("cmd", json!({"command": "true", "cwd": "nowhere"})));
    assert!(folder.message.contains("nowhere does not exist"), "{}", folder.message);
    let file = bench.failure(bench.command("echo nonsense > \"$LOOM_OUTPUT\""));
    assert_eq!(file.code, ErrorCode::BadOutput);
    let fifo = bench.failure(bench.command("mkfifo \"$LOOM_OUTPUT\""));
    assert_eq!(fifo.code, ErrorCode::BadOutput);
}

#[test]
fn a_command_that_ignores_term_is_killed_at_its_timeout() {
    let bench = Bench::new();
    let mut request = bench.command("trap '' TERM; echo waiting; while :; do sleep 1; done");
    request.timeout = Some(Duration::from_millis(300));
    let start = Instant::now();
    let info = bench.failure(request);
    assert_eq!((info.code, info.retryable), (ErrorCode::TaskTimeout, true));
    assert_eq!(info.tail, ["waiting"]);
    assert!(start.elapsed() >= Duration::from_millis(300) + GRACE);
    assert!(start.elapsed() < LONG / 2);
}

#[test]
fn stopping_is_gentle_or_not() {
    let bench = Bench::new();
    let id = bench
        .start(bench.command(
            "trap 'echo bye > said; exit 0' TERM; touch up; while :; do sleep 0.01; done",
        ));
    bench.wait_for("up");
    bench.worker.stop(&id, StopHow::Gently);
    assert_eq!(bench.reports()[0].news, AttemptNews::Stopped);
    assert_eq!(std::fs::read_to_string(bench.folder.path().join("said")).unwrap(), "bye\n");
    let id = bench
        .start(bench.command("trap 'touch heard' TERM; touch up2; while :; do sleep 0.01; done"));
    bench.wait_for("up2");
    bench.worker.stop(&id, StopHow::Now);
    assert_eq!(bench.reports()[0].news, AttemptNews::Stopped);
    assert!(!bench.folder.path().join("heard").exists());
}

#[test]
fn children_that_hold_the_pipes_are_ended_with_the_leader() {
    let bench = Bench::new();
    let start = Instant::now();
    let outputs = bench.outputs(bench.command("sleep 3600 & echo \"P=$!\""));
    assert!(start.elapsed() < LONG / 2);
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", outputs["P"].as_str().unwrap()));
    assert!(stat.is_err() || stat.unwrap().contains(") Z"), "the child is alive");
    // One that finishes by itself a moment later is heard to its end.
    let outputs = bench.outputs(bench.command("{ sleep 0.01; echo LATE=1; } & true"));
    assert_eq!(outputs["LATE"], json!("1"));
    // One that writes without end does not hold up the attempt.
    assert!(bench.outputs(bench.command("yes & true")).is_empty());
    // One that ignores TERM is killed.
    let stubborn = "{ trap '' TERM; while :; do sleep 1; done; } & echo S=1";
    assert_eq!(bench.outputs(bench.command(stubborn))["S"], json!("1"));
}

#[test]
fn children_in_a_group_of_their_own_are_not_waited_for() {
    let bench = Bench::new();
    let start = Instant::now();
    let line =
        "setsid sh -c 'echo $$ > pid; exec sleep 3600' & while ! test -s pid; do :; done; echo A=1";
    assert_eq!(bench.outputs(bench.command(line))["A"], json!("1"));
    assert!(start.elapsed() < LONG / 2);
    let pid = std::fs::read_to_string(bench.folder.path().join("pid")).unwrap();
    let killed = std::process::Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap();
    assert!(killed.success());
}

#[test]
fn a_line_of_100_mib_is_cut_and_costs_no_memory() {
    let _alone = alone();
    let bench = Bench::new();
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = peak();
    let line = "printf A=; head -c 104857600 /dev/zero | tr '\\0' x; echo; echo B=1";
    let outputs = bench.outputs(bench.command(line));
    assert_eq!(json!(outputs), json!({"B": "1"}));
    assert!(peak() - before < 64 << 10, "{} KiB more", peak() - before);
    assert!(std::fs::metadata(bench.log(0)).unwrap().len() < 65 << 20);
    let mut declared = bench.command(line);
    declared.outputs = vec!["A".into()];
    let info = bench.failure(declared);
    assert_eq!(info.code, ErrorCode::BadOutput);
    assert!(info.message.contains("`A`"));
}

#[test]
fn secrets_are_masked_and_mark_outputs() {
    let bench = Bench::new();
    let line = "printf hun; sleep 0.05; printf 'ter2\\n'; echo \"A=x${TOKEN}y\"; echo B=plain; \
                echo TOKEN=other; [ -z \"$FAIL\" ] || { echo \"ERROR={\\\"m\\\":\\\"$TOKEN\\\"}\"; exit 1; }";
    let make = |fail: &str| {
        let mut request = bench.command(line);
        let variable = |name: &str, value: &str, secret| AttemptOutput {
            name: name.into(),
            value: json!(value),
            secret,
        };
        request.inputs = vec![variable("TOKEN", "hunter2", true), variable("FAIL", fail, false)];
        request.secrets = Arc::new(vec!["hunter2".into()]);
        request
    };
    let AttemptNews::Succeeded(outputs) = bench.run(make("")) else { panic!("failed") };
    let secret: Vec<_> = outputs.iter().map(|out| (out.name.as_str(), out.secret)).collect();
    assert_eq!(secret, [("A", true), ("B", false), ("TOKEN", true)]);
    assert_eq!(outputs[0].value, json!("xhunter2y"));
    let log = std::fs::read_to_string(bench.log(0)).unwrap();
    assert_eq!(log, "***\nA=x***y\nB=plain\nTOKEN=other\n");
    let info = bench.failure(make("1"));
    assert_eq!(info.error, Some(json!({"m": "***"})));
    assert!(!format!("{info:?}").contains("hunter2"));
}

#[test]
fn a_value_no_environment_can_hold_is_refused_before_anything_runs() {
    let bench = Bench::new();
    let mut request = bench.command("touch ran");
    let value = json!("x".repeat(200 << 10));
    request.inputs = vec![AttemptOutput { name: "BIG".into(), value, secret: false }];
    let info = bench.failure(request);
    assert!(info.message.contains("`BIG`"), "{}", info.message);
    let value = json!("x".repeat(100 << 10));
    let variable =
        |number| AttemptOutput { name: format!("V{number}"), value: value.clone(), secret: false };
    let mut many = bench.command("touch ran");
    many.inputs = (0..100).map(variable).collect();
    let info = bench.failure(many);
    assert_eq!((info.code, info.retryable), (ErrorCode::TaskSpawn, false));
    assert!(info.message.contains("too large together"), "{}", info.message);
    assert!(!bench.folder.path().join("ran").exists());
}

#[test]
fn two_thousand_attempts_leave_nothing_open() {
    let _alone = alone();
    let bench = Bench::new();
    let run = |count: u32| {
        for _ in 0..count {
            let mut request = bench.command("true");
            request.held = true;
            bench.start(request);
        }
        let mut ended = 0;
        while ended < count {
            for report in bench.reports() {
                match report.news {
                    AttemptNews::Began(_) => {}
                    AttemptNews::Succeeded(_) => ended += 1,
                    news => panic!("{news:?}"),
                }
            }
        }
    };
    run(50);
    let before = resources();
    run(2000);
    let after = resources();
    assert_eq!(after["zombies"], 0);
    // Other tests of this binary run beside this one.
    assert!(after["descriptors"] < before["descriptors"] + 200, "{before:?} {after:?}");
    assert_eq!(std::fs::read_dir(bench.folder.path()).unwrap().count(), 1, "files are left");
}
