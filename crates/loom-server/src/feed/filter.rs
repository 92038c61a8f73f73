//! Which events somebody wants to hear of.

use super::follow::Batch;
use crate::problem::Problem;
use loom_protocol::{ErrorCode, RunEventKind};
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

/// The types of events that a reader wants to hear of; `None` for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Types(Option<BTreeSet<&'static str>>);

impl Types {
    /// Every type.
    pub(crate) const ALL: Self = Self(None);

    /// The types of these names; `task.*` names all of a family.
    pub(crate) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let mut wanted = BTreeSet::new();
        for (count, name) in names.into_iter().map(str::trim).enumerate() {
            if count == TYPES_MAX {
                let most = format!("a filter names at most {TYPES_MAX} types of events");
                return Err(Problem::argument(most));
            }
            let mut found = matching(name).peekable();
            if found.peek().is_none() {
                return Err(unknown(name));
            }
            wanted.extend(found);
        }
        Ok(Self(Some(wanted)))
    }

    /// The types of a list that is separated by commas; of none, all.
    pub(crate) fn parse(list: Option<&str>) -> Result<Self, Problem> {
        list.map_or(Ok(Self::ALL), |list| Self::named(list.split(',')))
    }

    pub(crate) fn want(&self, kind: &str) -> bool {
        self.0.as_ref().is_none_or(|types| types.contains(kind))
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

    #[test]
    fn types_are_named_one_by_one_or_by_family() {
        let all = Types::parse(None).unwrap();
        assert!(all.want("run.finished"));
        let some = Types::parse(Some("run.finished, task.*")).unwrap();
        assert!(some.want("run.finished") && some.want("task.started"));
        assert!(!some.want("run.started"));
    }

    #[test]
    fn a_type_that_is_not_there_is_refused_with_the_nearest() {
        for (wrong, nearest) in [
            ("run.finish", "`run.finished`"),
            ("tasks.*", "`task.*`"),
            ("task.succeded", "`task.succeeded`"),
            ("", "catalog"),
            ("*", "catalog"),
            ("xyz.*", "catalog"),
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
        let mut filter = Filter { namespaces, workflow: None, types: Types::ALL };
        filter.narrow("c".into()).unwrap_err();
        filter.narrow("b".into()).unwrap();
        assert_eq!(filter.namespaces, Some(vec!["b".to_owned()]));
    }
}
