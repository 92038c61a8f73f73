//! Workflows that are accepted, and what becomes of them.

use crate::checked;
use loom_core::{Definition, ForEach, TaskKind};
use loom_spec::{Source, Style};
use std::time::Duration;

fn definition(text: &str, vars: &[&str], host: &[&str]) -> Definition {
    let source = Source::new("good.yaml", text);
    match checked(&source, vars, host) {
        Ok(checked) => {
            let warnings = checked.warnings.render(&source, Style::Plain);
            assert!(checked.warnings.is_empty(), "{warnings}");
            checked.definition
        }
        Err(problems) => panic!("{}", problems.render(&source, Style::Plain)),
    }
}

#[test]
fn disk_monitoring_is_accepted_as_it_is_written() {
    let definition = definition(include_str!("../good/disk-monitoring.yaml"), &["TIMEOUT"], &[]);
    assert_eq!(definition.name, "Disk Monitoring Workflow");
    let kinds: Vec<TaskKind> = definition.tasks.iter().map(|task| task.kind).collect();
    let work = TaskKind::Work;
    assert_eq!(kinds, [TaskKind::Instant, work, work, work, TaskKind::Barrier]);
    let touched = &definition.tasks[2];
    assert!(touched.outputs.names[0].optional, "the plugin says so");
    assert!(!definition.tasks[0].outputs.names[0].optional);
}

#[test]
fn secured_disk_monitoring_takes_its_plugins_permissions() {
    let text = include_str!("../good/secured-disk-monitoring.yaml");
    let definition = definition(text, &[], &["AUTH_TOKEN"]);
    assert!(definition.env[0].secret);
    let permissions = definition.tasks.iter().map(|task| &task.permissions[..]);
    let expected = [["can_view_system"], ["can_execute_commands"]];
    assert!(permissions.eq(expected.iter().map(|names| &names[..])));
}

#[test]
fn the_parallel_data_pipeline_is_accepted_as_it_is_written() {
    let text = include_str!("../good/parallel-data-pipeline.yaml");
    let definition = definition(text, &[], &["API_TOKEN"]);
    let tasks = &definition.tasks;
    assert!(tasks[1].execution.exclusive && !tasks[2].execution.exclusive);
    assert_eq!(tasks[1].execution.timeout, Some(Duration::from_mins(5)));
    assert_eq!(tasks[2].execution.workers, Some(2));
    assert_eq!(tasks[3].execution.depends_on, ["extract_data"]);
    assert_eq!(tasks[3].permissions, ["can_write_backup"]);
    assert_eq!(definition.env[1].value, 4);
}

#[test]
fn every_key_arrives() {
    let text = include_str!("../good/every-key.yaml");
    let definition = definition(text, &[], &["API_TOKEN"]);
    let found = serde_json::to_string_pretty(&definition).unwrap() + "\n";
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/good/every-key.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(expected, &found).unwrap();
    }
    assert_eq!(std::fs::read_to_string(expected).unwrap(), found);
}

#[test]
fn json_is_read_as_well() {
    let text = r#"{"workflow": {"name": "j", "tasks": [
	{"name": "\ud83d\ude00 \u00e9\/", "plugin": "cmd", "params": {"command": "echo \"hi\""}}
]}}"#;
    let definition = definition(text, &[], &[]);
    assert_eq!(definition.tasks[0].name, "😀 é/");
    assert_eq!(definition.tasks[0].params["command"], "echo \"hi\"");
}

#[test]
fn yaml_is_version_1_2() {
    let text = "
defaults: &defaults {}
workflow:
  name: no
";
    let source = Source::new("w.yaml", text);
    let problems = checked(&source, &[], &[]).unwrap_err();
    let all = problems.render(&source, Style::Plain);
    assert!(all.contains("the file has no key `defaults`"), "{all}");
    assert!(!all.contains("must be a string"), "`no` is a string: {all}");
}

#[test]
fn merge_keys_bring_in_what_is_not_there() {
    let text = "
workflow:
  name: merged
  tasks:
    - &base
      name: a
      plugin: cmd
      params: &params { command: echo a }
      execution: { timeout: 5s }
    - <<: *base
      name: b
    - <<: [{ plugin: noop }, *base]
      name: c
      params: *params
";
    let definition = definition(text, &[], &[]);
    let names: Vec<&str> = definition.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(definition.tasks[1].execution.timeout, Some(Duration::from_secs(5)));
    assert_eq!(definition.tasks[2].plugin, "noop");
    assert_eq!(definition.tasks[2].params["command"], "echo a");
}

#[test]
fn several_producers_may_break_a_cycle() {
    let text = "
workflow:
  name: loop
  tasks:
    - { name: seed, plugin: noop, outputs: [X] }
    - { name: a, plugin: noop, inputs: [X], outputs: [Y] }
    - { name: b, plugin: noop, inputs: [Y], outputs: [X] }
";
    assert_eq!(definition(text, &[], &[]).tasks.len(), 3);
}

#[test]
fn a_list_is_given_as_a_literal_or_by_name() {
    let text = "
workflow:
  name: each
  env: { REGIONS: [north, south] }
  tasks:
    - { name: a, plugin: http, for_each: [1, two], params: { url: 'x/{{ ITEM }}/{{ITEM_INDEX}}' } }
    - { name: b, plugin: noop, for_each: '{{ REGIONS }}' }
    - { name: c, plugin: noop, for_each: REGIONS, when: REGIONS|length > 1 and range(3)|length }
";
    let definition = definition(text, &[], &[]);
    let lists: Vec<_> = definition.tasks.iter().map(|task| task.for_each.clone()).collect();
    let named = Some(ForEach::Variable("REGIONS".into()));
    assert_eq!(lists, [Some(ForEach::Items(vec![1.into(), "two".into()])), named.clone(), named]);
}
