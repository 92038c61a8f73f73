//! Columns of text.

use crate::terminal::{Paint, columns, fit, width};

/// Rows of columns, each as wide as its widest cell. On a terminal that is too narrow, texts are cut
/// and columns left out; anywhere else everything is written out.
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    spare: &'static [&'static str],
}

/// The widest that a column gets on a terminal, unless it is the last.
const MOST: usize = 60;
/// The narrowest that a column gets for want of room.
const LEAST: usize = 12;
/// The space between two columns.
const GAP: usize = 2;

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new(), spare: &[] }
    }

    /// The columns that are left out first where there is no room for all.
    pub(crate) fn sparing(self, spare: &'static [&'static str]) -> Self {
        Self { spare, ..self }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    pub(crate) fn render(&self, paint: Paint) -> String {
        self.render_to(columns(), paint)
    }

    fn render_to(&self, room: Option<usize>, paint: Paint) -> String {
        let widths = self.widths(room);
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

    /// How wide each column is; `None` for one that is left out.
    fn widths(&self, room: Option<usize>) -> Vec<Option<usize>> {
        let natural = |at: usize| {
            let cells = self.rows.iter().map(|row| width(&row[at]));
            cells.max().unwrap_or(0).max(self.head[at].len())
        };
        let mut widths: Vec<Option<usize>> =
            (0..self.head.len()).map(|at| Some(natural(at))).collect();
        let Some(room) = room else { return widths };
        let last = widths.len() - 1;
        widths[..last].iter_mut().flatten().for_each(|width| *width = (*width).min(MOST));
        let mut spare = self.spare.iter();
        loop {
            let mut narrower = widths.clone();
            let fits = shrink(&mut narrower, taken(&widths).saturating_sub(room));
            let Some(name) = spare.next().filter(|_| !fits) else { return narrower };
            if let Some(at) = self.head.iter().position(|head| head == name) {
                widths[at] = None;
            }
        }
    }
}

/// How much of a line the columns take.
fn taken(widths: &[Option<usize>]) -> usize {
    let shown = widths.iter().flatten();
    shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
}

/// Makes the widest columns narrower by so much in all; false if that would leave too little of one.
fn shrink(widths: &mut [Option<usize>], excess: usize) -> bool {
    for _ in 0..excess {
        match widths.iter_mut().flatten().max() {
            Some(widest) if *widest > LEAST => *widest -= 1,
            _ => return false,
        }
    }
    true
}

fn line(cells: &[String], widths: &[Option<usize>]) -> String {
    let mut text = String::new();
    for (cell, most) in cells.iter().zip(widths).filter_map(|(cell, most)| Some((cell, (*most)?))) {
        let shown = fit(cell, most);
        text += &shown;
        text += &" ".repeat(most - width(&shown) + GAP);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_coloured_or_wide() {
        let mut table = Table::new(&["A", "B"]);
        table.row(["\x1b[1mone\x1b[0m".into(), "x".into()]);
        table.row(["three".into(), "y".into()]);
        table.row(["任务".into(), "z".into()]);
        let text = table.render_to(Some(80), Paint(false));
        assert_eq!(text, "A      B\n\x1b[1mone\x1b[0m    x\nthree  y\n任务   z\n");
    }

    #[test]
    fn for_want_of_room_texts_are_cut_and_columns_left_out() {
        let long = "a name that is long";
        let table = || {
            let mut table = Table::new(&["NAME", "AGE", "TOOK"]).sparing(&["AGE"]);
            table.row([long.into(), "3m 20s".into(), "1m 05s".into()]);
            table
        };
        let row = |room| table().render_to(room, Paint(false)).lines().nth(1).unwrap().to_owned();
        assert_eq!(row(None), format!("{long}  3m 20s  1m 05s"));
        assert_eq!(row(Some(40)), format!("{long}  3m 20s  1m 05s"));
        assert_eq!(row(Some(30)), "a name that i…  3m 20s  1m 05s");
        assert_eq!(row(Some(24)), "a name that is …  1m 05s");
        assert_eq!(row(Some(10)), "a name that…  1m 05s", "the rest is the terminal's to wrap");
    }

    #[test]
    fn where_there_is_no_terminal_nothing_is_cut() {
        let long = "x".repeat(300);
        let mut table = Table::new(&["A", "B"]);
        table.row([long.clone(), long.clone()]);
        assert!(table.render_to(None, Paint(false)).contains(&format!("{long}  {long}\n")));
    }
}
