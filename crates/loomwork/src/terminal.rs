//! What is on the other side of the output: a terminal or not, its size, whether it takes colours.

use std::borrow::Cow;
use std::env;
use std::io::{IsTerminal, stderr, stdout};
use unicode_width::UnicodeWidthChar;

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

/// The columns that a line of standard output may take; `None` where it is no terminal. `COLUMNS`
/// goes before.
pub(crate) fn columns() -> Option<usize> {
    let told = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let found = || {
        let size = terminal_size::terminal_size_of(stdout())?;
        Some(usize::from(size.0.0))
    };
    told.or_else(found).map(|columns: usize| columns.clamp(20, 400))
}

/// Columns and rows for pictures; 100 × 24 where standard output is no terminal.
pub(crate) fn size() -> (usize, usize) {
    let rows = terminal_size::terminal_size_of(stdout()).map_or(24, |size| size.1.0);
    (columns().unwrap_or(100), usize::from(rows).max(4))
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

/// Text safe to show on one line of a terminal, in which everything is seen, and in the order in which it
/// is written: characters that act instead of being shown are escaped.
pub(crate) fn printable(text: &str) -> String {
    if !text.chars().any(acts) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if acts(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// Whether a character steers the terminal, or is hidden.
pub(crate) fn acts(char: char) -> bool {
    char.is_control() && char != '\t' || is_hidden(char)
}

/// Whether a character is not seen itself, but may change the order of others or what they seem to be.
/// The joiners of scripts and emoji are not among them.
const fn is_hidden(char: char) -> bool {
    matches!(
        char,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
    )
}

/// A text of several lines, which may have colours, with everything seen in the order in which it is
/// written.
pub(crate) fn in_order(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hidden(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

/// How many columns a text takes: two for a wide character, none for an escape.
pub(crate) fn width(text: &str) -> usize {
    shown(text).map(|(_, columns)| columns).sum()
}

/// The text cut to so many columns, with an ellipsis where something was cut.
pub(crate) fn fit(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let mut kept = String::new();
    for (char, columns) in shown(text) {
        if columns > left {
            kept.push('…');
            break;
        }
        left -= columns;
        kept.push(char);
    }
    if kept.contains('\x1b') { kept + "\x1b[0m" } else { kept }
}

/// Each character and the columns that it takes.
fn shown(text: &str) -> impl Iterator<Item = (char, usize)> {
    let mut escape = false;
    text.chars().map(move |char| {
        let hidden = escape || char == '\x1b';
        escape = hidden && char != 'm';
        (char, if hidden { 0 } else { char.width().unwrap_or(0) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_the_width_and_escapes_take_no_room() {
        assert_eq!(fit("abcdef", 10), "abcdef");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("\x1b[31mabcdef\x1b[0m", 4), "\x1b[31mabc…\x1b[0m");
    }

    #[test]
    fn what_is_not_shown_but_acts_is_escaped() {
        assert_eq!(
            printable("a\tb 任务 e\u{301} \u{1f469}\u{200d}\u{1f680}"),
            "a\tb 任务 e\u{301} \u{1f469}\u{200d}\u{1f680}"
        );
        assert_eq!(printable("a\nb\x1b[2J\u{9b}"), r"a\nb\u{1b}[2J\u{9b}");
        assert_eq!(printable("pay\u{202e}fdp.exe\u{2066}"), r"pay\u{202e}fdp.exe\u{2066}");
        assert_eq!(in_order("\x1b[1ma\u{202e}\n\x1b[0m"), "\x1b[1ma\\u{202e}\n\x1b[0m");
        assert_eq!(printable("a\u{200b}b\u{feff}\u{2029}"), r"a\u{200b}b\u{feff}\u{2029}");
    }

    #[test]
    fn wide_characters_take_two_columns_and_marks_none() {
        assert_eq!(width("任务"), 4);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(fit("任务甲乙", 6), "任务…");
        assert_eq!(fit("任务甲", 6), "任务甲");
    }
}
