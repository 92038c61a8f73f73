//! Which store, and which of its runs.

use crate::fault::Fault;
use loom_core::RunId;
use loom_protocol::ErrorCode;
use loom_sqlite::{Options, SqliteStore};
use loom_store::{QueryStore, RunFilter, StoreError};
use std::env;
use std::path::{Path, PathBuf};

/// The fewest characters that a run may be named by.
const SHORTEST: usize = 4;
/// How many of several runs that match are shown.
pub(crate) const SHOWN: usize = 5;

/// The database file that `--store`, `LOOM_STORE` or the user's state folder names.
pub(crate) fn locate(named: Option<&str>) -> Result<PathBuf, Fault> {
    match named {
        Some(text) => parse(text),
        None => default_path(),
    }
}

fn parse(text: &str) -> Result<PathBuf, Fault> {
    let wrong = |what: String| {
        Fault::new(ErrorCode::BadArgument, what)
            .help("a store is the path of an SQLite file: /var/lib/loom.db or sqlite:loom.db")
    };
    if text.is_empty() {
        return Err(wrong("the store has no name".into()));
    }
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return if path.is_empty() {
            Err(wrong(format!("`{text}` names no file")))
        } else {
            Ok(path.into())
        };
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
    });
    match scheme {
        Some(scheme) => {
            Err(wrong(format!("stores of the kind `{scheme}` are not supported, only SQLite")))
        }
        None => Ok(text.into()),
    }
}

fn default_path() -> Result<PathBuf, Fault> {
    let folder =
        |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local").join("state")))
        .ok_or_else(|| {
            Fault::new(ErrorCode::BadArgument, "there is no place for a store: HOME is not set")
                .help("name one with --store or LOOM_STORE")
        })?;
    Ok(state.join("loom").join("loom.db"))
}

/// Opens the store; makes it if there is none.
pub(crate) fn open(path: &Path) -> Result<SqliteStore, Fault> {
    SqliteStore::open(path, Options::default()).map_err(|error| Fault::of_store(&error, None))
}

/// Opens a store if there is one.
pub(crate) fn open_existing(path: &Path) -> Result<Option<SqliteStore>, Fault> {
    if is_there(path)? { open(path).map(Some) } else { Ok(None) }
}

/// Whether there is a store, as far as it can be said: what is in a folder that may not be read is not
/// missing.
fn is_there(path: &Path) -> Result<bool, Fault> {
    path.try_exists().map_err(|error| {
        let what = format!("cannot reach {}: {error}", path.display());
        Fault::of_store(&StoreError::Unavailable(what), None)
    })
}

/// Opens a store to look at, if there is one. A full disk does not hinder it.
pub(crate) fn look(path: &Path) -> Result<Option<SqliteStore>, Fault> {
    if !is_there(path)? {
        return Ok(None);
    }
    SqliteStore::open_to_look(path, Options::default())
        .map(Some)
        .map_err(|error| Fault::of_store(&error, None))
}

/// The run of the store that `text` names: an identity, its beginning or end, or `last`.
pub(crate) fn find(
    store: Option<&mut SqliteStore>,
    path: &Path,
    text: &str,
) -> Result<RunId, Fault> {
    let Some(store) = store else {
        return Err(Fault::new(ErrorCode::NoSuchRun, format!("no such run: {text}"))
            .help(format!("there is no store in {} yet", path.display()))
            .help("name another with --store, or start a run: loom run FILE"));
    };
    let told = |error| Fault::of_store(&error, None);
    let wanted = text.to_ascii_lowercase();
    if wanted == "last" {
        let page = store.list(&RunFilter { limit: 1, ..RunFilter::default() }).map_err(told)?;
        return page.runs.first().map(|run| run.id).ok_or_else(|| {
            Fault::new(ErrorCode::NoSuchRun, "the store has no runs")
                .help("start one: loom run FILE")
        });
    }
    check_length(&wanted)?;
    let found = store.find(&wanted, SHOWN + 1).map_err(told)?;
    match found[..] {
        [run] => Ok(run),
        [] => Err(no_such_run(store, text)),
        _ => {
            let summaries = found.iter().map(|&run| store.run(run)).collect::<Result<Vec<_>, _>>();
            let shown = summaries
                .map_err(told)?
                .into_iter()
                .map(|run| (run.id.to_string(), run.workflow, run.state.name().to_owned()));
            Err(ambiguous(text, shown))
        }
    }
}

/// Whether this is enough to name a run.
pub(crate) fn check_length(text: &str) -> Result<(), Fault> {
    if text.chars().count() >= SHORTEST {
        return Ok(());
    }
    let message = format!("`{text}` is too short to name a run");
    let help = format!("give {SHORTEST} characters or more, or `last` for the youngest run");
    Err(Fault::new(ErrorCode::BadArgument, message).help(help))
}

/// Several runs match: the identity, the workflow and the state of each.
pub(crate) fn ambiguous(
    text: &str,
    mut runs: impl Iterator<Item = (String, String, String)>,
) -> Fault {
    let mut fault = Fault::new(ErrorCode::AmbiguousRun, format!("several runs match `{text}`"));
    for (run, workflow, state) in runs.by_ref().take(SHOWN) {
        fault = fault.help(format!("{run}  {workflow}  {state}"));
    }
    if runs.next().is_some() {
        fault = fault.help("…");
    }
    fault.help("give more characters; the last ones tell runs apart best")
}

fn no_such_run(store: &mut SqliteStore, text: &str) -> Fault {
    let fault = Fault::new(ErrorCode::NoSuchRun, format!("no such run: {text}"));
    let youngest = store.list(&RunFilter { limit: 3, ..RunFilter::default() });
    let runs = youngest.map(|page| page.runs).unwrap_or_default();
    if runs.is_empty() {
        return fault.help("the store has no runs");
    }
    let names: Vec<String> =
        runs.iter().map(|run| format!("{} ({})", run.id.short(), run.workflow)).collect();
    fault.help(format!("the youngest runs are {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_path_with_or_without_its_kind() {
        for (text, path) in [
            ("a/b.db", "a/b.db"),
            ("sqlite:b.db", "b.db"),
            ("sqlite:///tmp/b.db", "/tmp/b.db"),
            ("/tmp/with:colon.db", "/tmp/with:colon.db"),
        ] {
            assert_eq!(parse(text).unwrap(), PathBuf::from(path), "{text}");
        }
    }

    #[test]
    fn other_kinds_of_store_are_refused_with_what_is_supported() {
        for text in ["postgres://localhost/loom", "mysql:x", "", "sqlite:"] {
            let fault = parse(text).unwrap_err();
            assert_eq!(fault.code, ErrorCode::BadArgument, "{text}");
            assert!(fault.help[0].contains("SQLite"), "{text}");
        }
    }
}
