//! Expressions over variables: `when`, and the list that `for_each` runs over.
//!
//! The language is minijinja's (Jinja2's) expressions. Variables that no task has set are
//! undefined; `NAME is defined` asks. Values that commands print are strings: `COUNT|int > 3`.

mod language;
mod words;
mod wrong;

pub use language::{EXPRESSION_TEXT_MAX, FUNCTIONS};

use crate::json;
use language::LANGUAGE;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use words::Called;

/// The longest expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 4096;

/// The variables that an expression names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Those whose values it uses.
    pub used: BTreeSet<String>,
    /// Those of which it asks no more than whether they are set: `NAME is defined`.
    pub asked: BTreeSet<String>,
}

/// The variables that the expression names, or why it is none.
pub fn variables_of(expression: &str) -> Result<Names, String> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes"));
    }
    let compiled = compile(expression)?;
    let is_missing = |called: &Called<'_>| match called {
        Called::Filter(name) => !language::has_filter(name),
        Called::Test(name) => !language::has_test(name),
        Called::Function(name) => !language::has_function(name),
    };
    if let Some(missing) = words::called(expression).into_iter().find(is_missing) {
        return Err(wrong::not_there(missing, expression));
    }
    let (asked, used) = compiled
        .undeclared_variables(false)
        .into_iter()
        .partition(|name| words::is_only_asked_for(expression, name));
    Ok(Names { used, asked })
}

