//! `loom plugin new`: writes a plugin that works, with a test that passes.

use crate::builtin::Builtins;
use crate::plugins::PluginProblem;
use crate::worker::PluginSource;
use loom_protocol::ErrorCode;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a new plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginLanguage {
    /// A folder with `plugin.yaml`, `run.sh` and `test.sh`.
    Shell,
    /// A file with `class Plugin`, and its unittest.
    Python,
}

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Scaffold {
    /// The files, in the order in which to look at them.
    pub files: Vec<PathBuf>,
    /// What to do next, for people: one step a line.
    pub next_steps: Vec<String>,
}

const SHELL_MANIFEST: &str = include_str!("scaffold/plugin.yaml");
const SHELL_PLUGIN: &str = include_str!("scaffold/run.sh");
const SHELL_TEST: &str = include_str!("scaffold/test.sh");
const PYTHON_PLUGIN: &str = include_str!("scaffold/plugin.py");
const PYTHON_TEST: &str = include_str!("scaffold/test_plugin.py");

/// Writes a plugin into the folder `plugins`, which is made if it is not there. Nothing that exists
/// is touched.
pub fn scaffold(
    plugins: &Path,
    name: &str,
    language: PluginLanguage,
) -> Result<Scaffold, PluginProblem> {
    check_name(plugins, name, language)?;
    let (files, test): (Vec<(PathBuf, &str, u32)>, String) = match language {
        PluginLanguage::Shell => {
            let folder = plugins.join(name);
            let test = folder.join("test.sh").display().to_string();
            let files = vec![
                (folder.join("plugin.yaml"), SHELL_MANIFEST, 0o644),
                (folder.join("run.sh"), SHELL_PLUGIN, 0o755),
                (folder.join("test.sh"), SHELL_TEST, 0o755),
            ];
            (files, test)
        }
        PluginLanguage::Python => {
            let test = plugins.join(format!("test_{name}.py"));
            let command = format!("python3 {}", test.display());
            let files = vec![
                (plugins.join(format!("{name}.py")), PYTHON_PLUGIN, 0o644),
                (test, PYTHON_TEST, 0o644),
            ];
            (files, command)
        }
    };
    refuse_to_overwrite(plugins, name, &files)?;
    for (path, template, mode) in &files {
        write(path, &template.replace("PLUGIN_NAME", name), *mode).map_err(|error| {
            PluginProblem::new(
                ErrorCode::BadArgument,
                path,
                format!("it cannot be written: {error}"),
                "choose a folder that you may write to",
            )
        })?;
    }
    let next_steps = vec![
        format!("Run its test:      {test}"),
        format!(
            "Edit it:           {}",
            files[usize::from(language == PluginLanguage::Shell)].0.display()
        ),
        format!(
            "Use it in a task:  {{ name: greet, plugin: {name}, inputs: [WHO], outputs: [GREETING] }}"
        ),
        "See that it is found:  loom plugin list".to_owned(),
    ];
    Ok(Scaffold { files: files.into_iter().map(|(path, ..)| path).collect(), next_steps })
}

fn check_name(plugins: &Path, name: &str, language: PluginLanguage) -> Result<(), PluginProblem> {
    let bad = |what: String, mend: &str| {
        Err(PluginProblem::new(ErrorCode::BadArgument, plugins.join(name), what, mend))
    };
    let dashes = language == PluginLanguage::Shell;
    let letters = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (dashes && c == '-'));
    if !letters {
        let mend = if dashes {
            "use at most 64 letters, digits, _ and -, beginning with a letter"
        } else {
            "use at most 64 letters, digits and _, beginning with a letter"
        };
        return bad(format!("{name:?} cannot be a plugin's name"), mend);
    }
    if name.starts_with("test_") {
        return bad(format!("`{name}` looks like a test"), "choose a name without test_");
    }
    if Builtins::default().find(name).is_some() {
        let what = format!("`{name}` is a built-in plugin");
        let mend = "choose another name";
        return Err(PluginProblem::new(ErrorCode::PluginExists, plugins.join(name), what, mend));
    }
    Ok(())
}

