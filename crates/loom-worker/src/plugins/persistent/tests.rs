//! Persistent plugins that behave and that do not, in sh.

use super::*;
use crate::testing::{job, request};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;

const LONG: Duration = Duration::from_mins(1);

struct Fixture {
    folder: tempfile::TempDir,
    plugin: Arc<Persistent>,
}

/// A plugin whose process runs this script. `$id` is the request's, after `ask`.
fn fixture(script: &str) -> Fixture {
    patient(script, Patience { idle: LONG, grace: Duration::from_millis(300) })
}

fn patient(script: &str, patience: Patience) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("plugin");
    let ask = "ask() { read -r line || exit 0; id=${line#*'\"id\":'}; id=${id%%[,\\}]*}; }\n\
               ok() { echo \"{\\\"id\\\":$id,\\\"type\\\":\\\"result\\\",\\\"outputs\\\":{\\\"PID\\\":$$}}\"; }\n";
    std::fs::write(&program, format!("#!/bin/sh\n{ask}{script}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let command = PluginCommand { program, args: Vec::new(), folder: folder.path().to_owned() };
    let manifest = PluginManifest::default();
    let plugin = Arc::new(Persistent::new("fake".into(), manifest, command, patience));
    Fixture { folder, plugin }
}

impl Fixture {
    fn job(&self, timeout: Option<Duration>) -> Job {
        let mut request = request("fake", json!({}));
        request.base = self.folder.path().to_owned();
        request.timeout = timeout;
        job(request, self.folder.path())
    }

    fn run(&self) -> Result<Vec<AttemptOutput>, Ended> {
        self.plugin.run(&mut self.job(None))
    }

    fn pid(&self) -> Value {
        self.run().unwrap()[0].value.clone()
    }

    fn fails(&self) -> FailureInfo {
        failed(self.run())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The only process, once it is gone.
    fn gone(&self) {
        let processes = self.plugin.processes.lock().unwrap().clone();
        for process in processes {
            process.wait(LONG);
            assert!(process.has_ended());
        }
    }
}

#[track_caller]
fn failed(result: Result<Vec<AttemptOutput>, Ended>) -> FailureInfo {
    match result {
        Err(Ended::Failed(info)) => *info,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_process_serves_one_attempt_after_the_other() {
    let fixture = fixture("while ask; do ok; done");
    let first = fixture.pid();
    assert_eq!(fixture.pid(), first);
    assert_eq!(fixture.pid(), first);
}

#[test]
fn logs_and_standard_error_reach_the_log_before_the_answer_ends_it() {
    let script = "while ask; do echo oops >&2
        printf '%s\\n' '{\"id\":'$id',\"type\":\"log\",\"text\":\"said\\n\"}'; ok; done";
    let fixture = fixture(script);
    fixture.run().unwrap();
    let log = fixture.log();
    assert!(log.contains("oops\n") && log.contains("said\n"), "{log}");
}

#[test]
fn a_process_that_dies_fails_the_attempt_as_retryable_and_is_replaced() {
    let fixture = fixture(
        "ask; if [ -e died ]; then ok; ask; else : > died; echo 'last words' >&2; exit 7; fi",
    );
    let info = fixture.fails();
    assert_eq!(info.code, ErrorCode::PluginFailed);
    assert!(info.retryable);
    assert_eq!(info.exit_status, Some(7));
    assert!(info.message.contains("exited with status 7 while"), "{}", info.message);
    assert_eq!(info.tail, ["last words"]);
    fixture.pid();
}

#[test]
fn one_that_is_killed_or_ends_before_it_is_asked_is_a_clear_failure_too() {
    let info = fixture("ask; kill -9 $$").fails();
    assert!(info.message.contains("ended by signal 9"), "{}", info.message);
    let info = fixture("exit 0").fails();
    assert!(info.message.contains("exited with status 0"), "{}", info.message);
    assert!(info.retryable);
}

#[test]
fn what_is_not_of_the_protocol_ends_the_process_and_says_what_it_was() {
    let sleep = "exec sleep 1000";
    for (script, what) in [
        ("ask; echo garbage", "not of the protocol"),
        (
            "ask; echo '{\"id\":99,\"type\":\"result\"}'",
            "answered a request, 99, that is not under way",
        ),
        ("echo '{\"type\":\"hello\",\"protocol\":9}'", "speaks protocol 9"),
        ("ask; head -c 17000000 /dev/zero", "wrote a line longer than 16777216 bytes"),
        ("ask; exec >&-", "closed its standard output"),
    ] {
        let info = fixture(&format!("{script}; {sleep}")).fails();
        assert!(info.message.contains(what), "{script}: {}", info.message);
        assert_eq!(info.code, ErrorCode::PluginFailed);
    }
}

#[test]
fn errors_have_their_kind_their_object_and_their_wait() {
    let answer = |rest: &str| {
        let line = format!("{{\"id\":'$id',\"type\":\"error\",\"message\":\"no disk\",{rest}}}");
        fixture(&format!("while ask; do echo '{line}'; done")).fails()
    };
    let info = answer("\"kind\":\"retryable\",\"retry_after\":1.5,\"error\":{\"code\":3}");
    assert_eq!(info.message, "plugin `fake`: no disk");
    assert!(info.retryable);
    assert_eq!(info.retry_after, Some(Duration::from_millis(1500)));
    assert_eq!(info.error, Some(json!({"code": 3})));
    let info = answer("\"kind\":\"permanent\",\"retry_after\":-1");
    assert!(!info.retryable && info.retry_after.is_none());
    let info = answer("\"kind\":\"permission_denied\"");
    assert_eq!((info.code, info.retryable), (ErrorCode::PermissionDenied, false));
}

#[test]
fn an_output_that_is_no_variable_fails_the_attempt() {
    let script = "ask; echo '{\"id\":'$id',\"type\":\"result\",\"outputs\":{\"A-B\":1}}'; ask";
    let info = fixture(script).fails();
    assert_eq!(info.code, ErrorCode::BadOutput);
    assert!(info.message.contains("\"A-B\""), "{}", info.message);
}

#[test]
fn a_timeout_ends_the_whole_group_even_if_it_ignores_being_asked() {
    let fixture = fixture("ask; trap '' TERM; sleep 1000 & echo $! > child; sleep 1000");
    let info = failed(fixture.plugin.run(&mut fixture.job(Some(Duration::from_secs(1)))));
    assert_eq!(info.code, ErrorCode::TaskTimeout);
    assert!(info.retryable);
    fixture.gone();
    let child = std::fs::read_to_string(fixture.folder.path().join("child")).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    assert!(stat.is_err() || stat.unwrap().contains(") Z "), "the child is gone");
}

#[test]
fn a_stop_ends_the_attempt_and_leaves_other_processes_alone() {
    let fixture = fixture("while ask; do [ -e slow ] && { : > began; sleep 1000; }; ok; done");
    let quick = fixture.pid();
    std::fs::write(fixture.folder.path().join("slow"), "").unwrap();
    let mut job = fixture.job(None);
    let stop = job.stop.clone();
    let plugin = Arc::clone(&fixture.plugin);
    let attempt = std::thread::spawn(move || plugin.run(&mut job));
    let began = fixture.folder.path().join("began");
    while !began.exists() {
        std::thread::yield_now();
    }
    std::fs::remove_file(fixture.folder.path().join("slow")).unwrap();
    let other = fixture.pid();
    assert_ne!(other, quick, "the first process is busy, so there is a second one");
    stop.ask(StopHow::Gently);
    assert!(matches!(attempt.join().unwrap(), Err(Ended::Stopped)));
    assert_eq!(fixture.pid(), other);
}

#[test]
fn a_process_may_take_several_requests_and_cancel_one() {
    // Answers to nothing but a cancellation, with a result that comes too late to count.
    let script = "echo '{\"type\":\"hello\",\"protocol\":1,\"concurrency\":2}'; ask; ok; ask; : > one\n\
                  ask; second=$id; : > two; ask; : > cancelled; id=$id; ok; id=$second; ok; ask";
    let fixture = fixture(script);
    // Its hello has been heard once it has answered.
    fixture.run().unwrap();
    let (sender, results) = mpsc::channel();
    let start = |name: &'static str| {
        let (plugin, mut job, sender) =
            (Arc::clone(&fixture.plugin), fixture.job(None), sender.clone());
        let stop = job.stop.clone();
        std::thread::spawn(move || sender.send((name, plugin.run(&mut job))).unwrap());
        let path = fixture.folder.path().join(name);
        while !path.exists() {
            std::thread::yield_now();
        }
        stop
    };
    let first = start("one");
    start("two");
    first.ask(StopHow::Gently);
    for _ in 0..2 {
        match results.recv_timeout(LONG).unwrap() {
            ("one", result) => assert!(matches!(result, Err(Ended::Stopped)), "{result:?}"),
            (_, result) => drop(result.unwrap()),
        }
    }
    assert!(fixture.folder.path().join("cancelled").exists());
    assert_eq!(fixture.plugin.processes.lock().unwrap().len(), 1);
}

#[test]
fn idle_processes_end_and_so_do_all_with_the_plugin() {
    let grace = Duration::from_millis(300);
    let script = "while ask; do ok; done";
    let brief = patient(script, Patience { idle: Duration::from_millis(20), grace });
    let first = brief.pid();
    brief.gone();
    assert_ne!(brief.pid(), first);

    // One that ends at the end of its input, one that has to be told, one that has to be forced.
    for rest in ["exit 0", "exec sleep 1000", "trap '' TERM; while :; do sleep 1000; done"] {
        let Fixture { folder, plugin } = fixture(&format!("ask; ok; read -r line; {rest}"));
        let mut request = request("fake", json!({}));
        request.base = folder.path().to_owned();
        plugin.run(&mut job(request, folder.path())).unwrap();
        let process = Arc::clone(&plugin.processes.lock().unwrap()[0]);
        drop(plugin);
        assert!(process.has_ended(), "{rest}");
    }
}

#[test]
fn a_program_that_is_not_there_is_a_permanent_failure() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("gone");
    let command = PluginCommand { program, args: Vec::new(), folder: folder.path().to_owned() };
    let plugin = Persistent::new("fake".into(), PluginManifest::default(), command, PATIENCE);
    let mut request = request("fake", json!({}));
    request.base = folder.path().to_owned();
    let info = failed(plugin.run(&mut job(request, folder.path())));
    assert_eq!(info.code, ErrorCode::TaskSpawn);
    assert!(!info.retryable && info.message.contains("gone is not found"), "{}", info.message);
}

#[test]
fn a_process_at_work_ends_when_loom_is_gone() {
    let Fixture { folder, plugin } = fixture("trap '' TERM; : > began; exec sleep 1000");
    let mut guarded = plugin.command.spawn(folder.path(), &Inherited::now(&[])).unwrap();
    while !folder.path().join("began").exists() {
        std::thread::yield_now();
    }
    // What the kernel does for a process that has died.
    drop(guarded.guard.stdin.take());
    let status = guarded.child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGKILL));
    guarded.guard.wait().unwrap();
}
