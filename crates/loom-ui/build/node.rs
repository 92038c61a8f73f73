//! Node and npm.

use std::env::consts::EXE_SUFFIX;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest versions that will do, of each line that does: those of `engines` in `package.json`.
const OLDEST: [(u32, u32); 2] = [(20, 19), (22, 12)];
/// The most lines of a complaint that are handed on.
const LINES_MAX: usize = 6;

/// Builds the pages of `ui` into a folder; that folder, or why not.
pub(crate) fn build(ui: &Path, folder: &Path) -> Result<PathBuf, String> {
    if !ui.join("package-lock.json").is_file() {
        return Err(format!("{} is not there", ui.display()));
    }
    is_new_enough()?;
    install(ui)?;
    let mut build = npm(ui);
    build.args(["run", "--silent", "build"]).env("LOOM_UI_OUT", folder);
    run(build, "npm run build")?;
    Ok(folder.to_owned())
}

fn is_new_enough() -> Result<(), String> {
    let mut node = Command::new("node");
    let said = node.arg("--version").stdin(Stdio::null()).output();
    let said = said.map_err(|error| format!("Node is not here ({error}); install Node 22"))?;
    let text = String::from_utf8_lossy(&said.stdout);
    let mut parts = text.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    let version = match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => return Err(format!("`node --version` says `{}`", text.trim())),
    };
    let [old, new] = OLDEST;
    if version >= new || (version.0 == old.0 && version >= old) {
        return Ok(());
    }
    Err(format!("Node {} is too old; install Node 22", text.trim()))
}

/// Brings `node_modules` to what the lock says, if it is not. One process at a time does so: the
/// lock file itself is what they lock.
fn install(ui: &Path) -> Result<(), String> {
    let lock = ui.join("package-lock.json");
    let locked = File::open(&lock).and_then(|file| file.lock().map(|()| file));
    let _locked = locked.map_err(|error| format!("{}: {error}", lock.display()))?;
    let mut look = Command::new("node");
    look.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("build/installed.mjs")).arg(ui);
    if look.stdin(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let mut install = npm(ui);
    // No package of the pages needs to run something of its own in order to be installed.
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    let installed = run(install, "npm ci");
    if installed.is_err() {
        // What is there by half would be taken for whole by other tools.
        let _ = fs::remove_dir_all(ui.join("node_modules"));
    }
    installed
}

fn npm(ui: &Path) -> Command {
    let name = if EXE_SUFFIX.is_empty() { "npm" } else { "npm.cmd" };
    let mut npm = Command::new(name);
    npm.current_dir(ui).stdin(Stdio::null());
    npm
}

fn run(mut command: Command, what: &str) -> Result<(), String> {
    let done = command.output().map_err(|error| format!("{what}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES_MAX)..].join("; ");
    Err(format!("{what} ended with {}: {last}", done.status))
}
