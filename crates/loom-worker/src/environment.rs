//! The environment variables of an attempt.
//!
//! A process gets `loom`'s own environment, but for what is withheld, and on top of it, later ones
//! winning: the variables of the run, the task's inputs, `ITEM` and `ITEM_INDEX`, the attempt's
//! context, and `LOOM_RUN_ID`, `LOOM_TASK`, `LOOM_ATTEMPT`, `LOOM_IDEMPOTENCY_KEY`, `LOOM_WORKFLOW`,
//! `LOOM_OUTPUT`. A string is passed as it is, any other value as compact JSON.

use crate::job::{Ended, failure};
use crate::leftovers::KEEPER;
use loom_protocol::{AttemptRequest, ErrorCode};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{CStr, CString, NulError, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The most bytes of `NAME=value` with its closing NUL: what Linux lets pass in one string.
const ENTRY_LIMIT: usize = 128 << 10;

/// A value as processes and texts see it.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// The value of a variable of an attempt.
pub(crate) fn variable<'a>(request: &'a AttemptRequest, name: &str) -> Option<Cow<'a, Value>> {
    match (name, &request.item) {
        ("ITEM", Some(item)) => return Some(Cow::Borrowed(item)),
        ("ITEM_INDEX", Some(_)) => return request.id.item.map(|item| Cow::Owned(item.into())),
        _ => {}
    }
    let found = request.inputs.iter().chain(request.shared.iter()).find(|var| var.name == name);
    found.map(|variable| Cow::Borrowed(&variable.value))
}

/// The names of an attempt's variables; some may come twice.
pub(crate) fn names(request: &AttemptRequest) -> impl Iterator<Item = &str> {
    let item = request.item.iter().flat_map(|_| ["ITEM", "ITEM_INDEX"]);
    request.inputs.iter().chain(request.shared.iter()).map(|var| var.name.as_str()).chain(item)
}

/// `loom`'s own environment, ready to be handed on. Taken once: nothing in `loom` changes it.
#[derive(Debug)]
pub(crate) struct Inherited {
    entries: Vec<CString>,
    places: HashMap<OsString, usize>,
}

impl Inherited {
    /// As it is now, without the variables of these names, and without the mark of another `loom`
    /// that this one was started by.
    pub(crate) fn now(withheld: &[&str]) -> Self {
        let mut own = Self { entries: Vec::new(), places: HashMap::new() };
        for (name, value) in std::env::vars_os() {
            if name == KEEPER || withheld.iter().any(|it| name == *it) {
                continue;
            }
            let Ok(entry) = entry(&name, &value) else { continue };
            own.places.insert(name, own.entries.len());
            own.entries.push(entry);
        }
        own
    }

    /// The value of a variable in it.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        let entry = self.entries[*self.places.get(OsStr::new(name))?].as_bytes();
        Some(OsStr::from_bytes(&entry[name.len() + 1..]))
    }

    /// All variables in it.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.places.iter().map(|(name, place)| {
            let entry = self.entries[*place].as_bytes();
            (name.as_os_str(), OsStr::from_bytes(&entry[name.len() + 1..]))
        })
    }

    /// It with these entries on top, of which later ones win.
    pub(crate) fn with<'a>(&'a self, own: &'a [(&OsStr, CString)]) -> Vec<&'a CStr> {
        let mut all: Vec<&CStr> = Vec::with_capacity(self.entries.len() + own.len());
        all.extend(self.entries.iter().map(CString::as_c_str));
        let mut added: HashMap<&OsStr, usize> = HashMap::with_capacity(own.len());
        for (name, entry) in own {
            if let Some(place) = self.places.get(*name).or_else(|| added.get(name)) {
                all[*place] = entry;
            } else {
                added.insert(name, all.len());
                all.push(entry);
            }
        }
        all
    }
}

/// `NAME=value`; an error if there is a NUL in it.
pub(crate) fn entry(name: &OsStr, value: &OsStr) -> Result<CString, NulError> {
    let mut entry = Vec::with_capacity(name.len() + value.len() + 2);
    entry.extend_from_slice(name.as_bytes());
    entry.push(b'=');
    entry.extend_from_slice(value.as_bytes());
    CString::new(entry)
}

