//! Measuring a document before its fragments are expanded: a short text can stand for a query
//! that nobody could carry out.

use crate::problem::Problem;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use loom_protocol::ErrorCode;
use std::collections::HashMap;

/// How deep fields may stand in each other: enough for the introspection that tools send.
const DEPTH_MAX: usize = 16;
/// How deep fields and fragments together may stand in each other.
const LEVELS_MAX: usize = 32;
/// The most fields and uses of fragments, with fragments expanded.
const SELECTIONS_MAX: usize = 1000;
/// The most fields at the top, each of which is a call of its own.
const ROOTS_MAX: usize = 20;
/// The most aliases, with fragments expanded.
const ALIASES_MAX: usize = 30;
/// The most directives, with fragments expanded.
const DIRECTIVES_MAX: usize = 50;
/// The most operations and fragments of a document.
const DEFINITIONS_MAX: usize = 50;

/// What a selection amounts to, with fragments expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Fields at the top.
    pub(super) roots: usize,
    depth: usize,
    selections: usize,
    aliases: usize,
    directives: usize,
}

/// Refuses a document that asks for too much.
pub(super) fn weigh(document: &ExecutableDocument) -> Result<(), Problem> {
    let definitions = document.operations.iter().len() + document.fragments.len();
    within("operations and fragments", definitions, DEFINITIONS_MAX)?;
    let mut scale = Scale::new(document);
    let mut all = Weight::default();
    for (_, operation) in document.operations.iter() {
        all = all.and(scale.set(&operation.node.selection_set.node, 0)?);
        all.check()?;
    }
    // Those that nobody uses are checked by what comes behind too, and each error is told.
    for name in document.fragments.keys() {
        scale.fragment(name, 1)?;
    }
    Ok(())
}

/// How many fields an operation has at the top, after [`weigh`].
pub(super) fn roots(
    document: &ExecutableDocument,
    operation: &SelectionSet,
) -> Result<usize, Problem> {
    Scale::new(document).set(operation, 0).map(|weight| weight.roots)
}

impl Weight {
    fn and(self, other: Self) -> Self {
        Self {
            roots: self.roots + other.roots,
            depth: self.depth.max(other.depth),
            selections: self.selections + other.selections,
            aliases: self.aliases + other.aliases,
            directives: self.directives + other.directives,
        }
    }

    fn check(&self) -> Result<(), Problem> {
        within("levels of fields", self.depth, DEPTH_MAX)?;
        within("fields", self.selections, SELECTIONS_MAX)?;
        within("aliases", self.aliases, ALIASES_MAX)?;
        within("directives", self.directives, DIRECTIVES_MAX)
    }
}

fn within(what: &str, found: usize, most: usize) -> Result<(), Problem> {
    if found <= most {
        return Ok(());
    }
    let what = format!("the query has more than {most} {what}");
    Err(Problem::new(ErrorCode::QueryTooLarge, what).help("ask in several smaller queries"))
}

/// Weighs each fragment once, however often it is used.
struct Scale<'a> {
    document: &'a ExecutableDocument,
    /// Nothing for a fragment that is being weighed.
    known: HashMap<&'a str, Option<Weight>>,
}

