//! `loom plugin`, and custom plugins in runs.

use crate::harness::Loom;
use std::process::Command;

#[test]
fn a_new_plugin_works_and_its_test_passes() {
    for (lang, test) in [("shell", "plugins/greet/test.sh"), ("python", "plugins/test_greet.py")] {
        let loom = Loom::with("name: p\ntasks:\n  - { name: a, plugin: greet, outputs: [\"*\"] }");
        loom.loom(&["plugin", "new", "greet", "--lang", lang]).exits(0).says("wrote plugins/");
        let mut command = match lang {
            "shell" => Command::new(loom.path(test)),
            _ => Command::new("python3"),
        };
        if lang == "python" {
            command.arg(loom.path(test));
        }
        let output = command.current_dir(loom.root()).output().unwrap();
        assert!(output.status.success(), "{lang}: {output:?}");
        loom.loom(&["plugin", "list"]).exits(0).says("greet");
        loom.loom(&["plugin", "new", "greet", "--lang", lang]).exits(2).warns("error[L303]");
    }
}

#[test]
fn plugins_are_listed_with_where_they_were_found() {
    let loom = Loom::new()
        .script("plugins/mine", "#!/bin/sh\necho OK=1\n")
        .file("plugins/bad/plugin.yaml", "command: 7\n");
    loom.loom(&["plugin", "list"]).exits(0).says("built in").says("plugins/mine").says("[L301]");
    let found = loom.loom(&["plugin", "list", "--json"]).exits(0).json();
    let mine = found.iter().find(|plugin| plugin["name"] == "mine").unwrap();
    assert!(mine["path"].as_str().unwrap().ends_with("plugins/mine"));
    assert!(mine["problem"].is_null());
}

#[test]
fn a_python_plugin_without_python_says_what_to_install() {
    let loom = Loom::with("name: p\ntasks:\n  - { name: a, plugin: snake }")
        .file("plugins/snake.py", "class Plugin:\n    def execute(self, env, params): return {}\n")
        .file("empty/.keep", "");
    let path = loom.path("empty");
    let loom = loom.env("PATH", path.to_str().unwrap());
    let ended = loom.loom(&["run", "w.yaml"]).exits(1);
    ended.says("[L404]").says("python3 is not found; install it");
}

#[test]
fn an_executable_beside_the_workflow_is_a_plugin() {
    let loom = Loom::with(
        r#"
name: e
tasks:
  - { name: a, plugin: mine, outputs: [OK] }
  - { name: b, plugin: cmd, inputs: [OK], params: { command: "echo $OK > ok" } }
"#,
    )
    .script("plugins/mine", "#!/bin/sh\necho OK=fine\n");
    loom.loom(&["run", "w.yaml"]).exits(0);
    assert_eq!(loom.read("ok"), "fine\n");
}
