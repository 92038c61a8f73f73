//! What is wrong with files and calls: exit status 2, and nothing ran.

use crate::harness::Loom;

#[test]
fn every_problem_of_a_file_is_shown_with_its_line_and_nothing_runs() {
    let loom = Loom::with(
        r#"
name: bad
tasks:
  - { name: a, plugin: cmdd, params: { command: "touch ran" } }
  - { name: b, plugin: cmd, imputs: [X], params: { command: "touch ran" } }
"#,
    );
    loom.loom(&["run", "w.yaml"])
        .exits(2)
        .warns("error[L201]")
        .warns("did you mean `cmd`?")
        .warns("error[L103]")
        .warns("did you mean `inputs`?")
        .warns("w.yaml:4:");
    assert!(!loom.path("ran").exists());
    assert!(!loom.path("store").exists());
}

#[test]
fn problems_are_documents_where_json_is_asked_for() {
    let loom = Loom::with("name: bad\ntasks:\n  - { name: a, plugin: cmdd }");
    let said = loom.loom(&["validate", "w.yaml", "--json"]).exits(2);
    let lines = said.json();
    assert_eq!((&lines[0]["type"], &lines[0]["code"]), (&"problem".into(), &"L201".into()));
    assert_eq!((&lines[1]["type"], &lines[1]["valid"]), (&"checked".into(), &false.into()));
}

#[test]
fn validate_looks_at_all_files_and_leaves_to_the_caller_what_is_the_callers() {
    let good = "workflow: { name: g, env: { T: \"{{ENV:NOT_SET_HERE}}\" }, tasks: [{ name: a, plugin: noop }] }";
    let loom = Loom::new().file("good.yaml", good).file("bad.yaml", "workflow: 7");
    loom.loom(&["validate", "good.yaml"])
        .exits(0)
        .says("✔ good.yaml: 1 task")
        .warns("warning[L207]");
    loom.loom(&["validate", "bad.yaml", "good.yaml", "none.yaml"])
        .exits(2)
        .says("✔ good.yaml")
        .warns("bad.yaml")
        .warns("error[L109]")
        .warns("2 of 3 files cannot run");
    loom.loom(&["run", "good.yaml"]).exits(2).warns("error[L207]");
}

#[test]
fn calls_that_cannot_be_understood_have_a_code_and_a_suggestion() {
    let loom = Loom::with("name: w\ntasks:\n  - { name: a, plugin: noop }");
    loom.loom(&["run", "w.yaml", "--worker", "2"]).exits(2).warns("error[L605]").warns("--workers");
    let help = loom.loom(&[]).exits(2).warns("Usage: loom").warns("Commands:");
    assert!(!help.err.contains("L605"), "{}", help.err);
    loom.loom(&["run", "w.yaml", "--var", "X"]).exits(2).warns("error[L605]").warns("X=VALUE");
    loom.loom(&["run", "w.yaml", "--limit", "tusks=3"]).exits(2).warns("error[L605]");
    loom.loom(&["run", "w.yaml", "--limit", "tasks=3"]).exits(0);
    loom.loom(&["list", "--store", "postgres://x/y"]).exits(2).warns("only SQLite");
    loom.loom(&["prune", "--older-than", "soon"]).exits(2).warns("such as 30d");
    loom.loom(&["--help"]).exits(0).says("Usage: loom");
}

#[test]
fn calls_that_cannot_be_understood_are_documents_where_json_is_asked_for() {
    let loom = Loom::with("name: w\ntasks:\n  - { name: a, plugin: noop }");
    for (args, message, help) in [
        (
            &["run", "w.yaml", "--json", "--worker", "2"][..],
            "unexpected argument '--worker' found",
            Some("a similar argument exists: '--workers'"),
        ),
        (&["run", "--json"], "the following required arguments were not provided: <FILE>", None),
        (
            &["--json", "list", "--state", "asleep"],
            "invalid value 'asleep' for '--state <STATE>' [possible values: queued, running, paused, \
             succeeded, failed, cancelled, interrupted]",
            None,
        ),
    ] {
        let said = loom.loom(args).exits(2).warns("error[L605]");
        let error = &said.json()[0];
        assert_eq!((&error["type"], &error["code"]), (&"error".into(), &"L605".into()));
        assert_eq!(error["message"], message);
        assert!(help.is_none_or(|help| error["help"][0] == help), "{error}");
    }
    let literal = loom.loom(&["run", "w.yaml", "x", "--", "--json"]).exits(2);
    assert_eq!(literal.out, "");
}

#[test]
fn numbers_out_of_range_are_told_with_their_range() {
    let loom = Loom::with("name: w\ntasks:\n  - { name: a, plugin: noop }");
    loom.loom(&["run", "w.yaml", "--workers", "-1"]).exits(2).warns("-1 is not in 1..=4294967295");
    loom.loom(&["list", "--limit", "-1"]).exits(2).warns("a whole number from 1 up");
    loom.loom(&["logs", "last", "--attempt", "-1"]).exits(2).warns("-1 is not in 1..");
}

#[test]
fn a_file_of_variables_says_each_thing_once() {
    let loom = Loom::with("name: w\ntasks:\n  - { name: a, plugin: noop }")
        .file("twice.json", "{\"A\": 1,\n \"B\": {\"x\": 1, \"x\": 2}}")
        .file("list.json", "[1]");
    let run =
        |file| loom.loom(&["run", "w.yaml", "--var-file", file]).exits(2).warns("error[L605]");
    run("twice.json").warns("`x` is given twice at line 2 column");
    run("list.json").warns("it holds no object");
}

