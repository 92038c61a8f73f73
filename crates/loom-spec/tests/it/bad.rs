//! Every file in `tests/bad` with the diagnostics that it gets, beside it.
//!
//! `UPDATE_EXPECT=1 cargo test -p loom-spec` rewrites what is expected. A first line
//! `# vars: A B` gives variables, `# host: A B` sets environment variables.

use crate::checked;
use loom_protocol::{Area, ErrorCode};
use loom_spec::{Source, Style};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ext| ext != "txt")).collect();
    files.sort();
    files
}

fn directive<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    let found =
        lines.map(|line| line.trim_start_matches("# ")).find_map(|line| line.strip_prefix(name));
    found.unwrap_or_default().split_whitespace().collect()
}

#[test]
fn bad_files_get_the_diagnostics_beside_them() {
    let mut codes = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let source = Source::from_bytes(name.clone(), fs::read(&path).unwrap());
        let (vars, host) = (directive(source.text(), "vars:"), directive(source.text(), "host:"));
        let problems = match checked(&source, &vars, &host) {
            Ok(checked) => checked.warnings,
            Err(problems) => problems,
        };
        codes.extend(problems.iter().map(|problem| problem.code));
        let rendered = problems.render(&source, Style::Plain);
        let expected = path.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected, &rendered).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != rendered {
            wrong.push(format!("{name}:\n{rendered}"));
        }
        let coloured = problems.render(&source, Style::Coloured);
        assert!(coloured.contains("\u{1b}["), "{name}");
        assert!(problems.to_json(&source)["problems"][0]["code"].is_string(), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let elsewhere = [ErrorCode::FileUnreadable, ErrorCode::BadTrace];
    for &code in ErrorCode::ALL {
        let ours = matches!(code.area(), Area::Document | Area::Check);
        assert!(
            !ours || elsewhere.contains(&code) || codes.contains(&code),
            "no file shows {code}"
        );
    }
}