fn refuse_to_overwrite(
    plugins: &Path,
    name: &str,
    files: &[(PathBuf, &str, u32)],
) -> Result<(), PluginProblem> {
    let names = [plugins.join(name), plugins.join(format!("{name}.py"))];
    let mut taken = names.iter().chain(files.iter().map(|(path, ..)| path));
    match taken.find(|path| path.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(path) => {
            let mend = "choose another name, or remove it first";
            Err(PluginProblem::new(ErrorCode::PluginExists, path, "it exists already", mend))
        }
    }
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::options().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::{PluginPlace, PluginSet};
    use crate::testing::{input, job, request};
    use serde_json::json;
    use std::process::Command;

    fn greeted(plugins: &Path, name: &str) -> String {
        let set = PluginSet::in_folders(&[(PluginPlace::Workflow, plugins.to_owned())], None);
        let plugin = set.get(name).unwrap().unwrap();
        assert_eq!(plugin.manifest().inputs, ["WHO"]);
        assert_eq!(plugin.manifest().outputs[0].name, "GREETING");
        assert!(plugin.manifest().params.is_some());
        let mut request = request(name, json!({"greeting": "Good day"}));
        request.base = plugins.to_owned();
        request.outputs = vec!["GREETING".into()];
        input(&mut request, "WHO", json!("Ada's $HOME"));
        let outputs = plugin.run(&mut job(request, plugins)).unwrap();
        outputs[0].value.as_str().unwrap().to_owned()
    }

    #[test]
    fn a_new_plugin_works_and_its_test_passes() {
        for (language, name, program, test) in [
            (PluginLanguage::Shell, "say-hello", "sh", "say-hello/test.sh"),
            (PluginLanguage::Python, "say_hello", "python3", "test_say_hello.py"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let plugins = folder.path().join("plugins");
            let made = scaffold(&plugins, name, language).unwrap();
            assert!(made.files.iter().all(|file| file.is_file()));
            assert!(made.next_steps[0].ends_with(test), "{:?}", made.next_steps);
            assert_eq!(greeted(&plugins, name), "Good day, Ada's $HOME!");
            let ran = Command::new(program).arg(plugins.join(test)).output().unwrap();
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stdout));
            let again = scaffold(&plugins, name, language).unwrap_err();
            assert_eq!(again.code, ErrorCode::PluginExists);
        }
    }

    #[test]
    fn the_test_of_a_new_plugin_notices_a_broken_plugin() {
        let folder = tempfile::tempdir().unwrap();
        for (language, name, file, program, test) in [
            (PluginLanguage::Shell, "a", "a/run.sh", "sh", "a/test.sh"),
            (PluginLanguage::Python, "b", "b.py", "python3", "test_b.py"),
        ] {
            scaffold(folder.path(), name, language).unwrap();
            let file = folder.path().join(file);
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, text.replace('!', "?")).unwrap();
            let ran = Command::new(program).arg(folder.path().join(test)).output().unwrap();
            assert!(!ran.status.success(), "{name}");
        }
    }

    #[test]
    fn names_that_cannot_be_are_refused_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let refused =
            |name: &str, language| scaffold(folder.path(), name, language).unwrap_err().code;
        for name in ["", "../x", "a b", "1a", "-x", "a.b", "ä", "test_x", &"x".repeat(65)] {
            assert_eq!(refused(name, PluginLanguage::Shell), ErrorCode::BadArgument, "{name}");
        }
        assert_eq!(refused("a-b", PluginLanguage::Python), ErrorCode::BadArgument);
        assert_eq!(refused("cmd", PluginLanguage::Shell), ErrorCode::PluginExists);
        std::fs::write(folder.path().join("mine.py"), "keep").unwrap();
        for language in [PluginLanguage::Python, PluginLanguage::Shell] {
            assert_eq!(refused("mine", language), ErrorCode::PluginExists);
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("mine.py")).unwrap(), "keep");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
