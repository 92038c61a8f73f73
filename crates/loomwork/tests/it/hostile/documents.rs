//! Workflow files that are wrong, huge or hostile.

use crate::harness::{Loom, Said};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

/// The answer to a wrong file: this code, this said of it, nothing run and nothing recorded.
#[track_caller]
fn refused(loom: &Loom, code: &str, says: &[&str]) -> Said {
    let mut said = loom.loom(&["run", "w.yaml"]).exits(2).warns(&format!("error[{code}]"));
    assert!(!said.err.contains("panicked"), "{said:?}");
    for part in says {
        said = said.warns(part);
    }
    assert!(said.err.len() < 20_000, "who is to read {} bytes?", said.err.len());
    assert!(!loom.path("ran").exists(), "something ran");
    assert!(!loom.path("store").exists(), "something was recorded");
    let json = loom.loom(&["run", "w.yaml", "--json"]).exits(2);
    assert!(json.json().iter().any(|line| line["code"] == code), "{json:?}");
    said
}

#[track_caller]
fn check(file: &str, code: &str, says: &[&str]) {
    refused(&Loom::new().file("w.yaml", file), code, says);
}

/// A workflow of these tasks, in YAML's short form, one a line; the first would leave a trace.
fn tasks(tasks: &[&str]) -> String {
    let mut text = "workflow:\n  name: w\n  tasks:\n".to_owned();
    text += "    - { name: trace, plugin: cmd, params: { command: \"touch ran\" } }\n";
    for task in tasks {
        let _ = writeln!(text, "    - {{ {task} }}");
    }
    text
}

#[test]
fn what_is_not_yaml_or_no_workflow() {
    check("workflow: [", "L101", &["w.yaml:"]);
    check("workflow: \"\u{1}\"\n\t- x", "L101", &["w.yaml:"]);
    for none in ["", "hello", "- 1\n- 2\n", "42", "null", "# nothing\n", "version: '3'\n"] {
        check(none, "L102", &["workflow"]);
    }
    check("workflow: { name: w }", "L104", &["tasks"]);
    check("workflow: { name: w, tasks: { a: 1 } }", "L105", &["tasks"]);
    check("workflow: { name: w, name: v, tasks: [] }", "L110", &["name"]);
}

#[test]
fn what_cannot_be_read() {
    let said = Loom::new().loom(&["run", "w.yaml"]).exits(2);
    said.warns("error[L109]").warns("w.yaml");
    let folder = Loom::new().file("w.yaml/x", "");
    folder.loom(&["run", "w.yaml"]).exits(2).warns("error[L109]");
    let loom = Loom::new();
    std::fs::write(loom.path("w.yaml"), b"workflow: { name: \xff\xfe }").unwrap();
    refused(&loom, "L101", &["UTF-8"]);
}

#[test]
fn what_a_check_finds_before_anything_runs() {
    let of = |lines: &[&str], code, says: &[&str]| check(&tasks(lines), code, says);
    of(&["name: a, pluginn: noop"], "L103", &["pluginn", "did you mean `plugin`"]);
    of(&["name: a, plugin: noop, execution: { timeuot: 1 }"], "L103", &["`timeout`"]);
    of(&["name: trace, plugin: noop"], "L202", &["trace"]);
    of(&["name: a, plugin: cmd, outputs: [A, A], params: { command: x }"], "L211", &["A"]);
    of(&["name: a, plugin: cdm, params: { command: x }"], "L201", &["cdm", "`cmd`"]);
    of(&["name: a, plugin: noop, inputs: [NOWHERE]"], "L205", &["NOWHERE", "--var"]);
    of(&["name: a, plugin: noop, execution: { depends_on: [trac] }"], "L206", &["trac", "`trace`"]);
    of(
        &[
            "name: a, plugin: cmd, inputs: [C], outputs: [A], params: { command: x }",
            "name: b, plugin: cmd, inputs: [A], outputs: [B], params: { command: x }",
            "name: c, plugin: cmd, inputs: [B], outputs: [C], params: { command: x }",
        ],
        "L204",
        &["a → c → b → a"],
    );
    of(&["name: a, plugin: noop, execution: { depends_on: [a] }"], "L204", &["a → a"]);
    of(&["name: a, plugin: cmd"], "L203", &["command"]);
    of(&["name: a, plugin: noop, when: 'A =='"], "L208", &[]);
}

