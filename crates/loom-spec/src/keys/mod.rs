//! Every key of the workflow file, once.
//!
//! What reads a file, the suggestions for unknown keys, the JSON Schema for editors and the
//! reference page all come from the one table in `table.rs`.

mod reference;
mod schema;
mod table;

pub use reference::reference_markdown;
pub use schema::schema;
pub(crate) use table::KEYS;

/// A map of the workflow file whose keys are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The document.
    Document,
    /// `workflow`.
    Workflow,
    /// An item of `workflow.tasks`.
    Task,
    /// `execution` of a task.
    Execution,
    /// `retry` of a task.
    Retry,
    /// `permissions` of a task.
    Permissions,
    /// `contract` of a task.
    Contract,
    /// An item of `events` of a task.
    Event,
}

impl Section {
    /// All sections, from the outside in.
    pub const ALL: [Self; 8] = [
        Self::Document,
        Self::Workflow,
        Self::Task,
        Self::Execution,
        Self::Retry,
        Self::Permissions,
        Self::Contract,
        Self::Event,
    ];

    /// The path of the section's map; empty for the document.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Document => "",
            Self::Workflow => "workflow",
            Self::Task => "workflow.tasks[]",
            Self::Execution => "workflow.tasks[].execution",
            Self::Retry => "workflow.tasks[].retry",
            Self::Permissions => "workflow.tasks[].permissions",
            Self::Contract => "workflow.tasks[].contract",
            Self::Event => "workflow.tasks[].events[]",
        }
    }

    /// The section in an error message: "a task", "`execution`".
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Document => "the file",
            Self::Workflow => "`workflow`",
            Self::Task => "a task",
            Self::Execution => "`execution`",
            Self::Retry => "`retry`",
            Self::Permissions => "`permissions`",
            Self::Contract => "`contract`",
            Self::Event => "an event",
        }
    }

    /// The keys of the section, in the order of the reference.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.section == self)
    }

    /// The key of this name.
    pub fn key(self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }
}

/// What a key's value looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Text for people; any.
    Text,
    /// One line of 1 to 200 characters without control characters.
    Name,
    /// A semantic version.
    Version,
    /// An expression over variables.
    Expression,
    /// `true` or `false`.
    Bool,
    /// A whole number within bounds, both included.
    Integer(i64, i64),
    /// A number within bounds, both included.
    Number(f64, f64),
    /// Seconds as a number, or text with a unit.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of names.
    Names,
    /// A list of variables' names.
    Variables,
    /// A list of variables' names, `NAME?`, or `["*"]`.
    Outputs,
    /// A map from variables' names to any values.
    Values,
    /// A map from names to text.
    TextMap,
    /// A map that the plugin gives a meaning.
    Params,
    /// A list, or the name of a variable that holds one.
    ForEach,
    /// An event's name.
    EventName,
    /// A list of events: names, or maps with keys of their own.
    Events,
    /// A JSON Schema.
    Schema,
    /// A map with keys of its own.
    Map(Section),
    /// A list of maps with keys of their own.
    List(Section),
}

/// A key of the workflow file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The map that it stands in.
    pub section: Section,
    /// The key itself.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it must be given.
    pub required: bool,
    /// What holds if it is not given, in words; empty if nothing does.
    pub default: &'static str,
    /// What it means, in a sentence.
    pub doc: &'static str,
    /// An example: the key and its value, in YAML.
    pub example: &'static str,
}

impl Key {
    /// The key's path from the top of the file.
    pub fn path(&self) -> String {
        match self.section.path() {
            "" => self.name.into(),
            path => format!("{path}.{}", self.name),
        }
    }
}
