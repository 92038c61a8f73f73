//! What the fuzzer of workflow files calls, and the tests that replay its corpus.

use crate::catalog::{PluginCatalog, PluginFacts, UnusablePlugin};
use crate::check::{CheckContext, check, resolve_env};
use crate::diagnostic::{Problems, Severity, Style};
use crate::draw;
use crate::limits::Limits;
use crate::read::load;
use crate::source::Source;
use loom_core::{Definition, TaskKind};
use loom_protocol::ErrorCode;
use std::collections::{BTreeMap, BTreeSet};

/// Takes any bytes through everything that happens to a workflow file: read, checked, drawn, and
/// every problem rendered. It must come to an end without a panic.
pub fn fuzz_workflow(data: &[u8]) {
    let limits = Limits { bytes: 1 << 20, tasks: 2000, nodes: 20_000, depth: 64 };
    for name in ["fuzz.yaml", "fuzz.json"] {
        let source = Source::from_bytes(name, data.to_vec());
        let draft = load(&source, &limits);
        show(draft.problems(), &source);
        let context = CheckContext {
            variables: &BTreeSet::from(["TIMEOUT".into()]),
            host: &|name| name.len().is_multiple_of(2),
            unset: Severity::Warning,
        };
        match check(draft, &Few, &context) {
            Ok(checked) => {
                show(&checked.warnings, &source);
                draw_all(&checked.definition);
                let host = |name: &str| Some(name.to_owned());
                let resolved = resolve_env(&checked.definition, &BTreeMap::new(), &host);
                assert!(resolved.is_ok(), "the host knows everything");
            }
            Err(problems) => {
                assert!(problems.errors() > 0, "a refusal gives a reason");
                show(&problems, &source);
            }
        }
        if let Ok(definition) = load(&source, &limits).resolve(&Few) {
            draw_all(&definition);
        }
    }
}

fn show(problems: &Problems, source: &Source) {
    problems.render(source, Style::Plain);
    problems.render(source, Style::Coloured);
    problems.to_json(source);
}

fn draw_all(definition: &Definition) {
    for form in [draw::Form::Mermaid, draw::Form::Dot, draw::Form::Text] {
        draw::workflow(definition, form);
    }
}

/// A few plugins, so that the checks beyond them are reached.
struct Few;

impl PluginCatalog for Few {
    fn find(&self, name: &str) -> Option<Result<PluginFacts, UnusablePlugin>> {
        let kind = match name {
            "end" => TaskKind::Barrier,
            "start" | "noop" => TaskKind::Instant,
            "cmd" | "df" | "touched" | "http" | "sleep" => TaskKind::Work,
            "broken" => {
                let (what, mend) = ("it is broken".to_owned(), "mend it".to_owned());
                return Some(Err(UnusablePlugin { code: ErrorCode::BadManifest, what, mend }));
            }
            _ => return None,
        };
        let params_schema = serde_json::json!({
            "properties": { "command": { "type": "string" }, "timeout": { "minimum": 1 } },
        });
        Some(Ok(PluginFacts { kind, params_schema: Some(params_schema), ..PluginFacts::default() }))
    }

    fn names(&self) -> Vec<String> {
        ["start", "end", "cmd", "noop"].map(str::to_owned).into()
    }
}