#[test]
fn what_is_known_of_parameters_is_checked_before_anything_runs() {
    let loom = Loom::with(
        r#"
name: w
tasks:
  - { name: first, plugin: cmd, params: { command: "touch ran" } }
  - { name: a, plugin: http, params: { url: "ftp://files", method: "GE T" } }
  - { name: b, plugin: sleep, params: { duration: 99999999d } }
  - { name: c, plugin: http, for_each: [x], params: { url: "{{ ITEM }}", timeout: "5 parsecs" } }
"#,
    );
    loom.loom(&["run", "w.yaml"])
        .exits(2)
        .warns("error[L203]: parameter `url` cannot be used: it begins with ftp:")
        .warns("error[L203]: `GE T` is not an HTTP method")
        .warns("w.yaml:6:")
        .warns("error[L203]: `duration` is \"99999999d\"")
        .warns("w.yaml:7:")
        .warns("error[L203]: `timeout` is \"5 parsecs\"");
    assert!(!loom.path("ran").exists());
    // One fault hides no other.
    let loom = loom.file(
        "many.yaml",
        "workflow: { name: m, tasks: [{ name: a, plugin: http, params: { url: 7, headers: [], nope: 1, \
         method: \"GE T\", expected_status: 99 } }] }",
    );
    loom.loom(&["validate", "many.yaml"])
        .exits(2)
        .warns("`url`")
        .warns("`headers`")
        .warns("no parameter `nope`")
        .warns("`GE T` is not")
        .warns("`expected_status`");
}

#[test]
fn names_and_values_are_shown_in_the_order_in_which_they_are_written() {
    let loom = Loom::with(
        "name: \"w\\u202e\"\ntasks:\n  - { name: \"a\\u2066\", plugin: cmd, outputs: [X], params: { command: \"echo \
         'X=b\u{202e}c'; exit 1\" } }\n",
    );
    let is_clean = |args: &[&str]| {
        let said = loom.loom(args);
        let shown = said.out + &said.err;
        assert!(shown.contains("\\u{20") || shown.contains("\\U000020"), "{args:?}: {shown}");
        assert!(!shown.contains(['\u{202e}', '\u{2066}']), "{args:?}: {shown}");
    };
    is_clean(&["run", "w.yaml"]);
    is_clean(&["show", "last"]);
    is_clean(&["why", "last"]);
    is_clean(&["list"]);
    is_clean(&["graph", "w.yaml", "--format", "text"]);
    is_clean(&["run", "w.yaml", "--var", "A\u{202e}=1"]);
    is_clean(&["run", "no\u{202e}.yaml"]);
}

#[test]
fn runs_that_do_not_exist_are_named_with_those_that_do() {
    let loom = Loom::with("name: w\ntasks:\n  - { name: a, plugin: noop }");
    loom.loom(&["show", "last"]).exits(2).warns("error[L601]").warns("no store");
    loom.loom(&["run", "w.yaml", "-q"]).exits(0);
    loom.loom(&["show", "zzzzzzzz"]).exits(2).warns("error[L601]").warns("(w)");
    loom.loom(&["show", "zz"]).exits(2).warns("error[L605]");
    loom.loom(&["run", "w.yaml", "-q"]).exits(0);
    let runs = loom.loom(&["list", "--json"]).json();
    let beginning = &runs[0]["id"].as_str().unwrap()[..5];
    loom.loom(&["show", beginning]).exits(2).warns("error[L602]").warns("several runs match");
    let end = &runs[1]["id"].as_str().unwrap()[18..];
    loom.loom(&["show", end]).exits(0).says(runs[1]["id"].as_str().unwrap());
    let said = loom.loom(&["logs", "last", "aa", "--json"]).exits(2).warns("did you mean `a`?");
    let error = &said.json()[0];
    assert_eq!((&error["type"], &error["code"]), (&"error".into(), &"L606".into()));
}

#[test]
fn a_store_that_is_none_is_an_error_of_the_store() {
    let loom = Loom::with(
        "name: w\ntasks:\n  - { name: a, plugin: cmd, params: { command: \"touch ran\" } }",
    )
    .file("not.db", &"this is no database ".repeat(100));
    loom.loom(&["run", "w.yaml", "--store", "not.db"]).exits(3).warns("error[L504]");
    loom.loom(&["run", "w.yaml", "--store", "w.yaml/x.db"]).exits(3).warns("error[L503]");
    assert!(!loom.path("ran").exists());
}

#[test]
fn a_plugin_that_cannot_be_used_is_an_error_before_anything_runs() {
    let loom = Loom::with("name: w\ntasks:\n  - { name: a, plugin: mine }")
        .file("plugins/mine/plugin.yaml", "command: 7\n");
    loom.loom(&["run", "w.yaml"])
        .exits(2)
        .warns("error[L301]")
        .warns("plugin.yaml:1")
        .warns("w.yaml:4:");
}

#[test]
fn what_an_expression_calls_has_to_be_there() {
    for (when, expected) in [
        ("N|lenght > 3", "there is no filter `lenght`; did you mean `length`? (character 3)"),
        ("N is defind", "there is no test `defind`; did you mean `defined`?"),
        ("size(N) > 3", "there is no function `size`"),
    ] {
        let workflow = format!(
            "name: w\ntasks:\n  - {{ name: a, plugin: noop }}\n  - {{ name: b, plugin: noop, when: \"{when}\" }}"
        );
        let loom = Loom::with(&workflow);
        let said = loom.loom(&["validate", "w.yaml"]).exits(2).warns("w.yaml:5:");
        assert!(said.err.contains(expected), "{when}: {}", said.err);
    }
}
