//! The reference page of the workflow file.

use super::{Key, Section, Shape};
use crate::limits::grouped;
use std::fmt::Write;

/// Every key with its type, default, meaning and an example, as Markdown.
pub fn reference_markdown() -> String {
    let mut page =
        String::from("# The workflow file\n\nYAML 1.2 or JSON. Unknown keys are errors.\n");
    for section in Section::ALL {
        let title = match section {
            Section::Document => "The document".into(),
            _ => format!("`{}`", section.path()),
        };
        write!(page, "\n## {title}\n").expect("a string takes all");
        section.keys().for_each(|key| entry(&mut page, key));
    }
    page
}

fn entry(page: &mut String, key: &Key) {
    let need = match (key.required, key.default) {
        (true, _) => "required".into(),
        (false, "") => "optional".into(),
        (false, default) => format!("default: {default}"),
    };
    let (name, path, shape) = (key.name, key.path(), describe(key.shape));
    let (doc, example) = (key.doc, key.example);
    write!(
        page,
        "\n### `{name}`\n\n`{path}` · {shape} · {need}\n\n{doc}\n\n```yaml\n{example}\n```\n"
    )
    .expect("a string takes all");
}

fn describe(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".into(),
        Shape::Name => "name".into(),
        Shape::Version => "semantic version".into(),
        Shape::Expression => "expression".into(),
        Shape::Bool => "`true` or `false`".into(),
        Shape::Integer(least, most) if most < i64::from(i32::MAX) => {
            format!("whole number from {least} to {}", grouped(most as usize))
        }
        Shape::Integer(1, _) => "whole number from 1".into(),
        Shape::Integer(..) => "whole number".into(),
        Shape::Number(least, most) => format!("number from {least} to {most}"),
        Shape::Duration => "duration".into(),
        Shape::OneOf(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Shape::Names => "list of names".into(),
        Shape::Variables => "list of variables".into(),
        Shape::Outputs => "list of variables, `NAME?`, or `[\"*\"]`".into(),
        Shape::Values => "map from variables to values".into(),
        Shape::TextMap => "map from names to text".into(),
        Shape::Params => "map, as the plugin says".into(),
        Shape::ForEach => "list, or a variable that holds one".into(),
        Shape::EventName => "event name".into(),
        Shape::Events => "list of events: a name, or a map".into(),
        Shape::Schema => "JSON Schema".into(),
        Shape::Map(_) => "map".into(),
        Shape::List(_) => "list of maps".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KEYS;

    #[test]
    fn every_key_is_on_the_page_with_its_example() {
        let page = reference_markdown();
        for key in KEYS {
            assert!(page.contains(&format!("`{}` ·", key.path())), "{}", key.path());
            assert!(page.contains(key.example), "{}", key.path());
        }
    }
}
