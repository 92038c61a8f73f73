//! The JSON Schema of the workflow file, for editors.

use super::{Key, Section, Shape};
use crate::check::event::RESERVED;
use crate::read::{EVENT_NAME_MOST, EVENTS_MOST, SECONDS_MOST};
use serde_json::{Map, Value, json};

const META: &str = "https://json-schema.org/draft/2020-12/schema";
const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]{0,199}$";
const OUTPUT: &str = r"^(\*|[A-Za-z_][A-Za-z0-9_]{0,199}\??)$";
/// A variable that holds a list, with or without braces.
const LIST: &str =
    r"^\s*([A-Za-z_][A-Za-z0-9_]{0,199}|\{\{\s*[A-Za-z_][A-Za-z0-9_]{0,199}\s*\}\})\s*$";
const NAME: &str = r"^(?=.*\S)[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$";
/// More than 0.
const DURATION: &str = r"^\s*(?=[0-9.]*[1-9])[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?\s*$";
/// As <https://semver.org> has it.
const VERSION: &str = concat!(
    r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)",
    r"(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?",
    r"(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$",
);
/// A number of workers as a text.
const WORKERS: &str = r"^\+?0*[1-9][0-9]*$|\{\{";

/// The JSON Schema (draft 2020-12) of the workflow file.
pub fn schema() -> Value {
    let mut schema = map(Section::Document);
    schema.insert("$schema".into(), META.into());
    schema.insert("title".into(), "Loomwork workflow".into());
    let sections = Section::ALL.into_iter().filter(|&section| section != Section::Document);
    let defs: Map<String, Value> =
        sections.map(|section| (def(section).into(), map(section).into())).collect();
    schema.insert("$defs".into(), defs.into());
    schema.into()
}

const fn def(section: Section) -> &'static str {
    match section {
        Section::Document => "document",
        Section::Workflow => "workflow",
        Section::Task => "task",
        Section::Execution => "execution",
        Section::Retry => "retry",
        Section::Permissions => "permissions",
        Section::Contract => "contract",
        Section::Event => "event",
    }
}