#[test]
fn times_that_are_none() {
    for timeout in ["0", "-1", "10 parsecs", "0s", ".nan", "1e400", "[]", "''"] {
        let task = format!("name: a, plugin: noop, execution: {{ timeout: {timeout} }}");
        let loom = Loom::new().file("w.yaml", &tasks(&[&task]));
        let said = loom.loom(&["run", "w.yaml"]).exits(2).warns("timeout");
        let code = if timeout == "[]" { "error[L105]" } else { "error[L108]" };
        said.warns(code);
        assert!(!loom.path("ran").exists() && !loom.path("store").exists());
    }
}

#[test]
fn names_with_line_ends_and_escapes() {
    for name in [r"a\nb", r"a\u001b[31mb", r"a\u0000b", r"\u2028", "", " ", r"a\tb", r"a/../b\r"] {
        let task = format!("name: \"{name}\", plugin: noop");
        let said = refused(&Loom::new().file("w.yaml", &tasks(&[&task])), "L107", &[]);
        assert!(!said.err.contains('\u{1b}'), "an escape reached the terminal: {said:?}");
    }
    check("workflow: { name: \"a\\nb\", tasks: [{ name: a, plugin: noop }] }", "L107", &[]);
    let task = format!("name: {}, plugin: noop", "x".repeat(100_000));
    check(&tasks(&[&task]), "L107", &["200"]);
}

#[test]
fn an_alias_bomb_is_stopped_by_a_limit_with_a_name() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{items}]");
    }
    check(&format!("{bomb}workflow: {{ name: w, tasks: *a11 }}\n"), "L106", &["nodes"]);
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    check(&format!("workflow: {{ name: w, tasks: {deep} }}\n"), "L106", &["nested deeper"]);
    let deep = "[".repeat(100) + &"]".repeat(100);
    check(&format!("workflow: {{ name: w, tasks: {deep} }}\n"), "L106", &["depth"]);
}

#[test]
fn a_million_tasks_are_stopped_by_a_limit_that_can_be_changed() {
    let loom = Loom::new();
    let mut file = BufWriter::new(File::create(loom.path("w.yaml")).unwrap());
    file.write_all(b"workflow:\n  name: million\n  tasks:\n").unwrap();
    for number in 0..1_000_000 {
        writeln!(file, "  - {{ name: t{number}, plugin: noop }}").unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    loom.loom(&["run", "w.yaml"])
        .exits(2)
        .warns("error[L106]: there are more than 200,000 tasks")
        .warns("--limit tasks=");
    assert!(!loom.path("store").exists());

    let three = tasks(&["name: b, plugin: noop", "name: c, plugin: noop"]);
    let loom = loom.file("w.yaml", &three);
    let two = loom.loom(&["run", "w.yaml", "--limit", "tasks=2"]).exits(2);
    two.warns("error[L106]").warns("tasks=");
    loom.loom(&["run", "w.yaml", "--limit", "tasks=3"]).exits(0);
}

#[test]
fn a_hundred_mebibytes_are_stopped_before_they_are_read() {
    let loom = Loom::new();
    let mut file = BufWriter::new(File::create(loom.path("w.yaml")).unwrap());
    file.write_all(b"workflow:\n  name: large\n  description: \"").unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        file.write_all(&piece).unwrap();
    }
    file.write_all(b"\"\n  tasks: [{ name: a, plugin: noop }]\n").unwrap();
    file.flush().unwrap();
    refused(&loom, "L106", &["bytes", "--limit"]);
    let endless = loom.loom(&["run", "/dev/zero"]).exits(2);
    endless.warns("error[L106]");
}
