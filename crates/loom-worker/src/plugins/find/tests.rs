//! Plugins found in folders.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn put(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn set(root: &Path) -> PluginSet {
    let places = [PluginPlace::Workflow, PluginPlace::Path, PluginPlace::User];
    let folders: Vec<_> =
        places.into_iter().zip(["a", "b", "c"].map(|name| root.join(name))).collect();
    PluginSet::in_folders(&folders, None)
}

#[test]
fn folders_come_in_the_documented_order() {
    let variables = |name: &str| match name {
        PLUGIN_PATH => Some("/x::/y".into()),
        "HOME" => Some("/home/u".into()),
        _ => None,
    };
    let found = folders(Some(Path::new("/w")), variables);
    let paths: Vec<_> = found.iter().map(|(_, path)| path.to_str().unwrap()).collect();
    assert_eq!(paths, ["/w/plugins", "/x", "/y", "/home/u/.config/loom/plugins"]);
    let found = folders(None, |name| (name == "XDG_CONFIG_HOME").then(|| "/c".into()));
    assert_eq!(found, [(PluginPlace::User, PathBuf::from("/c/loom/plugins"))]);
}

#[test]
fn the_three_forms_are_found_and_the_first_of_a_name_wins() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    put(&root.join("a/run"), "#!/bin/sh\n", 0o755);
    put(&root.join("b/run"), "#!/bin/sh\n", 0o755);
    put(&root.join("c/run.py"), "", 0o644);
    put(&root.join("b/kept/go"), "#!/bin/sh\n", 0o755);
    let manifest = "description: Keeps.\nmode: persistent\ncommand: [./go]\n";
    put(&root.join("b/kept/plugin.yaml"), manifest, 0o644);
    let python = "class Plugin:\n    'Snake.'\n    def execute(self, env, params): return {}\n";
    put(&root.join("c/snake.py"), python, 0o644);
    put(&root.join("c/notify.sh"), "#!/bin/sh\n", 0o755);
    for ignored in ["README.md", "test_snake.py", ".hidden", "_helper.py", "old~"] {
        put(&root.join("c").join(ignored), "", 0o644);
    }
    std::fs::create_dir(root.join("c/data")).unwrap();
    let set = set(root);
    let listed: Vec<_> =
        set.list().into_iter().filter(|found| found.form != PluginForm::BuiltIn).collect();
    let shown: Vec<_> = listed
        .iter()
        .map(|found| (found.name.as_str(), found.form, found.place, found.shadows.len()))
        .collect();
    assert_eq!(
        shown,
        [
            ("kept", PluginForm::Folder, PluginPlace::Path, 0),
            ("notify.sh", PluginForm::Executable, PluginPlace::User, 0),
            ("run", PluginForm::Executable, PluginPlace::Workflow, 2),
            ("snake", PluginForm::Python, PluginPlace::User, 0),
        ]
    );
    assert!(listed.iter().all(|found| found.problem.is_none()), "{listed:?}");
    assert_eq!(listed[0].manifest.description, "Keeps.");
    assert_eq!(listed[3].manifest.description, "Snake.");
    assert_eq!(listed[2].shadows[1], root.join("c/run.py"));
    assert!(set.get("nothing").is_none());
}

#[test]
fn what_cannot_be_used_says_why_and_is_not_replaced_by_a_later_one() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    put(&root.join("a/run"), "#!/bin/sh\n", 0o644);
    put(&root.join("b/run"), "#!/bin/sh\n", 0o755);
    put(&root.join("a/notes.txt"), "", 0o644);
    put(&root.join("a/broken/plugin.yaml"), "comand: [x]\n", 0o644);
    std::fs::create_dir(root.join("a/lib")).unwrap();
    put(&root.join("b/lib"), "#!/bin/sh\n", 0o755);
    let set = set(root);
    let problem = |name: &str| set.get(name).unwrap().err().map(|problem| problem.code.number());
    assert_eq!(problem("run"), Some(302));
    assert_eq!(problem("notes.txt"), Some(302));
    assert_eq!(problem("broken"), Some(301));
    assert_eq!(problem("lib"), None, "a folder without a manifest is no plugin");
    let listed = set.list();
    let broken = listed.iter().find(|found| found.name == "broken").unwrap();
    assert_eq!(broken.problem.as_ref().unwrap().line, Some(1));
    assert!(!listed.iter().any(|found| found.name == "notes.txt"));
}

#[test]
fn names_of_built_in_plugins_are_taken() {
    let root = tempfile::tempdir().unwrap();
    put(&root.path().join("a/http"), "#!/bin/sh\nexit 1\n", 0o755);
    let set = set(root.path());
    let listed: Vec<_> = set.list().into_iter().filter(|found| found.name == "http").collect();
    assert_eq!(listed[0].form, PluginForm::BuiltIn);
    assert!(listed[0].problem.is_none());
    let problem = listed[1].problem.as_ref().unwrap();
    assert_eq!(problem.code, ErrorCode::PluginExists);
    assert!(set.manifest("http").unwrap().is_ok());
}
