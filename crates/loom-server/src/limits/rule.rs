//! Limits made ready to be asked which runs they count.

use loom_core::{Value, Variable};
use loom_protocol::MASK;
use loom_protocol::api::{LimitKey, LimitSpec, WhenFull};
use loom_store::record::hex;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The most characters of a key that are shown.
const SHOWN: usize = 200;

/// All limits that are in force.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// In the order in which a run takes what it needs of them: those that refuse first, because
    /// nobody waits for them, then those of keys, which are narrower.
    pub(super) runs: Vec<Arc<RunLimit>>,
    /// The most tasks at once of queues.
    pub(super) queues: HashMap<String, u32>,
}

/// A limit of runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RunLimit {
    pub(super) name: String,
    /// Names what it counts: another one has other counts.
    pub(super) id: String,
    pub(super) namespace: String,
    workflow: Option<String>,
    key: Key,
    pub(super) max_runs: Option<u32>,
    pub(super) pace: Option<Pace>,
    pub(super) refuses: bool,
}

/// So many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) starts: u32,
    pub(super) period: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Key {
    /// All runs have the same.
    None,
    Request,
    Template(Vec<Part>),
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

/// What limits ask about a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) namespace: &'a str,
    pub(super) workflow: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) variables: &'a [Variable],
}

/// A run counts against this limit, under this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) limit: Arc<RunLimit>,
    /// The key as it is shown; `None` if the limit has none.
    pub(super) key: Option<String>,
    /// Where the count is kept.
    pub(super) place: String,
}

impl Rules {
    /// The limits in force, by name.
    pub(super) fn new<'a>(
        specs: impl IntoIterator<Item = (&'a str, &'a str, &'a LimitSpec)>,
    ) -> Self {
        let mut rules = Self::default();
        for (name, id, spec) in specs {
            match spec {
                LimitSpec::Tasks { queue, max_tasks } => {
                    // Where two name one queue, the smaller holds.
                    let most = rules.queues.entry(queue.clone()).or_insert(*max_tasks);
                    *most = (*most).min(*max_tasks);
                }
                LimitSpec::Runs { .. } => {
                    rules.runs.extend(RunLimit::new(name, id, spec).map(Arc::new));
                }
            }
        }
        let rank =
            |limit: &Arc<RunLimit>| (!limit.refuses, limit.key == Key::None, limit.name.clone());
        rules.runs.sort_by_cached_key(rank);
        rules
    }

    /// Whether any limit may count runs of this workflow.
    pub(super) fn concern(&self, namespace: &str, workflow: &str) -> bool {
        self.runs.iter().any(|limit| limit.concerns(namespace, workflow))
    }

    /// Whether a run's variables have to be known to say which limits count it.
    pub(super) fn ask_variables(&self, namespace: &str, workflow: &str) -> bool {
        let asks = |limit: &Arc<RunLimit>| {
            matches!(limit.key, Key::Template(_)) && limit.concerns(namespace, workflow)
        };
        self.runs.iter().any(asks)
    }

    /// What a run counts against, in the order in which it takes what it needs.
    pub(super) fn counts(&self, facts: &Facts<'_>) -> Vec<Count> {
        self.runs.iter().filter_map(|limit| RunLimit::count(limit, facts)).collect()
    }

    /// The limits by what names their counts.
    pub(super) fn by_id(&self) -> BTreeMap<&str, &Arc<RunLimit>> {
        self.runs.iter().map(|limit| (limit.id.as_str(), limit)).collect()
    }
}

impl RunLimit {
    fn new(name: &str, id: &str, spec: &LimitSpec) -> Option<Self> {
        let LimitSpec::Runs { namespace, workflow, key, max_runs, rate, when_full } = spec else {
            return None;
        };
        Some(Self {
            name: name.to_owned(),
            id: id.to_owned(),
            namespace: namespace.clone(),
            workflow: workflow.clone(),
            key: match key {
                None => Key::None,
                Some(LimitKey::Request {}) => Key::Request,
                Some(LimitKey::Variables { template }) => Key::Template(parse(template).ok()?),
            },
            max_runs: *max_runs,
            pace: rate.map(|rate| Pace {
                starts: rate.starts,
                period: Duration::from_secs(rate.per_s.into()),
            }),
            refuses: *when_full == WhenFull::Refuse,
        })
    }

    fn concerns(&self, namespace: &str, workflow: &str) -> bool {
        self.namespace == namespace && self.workflow.as_ref().is_none_or(|it| it == workflow)
    }

    fn count(limit: &Arc<Self>, facts: &Facts<'_>) -> Option<Count> {
        if !limit.concerns(facts.namespace, facts.workflow) {
            return None;
        }
        let key = match &limit.key {
            Key::None => None,
            Key::Request => Some(facts.key?.to_owned()),
            Key::Template(parts) => Some(fill(parts, facts.variables)?),
        };
        let digest = key.as_ref().map(|key| Sha256::digest(key.as_bytes()));
        let tail = digest.map(|digest| hex(&digest[..16])).unwrap_or_default();
        let key = key.map(|key| key.chars().take(SHOWN).collect());
        Some(Count { limit: Arc::clone(limit), key, place: format!("{}/{tail}", limit.id) })
    }
}