/// What an attempt's process gets on top of `loom`'s own environment; later entries win.
pub(crate) fn of<'a>(
    request: &'a AttemptRequest,
    output: &'a Path,
) -> Result<Vec<(&'a str, Cow<'a, str>)>, Ended> {
    let variables = request.shared.len() + request.inputs.len() + request.context.len();
    let mut entries: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(variables + 8);
    for variable in request.shared.iter().chain(&request.inputs) {
        entries.push((&variable.name, text(&variable.value)));
    }
    if let Some(item) = &request.item {
        entries.push(("ITEM", text(item)));
        if let Some(index) = request.id.item {
            entries.push(("ITEM_INDEX", index.to_string().into()));
        }
    }
    entries.extend(request.context.iter().map(|(name, value)| (name.as_str(), value.into())));
    for (name, value) in &entries {
        check(name, value)?;
    }
    entries.extend([
        ("LOOM_RUN_ID", request.id.run.as_str().into()),
        ("LOOM_TASK", request.task.as_str().into()),
        ("LOOM_ATTEMPT", request.id.attempt.to_string().into()),
        ("LOOM_IDEMPOTENCY_KEY", request.idempotency_key.as_str().into()),
        ("LOOM_WORKFLOW", request.workflow.as_str().into()),
        ("LOOM_OUTPUT", output.to_string_lossy()),
    ]);
    Ok(entries)
}

/// Whether a variable can be handed to a process.
pub(crate) fn check(name: &str, value: &str) -> Result<(), Ended> {
    let problem = if value.contains('\0') {
        "holds a NUL character, which no environment variable can"
    } else if name.len() + value.len() + 2 > ENTRY_LIMIT {
        "is longer than the 128 KiB that an environment variable can hold"
    } else {
        return Ok(());
    };
    Err(failure(
        ErrorCode::ParameterValue,
        format!("variable `{name}` {problem}; write it to a file and pass the file's path instead"),
        false,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request;
    use serde_json::json;

    fn environment(request: &AttemptRequest) -> Result<Vec<(String, String)>, Ended> {
        let entries = of(request, Path::new("/out"))?;
        Ok(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    #[test]
    fn values_that_are_not_strings_become_compact_json() {
        let mut request = request("noop", json!({}));
        crate::testing::input(&mut request, "LIST", json!([1, {"a": null}]));
        crate::testing::input(&mut request, "TEXT", json!("as it is"));
        request.item = Some(json!(1.5));
        request.id.item = Some(7);
        let entries = environment(&request).unwrap();
        for (name, value) in [
            ("LIST", "[1,{\"a\":null}]"),
            ("TEXT", "as it is"),
            ("ITEM", "1.5"),
            ("ITEM_INDEX", "7"),
            ("LOOM_OUTPUT", "/out"),
            ("LOOM_ATTEMPT", "1"),
        ] {
            assert!(entries.contains(&(name.into(), value.into())), "{name} in {entries:?}");
        }
        assert_eq!(variable(&request, "ITEM_INDEX").unwrap().into_owned(), json!(7));
    }

    #[test]
    fn a_value_that_no_process_can_take_is_a_permanent_failure_that_names_it() {
        for value in ["a\0b".to_owned(), "x".repeat(ENTRY_LIMIT)] {
            let mut request = request("noop", json!({}));
            crate::testing::input(&mut request, "BIG", json!(value));
            let Err(Ended::Failed(info)) = environment(&request) else { panic!("accepted") };
            assert!(info.message.contains("`BIG`") && info.message.contains("file's path"));
            assert!(!info.retryable);
        }
    }

    #[test]
    fn later_entries_win_over_earlier_and_inherited_ones() {
        let own = |name: &str, value: &str| entry(name.as_ref(), value.as_ref()).unwrap();
        let names = ["PATH", "HOME"];
        let inherited = Inherited {
            entries: vec![own("PATH", "/bin"), own("HOME", "/a=b")],
            places: names.iter().enumerate().map(|(at, name)| (name.into(), at)).collect(),
        };
        assert_eq!(inherited.get("HOME"), Some(OsStr::new("/a=b")));
        assert_eq!(inherited.get("X"), None);
        let added = ["X", "PATH", "X"].map(OsStr::new);
        let entries = [own("X", "1"), own("PATH", "/mine"), own("X", "2")];
        let added: Vec<_> = added.into_iter().zip(entries).collect();
        assert_eq!(inherited.with(&added), [c"PATH=/mine", c"HOME=/a=b", c"X=2"]);
    }
}
