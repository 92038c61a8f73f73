//! Looking at recorded runs: `list`, `show`, `logs`, `prune`, `explain`.

use crate::harness::Loom;
use serde_json::json;

fn mixed() -> Loom {
    Loom::with(
        r#"
name: mixed
env: { MODE: fast }
tasks:
  - { name: good, plugin: cmd, outputs: [G], params: { command: "echo out; echo err >&2; echo G=1" } }
  - name: twice
    plugin: cmd
    inputs: [G]
    retry: { max_attempts: 2, initial: 10ms }
    params: { command: "echo try $LOOM_ATTEMPT; exit 1" }
  - { name: after, plugin: cmd, execution: { depends_on: [twice] }, params: { command: "true" } }
  - { name: each, plugin: cmd, for_each: [x, y, z], params: { command: "echo for $LOOM_TASK" } }
"#,
    )
}

#[test]
fn list_shows_runs_youngest_first_and_filters_them() {
    let loom = mixed().file("n.yaml", "workflow: { name: n, tasks: [{ name: a, plugin: noop }] }");
    loom.loom(&["list"]).exits(0).warns("no store");
    loom.loom(&["run", "w.yaml", "-q"]).exits(1);
    loom.loom(&["run", "n.yaml", "-q"]).exits(0);
    let said = loom.loom(&["list"]).exits(0).says("4/4, 1 failed, 1 skipped").says("1/1");
    assert!(said.out.find("succeeded").unwrap() < said.out.find("failed").unwrap());
    assert!(!loom.loom(&["list", "--state", "failed"]).exits(0).out.contains(" n "));
    assert!(!loom.loom(&["list", "--workflow", "n"]).exits(0).out.contains("mixed"));
    assert_eq!(loom.loom(&["list", "--limit", "1", "--json"]).exits(0).json().len(), 1);
    loom.loom(&["list", "--limit", "0"]).exits(2).warns("error[L605]").warns("from 1 up");
    loom.loom(&["list", "--state", "asleep"]).exits(2).warns("interrupted");
}

#[test]
fn show_draws_a_timeline_and_says_who_set_what() {
    let loom = mixed();
    loom.loom(&["run", "w.yaml", "-q"]).exits(1);
    let said = loom.loom(&["show", "last"]).exits(0);
    let said = said.says("failed, 4 of 4 tasks done").says("by good").says("at the start");
    let said = said.says("each[2]").says("×2").says("* critical path");
    let twice = said.out.lines().find(|line| line.contains("twice")).unwrap();
    assert!(twice.contains('×') && twice.contains('✘') && twice.contains('█'), "{twice}");
    assert!(said.out.lines().all(|line| line.chars().count() <= 100), "{}", said.out);
}

#[test]
fn show_as_json_gives_everything() {
    let loom = mixed();
    loom.loom(&["run", "w.yaml", "-q"]).exits(1);
    let run = &loom.loom(&["show", "last", "--json"]).exits(0).json()[0];
    assert_eq!((&run["state"], &run["alive"]), (&json!("failed"), &json!(false)));
    let twice = &run["tasks"][1];
    assert_eq!((&twice["name"], &twice["phase"]), (&json!("twice"), &json!("failed")));
    assert_eq!(twice["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(twice["attempts"][1]["failure"]["exit_status"], 1);
    assert_eq!(run["tasks"][2]["skipped"], json!({ "why": "dependency", "task": "twice" }));
    let each = &run["tasks"][3];
    assert_eq!((&each["items"], &each["items_settled"]), (&json!(3), &json!(3)));
    let variables = run["variables"].as_array().unwrap();
    let set_by =
        |name: &str| &variables.iter().find(|variable| variable["name"] == name).unwrap()["set_by"];
    assert_eq!((set_by("G"), set_by("MODE")), (&json!("good"), &json!(null)));
}

#[test]
fn logs_are_of_the_run_a_task_an_item_or_an_attempt() {
    let loom = mixed();
    loom.loom(&["run", "w.yaml", "-q"]).exits(1);
    let all = loom.loom(&["logs", "last"]).exits(0).says("── good  attempt 1 ──");
    all.says("try 1").says("try 2").says("── each[1]  attempt 1 ──");
    let said = loom.loom(&["logs", "last", "good"]).exits(0).says("out\n").says("err\n");
    assert!(!said.out.contains("──"), "{}", said.out);
    let said = loom.loom(&["logs", "last", "twice", "--attempt", "2"]).exits(0);
    assert_eq!(said.out, "try 2\n");
    loom.loom(&["logs", "last", "twice", "--attempt", "9"])
        .exits(2)
        .warns("task `twice` has no attempt 9")
        .warns("the last one is attempt 2");
    let said = loom.loom(&["logs", "last", "each[1]"]).exits(0);
    assert_eq!(said.out, "for each\n");
    loom.loom(&["logs", "last", "after"]).exits(0).warns("no output of it is kept");
    let lines = loom.loom(&["logs", "last", "twice", "--json"]).exits(0).json();
    assert_eq!(lines[1], json!({ "type": "log", "task": "twice", "attempt": 2, "line": "try 2" }));
}

#[test]
fn logs_are_followed_until_the_run_has_ended() {
    let loom = Loom::with(
        r#"
name: f
tasks:
  - name: slow
    plugin: cmd
    params: { command: "echo one; until test -e go; do sleep 0.01; done; printf two" }
"#,
    );
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ slow");
    let mut logs = loom.start(&["logs", "last", "--follow"]);
    logs.until("slow │ one");
    let _loom = loom.file("go", "");
    logs.until("slow │ two");
    logs.end().exits(0);
    run.end().exits(0);
}

#[test]
fn prune_deletes_old_runs_and_their_logs() {
    let loom = mixed();
    loom.loom(&["run", "w.yaml", "-q"]).exits(1);
    // Of a run that somebody deleted who came to an end before its logs were.
    let run = loom.loom(&["list", "--json"]).exits(0).json()[0]["id"].as_str().unwrap().to_owned();
    let orphan = loom.path(&format!("store/loom.db.d/logs/{}", "0".repeat(run.len())));
    std::fs::create_dir(&orphan).unwrap();
    std::fs::write(orphan.join("0.1.log"), "x").unwrap();
    loom.loom(&["prune", "--older-than", "1d"]).exits(0).says("deleted 0 runs");
    assert_eq!(std::fs::read_dir(loom.path("store/loom.db.d/logs")).unwrap().count(), 1);
    assert!(!orphan.exists());
    loom.loom(&["prune", "--older-than", "0s"]).exits(0).says("deleted 1 run");
    assert_eq!(std::fs::read_dir(loom.path("store/loom.db.d/logs")).unwrap().count(), 0);
    loom.loom(&["show", "last"]).exits(2).warns("error[L601]");
}

#[test]
fn explain_prints_the_page_of_a_code() {
    let loom = Loom::new();
    for code in ["L603", "l603", "603"] {
        loom.loom(&["explain", code]).exits(0).says("# L603: ");
    }
    loom.loom(&["explain", "L999"]).exits(2).warns("error[L605]");
    let page = &loom.loom(&["explain", "L101", "--json"]).exits(0).json()[0];
    assert_eq!((&page["code"], &page["exit"]), (&json!("L101"), &json!(2)));
}