/// What names the counts of the limit that has this place.
pub(super) fn limit_of(place: &str) -> &str {
    place.split('/').next().unwrap_or_default()
}

/// Refuses a template that is none; says why.
pub(super) fn check_template(template: &str) -> Result<(), String> {
    parse(template).map(drop)
}

fn parse(template: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once("{{") {
        let (name, behind) =
            behind.split_once("}}").ok_or_else(|| format!("`{template}` lacks a `}}}}`"))?;
        let name = name.trim();
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(format!("`{name}` is no name of a variable"));
        }
        parts.extend((!text.is_empty()).then(|| Part::Text(text.to_owned())));
        parts.push(Part::Variable(name.to_owned()));
        rest = behind;
    }
    if parts.is_empty() {
        return Err(format!("`{template}` names no variable, such as `{{{{CUSTOMER}}}}`"));
    }
    parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
    Ok(parts)
}

/// The text with the values; `None` if a variable is not set.
fn fill(parts: &[Part], variables: &[Variable]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Variable(name) => {
                let variable = variables.iter().find(|variable| variable.name == *name)?;
                match &variable.value {
                    // A key is shown. The store does not tell secrets either.
                    _ if variable.secret => text.push_str(MASK),
                    Value::String(value) => text.push_str(value),
                    value => text.push_str(&value.to_string()),
                }
            }
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(specs: &[(&str, Value)]) -> Rules {
        let specs: Vec<(&str, LimitSpec)> = specs
            .iter()
            .map(|(name, spec)| (*name, serde_json::from_value(spec.clone()).unwrap()))
            .collect();
        Rules::new(specs.iter().map(|(name, spec)| (*name, *name, spec)))
    }

    fn set(name: &str, value: impl Into<Value>, secret: bool) -> Variable {
        Variable { name: name.into(), value: value.into(), secret }
    }

    #[test]
    fn runs_count_against_what_names_their_workflow_and_key() {
        let rules = rules(&[
            ("all", json!({ "counts": "runs", "max_runs": 9 })),
            ("one", json!({ "counts": "runs", "workflow": "w", "max_runs": 1 })),
            ("far", json!({ "counts": "runs", "namespace": "far", "max_runs": 1 })),
            ("key", json!({ "counts": "runs", "max_runs": 1, "key": { "from": "request" } })),
            ("door", json!({ "counts": "runs", "max_runs": 1, "when_full": "refuse" })),
            (
                "tmpl",
                json!({ "counts": "runs", "max_runs": 1,
                "key": { "from": "variables", "template": "{{A}}-{{ B }}!" } }),
            ),
        ]);
        let variables = [set("A", "x", false), set("B", json!([1]), false), set("C", 1, true)];
        let counts = |workflow: &str, key, variables: &[Variable]| -> Vec<_> {
            let facts = Facts { namespace: "default", workflow, key, variables };
            let counts = rules.counts(&facts).into_iter();
            counts.map(|count| (count.limit.name.clone(), count.key)).collect()
        };
        let named = |name: &str, key: Option<&str>| (name.to_owned(), key.map(str::to_owned));
        assert_eq!(
            counts("w", Some("k"), &variables),
            [
                named("door", None),
                named("key", Some("k")),
                named("tmpl", Some("x-[1]!")),
                named("all", None),
                named("one", None),
            ]
        );
        assert_eq!(counts("v", None, &variables[..1]), [named("door", None), named("all", None)]);
        assert!(rules.concern("default", "v") && !rules.concern("other", "v"));
        assert!(rules.ask_variables("default", "v") && !rules.ask_variables("far", "v"));
    }

    #[test]
    fn a_secret_tells_no_runs_apart_and_a_long_key_is_cut_only_where_it_is_shown() {
        let rules = rules(&[(
            "k",
            json!({ "counts": "runs", "max_runs": 1,
                "key": { "from": "variables", "template": "{{A}}" } }),
        )]);
        let count = |variable: Variable| {
            let variables = [variable];
            let facts =
                Facts { namespace: "default", workflow: "w", key: None, variables: &variables };
            rules.counts(&facts).remove(0)
        };
        assert_eq!(count(set("A", "one", true)), count(set("A", "two", true)));
        let [one, two] = ["1", "2"].map(|end| count(set("A", "x".repeat(300) + end, false)));
        assert_eq!(one.key, two.key);
        assert_ne!(one.place, two.place);
    }

    #[test]
    fn a_template_names_variables() {
        for good in ["{{A}}", "{{ A_1 }}/{{b}}", "x{{A}}y"] {
            assert_eq!(check_template(good), Ok(()), "{good}");
        }
        for bad in ["", "A", "{{A", "{{}}", "{{A-B}}", "{{1}}", "{{ENV:A}}", "}}{{"] {
            assert!(check_template(bad).is_err(), "{bad}");
        }
    }
}