/// Whether the expression holds, given the value of each variable that is set.
pub fn holds(expression: &str, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<bool, String> {
    let compiled = compile(expression)?;
    let named = compiled.undeclared_variables(false);
    let context: BTreeMap<String, Value> =
        named.iter().filter_map(|name| Some((name.clone(), lookup(name)?))).collect();
    for name in words::compared_with_numbers(expression) {
        if let Some(Value::String(text)) = context.get(name) {
            return Err(format!(
                "`{name}` is the text \"{text}\", which is never equal to a number, nor less or \
                 greater in a way that means anything; write `{name}|int` or `{name}|float`"
            ));
        }
    }
    check_size(expression, &context)?;
    compiled
        .eval(minijinja::value::Serde(&context))
        .map(|value| value.is_true())
        .map_err(|error| wrong::without_value(&error, &named, &context))
}

/// Refuses to use more of the variables than an expression may. What it builds of them without a
/// filter that counts for itself is at most a few times as large.
fn check_size(expression: &str, context: &BTreeMap<String, Value>) -> Result<(), String> {
    let mut sizes = BTreeMap::new();
    let mut total = 0_usize;
    for name in words::used(expression) {
        let Some(value) = context.get(name) else { continue };
        let size = *sizes.entry(name).or_insert_with(|| size(value));
        total = total.saturating_add(size);
        if total > EXPRESSION_TEXT_MAX {
            return Err(format!(
                "the values that it uses have more than {EXPRESSION_TEXT_MAX} bytes, each counted \
                 as often as it is named: `{name}` alone has {size}; `{name}|length` and \
                 `{name} is defined` count nothing"
            ));
        }
    }
    Ok(())
}

/// The bytes of a value as text.
fn size(value: &Value) -> usize {
    let mut scale = Scale(0);
    match value {
        Value::String(text) => text.len(),
        value => serde_json::to_writer(&mut scale, value).map_or(usize::MAX, |()| scale.0),
    }
}

/// Counts what is written to it.
struct Scale(usize);

impl io::Write for Scale {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn compile(expression: &str) -> Result<minijinja::Expression<'_, '_>, String> {
    if words::may_repeat(expression) {
        return Err(
            "`*` multiplies numbers only: write `|int` or `|float` behind what stands on its \
                    left and right, as in `COUNT|int * 2`"
                .into(),
        );
    }
    LANGUAGE.compile_expression(expression).map_err(|error| wrong::unreadable(&error, expression))
}

/// The items of a value that `for_each` names: a list, or a string that is a JSON list.
pub fn items_of(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        Value::String(text) => match json::read(text.as_bytes()) {
            Ok(Value::Array(items)) => Ok(items),
            _ => Err("it is a string that is not a JSON list".into()),
        },
        Value::Null => Err("it is null, not a list".into()),
        Value::Bool(_) => Err("it is a boolean, not a list".into()),
        Value::Number(_) => Err("it is a number, not a list".into()),
        Value::Object(_) => Err("it is an object, not a list".into()),
    }
}

/// What the fuzzer of the language calls: whatever the text, an answer comes.
#[doc(hidden)]
pub fn fuzz_expression(data: &[u8]) {
    let Ok(expression) = std::str::from_utf8(data) else { return };
    if variables_of(expression).is_ok() {
        let list = Value::from(vec!["a", "b"]);
        // Either answer will do.
        let _ = holds(expression, &|name| (name.len() % 2 == 1).then(|| list.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(expression: &str) -> Result<bool, String> {
        holds(expression, &|name| match name {
            "COUNT" => Some(json!("5")),
            "FLAG" => Some(json!(true)),
            "LIST" => Some(json!([1, 2])),
            _ => None,
        })
    }

    #[test]
    fn expressions_see_variables() {
        assert_eq!(check("COUNT|int > 3 and FLAG"), Ok(true));
        assert_eq!(check("COUNT == '6'"), Ok(false));
        assert_eq!(check("LIST|length == 2 and 1 in LIST"), Ok(true));
        assert_eq!(check("OTHER is defined"), Ok(false));
        assert_eq!(check("'x'|upper == 'X'"), Ok(true));
    }

    #[test]
    fn what_is_unset_or_wrong_is_an_error() {
        assert!(check("OTHER == 1 and OTHER.x").is_err());
        assert!(check("COUNT >").is_err());
        assert!(variables_of("(((").is_err());
        assert!(variables_of(&"1+".repeat(4000)).is_err());
    }

    #[test]
    fn the_variables_of_an_expression_are_known() {
        let check = |expression: &str, used: &[&str], asked: &[&str]| {
            let names = variables_of(expression).unwrap();
            assert!(names.used.iter().eq(used), "{expression}: {names:?}");
            assert!(names.asked.iter().eq(asked), "{expression}: {names:?}");
        };
        check("A > 1 and B.c is defined", &["A", "B"], &[]);
        check("A is defined and B is not undefined", &[], &["A", "B"]);
        check("A is defined and A|int > 3", &["A"], &[]);
        check("'A > 1' == 'x' or A is not defined", &[], &["A"]);
        check("A is defined or A.defined", &["A"], &[]);
    }

    #[test]
    fn a_text_compared_with_a_number_is_an_error_that_says_what_to_write() {
        for expression in ["COUNT > 3", "COUNT == 5", "3 <= COUNT", "FLAG and COUNT != 0"] {
            let error = check(expression).unwrap_err();
            assert!(error.contains("`COUNT|int`"), "{expression}: {error}");
        }
        for expression in ["COUNT|int > 3", "3 < COUNT|int", "COUNT == '5'", "'COUNT > 3' == 'x'"] {
            assert!(check(expression).is_ok(), "{expression}");
        }
        assert_eq!(check("FLAG == 1"), Ok(true));
    }

    #[test]
    fn errors_say_where_why_and_what_to_write() {
        for (expression, parts) in [
            ("COUNT >", ["ends after `>`", "is missing"]),
            ("COUNT > > 3", ["`>` is not expected", "character 9"]),
            ("COUNT = 5", ["`=` is not expected", "`==` compares"]),
            ("COUNT|integer > 3", ["no filter `integer`", "did you mean `int`"]),
            ("COUNT is define", ["no test `define`", "did you mean `defined`"]),
            ("size(COUNT) > 3", ["no function `size`", "a filter"]),
            ("OTHER|int > 3 and OTHER.x", ["`OTHER` is not set", "`OTHER is defined and …`"]),
            ("LIST - 1 > 2", ["`LIST` is a list", "`|int`"]),
            ("'x'|int > 1", ["a value cannot be used", "`|int`"]),
        ] {
            let error = check(expression).unwrap_err();
            let has = |part: &&str| error.contains(*part);
            assert!(parts.iter().all(has), "{expression}: {error}");
        }
    }

    #[test]
    fn evaluation_is_bounded() {
        assert!(check("('x' * 1000000000)|length > 0").is_err());
        assert!(check("range(1000000000)|list|length > 0").is_err());
    }

    #[test]
    fn what_the_language_does_not_have_is_found_before_anything_runs() {
        for (expression, expected) in [
            ("A|lenght > 3", "no filter `lenght`; did you mean `length`? (character 3)"),
            ("'x' == 'ä' or A|integer", "no filter `integer`; did you mean `int`? (character 17)"),
            ("A is defind", "no test `defind`; did you mean `defined`? (character 6)"),
            ("A is not nosuch", "no test `nosuch`; write one such as `is defined`"),
            ("size(A) > 3", "no function `size`; what is done to a value is a filter"),
            ("A|map('uper')|first", "no filter `uper`; did you mean `upper`?"),
            ("A|indent(9)", "no filter `indent`"),
        ] {
            let error = variables_of(expression).unwrap_err();
            assert!(error.contains(expected), "{expression}: {error}");
        }
        for expression in [
            "A|int > 3 and B is not defined",
            "A|map('lower')|select('odd')|list|length > range(3)|length",
            r"A == 'it\'s | nosuch'",
            "not (A) and (B if C else (D))",
            "A is divisibleby(3) or A is eq(4)",
        ] {
            assert!(variables_of(expression).is_ok(), "{expression}");
        }
    }

    #[test]
    fn what_an_expression_uses_and_builds_is_bounded() {
        let large = Value::from("x".repeat(EXPRESSION_TEXT_MAX / 10));
        let list = Value::from(vec!["y"; 10_000]);
        let check = |expression: &str| {
            holds(expression, &|name| match name {
                "LARGE" => Some(large.clone()),
                "LIST" => Some(list.clone()),
                _ => None,
            })
        };
        for expression in [
            "LARGE != ''",
            "LARGE ~ LARGE ~ LARGE != ''",
            &["LARGE|length > 0"; 40].join(" and "),
            &["LARGE is defined"; 40].join(" and "),
            "LIST|join(', ')|length > 9 and LIST|string != ''",
            "LARGE|replace('x', 'yy')|length > 9",
            "range(1000)|sum > 9",
        ] {
            assert_eq!(check(expression), Ok(true), "{expression}");
        }
        for (expression, expected) in [
            (["LARGE"; 11].join(" ~ "), "`LARGE` alone has 209715"),
            (["LARGE"; 11].join(" + "), "`LARGE|length`"),
            ("LIST|join(LARGE)|length > 0".into(), "builds texts"),
            ("LIST|join(d=LARGE)|length > 0".into(), "builds texts"),
            ("LARGE|replace('x', '0123456789ab')|length > 0".into(), "builds texts"),
            ("LIST|map('replace', 'y', LARGE)|list|length > 0".into(), "builds texts"),
            (["range(100000)"; 3].join(" ~ "), "builds texts"),
            (["LIST|string"; 60].join(" ~ "), "as often as it is named"),
        ] {
            let error = check(&expression).unwrap_err();
            assert!(error.contains(expected), "{expression}: {error}");
        }
    }

    #[test]
    fn texts_and_lists_are_not_repeated() {
        for expression in [
            "LIST * 9 ~ ''",
            "9 * LIST",
            "(LIST) * 9",
            "COUNT|int|string * 9",
            "[1] * 9",
            "LIST.0 * 9",
            "9 * COUNT|lower",
        ] {
            let error = check(expression).unwrap_err();
            assert!(error.contains("`COUNT|int * 2`"), "{expression}: {error}");
        }
        for expression in [
            "COUNT|int * 2 == 10",
            "2 * COUNT|int == 10",
            "2 ** 3 == 8",
            "'*' != COUNT",
            "1.5 * 2 == 3",
        ] {
            assert_eq!(check(expression), Ok(true), "{expression}");
        }
    }

    #[test]
    fn the_fuzzers_corpus_gets_answers() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/expression");
        let entries: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
        assert!(entries.len() > 5);
        for entry in entries {
            fuzz_expression(&std::fs::read(entry.unwrap().path()).unwrap());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gets_an_answer(text in "[A-C0-9 .|()<>=*'\\[\\]{}a-f]{0,60}") {
            fuzz_expression(text.as_bytes());
        }
    }

    #[test]
    fn items_are_a_list_or_its_text() {
        assert_eq!(items_of(&json!([1])), Ok(vec![json!(1)]));
        assert_eq!(items_of(&json!("[1, \"a\"]")), Ok(vec![json!(1), json!("a")]));
        assert!(items_of(&json!("a,b")).is_err());
        assert!(items_of(&json!({})).is_err());
    }
}
