//! What may be asked of things that start runs by themselves.

use crate::problem::Problem;
use crate::runs::{self, LABELS_MAX};
use jiff::fmt::temporal::Pieces;
use loom_core::{Timestamp, Value};
use loom_protocol::api::{Identity, StartRun};
use loom_protocol::{ErrorCode, MASK};
use loom_store::Stale;
use serde::Serialize;

/// The most bytes of a schedule or trigger, as JSON.
const SPEC_BYTES: usize = 64 << 10;
/// The longest name.
const NAME_MAX: usize = 100;
/// The longest description.
const DESCRIPTION_MAX: usize = 1024;

/// How many annotations say of a run why it started by itself.
const ANNOTATIONS: usize = 2;

/// What must be so for a change to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// It is there, and perhaps as the caller saw it.
    pub present: Option<Seen>,
    /// It is not there.
    pub absent: bool,
}

/// How something has to be that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// However it is.
    Anyhow,
    /// With one of these entity tags.
    Tagged(Vec<u64>),
}

impl From<Option<u64>> for Precondition {
    /// With this entity tag, if there is one.
    fn from(version: Option<u64>) -> Self {
        Self { present: version.map(|version| Seen::Tagged(vec![version])), absent: false }
    }
}

impl Precondition {
    /// Refuses a change of something that is there with this version, or is not there.
    pub(crate) fn check(
        &self,
        present: Option<u64>,
        kind: &str,
        collection: &str,
        name: &str,
    ) -> Result<(), Problem> {
        if self.absent && present.is_some() {
            let message = format!("there is a {kind} `{name}` already");
            return Err(Problem::new(ErrorCode::AlreadyThere, message));
        }
        let holds = match (&self.present, present) {
            (None, _) | (Some(Seen::Anyhow), Some(_)) => true,
            (Some(Seen::Tagged(tags)), Some(version)) => tags.contains(&version),
            (Some(_), None) => false,
        };
        if !holds {
            let (collection, key) = (collection.to_owned(), name.to_owned());
            return Err(Problem::stale(&Stale { collection, key }));
        }
        Ok(())
    }
}

/// Refuses a name that could not stand in an address.
pub(crate) fn name(name: &str) -> Result<(), Problem> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let good = (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(fits)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if good {
        return Ok(());
    }
    let what = format!("a name has 1 to {NAME_MAX} letters, digits, `-`, `_` and `.`");
    Err(Problem::argument(what).help("begin with a letter or digit"))
}

/// Refuses what is too large.
pub(crate) fn size(spec: &impl Serialize, description: &str) -> Result<(), Problem> {
    if description.chars().count() > DESCRIPTION_MAX {
        let what = format!("`description` has at most {DESCRIPTION_MAX} characters");
        return Err(Problem::argument(what));
    }
    let bytes = serde_json::to_vec(spec).expect("its keys are text").len();
    if bytes <= SPEC_BYTES {
        return Ok(());
    }
    Err(Problem::argument(format!("it has {bytes} bytes; the limit is {SPEC_BYTES}")))
}

/// Refuses what is decided anew for each run that starts by itself.
pub(crate) fn run(run: &StartRun) -> Result<(), Problem> {
    let decided = [
        ("start_at", run.start_at.is_some()),
        ("initiator", run.initiator.is_some()),
        ("identity", run.identity != Identity::Key {}),
    ];
    if let Some((field, _)) = decided.iter().find(|(_, given)| *given) {
        let what = format!("`run.{field}` is decided when the run starts, and not given");
        return Err(Problem::argument(what));
    }
    let masked = |(_, value): &(&String, &Value)| *value == MASK;
    if let Some((name, _)) = run.variables.iter().find(masked) {
        return Err(Problem::argument(format!("the variable `{name}` is `{MASK}`"))
            .help("that stands for a secret that is not shown; give the secret again"));
    }
    if run.annotations.len() + ANNOTATIONS > LABELS_MAX {
        let most = LABELS_MAX - ANNOTATIONS;
        let what = format!("a run that starts by itself has at most {most} annotations of yours");
        return Err(Problem::argument(what));
    }
    runs::check(run)
}

/// Refuses a number out of its range.
pub(crate) fn within(what: &str, found: u32, least: u32, most: u32) -> Result<(), Problem> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(Problem::argument(format!("{what} is {least} to {most}")))
}

/// A time that somebody wrote.
pub(crate) fn moment(what: &str, text: &str) -> Result<Timestamp, Problem> {
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        let is_time =
            Pieces::parse(text).is_ok_and(|it| it.time().is_some() && it.offset().is_some());
        if is_time {
            return Problem::argument(format!("`{what}` is too far from now: `{text}`"))
                .help(format!("the last time is {}", jiff::Timestamp::MAX));
        }
        Problem::argument(format!("`{what}` is no RFC 3339 time: `{text}`"))
            .help("write 2026-12-31T23:59:00Z")
    })?;
    let micros = u64::try_from(time.as_microsecond());
    micros.map(Timestamp).map_err(|_| Problem::argument(format!("`{what}` is before 1970")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_made_of_what_the_caller_saw() {
        let seen = |tags: &[u64]| Some(Seen::Tagged(tags.to_vec()));
        // (is there, is not to be there, what is there, the refusal)
        let (stale, taken) = (Some(ErrorCode::PreconditionFailed), Some(ErrorCode::AlreadyThere));
        for (present, absent, version, refusal) in [
            (None, false, None, None),
            (None, false, Some(7), None),
            (None, true, None, None),
            (None, true, Some(7), taken),
            (Some(Seen::Anyhow), false, Some(7), None),
            (Some(Seen::Anyhow), false, None, stale),
            (seen(&[7]), false, Some(7), None),
            (seen(&[6, 7]), false, Some(7), None),
            (seen(&[6]), false, Some(7), stale),
            (seen(&[]), false, Some(7), stale),
            (seen(&[7]), false, None, stale),
        ] {
            let when = Precondition { present, absent };
            let found = when.check(version, "thing", "things", "x").err();
            assert_eq!(found.map(|problem| problem.code), refusal, "{when:?} {version:?}");
        }
    }

    #[test]
    fn names_are_plain() {
        name("old-runs_1.a").unwrap();
        for wrong in ["", "a/b", "ö", "a b", ".a", &"x".repeat(101)] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_no_run_could_start_with_is_refused() {
        let read = |run: serde_json::Value| serde_json::from_value::<StartRun>(run).unwrap();
        let many: std::collections::BTreeMap<String, String> =
            (0..63).map(|at| (at.to_string(), String::new())).collect();
        run(&read(json!({ "workflow": "w", "variables": { "A": 1, "MAX_WORKERS": "2" } })))
            .unwrap();
        for wrong in [
            json!({ "workers": 0 }),
            json!({ "variables": { "1 x": 1 } }),
            json!({ "variables": { "MAX_WORKERS": 0 } }),
            json!({ "tags": ["x".repeat(300)] }),
            json!({ "annotations": many }),
            json!({ "priority": 101 }),
            json!({ "concurrency_key": "a\nb" }),
            json!({ "variables": { "S": "***" } }),
        ] {
            let mut all = wrong.clone();
            all["workflow"] = json!("w");
            assert!(run(&read(all)).is_err(), "{wrong}");
        }
    }
}
