//! Events of the workflow's own: their names, and what goes with them.

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::draft::TaskDraft;
use crate::read::EVENT_NAME_MOST;
use loom_core::EventDecl;
use loom_protocol::ErrorCode;

/// What names of events may not begin with: those events are the product's own.
pub(crate) const RESERVED: [&str; 10] = [
    "run",
    "task",
    "step",
    "workflow",
    "webhook",
    "custom",
    "loom",
    "system",
    "observability",
    "test",
];

impl Checker<'_> {
    pub(super) fn events(&mut self, task: &TaskDraft) {
        let Some(list) = task.at(&["events"]) else { return };
        // Where an item could not be read, that is told already.
        if list.items().len() != task.def.events.len() {
            return;
        }
        for (event, node) in task.def.events.iter().zip(list.items()) {
            self.event_name(task, event, node.get("name").unwrap_or(node));
            if let Some(payload) = node.get("payload") {
                self.payload(task, event, payload);
            }
        }
    }

    fn event_name(&mut self, task: &TaskDraft, event: &EventDecl, node: &Node) {
        let Some(why) = why_not_event(&event.name) else { return };
        let shown: String = event.name.chars().take(60).flat_map(char::escape_debug).collect();
        let message = format!("an event cannot be named `{shown}`: {why}");
        let instead = instead(&event.name, &task.def.name);
        let help = "write a name with a dot, such as `order.placed`".to_owned();
        self.push(
            Diagnostic::error(ErrorCode::BadEventName, message).at(node.span, "").did_you_mean(
                node.span,
                instead.as_deref(),
                help,
            ),
        );
    }

    fn payload(&mut self, task: &TaskDraft, event: &EventDecl, list: &Node) {
        self.repeated(list);
        let names = event.payload.iter().flatten();
        if task.def.outputs.any || list.items().len() != names.clone().count() {
            return;
        }
        let outputs = task.def.outputs.names.iter().map(|output| &output.name);
        let known: Vec<&String> = task.def.inputs.iter().chain(outputs).collect();
        for (name, node) in names.zip(list.items()).filter(|(name, _)| !known.contains(name)) {
            let near = self.nearest(name, known.iter().map(|name| name.as_str()));
            let message = format!(
                "event `{}` takes `{name}`, which its task neither takes nor sets",
                event.name
            );
            let help = "list the variable under the task's `inputs` or `outputs`".to_owned();
            self.push(
                Diagnostic::error(ErrorCode::UnknownVariable, message)
                    .at(node.span, "unknown here")
                    .did_you_mean(node.span, near, help),
            );
        }
    }
}

/// Whether a workflow may name an event so.
pub fn is_event_name(name: &str) -> bool {
    why_not_event(name).is_none()
}

/// Why a text is not an event's name; `None` if it is one.
fn why_not_event(name: &str) -> Option<&'static str> {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let mut parts = name.split('.');
    let first = parts.clone().next().unwrap_or_default();
    if name.len() > EVENT_NAME_MOST {
        Some("it is longer than 100 characters")
    } else if !name.contains('.') {
        Some("it has no dot")
    } else if !parts.all(|part| !part.is_empty() && part.bytes().all(allowed)) {
        Some("it is not words of `a-z`, digits, `_` and `-` with dots between them")
    } else if RESERVED.contains(&first) {
        Some("names that begin so are reserved")
    } else {
        None
    }
}

/// A name that would do: the words that there are, with the task's own in front if need be.
fn instead(name: &str, task: &str) -> Option<String> {
    let mut words = words(name);
    if words.first().is_some_and(|first| RESERVED.contains(&first.as_str())) {
        words.remove(0);
    }
    if words.len() < 2 {
        words.insert(0, self::words(task).join("_"));
    }
    let name = words.join(".");
    why_not_event(&name).is_none().then_some(name)
}

fn words(text: &str) -> Vec<String> {
    let plain = text.split('.').map(|part| {
        let chars = part.trim().chars().map(|char| char.to_ascii_lowercase());
        chars.map(|char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' })
    });
    plain.map(String::from_iter).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_dot_and_are_not_the_products_own() {
        for name in
            ["order.placed", "a.b.c", "tasks.done", "x-1.y_2", &format!("a.{}", "b".repeat(98))]
        {
            assert_eq!(why_not_event(name), None, "{name}");
        }
        let long = format!("a.{}", "b".repeat(99));
        for name in ["", ".", "order", "a..b", ".a", "a.", "Order.placed", "a.b c", "task.x", &long]
        {
            assert!(why_not_event(name).is_some(), "{name}");
        }
        assert!(RESERVED.iter().all(|first| why_not_event(&format!("{first}.x")).is_some()));
    }

    #[test]
    fn a_name_that_would_do_is_proposed() {
        let proposed = |name| instead(name, "Place Order");
        assert_eq!(proposed("Order.Placed").as_deref(), Some("order.placed"));
        assert_eq!(proposed("placed").as_deref(), Some("place_order.placed"));
        assert_eq!(proposed("task.done").as_deref(), Some("place_order.done"));
        assert_eq!(proposed("run.order.placed").as_deref(), Some("order.placed"));
        assert_eq!(proposed(&"x".repeat(200)), None);
    }
}
