//! Manifests: reading `plugin.yaml`, and checking what any plugin says of itself.

use super::PluginProblem;
use super::command::{PluginCommand, is_executable};
use super::yaml;
use loom_protocol::{ErrorCode, PluginManifest, is_variable, json};
use serde_json::{Map, Value};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The file that makes a folder a plugin.
pub(super) const FILE: &str = "plugin.yaml";
/// The most bytes of it.
const MAX_FILE: u64 = 1 << 20;

/// Reads a plugin folder: what it says of itself, and what starts it.
pub(super) fn read(folder: &Path) -> Result<(PluginManifest, PluginCommand), PluginProblem> {
    let file = folder.join(FILE);
    let bad =
        |what: String, mend: &str| PluginProblem::new(ErrorCode::BadManifest, &file, what, mend);
    let text = match file.metadata() {
        Ok(found) if found.len() > MAX_FILE => {
            return Err(bad(format!("it is larger than {MAX_FILE} bytes"), "make it smaller"));
        }
        _ => std::fs::read_to_string(&file),
    };
    let text = text.map_err(|error| {
        bad(format!("it cannot be read: {error}"), "a plugin's folder needs a readable plugin.yaml")
    })?;
    let document = yaml::read(&text)
        .map_err(|error| bad(error.what, "correct the YAML").at(Some(error.line)))?;
    let Value::Object(object) = document.value else {
        return Err(bad(
            "it is not a map of keys".to_owned(),
            "write at least `command: [./run.sh]`",
        ));
    };
    let line = |key: &str| document.lines.get(key).copied();
    let manifest = parse(object).and_then(|manifest| check(&manifest).map(|()| manifest)).map_err(
        |(key, what)| {
            bad(format!("`{key}`: {what}"), "see the reference of plugin.yaml").at(line(&key))
        },
    )?;
    let command = command(folder, &manifest).map_err(|problem| problem.at(line("command")))?;
    Ok((manifest, command))
}

/// What a plugin says of itself, from JSON. The error names the key at fault.
pub(super) fn parse(object: Map<String, Value>) -> Result<PluginManifest, (String, String)> {
    // Each key by itself, so that an error is about that key.
    for (key, value) in &object {
        json::check(value).map_err(|why| (key.clone(), why.to_string()))?;
        let alone = Value::Object(Map::from_iter([(key.clone(), value.clone())]));
        if let Err(error) = serde_json::from_value::<PluginManifest>(alone) {
            return Err((key.clone(), error.to_string()));
        }
    }
    serde_json::from_value(Value::Object(object))
        .map_err(|error| (String::new(), error.to_string()))
}

/// Checks what types alone cannot say. The error names the key at fault.
pub(super) fn check(manifest: &PluginManifest) -> Result<(), (String, String)> {
    let outputs = manifest.outputs.iter().map(|output| &output.name);
    let names = manifest.inputs.iter().map(|name| ("inputs", name));
    for (key, name) in names.chain(outputs.map(|name| ("outputs", name))) {
        if !is_variable(name) {
            let what = format!("{name:?} is not a variable's name; use letters, digits and _");
            return Err((key.to_owned(), what));
        }
    }
    if manifest.required_permissions.iter().any(|name| name.trim().is_empty()) {
        return Err(("required_permissions".to_owned(), "a permission has no name".to_owned()));
    }
    if let Some(schema) = &manifest.params
        && let Err(error) = jsonschema::draft202012::new(schema)
    {
        let what = format!("it is not a usable JSON Schema (2020-12): {error}");
        return Err(("params".to_owned(), what));
    }
    Ok(())
}

