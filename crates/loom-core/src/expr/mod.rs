//! Expressions over variables: `when`, and the list that `for_each` runs over.
//!
//! The language is minijinja's (Jinja2's) expressions. Variables that no task has set are
//! undefined; `NAME is defined` asks. Values that commands print are strings: `COUNT|int > 3`.

mod words;
mod wrong;

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The most steps that one evaluation may take.
const FUEL: u64 = 100_000;

/// The longest expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 4096;

static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut language = Environment::new();
    language.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    language.set_fuel(Some(FUEL));
    language
});

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
    compiled
        .eval(minijinja::value::Serde(&context))
        .map(|value| value.is_true())
        .map_err(|error| wrong::without_value(&error, &named, &context))
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
        Value::String(text) => match serde_json::from_str(text) {
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
