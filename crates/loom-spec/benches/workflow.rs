//! Reading, checking and drawing a workflow: `cargo bench -p loom-spec`.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use loom_core::Definition;
use loom_spec::{
    CheckContext, Limits, PluginCatalog, PluginFacts, Severity, Source, UnusablePlugin, check,
    draw, load,
};
use std::collections::BTreeSet;
use std::fmt::Write;

const TASKS: [usize; 2] = [1_000, 100_000];

fn main() {
    divan::main();
}

#[divan::bench(args = TASKS, max_time = 10)]
fn parse_and_check(bencher: Bencher<'_, '_>, tasks: usize) {
    let source = source(tasks);
    bencher
        .counter(ItemsCount::new(tasks))
        .counter(BytesCount::of_str(source.text()))
        .bench_local(|| checked(&source, tasks));
}

#[divan::bench(args = TASKS, max_time = 10)]
fn draw_as_text(bencher: Bencher<'_, '_>, tasks: usize) {
    let definition = checked(&source(tasks), tasks);
    bencher
        .counter(ItemsCount::new(tasks))
        .bench_local(|| draw::workflow(&definition, draw::Form::Text));
}

fn checked(source: &Source, tasks: usize) -> Definition {
    let draft = load(source, &Limits { tasks, ..Limits::default() });
    let variables = BTreeSet::new();
    let context = CheckContext { variables: &variables, host: &|_| true, unset: Severity::Error };
    check(draft, &Any, &context).expect("the workflow is good").definition
}

/// Each task takes what the one ten before it sets.
fn source(tasks: usize) -> Source {
    let mut text = String::from("workflow:\n  name: large\n  tasks:\n");
    for at in 0..tasks {
        let before = if at < 10 { "TRUE".into() } else { format!("V{}", at - 10) };
        write!(
            text,
            "    - name: task_{at}\n      plugin: cmd\n      inputs: [{before}]\n      \
             outputs: [V{at}]\n      params: {{ command: \"echo V{at}=$HOME\" }}\n      \
             execution: {{ timeout: 30s }}\n"
        )
        .expect("a string takes all");
    }
    Source::new("large.yaml", text)
}

/// Knows every plugin.
struct Any;

impl PluginCatalog for Any {
    fn find(&self, _: &str) -> Option<Result<PluginFacts, UnusablePlugin>> {
        Some(Ok(PluginFacts::default()))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
