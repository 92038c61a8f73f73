//! The table of keys.

use super::Section::{Contract, Document, Event, Execution, Permissions, Retry, Task, Workflow};
use super::Shape::{
    Bool, Duration, EventName, Events, Expression, ForEach, Integer, List, Map, Name, Names,
    Number, OneOf, Outputs, Params, Schema, Text, TextMap, Values, Variables, Version,
};
use super::{Key, Section, Shape};
use loom_core::RetryPolicy;

const U32_MOST: i64 = u32::MAX as i64;

const fn key(
    section: Section,
    name: &'static str,
    shape: Shape,
    default: &'static str,
    doc: &'static str,
    example: &'static str,
) -> Key {
    Key { section, name, shape, required: false, default, doc, example }
}

const fn required(
    section: Section,
    name: &'static str,
    shape: Shape,
    doc: &'static str,
    example: &'static str,
) -> Key {
    Key { section, name, shape, required: true, default: "", doc, example }
}

/// Every key, in the order of the reference.
#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    required(Document, "workflow", Map(Workflow),
        "The workflow; a file holds one.",
        "workflow:\n  name: hello\n  tasks:\n    - { name: greet, plugin: cmd, params: { command: echo hello } }"),

    required(Workflow, "name", Name,
        "The workflow's name: 1 to 200 characters on one line.",
        "name: Disk Monitoring Workflow"),
    required(Workflow, "tasks", List(Task),
        "The tasks. Their order means nothing: a task fires as soon as its inputs are set.",
        "tasks:\n  - name: report\n    plugin: cmd\n    params: { command: df -h }"),
    key(Workflow, "namespace", Name, "`default`",
        "Who owns the name; workflows of different namespaces may share a name.",
        "namespace: accounting"),
    key(Workflow, "version", Version, "`0.1.0`",
        "The definition's semantic version.",
        "version: 1.2.0"),
    key(Workflow, "description", Text, "",
        "What the workflow is for.",
        "description: Watches the disk and reports when space is low."),
    key(Workflow, "tags", Names, "none",
        "Words to find runs by.",
        "tags: [nightly, disk]"),
    key(Workflow, "env", Values, "none",
        "Variables that are set before the first task. `{{ENV:NAME}}` in a string stands for a variable of `loom`'s own \
         environment, and may be part of a longer string. `MAX_WORKERS` is the most tasks of the run at once. A value \
         made from the environment is a secret, masked everywhere, if its name or that of the environment variable ends \
         in TOKEN, SECRET, PASSWORD or KEY.",
        "env:\n  AUTH_TOKEN: \"{{ENV:API_TOKEN}}\"\n  MAX_WORKERS: 4\n  REGIONS: [north, south]"),
    key(Workflow, "secrets", Variables, "none",
        "Variables whose values are masked everywhere, whatever sets them.",
        "secrets: [SESSION]"),
    key(Workflow, "on_failure", OneOf(&["continue", "stop"]), "`continue`",
        "What the failure of a task does to the rest: `continue` lets branches that do not need it go on, `stop` ends the run.",
        "on_failure: stop"),

    required(Task, "name", Name,
        "The task's name, unique in the workflow: 1 to 200 characters on one line.",
        "name: extract_data"),
    required(Task, "plugin", Name,
        "What the task runs: `cmd`, `df`, `touched`, `http`, `sleep`, `noop`, `start`, `end`, or a plugin of your own.",
        "plugin: cmd"),
    key(Task, "description", Text, "",
        "What the task is for; kept as the annotation `description`.",
        "description: Fetches yesterday's orders."),
    key(Task, "inputs", Variables, "none",
        "Variables that must all be set before the task fires. The task sees them as environment variables.",
        "inputs: [RAW_DATA, TIMEOUT]"),
    key(Task, "outputs", Outputs, "none",
        "Variables that the task sets. `NAME?` may be absent; `[\"*\"]` takes whatever the task emits.",
        "outputs: [CLEAN_DATA, WARNINGS?]"),
    key(Task, "params", Params, "none",
        "The plugin's parameters. `{{ NAME }}` in a string is filled in from an input; the plugin `cmd` uses `$NAME` in its command instead.",
        "params:\n  url: \"https://example.com/{{ REGION }}\""),
    key(Task, "when", Expression, "always",
        "The task is skipped unless this expression over variables holds (minijinja's expressions, as in Jinja2). Values that commands print are strings.",
        "when: COUNT|int > 3 and MODE != 'dry-run'"),
    key(Task, "for_each", ForEach, "once",
        "Runs the task once for each item of a list: a literal, or a variable that holds one. Outputs are collected as lists.",
        "for_each: [north, south]"),
    key(Task, "retry", Map(Retry), "no retry",
        "How often and when a failed attempt is tried again.",
        "retry: { max_attempts: 3, backoff: exponential, initial: 1s, max: 30s, jitter: 0.2 }"),
    key(Task, "allow_failure", Bool, "`false`",
        "Whether the run may succeed although this task failed.",
        "allow_failure: true"),
    key(Task, "requires_auth", Bool, "`false`",
        "Whether the task needs the permissions that its plugin declares.",
        "requires_auth: true"),
    key(Task, "permissions", Map(Permissions), "none",
        "Permissions that the task needs, besides its plugin's.",
        "permissions: { required: [can_write_db] }"),
    key(Task, "execution", Map(Execution), "",
        "When and where the task runs.",
        "execution: { timeout: 5m, queue: reports }"),
    key(Task, "events", Events, "none",
        "Events of your own that the task announces when it settles, at most 32; a name alone stands for a success with \
         all declared outputs.",
        "events:\n  - order.placed\n  - { name: order.refused, on: failure, payload: [ORDER] }"),
    key(Task, "contract", Map(Contract), "none",
        "What the task's outputs and its error object must look like.",
        "contract:\n  success: { required: [COUNT] }"),
    key(Task, "annotations", TextMap, "none",
        "Notes for people and tools; no effect on execution.",
        "annotations: { owner: data-team, ticket: \"4711\" }"),

    key(Execution, "async", Bool, "`true`",
        "Tasks run in parallel; `false` runs this one alone within its run.",
        "async: false"),
    key(Execution, "timeout", Duration, "none",
        "The longest that one attempt may take: seconds, or a number with `ms`, `s`, `m`, `h` or `d`.",
        "timeout: 90s"),
    key(Execution, "workers", Integer(1, U32_MOST), "no limit",
        "The most instances of this task at once, over `for_each` items and over runs alike.",
        "workers: 2"),
    key(Execution, "depends_on", Names, "none",
        "Tasks that must have succeeded first, besides those that set the inputs.",
        "depends_on: [extract_data]"),
    key(Execution, "parallel_group", Name, "none",
        "A label that groups tasks in pictures and in progress.",
        "parallel_group: pipeline_phase_2"),
    key(Execution, "sync_before", Bool, "`false`",
        "Asserts that the task is a join: that it waits for several tasks. Checked before anything runs.",
        "sync_before: true"),
    key(Execution, "sync_after", Bool, "`false`",
        "Asserts that a join follows the task. Checked before anything runs.",
        "sync_after: true"),
    key(Execution, "queue", Name, "none",
        "The name that routes the task to workers and names the limit that it counts against.",
        "queue: reports"),
    key(Execution, "priority", Integer(i32::MIN as i64, i32::MAX as i64), "`0`",
        "Among tasks that are ready, a higher number goes first.",
        "priority: 10"),

    key(Retry, "max_attempts", Integer(1, RetryPolicy::ATTEMPTS_MAX as i64), "`1`",
        "How many attempts there are in all, the first included.",
        "max_attempts: 5"),
    key(Retry, "backoff", OneOf(&["none", "fixed", "linear", "exponential"]), "`exponential`",
        "How the wait between attempts grows.",
        "backoff: linear"),
    key(Retry, "initial", Duration, "`1s`",
        "The first wait.",
        "initial: 500ms"),
    key(Retry, "max", Duration, "`60s`",
        "The longest wait, also where the far side asks for a longer one.",
        "max: 5m"),
    key(Retry, "jitter", Number(0.0, 1.0), "`0`",
        "The share of each wait that is random.",
        "jitter: 0.2"),

    key(Permissions, "required", Names, "none",
        "Permissions that `AUTH_TOKEN` must carry, or the task fails before it starts.",
        "required: [can_read_source]"),

    required(Event, "name", EventName,
        "The event's name: `a-z`, digits, `_`, `-` and at least one dot, at most 100 characters. Names that begin with \
         `run.`, `task.`, `step.`, `workflow.`, `webhook.`, `custom.`, `loom.`, `system.`, `observability.` or `test.` \
         are reserved.",
        "name: order.placed"),
    key(Event, "on", OneOf(&["success", "failure", "always"]), "`success`",
        "How the task must settle: `success` counts tasks that were resolved by hand, `always` also those that were \
         skipped or cancelled.",
        "on: failure"),
    key(Event, "payload", Variables, "all declared outputs",
        "Inputs and outputs of the task that go with the event, as far as they are set.",
        "payload: [ORDER, TOTAL]"),

    key(Contract, "success", Schema, "anything",
        "JSON Schema (2020-12) of the object of the task's outputs.",
        "success:\n  properties: { COUNT: { type: integer, minimum: 0 } }\n  required: [COUNT]"),
    key(Contract, "error", Schema, "anything",
        "JSON Schema (2020-12) of the object that a failing task emits as `ERROR`.",
        "error: { type: object, required: [code] }"),
];
