//! How large a workflow file may be.

use crate::diagnostic::Diagnostic;
use crate::suggest::listed;
use loom_protocol::ErrorCode;
use loom_protocol::json::{DEPTH_MAX, STORED_DEPTH_MAX};

/// The deepest nesting that can be asked for: values are dropped and copied recursively, and the
/// definition has to be read back from the store with what stands around them there.
const DEPTH_MOST: usize = 200;

const _: () = assert!(DEPTH_MOST + 32 <= STORED_DEPTH_MAX);

/// The limits that reading a file keeps to. Whoever calls may raise them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a file, and of all its strings once aliases are expanded.
    pub bytes: usize,
    /// The most tasks.
    pub tasks: usize,
    /// The most values, once aliases are expanded.
    pub nodes: usize,
    /// The deepest nesting of lists and maps, aliases expanded, at most 200.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, tasks: 200_000, nodes: 10_000_000, depth: DEPTH_MAX }
    }
}

/// One of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Bytes,
    Tasks,
    Nodes,
    Depth,
}

impl Limit {
    const ALL: [Self; 4] = [Self::Bytes, Self::Tasks, Self::Nodes, Self::Depth];

    /// The name that it is raised by.
    const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Tasks => "tasks",
            Self::Nodes => "nodes",
            Self::Depth => "depth",
        }
    }

    const fn of(self, limits: &Limits) -> usize {
        match self {
            Self::Bytes => limits.bytes,
            Self::Tasks => limits.tasks,
            Self::Nodes => limits.nodes,
            Self::Depth => limits.depth,
        }
    }

    const fn most(self) -> usize {
        match self {
            Self::Bytes => u32::MAX as usize - 1,
            Self::Tasks | Self::Nodes => u32::MAX as usize,
            Self::Depth => DEPTH_MOST,
        }
    }

    /// The error of a file that exceeds the limit.
    pub(crate) fn exceeded(self, limits: &Limits) -> Diagnostic {
        let limit = grouped(self.of(limits));
        let (message, or) = match self {
            Self::Bytes => (
                format!("the file, its aliases expanded, is larger than {limit} bytes"),
                "split the workflow",
            ),
            Self::Tasks => {
                (format!("there are more than {limit} tasks"), "use `for_each`, or split it")
            }
            Self::Nodes => (
                format!("there are more than {limit} values once aliases are expanded"),
                "use fewer aliases",
            ),
            Self::Depth => {
                (format!("lists and maps are nested deeper than {limit}"), "nest them less")
            }
        };
        Diagnostic::error(ErrorCode::TooLarge, message)
            .help(format!("raise it with `--limit {}=NUMBER`, or {or}", self.name()))
    }
}

impl Limits {
    /// Changes one limit, given as `NAME=NUMBER` where the name is `bytes`, `tasks`, `nodes` or
    /// `depth`.
    pub fn set(&mut self, text: &str) -> Result<(), Box<Diagnostic>> {
        let (name, number) = text.split_once('=').unwrap_or((text, ""));
        let bad = |help: String| {
            let message = format!("`{}` is not a limit", text.escape_debug());
            Box::new(Diagnostic::error(ErrorCode::BadArgument, message).help(help))
        };
        let Some(limit) = Limit::ALL.into_iter().find(|limit| limit.name() == name) else {
            let names = listed(Limit::ALL.map(Limit::name), Limit::ALL.len());
            return Err(bad(format!("write NAME=NUMBER; the limits are {names}")));
        };
        let most = limit.most();
        let number = number.parse().ok().filter(|number| (1..=most).contains(number));
        let number = number.ok_or_else(|| {
            bad(format!("give `{name}` a whole number from 1 to {}", grouped(most)))
        })?;
        match limit {
            Limit::Bytes => self.bytes = number,
            Limit::Tasks => self.tasks = number,
            Limit::Nodes => self.nodes = number,
            Limit::Depth => self.depth = number,
        }
        Ok(())
    }

    /// The limits with each brought into the range that the implementation can bear.
    pub(crate) fn clamped(self) -> Self {
        Self {
            bytes: self.bytes.min(Limit::Bytes.most()),
            depth: self.depth.min(Limit::Depth.most()),
            ..self
        }
    }
}

/// A number with its thousands set apart.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_by_name() {
        let mut limits = Limits::default();
        assert_eq!(limits.set("tasks=7"), Ok(()));
        assert_eq!(limits, Limits { tasks: 7, ..Limits::default() });
        let help = |text| Limits::default().set(text).unwrap_err().help.unwrap();
        assert_eq!(help("depth=9999"), "give `depth` a whole number from 1 to 200");
        assert!(help("task=1").contains("`bytes`, `tasks`, `nodes` and `depth`"));
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([1, 999, 1000, 1_234_567].map(grouped), ["1", "999", "1,000", "1,234,567"]);
    }
}