fn map(section: Section) -> Map<String, Value> {
    let properties: Map<String, Value> =
        section.keys().map(|key| (key.name.into(), property(key).into())).collect();
    let required: Vec<&str> =
        section.keys().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.insert("additionalProperties".into(), false.into());
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

fn property(key: &Key) -> Map<String, Value> {
    let Value::Object(mut schema) = shape(key.shape) else {
        unreachable!("every shape is an object");
    };
    let default = match key.default {
        "" => String::new(),
        default => format!(" Default: {default}."),
    };
    schema.insert("description".into(), format!("{}{default}", key.doc).into());
    schema
}

fn shape(shape: Shape) -> Value {
    let reference = |section| format!("#/$defs/{}", def(section));
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Name => name(),
        Shape::Version => json!({ "type": "string", "pattern": VERSION, "examples": ["0.1.0"] }),
        Shape::Expression => json!({ "type": ["string", "boolean"], "minLength": 1 }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Number(least, most) => {
            json!({ "type": "number", "minimum": least, "maximum": most })
        }
        Shape::Duration => json!({
            "oneOf": [
                { "type": "number", "exclusiveMinimum": 0, "maximum": SECONDS_MOST },
                { "type": "string", "pattern": DURATION },
            ],
        }),
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::Names => json!({ "type": "array", "items": name(), "uniqueItems": true }),
        // `TRUE` without quotes is a boolean to editors, and a variable's name here.
        Shape::Variables => json!({
            "type": "array",
            "items": { "type": ["string", "boolean"], "pattern": VARIABLE },
            "uniqueItems": true,
        }),
        Shape::Outputs => json!({
            "type": "array",
            "items": { "type": ["string", "boolean"], "pattern": OUTPUT },
            "uniqueItems": true,
        }),
        Shape::Values => json!({
            "type": "object",
            "propertyNames": { "pattern": VARIABLE },
            "properties": { "MAX_WORKERS": { "oneOf": [
                { "type": "integer", "minimum": 1, "maximum": u32::MAX },
                { "type": "string", "pattern": WORKERS },
            ] } },
            "additionalProperties": { "type": ["string", "number", "boolean", "array", "object"] },
        }),
        Shape::TextMap => json!({
            "type": "object",
            "propertyNames": name(),
            "additionalProperties": { "type": "string" },
        }),
        Shape::Params => json!({ "type": "object" }),
        Shape::ForEach => json!({ "type": ["array", "string"], "pattern": LIST }),
        Shape::EventName => event_name(),
        Shape::Events => json!({
            "type": "array",
            "items": { "oneOf": [event_name(), { "$ref": reference(Section::Event) }] },
            "maxItems": EVENTS_MOST,
        }),
        Shape::Schema => json!({ "$ref": META }),
        Shape::Map(section) => json!({ "$ref": reference(section) }),
        Shape::List(section) => json!({
            "type": "array",
            "items": { "$ref": reference(section) },
            "minItems": 1,
        }),
    }
}

fn event_name() -> Value {
    let reserved = RESERVED.join("|");
    let pattern = format!(r"^(?!({reserved})\.)[a-z0-9_-]+(\.[a-z0-9_-]+)+$");
    json!({ "type": "string", "maxLength": EVENT_NAME_MOST, "pattern": pattern })
}

fn name() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": NAME })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Problems, Source};
    use std::fs;
    use std::path::{Path, PathBuf};

    #[test]
    fn the_schema_is_one_and_accepts_a_workflow() {
        let schema = schema();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let task = json!({
            "name": "a", "plugin": "cmd", "inputs": [true], "outputs": ["A", "B?", "*"],
            "events": ["a.b", { "name": "c.d", "on": "always" }],
            "execution": { "timeout": "30s" }, "contract": { "success": { "type": "object" } },
        });
        let good = json!({ "workflow": { "name": "w", "tasks": [task] } });
        assert!(validator.is_valid(&good));
        let bad = json!({ "workflow": { "name": "w", "tasks": [{ "name": "a" }] } });
        assert!(!validator.is_valid(&bad));
    }

    /// Bad files in which a schema cannot see what is wrong: what refers to something else, what needs
    /// the plugins, how the text is written.
    const BEYOND: &[&str] = &[
        "cycle",
        "duplicate-keys",
        "duplicate-tasks",
        "host-variables",
        "items",
        "joins",
        "keys-that-are-no-strings",
        "many-problems",
        "parameters",
        "placeholders",
        "plugin-needs",
        "tags",
        "token",
        "two-barriers",
        "unknown-dependency",
        "unknown-plugin",
        "unset-inputs",
        "unusable-plugin",
    ];

    fn document(path: &Path) -> Option<Value> {
        let source = Source::from_bytes(path.display().to_string(), fs::read(path).unwrap());
        let mut problems = Problems::default();
        let root = crate::document::parse(&source, &Limits::default(), &mut problems).ok()?;
        Some(root.to_value())
    }

    fn files(folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let is_ours = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "yaml");
        let mut files: Vec<PathBuf> = files.filter(is_ours).collect();
        files.sort();
        files
    }

    #[test]
    fn the_schema_takes_what_is_valid_and_refuses_what_is_not() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        for path in files("tests/good").into_iter().chain(files("../../examples")) {
            let value = document(&path).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
        let passed: Vec<String> = files("tests/bad")
            .iter()
            .filter(|path| document(path).is_some_and(|value| validator.is_valid(&value)))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(passed, BEYOND);
    }

    #[test]
    fn values_are_judged_as_validation_judges_them() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let agree = |line: &str, good: bool| {
            let text = format!(
                "workflow:\n  name: w\n  tasks:\n    - name: t\n      plugin: noop\n      {line}\n"
            );
            let source = Source::new("w.yaml", text);
            let read = crate::load(&source, &Limits::default());
            assert_eq!(read.problems().errors() == 0, good, "validation: {line}");
            let root =
                crate::document::parse(&source, &Limits::default(), &mut Problems::default());
            assert_eq!(validator.is_valid(&root.unwrap().to_value()), good, "the schema: {line}");
        };
        for timeout in ["5", "1.5", "\" 5 m \"", "\"0.5s\"", "1d", "007s"] {
            agree(&format!("execution: {{ timeout: {timeout} }}"), true);
        }
        for timeout in ["0", "0s", "\"0.0 ms\"", "-1", "1.s", "5 minutes", "3153600001", "\"\""] {
            agree(&format!("execution: {{ timeout: {timeout} }}"), false);
        }
        for (workers, good) in [("1", true), ("1.0", true), ("1.5", false), ("0", false)] {
            agree(&format!("execution: {{ workers: {workers} }}"), good);
        }
        for (list, good) in [
            ("[]", true),
            ("A", true),
            ("\" A \"", true),
            ("\"{{ A }}\"", true),
            ("a b", false),
            ("\"{{ENV:A}}\"", false),
            ("\"x{{ A }}\"", false),
            ("3", false),
        ] {
            agree(&format!("for_each: {list}"), good);
        }
        let long = "A".repeat(201);
        agree(&format!("inputs: [{long}]"), false);
        agree("annotations: { \" \": a }", false);
        agree("execution: { queue: \"  \" }", false);
    }
}
