//! The table of keys holds what it says.

use loom_spec::keys::{Key, Section};
use loom_spec::{Limits, Source, Style, load};

fn indented(text: &str, by: usize) -> String {
    let lines = text.lines().map(|line| format!("{:by$}{line}\n", ""));
    lines.collect::<Vec<_>>().concat()
}

/// A workflow around a key's example, which replaces the key where the frame has it.
fn around(key: &Key) -> String {
    let unless = |name: &str, line: &'static str| if key.name == name { "" } else { line };
    let task = |rest: &str| {
        format!("workflow:\n  name: w\n  tasks:\n    - name: t\n      plugin: noop\n{rest}")
    };
    match key.section {
        Section::Document => key.example.to_owned(),
        Section::Workflow => {
            let name = unless("name", "  name: w\n");
            let tasks = unless("tasks", "  tasks: [{ name: t, plugin: noop }]\n");
            format!("workflow:\n{name}{tasks}{}", indented(key.example, 2))
        }
        Section::Task => {
            let name = unless("name", "      name: t\n");
            let plugin = unless("plugin", "      plugin: noop\n");
            let rest = indented(key.example, 6);
            format!("workflow:\n  name: w\n  tasks:\n    -\n{name}{plugin}{rest}")
        }
        Section::Event => {
            let name = unless("name", "          name: a.b\n");
            let rest = indented(key.example, 10);
            task(&format!("      events:\n        -\n{name}{rest}"))
        }
        section => {
            let (_, name) = section.path().rsplit_once('.').unwrap();
            task(&format!("      {name}:\n{}", indented(key.example, 8)))
        }
    }
}

#[test]
fn every_example_is_read() {
    for key in Section::ALL.into_iter().flat_map(Section::keys) {
        let text = around(key);
        let source = Source::new("example.yaml", text.as_str());
        let draft = load(&source, &Limits::default());
        let problems = draft.problems().render(&source, Style::Plain);
        assert!(draft.problems().is_empty(), "{}:\n{problems}", key.path());
    }
}

#[test]
fn limits_are_kept_and_named() {
    let text =
        "workflow:\n  name: w\n  tasks:\n    - &t { name: a, plugin: noop }\n    - *t\n    - *t\n";
    let source = Source::new("limits.yaml", text);
    let default = Limits::default();
    for (limits, name) in [
        (Limits { tasks: 2, ..default }, "`--limit tasks=NUMBER`"),
        (Limits { bytes: 60, ..default }, "`--limit bytes=NUMBER`"),
        (Limits { nodes: 10, ..default }, "`--limit nodes=NUMBER`"),
        (Limits { depth: 2, ..default }, "`--limit depth=NUMBER`"),
    ] {
        let draft = load(&source, &limits);
        let problems = draft.problems().render(&source, Style::Plain);
        assert!(problems.starts_with("error[L106]") && problems.contains(name), "{problems}");
        assert_eq!(draft.problems().len(), 1, "{problems}");
    }
    assert!(load(&source, &default).problems().is_empty());
}

#[test]
fn brackets_beyond_what_the_parser_counts_exceed_a_limit_too() {
    let text = format!("workflow: {}{}", "[".repeat(300), "]".repeat(300));
    let source = Source::new("deep.yaml", text.as_str());
    let draft = load(&source, &Limits { depth: 1000, ..Limits::default() });
    let problems = draft.problems().render(&source, Style::Plain);
    assert!(problems.starts_with("error[L106]: brackets are nested deeper"), "{problems}");
}
