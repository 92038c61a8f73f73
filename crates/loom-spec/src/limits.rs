//! How large a workflow file may be.

use crate::diagnostic::Diagnostic;
use loom_protocol::ErrorCode;

/// The deepest nesting that can be asked for: values are dropped and copied recursively.
const DEPTH_MOST: usize = 1000;

/// The limits that reading a file keeps to. Whoever calls may raise them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a file, and of all its strings once aliases are expanded.
    pub bytes: usize,
    /// The most tasks.
    pub tasks: usize,
    /// The most values, once aliases are expanded.
    pub nodes: usize,
    /// The deepest nesting of lists and maps, at most 1,000.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, tasks: 200_000, nodes: 10_000_000, depth: 64 }
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

    /// The environment variable that sets it.
    const fn variable(self) -> &'static str {
        match self {
            Self::Bytes => "LOOM_LIMIT_BYTES",
            Self::Tasks => "LOOM_LIMIT_TASKS",
            Self::Nodes => "LOOM_LIMIT_NODES",
            Self::Depth => "LOOM_LIMIT_DEPTH",
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
            .help(format!("set {} to raise the limit, or {or}", self.variable()))
    }
}

impl Limits {
    /// The default limits, changed by `LOOM_LIMIT_BYTES`, `LOOM_LIMIT_TASKS`, `LOOM_LIMIT_NODES`
    /// and `LOOM_LIMIT_DEPTH` where `lookup` knows them. Fails on what is not a number in range.
    pub fn from_env(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Diagnostic> {
        let mut limits = Self::default();
        for limit in Limit::ALL {
            let Some(text) = lookup(limit.variable()) else { continue };
            let most = limit.most();
            let Some(number) = text.parse().ok().filter(|number| (1..=most).contains(number))
            else {
                let message = format!("{} is `{text}`", limit.variable());
                let help = format!("give a whole number from 1 to {}", grouped(most));
                return Err(Diagnostic::error(ErrorCode::BadArgument, message).help(help));
            };
            match limit {
                Limit::Bytes => limits.bytes = number,
                Limit::Tasks => limits.tasks = number,
                Limit::Nodes => limits.nodes = number,
                Limit::Depth => limits.depth = number,
            }
        }
        Ok(limits)
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
    fn the_environment_changes_limits() {
        let env = |name: &str| (name == "LOOM_LIMIT_TASKS").then(|| "7".to_owned());
        assert_eq!(Limits::from_env(&env), Ok(Limits { tasks: 7, ..Limits::default() }));
        let bad = |name: &str| (name == "LOOM_LIMIT_DEPTH").then(|| "9999".to_owned());
        let error = Limits::from_env(&bad).unwrap_err();
        assert_eq!(error.help.as_deref(), Some("give a whole number from 1 to 1,000"));
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([1, 999, 1000, 1_234_567].map(grouped), ["1", "999", "1,000", "1,234,567"]);
    }
}
