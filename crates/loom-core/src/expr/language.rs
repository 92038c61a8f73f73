//! The language: minijinja's expressions, with a limit on what an evaluation builds.
//!
//! The language counts its steps, not what they build, and some build much of little: each `|join`
//! may put a long text between many items. Those that do so say first how much they are about to
//! build, and those that only lay texts out for people are left out.

use minijinja::value::{Kwargs, StringInput, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, filters, functions};
use std::fmt::{self, Write};
use std::sync::LazyLock;

/// The most steps that one evaluation may take.
pub(super) const FUEL: u64 = 100_000;

/// The most bytes of the values that an expression uses, each counted as often as it is named; and of
/// the texts that one evaluation builds of them.
pub const EXPRESSION_TEXT_MAX: usize = 2 << 20;

/// What an error says that is about this limit.
pub(super) const TOO_MUCH: &str = "too much text";

/// What an item of a range counts for: about as many digits as it may have.
const ITEM: usize = 8;

/// The filters, for those who mistype one.
pub(super) const FILTERS: [&str; 36] = [
    "int",
    "float",
    "length",
    "lower",
    "upper",
    "trim",
    "first",
    "last",
    "default",
    "abs",
    "round",
    "string",
    "list",
    "join",
    "count",
    "d",
    "min",
    "max",
    "sum",
    "sort",
    "unique",
    "reverse",
    "split",
    "lines",
    "replace",
    "bool",
    "items",
    "dictsort",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "map",
    "groupby",
    "title",
    "capitalize",
];

/// As [`FILTERS`].
pub(super) const TESTS: [&str; 20] = [
    "defined",
    "undefined",
    "none",
    "true",
    "false",
    "number",
    "integer",
    "float",
    "string",
    "boolean",
    "sequence",
    "mapping",
    "iterable",
    "startingwith",
    "endingwith",
    "in",
    "odd",
    "even",
    "divisibleby",
    "sameas",
];

/// The functions, which no variable hides.
pub const FUNCTIONS: [&str; 2] = ["range", "dict"];

pub(super) static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut language = Environment::new();
    language.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    language.set_fuel(Some(FUEL));
    for name in ["batch", "e", "escape", "format", "indent", "pprint", "safe", "slice"] {
        language.remove_filter(name);
    }
    for name in ["debug", "namespace"] {
        language.remove_global(name);
    }
    language.add_filter("join", join);
    language.add_filter("replace", replace);
    language.add_filter("string", string);
    language.add_filter("sum", sum);
    language.add_function("range", range);
    language
});

/// Whether the language has a filter of this name.
pub(super) fn has_filter(name: &str) -> bool {
    let tried = LANGUAGE.empty_state().apply_filter(name, &[]);
    !tried.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
}

/// Whether the language has a test of this name.
pub(super) fn has_test(name: &str) -> bool {
    let tried = LANGUAGE.empty_state().perform_test(name, &[]);
    !tried.is_err_and(|error| error.kind() == ErrorKind::UnknownTest)
}

/// Whether the language has a function of this name.
pub(super) fn has_function(name: &str) -> bool {
    LANGUAGE.globals().any(|(known, _)| known == name)
}

/// What one evaluation has built so far.
#[derive(Default)]
struct Built(usize);

/// Says that so many bytes are about to be built.
fn build(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let built = state.get_or_insert_extension_with(Built::default);
    built.0 = built.0.saturating_add(bytes);
    if built.0 <= EXPRESSION_TEXT_MAX {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidOperation, TOO_MUCH))
}

fn join(
    state: &mut State<'_, '_>,
    value: &Value,
    joiner: Option<StringInput<'_>>,
    attribute: Option<&str>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let between = match &joiner {
        Some(joiner) => joiner.as_str().len(),
        None => kwargs.get::<Option<StringInput<'_>>>("d")?.map_or(0, |it| it.as_str().len()),
    };
    // What is no list, the filter itself refuses.
    for item in value.try_iter().into_iter().flatten() {
        build(state, length(&item).saturating_add(between))?;
    }
    filters::join(state, value, joiner, attribute, kwargs)
}

fn replace(
    state: &mut State<'_, '_>,
    value: StringInput<'_>,
    from: StringInput<'_>,
    to: StringInput<'_>,
) -> Result<Value, Error> {
    let times = value.as_str().matches(from.as_str()).count();
    build(state, value.as_str().len().saturating_add(times.saturating_mul(to.as_str().len())))?;
    filters::replace(state, value, from, to)
}

fn string(state: &mut State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if value.kind() != ValueKind::String {
        build(state, length(value))?;
    }
    filters::string(state, value)
}

/// Of numbers only: to add texts one by one takes ever longer.
fn sum(
    state: &State<'_, '_>,
    values: Value,
    attribute: Option<&str>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    filters::sum(state, values, attribute, Some(Value::from(0)), kwargs)
}

fn range(
    state: &mut State<'_, '_>,
    lower: isize,
    upper: Option<isize>,
    step: Option<isize>,
) -> Result<Value, Error> {
    let items = functions::range(lower, upper, step)?;
    let count = items.try_iter()?.count();
    build(state, count.saturating_mul(ITEM))?;
    Ok(items)
}

/// The bytes of a value's text, or some number beyond the limit.
fn length(value: &Value) -> usize {
    let mut scale = Scale(0);
    match value.as_str() {
        Some(text) => text.len(),
        None if write!(scale, "{value}").is_ok() => scale.0,
        None => usize::MAX,
    }
}

/// Counts what is written to it, up to the limit.
struct Scale(usize);

impl Write for Scale {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        if self.0 <= EXPRESSION_TEXT_MAX { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proposed_is_there() {
        assert!(FILTERS.iter().all(|name| has_filter(name)));
        assert!(TESTS.iter().all(|name| has_test(name)));
        assert!(FUNCTIONS.iter().all(|name| has_function(name)));
        assert!(!has_filter("nosuch") && !has_test("nosuch") && !has_function("nosuch"));
    }
}