fn command(folder: &Path, manifest: &PluginManifest) -> Result<PluginCommand, PluginProblem> {
    let file = folder.join(FILE);
    let Some((program, args)) = manifest.command.split_first().filter(|(name, _)| !name.is_empty())
    else {
        let mend = "name the program to run, for example `command: [./run.sh]`";
        return Err(PluginProblem::new(ErrorCode::BadManifest, file, "`command` is missing", mend));
    };
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let own = |word: &str| Some(folder.join(word)).filter(|path| path.is_file());
    let program = if program.contains('/') {
        folder.join(program)
    } else {
        own(program).unwrap_or_else(|| PathBuf::from(program))
    };
    if program.is_absolute() {
        if !program.is_file() {
            let what = format!("`command`: there is no file {}", program.display());
            let mend = "correct the path; relative paths start from the plugin's folder";
            return Err(PluginProblem::new(ErrorCode::BadManifest, file, what, mend));
        }
        if !is_executable(&program) {
            return Err(not_executable(&program));
        }
    }
    let args = args.iter().map(|word| own(word).map_or_else(|| word.into(), OsString::from));
    Ok(PluginCommand { program, args: args.collect(), folder })
}

/// L302, for this file.
pub(super) fn not_executable(path: &Path) -> PluginProblem {
    let mend = format!("run chmod +x {}", path.display());
    PluginProblem::new(ErrorCode::NotExecutable, path, "it is not executable", mend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_protocol::{OutputSpec, PluginMode};

    fn folder(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), manifest).unwrap();
        folder
    }

    #[test]
    fn every_key_is_read_and_paths_start_from_the_folder() {
        let folder = folder(
            "description: Sends.\ninputs: [TO]\noutputs: [ID, NOTE?]\nparams: {type: object}\n\
             requires_auth: true\nrequired_permissions: [can_send]\n\
             command: [python3, main.py, -v]\nmode: persistent\n",
        );
        std::fs::write(folder.path().join("main.py"), "").unwrap();
        let (manifest, command) = read(folder.path()).unwrap();
        assert_eq!(manifest.description, "Sends.");
        assert_eq!(manifest.outputs[1], OutputSpec { name: "NOTE".into(), optional: true });
        assert!(manifest.requires_auth);
        assert_eq!(manifest.mode, PluginMode::Persistent);
        assert_eq!(command.program, PathBuf::from("python3"));
        let main = folder.path().join("main.py").into_os_string();
        assert_eq!(command.args, [main, "-v".into()]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_a_mend() {
        for (text, line, code, what) in [
            ("command: [./gone.sh]\n", Some(1), 301, "there is no file"),
            ("description: x\n", None, 301, "`command` is missing"),
            ("command: []\n", Some(1), 301, "`command` is missing"),
            ("mode: oneshot\ncomand: [x]\n", Some(2), 301, "unknown field `comand`"),
            ("command: ./x\n", Some(1), 301, "invalid type: string"),
            ("command: [x]\nmode: forever\n", Some(2), 301, "unknown variant `forever`"),
            ("command: [x]\noutputs: [A-B]\n", Some(2), 301, "\"A-B\" is not a variable's name"),
            ("command: [x]\nparams:\n  type: 5\n", Some(2), 301, "not a usable JSON Schema"),
            ("command: [x]\nrequired_permissions: ['']\n", Some(2), 301, "has no name"),
            ("- command\n", None, 301, "not a map"),
            ("", None, 301, "not a map"),
            ("a: [\n", Some(2), 301, ""),
            ("command: [plugin.yaml]\n", Some(1), 302, "not executable"),
        ] {
            let folder = folder(text);
            let problem = read(folder.path()).unwrap_err();
            assert_eq!(problem.code.number(), code, "{text}: {problem}");
            assert!(problem.what.contains(what), "{text}: {problem}");
            assert_eq!(problem.line, line, "{text}: {problem}");
            assert!(!problem.mend.is_empty());
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(read(empty.path()).unwrap_err().what.contains("cannot be read"));
    }

    #[test]
    fn a_file_that_is_not_executable_says_how_to_make_it_so() {
        let problem = not_executable(Path::new("/p/run"));
        assert_eq!(problem.to_string(), "L302: /p/run: it is not executable; run chmod +x /p/run");
    }
}
