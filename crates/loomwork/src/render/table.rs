//! Columns of text.

use crate::terminal::{Paint, size};

/// Rows of columns, each as wide as its widest cell; the last takes what is left of the line.
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    pub(crate) fn render(&self, paint: Paint) -> String {
        let columns = self.head.len();
        let widths: Vec<usize> = (0..columns)
            .map(|at| {
                let cells = self.rows.iter().map(|row| width(&row[at]));
                cells.max().unwrap_or(0).max(self.head[at].len()).min(MOST)
            })
            .collect();
        let mut text = String::new();
        if !self.head[0].is_empty() {
            let head: Vec<String> = self.head.iter().map(|&cell| cell.to_owned()).collect();
            text += &paint.dim(line(&head, &widths).trim_end());
            text.push('\n');
        }
        for row in &self.rows {
            text += line(row, &widths).trim_end();
            text.push('\n');
        }
        text
    }
}

/// The widest a column gets, unless it is the last.
const MOST: usize = 60;

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    let mut used = 0;
    for (at, (cell, &most)) in cells.iter().zip(widths).enumerate() {
        let is_last = at + 1 == cells.len();
        let room = if is_last { size().0.saturating_sub(used).max(20) } else { most };
        let shown = cut(cell, room);
        text += &shown;
        if !is_last {
            text += &" ".repeat(most.saturating_sub(width(&shown)) + 2);
            used += most + 2;
        }
    }
    text
}

/// How many columns a text takes; escapes take none.
pub(crate) fn width(text: &str) -> usize {
    let mut escape = false;
    text.chars()
        .filter(|&char| {
            let hidden = escape || char == '\x1b';
            escape = hidden && char != 'm';
            !hidden
        })
        .count()
}

/// A text cut to so many columns.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let (mut kept, mut left, mut escape, mut coloured) =
        (String::new(), room.saturating_sub(1), false, false);
    for char in text.chars() {
        let hidden = escape || char == '\x1b';
        coloured |= hidden;
        escape = hidden && char != 'm';
        if !hidden {
            if left == 0 {
                kept.push('…');
                break;
            }
            left -= 1;
        }
        kept.push(char);
    }
    if coloured { kept + "\x1b[0m" } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_coloured() {
        let mut table = Table::new(&["A", "B"]);
        table.row(["\x1b[1mone\x1b[0m".into(), "x".into()]);
        table.row(["three".into(), "y".into()]);
        let text = table.render(Paint(false));
        assert_eq!(text, "A      B\n\x1b[1mone\x1b[0m    x\nthree  y\n");
    }

    #[test]
    fn texts_are_cut_to_the_width_and_escapes_take_no_room() {
        assert_eq!(cut("abcdef", 10), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("\x1b[31mabcdef\x1b[0m", 4), "\x1b[31mabc…\x1b[0m");
    }
}
