//! How long reading, checking and drawing a large workflow takes:
//! `cargo run --release -p loom-spec --example measure -- 100000`.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use loom_spec::{
    CheckContext, Limits, PluginCatalog, PluginFacts, Severity, Source, check, draw, load,
};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Instant;

struct Any;

impl PluginCatalog for Any {
    fn find(&self, _: &str) -> Option<PluginFacts> {
        Some(PluginFacts::default())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

fn workflow(tasks: usize) -> String {
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
    text
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    println!("{what:<6} {:>7.1} ms", begin.elapsed().as_secs_f64() * 1000.0);
    result
}

fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let source = Source::new("large.yaml", workflow(count));
    println!("{count} tasks, {:.1} MB", source.text().len() as f64 / 1e6);
    let limits = Limits { tasks: count, ..Limits::default() };
    let draft = timed("load", || load(&source, &limits));
    let variables = BTreeSet::new();
    let context = CheckContext { variables: &variables, host: &|_| true, unset: Severity::Error };
    let checked = timed("check", || check(draft, &Any, &context));
    let definition = checked.expect("the workflow is good").definition;
    timed("draw", || draw::text(&definition).len() + draw::dot(&definition).len());
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
}
