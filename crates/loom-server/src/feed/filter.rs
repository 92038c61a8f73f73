//! Which events somebody wants to hear of.

use super::follow::Batch;
use crate::problem::Problem;
use loom_protocol::{ErrorCode, RunEventKind};
use loom_spec::is_event_name;
use std::collections::BTreeSet;

/// The most types, or families of them, that one filter names.
const TYPES_MAX: usize = 64;

/// The events that a reader wants to hear of.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Only of these namespaces.
    pub(crate) namespaces: Option<Vec<String>>,
    /// Only of this workflow.
    pub(crate) workflow: Option<String>,
    /// Only of these types.
    pub(crate) types: Types,
}

impl Filter {
    /// Keeps to one namespace, which must be among those that the reader may see.
    pub(crate) fn narrow(&mut self, namespace: String) -> Result<(), Problem> {
        if self.namespaces.as_ref().is_some_and(|names| !names.contains(&namespace)) {
            let message = format!("events of namespace `{namespace}` are not for this caller");
            return Err(Problem::new(ErrorCode::Forbidden, message));
        }
        self.namespaces = Some(vec![namespace]);
        Ok(())
    }

    /// Whether events of this run may be wanted.
    pub(crate) fn wants(&self, batch: &Batch) -> bool {
        let among = |names: &Vec<String>| names.iter().any(|name| name == batch.namespace());
        self.workflow.as_deref().is_none_or(|name| name == batch.workflow())
            && self.namespaces.as_ref().is_none_or(among)
    }
}

/// The types of events that a reader wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Types {
    /// Every type.
    All,
    /// These alone.
    Some {
        /// Our own types.
        own: BTreeSet<&'static str>,
        /// Events of workflows, by name; all of a family where it ends in a dot.
        custom: BTreeSet<String>,
    },
}

impl Types {
    /// The types of these names, and events that workflows name so; `task.*` names all of a family.
    pub(crate) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let (mut own, mut custom) = (BTreeSet::new(), BTreeSet::new());
        for (count, name) in names.into_iter().map(str::trim).enumerate() {
            if count == TYPES_MAX {
                let most = format!("a filter names at most {TYPES_MAX} types of events");
                return Err(Problem::argument(most));
            }
            let mut found = matching(name).peekable();
            if found.peek().is_some() {
                own.extend(found);
            } else {
                custom.insert(named_by_workflows(name).ok_or_else(|| unknown(name))?);
            }
        }
        Ok(Self::Some { own, custom })
    }

    /// The types of a list that is separated by commas; of none, all.
    pub(crate) fn parse(list: Option<&str>) -> Result<Self, Problem> {
        list.map_or(Ok(Self::All), |list| Self::named(list.split(',')))
    }

    pub(crate) fn want(&self, what: &RunEventKind) -> bool {
        let Self::Some { own, custom } = self else { return true };
        let is_named = |name: &str| {
            let is = |wanted: &String| {
                wanted == name || wanted.ends_with('.') && name.starts_with(wanted.as_str())
            };
            custom.iter().any(is)
        };
        own.contains(what.type_name())
            || matches!(what, RunEventKind::Custom { name, .. } if is_named(name))
    }
}

/// The types that a name or `FAMILY.*` stands for.
fn matching(name: &str) -> impl Iterator<Item = &'static str> {
    let family = name.strip_suffix('*').filter(|family| family.ends_with('.'));
    let stands = move |kind: &&str| match family {
        Some(family) => kind.starts_with(family),
        None => *kind == name,
    };
    RunEventKind::TYPES.iter().copied().filter(stands)
}

/// The name, or the family up to its last dot, if workflows may name events so.
fn named_by_workflows(name: &str) -> Option<String> {
    match name.strip_suffix(".*") {
        Some(family) => is_event_name(&format!("{family}.x")).then(|| format!("{family}.")),
        None => is_event_name(name).then(|| name.to_owned()),
    }
}

fn unknown(name: &str) -> Problem {
    let problem = Problem::argument(format!("there is no type of event `{name}`"));
    let families = ["run.*", "task.*"];
    match loom_spec::nearest(name, RunEventKind::TYPES.iter().copied().chain(families)) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")),
        None => problem.help("`GET /api/v1/events/catalog` and `loom events` list all types"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn custom(name: &str) -> RunEventKind {
        let (name, task) = (name.to_owned(), "a".to_owned());
        RunEventKind::Custom { name, task, payload: BTreeMap::new() }
    }

    #[test]
    fn types_are_named_one_by_one_or_by_family() {
        let finished = RunEventKind::RunFinished { outcome: "failed".into() };
        let gathered = RunEventKind::TaskGathered { task: "a".into(), failed: 0 };
        let paused = RunEventKind::RunPaused { by: "ann".into() };
        let all = Types::parse(None).unwrap();
        assert!(all.want(&finished) && all.want(&custom("order.made")));
        let some = Types::parse(Some("run.finished, task.*")).unwrap();
        assert!(some.want(&finished) && some.want(&gathered));
        assert!(!some.want(&paused) && !some.want(&custom("order.made")));
    }

    #[test]
    fn events_of_workflows_are_named_as_they_name_them() {
        for (wanted, made, order, made_up) in [
            ("custom", true, true, true),
            ("order.made", true, false, false),
            ("order.*", true, true, false),
            ("order.mad", false, false, false),
            ("run.*", false, false, false),
            ("run.finished,orders.made", false, false, true),
        ] {
            let types = Types::parse(Some(wanted)).unwrap();
            let want = ["order.made", "order.sent.again", "orders.made"];
            let want = want.map(|name| types.want(&custom(name)));
            assert_eq!(want, [made, order, made_up], "{wanted}");
        }
    }

    #[test]
    fn a_type_that_is_not_there_is_refused_with_the_nearest() {
        for (wrong, nearest) in [
            ("run.finish", "`run.finished`"),
            ("task.succeded", "`task.succeeded`"),
            ("runs", "catalog"),
            ("task.none.*", "catalog"),
            ("webhook.test", "catalog"),
            ("", "catalog"),
            ("*", "catalog"),
            (".*", "catalog"),
        ] {
            let problem = Types::parse(Some(wrong)).unwrap_err();
            assert!(problem.help[0].contains(nearest), "{wrong}: {problem:?}");
        }
        let many = vec!["run.started"; TYPES_MAX + 1].join(",");
        assert!(Types::parse(Some(&many)).is_err());
    }

    #[test]
    fn a_reader_keeps_to_what_it_may_see() {
        let namespaces = Some(vec!["a".to_owned(), "b".to_owned()]);
        let mut filter = Filter { namespaces, workflow: None, types: Types::All };
        filter.narrow("c".into()).unwrap_err();
        filter.narrow("b".into()).unwrap();
        assert_eq!(filter.namespaces, Some(vec!["b".to_owned()]));
    }
}
