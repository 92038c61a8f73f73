//! What is on the other side of the output: a terminal or not, its size, whether it takes colours.

use std::env;
use std::io::{IsTerminal, stderr, stdout};

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where output goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Standard output is a terminal that takes cursor movements.
    pub(crate) live: bool,
    /// For standard output.
    pub(crate) paint: Paint,
    /// For standard error.
    pub(crate) paint_err: Paint,
}

impl Terminal {
    pub(crate) fn detect(when: When) -> Self {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let paint = |is_terminal: bool| {
            Paint(match when {
                When::Auto => is_terminal && !dumb && !plain,
                When::Always => true,
                When::Never => false,
            })
        };
        let (out, err) = (stdout().is_terminal(), stderr().is_terminal());
        Self { live: out && !dumb, paint: paint(out), paint_err: paint(err) }
    }
}

/// The terminal's columns and rows; 100 × 24 where there is none. `COLUMNS` goes before.
pub(crate) fn size() -> (usize, usize) {
    let (width, height) = terminal_size::terminal_size()
        .map_or((100, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)));
    let columns = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    (columns.unwrap_or(width).clamp(20, 400), height.max(4))
}

/// Colours text, or leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(pub(crate) bool);

macro_rules! colours {
    ($($name:ident = $code:literal;)*) => {
        impl Paint {
            $(pub(crate) fn $name(self, text: impl std::fmt::Display) -> String {
                if self.0 { format!(concat!("\x1b[", $code, "m{}\x1b[0m"), text) }
                else { text.to_string() }
            })*
        }
    };
}

colours! {
    bold = "1";
    dim = "2";
    red = "31";
    bold_red = "1;31";
    green = "32";
    yellow = "33";
    cyan = "36";
}

/// Text safe to show on one line of a terminal: control characters escaped.
pub(crate) fn printable(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|char| {
            let escape = char.is_control() && char != '\t';
            let plain = (!escape).then_some(char);
            plain.into_iter().chain(escape.then(|| char.escape_default()).into_iter().flatten())
        })
        .collect()
}

/// The text cut to so many characters, with an ellipsis where something was cut.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}