impl<'a> Scale<'a> {
    fn new(document: &'a ExecutableDocument) -> Self {
        Self { document, known: HashMap::new() }
    }

    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Weight, Problem> {
        within("levels of fields and fragments", level, LEVELS_MAX)?;
        let mut all = Weight::default();
        for item in &set.items {
            let mut weight = match &item.node {
                Selection::Field(field) => {
                    let inner = self.set(&field.node.selection_set.node, level + 1)?;
                    let aliases = inner.aliases + usize::from(field.node.alias.is_some());
                    Weight { roots: 1, depth: inner.depth + 1, aliases, ..inner }
                }
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.node.selection_set.node, level + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, level + 1)?
                }
            };
            weight.selections += 1;
            weight.directives += item.node.directives().len();
            all = all.and(weight);
            // Here rather than at the end, so that no sum grows beyond what is near a limit.
            all.check()?;
            if level == 0 {
                within("fields at the top", all.roots, ROOTS_MAX)?;
            }
        }
        Ok(all)
    }

    fn fragment(&mut self, name: &'a str, level: usize) -> Result<Weight, Problem> {
        match self.known.get(name) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                let what = format!("the fragment `{name}` stands within itself");
                return Err(Problem::new(ErrorCode::BadQuery, what));
            }
            None => {}
        }
        // One that is not there weighs nothing, and is refused further on.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Weight::default());
        };
        self.known.insert(name, None);
        let weight = self.set(&fragment.node.selection_set.node, level)?;
        self.known.insert(name, Some(weight));
        Ok(weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use std::fmt::Write;

    fn check(query: &str) -> Result<(), ErrorCode> {
        weigh(&parse_query(query).unwrap()).map_err(|problem| problem.code)
    }

    fn nested(depth: usize) -> String {
        format!("{{ {} a {} }}", "a { ".repeat(depth - 1), "}".repeat(depth - 1))
    }

    fn many(field: impl Fn(usize) -> String, count: usize) -> String {
        format!("{{ top {{ {} }} }}", (0..count).map(field).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn each_limit_holds_at_its_number() {
        const LARGE: Result<(), ErrorCode> = Err(ErrorCode::QueryTooLarge);
        let (alias, plain) = (|n: usize| format!("a{n}: a"), |n: usize| format!("a{n}"));
        let directive = |_| "a @include(if: true)".to_owned();
        let root = |count: usize| format!("{{ {} }}", "a ".repeat(count));
        let operations = |count: usize| {
            let operation = |n: usize| format!("query q{n} {{ a }} ");
            (0..count).map(operation).collect::<String>()
        };
        for (query, expected) in [
            ("{ a }".to_owned(), Ok(())),
            (nested(DEPTH_MAX), Ok(())),
            (nested(DEPTH_MAX + 1), LARGE),
            (many(alias, ALIASES_MAX), Ok(())),
            (many(alias, ALIASES_MAX + 1), LARGE),
            (many(plain, SELECTIONS_MAX - 1), Ok(())),
            (many(plain, SELECTIONS_MAX), LARGE),
            (many(directive, DIRECTIVES_MAX), Ok(())),
            (many(directive, DIRECTIVES_MAX + 1), LARGE),
            (root(ROOTS_MAX), Ok(())),
            (root(ROOTS_MAX + 1), LARGE),
            (operations(DEFINITIONS_MAX), Ok(())),
            (operations(DEFINITIONS_MAX + 1), LARGE),
            (format!("{{ a }} fragment f on A {{ {} }}", "a ".repeat(SELECTIONS_MAX)), Ok(())),
            (format!("{{ a }} fragment f on A {{ {} }}", "a ".repeat(SELECTIONS_MAX + 1)), LARGE),
        ] {
            assert_eq!(check(&query), expected, "{query}");
        }
    }

    #[test]
    fn fragments_that_double_are_weighed_in_no_time_and_refused() {
        let mut query = "{ top { ...f0 } } ".to_owned();
        for n in 0..30 {
            let _ = write!(query, "fragment f{n} on A {{ ...f{m} ...f{m} }} ", m = n + 1);
        }
        query += "fragment f30 on A { a }";
        assert_eq!(check(&query), Err(ErrorCode::QueryTooLarge));
    }

    #[test]
    fn a_fragment_within_itself_is_refused() {
        let query = "{ ...a } fragment a on Query { b { ...b } } fragment b on B { ...a }";
        assert_eq!(check(query), Err(ErrorCode::BadQuery));
        assert_eq!(check("{ ...nosuch }"), Ok(()));
    }

    #[test]
    fn fields_at_the_top_are_counted_through_fragments() {
        let document = parse_query("{ a ...f ... on Query { b c { d } } } fragment f on Q { e f }");
        let document = document.unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        assert_eq!(roots(&document, &operation.node.selection_set.node).unwrap(), 5);
    }
}
