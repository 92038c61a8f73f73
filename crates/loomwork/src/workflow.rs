//! From a workflow file to something that can be submitted.

use crate::fault::{Ended, Fault};
use crate::plugins::Plugins;
use crate::ui::Ui;
use loom_core::{Definition, Value, Variable};
use loom_protocol::{ErrorCode, ExitCode};
use loom_spec::{CheckContext, Limits, Problems, Severity, Source, Style, Unread};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};

/// The variables that a caller gives.
pub(crate) type Given = BTreeMap<String, Value>;

/// The limits of workflow files, changed by what `--limit` says.
pub(crate) fn limits(changes: &[String]) -> Result<Limits, Fault> {
    let mut limits = Limits::default();
    for change in changes {
        limits.set(change).map_err(|problem| {
            let mut fault = Fault::new(problem.code, problem.message);
            fault.help.extend(problem.help);
            fault
        })?;
    }
    Ok(limits)
}

/// A variable of this process's environment.
pub(crate) fn host_value(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Reads a file, or says why that failed.
pub(crate) fn read(path: &Path, limits: &Limits, ui: &mut Ui) -> Result<Source, Ended> {
    Source::read(path, limits).map_err(|unread| {
        let Unread { name, problem } = *unread;
        ui.problems(&Source::new(name, ""), &problem.into());
        Ended::Told(ExitCode::Usage)
    })
}

/// Reads and checks a workflow. What is wrong has been told when this returns an error, and what
/// is worth knowing when it does not.
pub(crate) fn checked(
    path: &Path,
    limits: &Limits,
    given: &Given,
    plugins: &Plugins,
    ui: &mut Ui,
) -> Result<Definition, Ended> {
    let source = read(path, limits, ui)?;
    let (definition, problems) = check(&source, limits, given, Severity::Error, plugins);
    ui.problems(&source, &problems);
    definition.ok_or(Ended::Told(ExitCode::Usage))
}

/// Checks a workflow; what is wrong, or worth knowing, comes with the definition or in its place.
pub(crate) fn check(
    source: &Source,
    limits: &Limits,
    given: &Given,
    unset: Severity,
    plugins: &Plugins,
) -> (Option<Definition>, Problems) {
    let variables: BTreeSet<String> = given.keys().cloned().collect();
    let host = |name: &str| env::var_os(name).is_some();
    let context = CheckContext { variables: &variables, host: &host, unset };
    let draft = loom_spec::load(source, limits);
    match loom_spec::check(draft, plugins, &context) {
        Ok(checked) => (Some(checked.definition), checked.warnings),
        Err(problems) => (None, problems),
    }
}

/// The variables that a run begins with.
pub(crate) fn variables(definition: &Definition, given: &Given) -> Result<Vec<Variable>, Fault> {
    loom_spec::resolve_env(definition, given, &host_value).map_err(|error| {
        Fault::new(ErrorCode::HostVariableUnset, error.to_string())
            .help(format!("set it: {}=… loom run …", error.host))
    })
}

/// Whether each queue that a limit is given for has a task.
pub(crate) fn check_queues(definition: &Definition, limits: &[(String, u32)]) -> Result<(), Fault> {
    let tasks = definition.tasks.iter();
    let known: BTreeSet<&str> = tasks.filter_map(|task| task.execution.queue.as_deref()).collect();
    let Some((name, most)) = limits.iter().find(|(name, _)| !known.contains(name.as_str())) else {
        return Ok(());
    };
    let message = format!("--queue {name}={most}: no task of the workflow is in that queue");
    let known: Vec<&str> = known.into_iter().take(8).collect();
    Err(Fault::new(ErrorCode::BadArgument, message).help(if known.is_empty() {
        format!("give the tasks it is meant for `execution: {{ queue: {name} }}`")
    } else {
        format!("its queues are {}", known.join(", "))
    }))
}

/// The folder that relative paths of a workflow start from: that of its file. If it is not there,
/// reading the file says so.
pub(crate) fn base_of(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(parent) if path != Path::new("-") && !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// How diagnostics are styled.
pub(crate) const fn style(coloured: bool) -> Style {
    if coloured { Style::Coloured } else { Style::Plain }
}
