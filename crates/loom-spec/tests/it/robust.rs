//! Any bytes come to an end, without a panic and in time.

use loom_spec::{Limits, Source, Style, fuzz_workflow, load};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const SEEDS: [&str; 5] = [
    include_str!("../good/every-key.yaml"),
    include_str!("../good/parallel-data-pipeline.yaml"),
    include_str!("../bad/cycle.yaml"),
    include_str!("../bad/wrong-types.yaml"),
    include_str!("../bad/placeholders.yaml"),
];

/// Pieces that mean something to YAML, JSON or a workflow.
const PIECES: [&str; 28] = [
    "- ",
    ": ",
    "\n",
    "\t",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: *a",
    "---\n",
    "!x ",
    "|\n",
    ">\n",
    "?",
    "#",
    ",",
    "{{ X }}",
    "{{ENV:X}}",
    "é",
    "\u{2028}",
    "~",
    "1e999",
    "\r",
];

#[test]
fn the_fuzzers_corpus_is_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/workflow");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        fuzz_workflow(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 15, "the corpus is there");
}

#[test]
fn reading_stops_at_the_first_task_too_many() {
    let tasks = "    - { name: a, plugin: noop }\n".repeat(3);
    let text = format!("workflow:\n  name: w\n  tasks:\n{tasks}    - {{ no: yaml ]\n");
    let yaml = Source::new("w.yaml", text);
    let json = r#"{"workflow": {"tasks": [{}, {}, {}, "#;
    for source in [yaml, Source::new("w.json", json)] {
        let told = |tasks: usize| {
            let draft = load(&source, &Limits { tasks, ..Limits::default() });
            draft.problems().render(&source, Style::Plain)
        };
        assert!(told(2).starts_with("error[L106]: there are more than 2 tasks"), "{}", told(2));
        assert_eq!(told(2).matches("error[").count(), 1, "{}", told(2));
        assert!(!told(4).contains("L106"), "{}", told(4));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz_workflow(&data);
    }

    #[test]
    fn meaningful_pieces_are_survived(pieces in prop::collection::vec(0..PIECES.len(), 0..80)) {
        let text: String = pieces.into_iter().map(|at| PIECES[at]).collect();
        fuzz_workflow(text.as_bytes());
    }

    #[test]
    fn mutated_workflows_are_survived(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len(), 0..12usize), 1..6),
    ) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (at, piece, cut) in changes {
            let at = at.index(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, PIECES[piece].bytes());
        }
        fuzz_workflow(&bytes);
    }
}

/// Inputs that some parsers take quadratic time or the whole stack for.
#[test]
fn hostile_shapes_end_in_time() {
    let many = 100_000;
    let repeat = |piece: &str| piece.repeat(many);
    let numbered = |count: usize, piece: &dyn Fn(usize) -> String| {
        (0..count).map(piece).collect::<Vec<_>>().concat()
    };
    let keys = numbered(many, &|at| {
        format!(
            "k{at}: 1
"
        )
    });
    let anchors = numbered(many / 10, &|at| {
        format!(
            "- &a{at} x
- *a{at}
"
        )
    });
    for text in [
        repeat("["),
        repeat("{"),
        repeat("- "),
        repeat("? "),
        repeat("a: "),
        repeat("[]"),
        repeat("&a "),
        repeat("!x "),
        repeat("\""),
        repeat("'"),
        repeat("|\n"),
        repeat("---\n"),
        repeat("{\"a\":"),
        repeat("a: b\n"),
        repeat("\t"),
        repeat("é: \"é\"\n"),
        repeat("# comment\n"),
        format!("[{}]", repeat("a, ")),
        format!("{{{}}}", repeat("a, ")),
        format!("x: {}", repeat("a ")),
        format!("x: \"{}\"", repeat("\\u00e9")),
        format!("workflow: {{ name: w, tasks: [{}] }}", repeat("[], ")),
        keys,
        anchors,
    ] {
        for name in ["hostile.yaml", "hostile.json"] {
            let source = Source::new(name, text.clone());
            let begin = Instant::now();
            let draft = load(&source, &Limits::default());
            assert!(draft.problems().errors() > 0);
            let took = begin.elapsed();
            let start: String = text.chars().take(20).collect();
            assert!(took < Duration::from_secs(20), "{start:?} in {name} took {took:?}");
        }
    }
}
