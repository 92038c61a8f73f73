//! Diagnostics as people read them: the source line underlined, and what to do.

use super::{Diagnostic, Label, Problems, Severity};
use crate::limits::grouped;
use crate::source::{Source, Span};
use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Padding, Renderer, Snippet,
};

/// How many problems are shown in full.
const SHOWN: usize = 50;
/// Columns of a source line that are shown before and after what is underlined.
const AROUND: usize = 100;
/// The longest underline; what is longer is cut.
const UNDERLINE_MOST: usize = 160;
/// Lines between two labels that are still shown as one piece of source.
const NEAR: usize = 6;
/// Bytes between them.
const NEAR_BYTES: u32 = 4000;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With ANSI escapes.
    Coloured,
}

impl Style {
    fn renderer(self) -> Renderer {
        match self {
            Self::Plain => Renderer::plain(),
            Self::Coloured => Renderer::styled(),
        }
        .term_width(usize::from(u16::MAX))
    }
}

impl Diagnostic {
    /// The problem with its source lines, without a line break at the end.
    pub fn render(&self, source: &Source, style: Style) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&self.message).id(self.code.to_string());
        let pieces = self.primary.as_ref().map_or_else(Vec::new, |at| self.pieces(source, at));
        let group = Group::with_title(title);
        let mut group = if pieces.is_empty() {
            group.element(Origin::path(source.name())).element(Padding)
        } else {
            group.elements(pieces.iter().map(|piece| piece.snippet(source)))
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let mut text = style.renderer().render(&[group]);
        for piece in pieces.iter().filter(|piece| piece.long) {
            text = piece.set_column(source, &text);
        }
        text
    }

    fn pieces<'a>(&'a self, source: &'a Source, primary: &'a Label) -> Vec<Piece<'a>> {
        let mut pieces = vec![Piece::new(source, primary, AnnotationKind::Primary)];
        for label in &self.secondary {
            let piece = Piece::new(source, label, AnnotationKind::Context);
            match pieces.iter_mut().find(|other| other.is_near(&piece)) {
                Some(other) => other.marks.extend(piece.marks),
                None => pieces.push(piece),
            }
        }
        pieces
    }
}

impl Problems {
    /// The first fifty problems and how many more there are, a blank line between them.
    pub fn render(&self, source: &Source, style: Style) -> String {
        let mut text = String::new();
        for problem in self.iter().take(SHOWN) {
            text += &problem.render(source, style);
            text += "\n\n";
        }
        if self.len() > SHOWN {
            let more = grouped(self.len() - SHOWN);
            text += "… and ";
            text += &more;
            text += " more problems in ";
            text += source.name();
            text += "\n\n";
        }
        text
    }
}

/// Labels on lines that are shown together.
struct Piece<'a> {
    marks: Vec<(AnnotationKind, Span, &'a str)>,
    line: usize,
    long: bool,
}

impl<'a> Piece<'a> {
    fn new(source: &Source, label: &'a Label, kind: AnnotationKind) -> Self {
        let line = source.line_at(label.span.start);
        let whole = source.line(line);
        let start = label.span.start.min(whole.end);
        let span = Span::new(start, label.span.end.clamp(start, whole.end.max(start)));
        let long = whole.end - whole.start > 2 * AROUND as u32;
        Self { marks: vec![(kind, span, &label.text)], line, long }
    }

    fn is_near(&self, other: &Self) -> bool {
        let (here, there) = (self.marks[0].1.start, other.marks[0].1.start);
        !self.long
            && !other.long
            && self.line.abs_diff(other.line) <= NEAR
            && here.abs_diff(there) <= NEAR_BYTES
    }

    fn snippet(&self, source: &'a Source) -> Snippet<'a, Annotation<'a>> {
        let snippet = if self.long { self.cut(source).0 } else { self.lines(source) };
        snippet.path(source.name())
    }

    /// Puts the column in the file where the renderer took that in the cut line.
    fn set_column(&self, source: &Source, text: &str) -> String {
        let name = source.name();
        let right = source.position(self.marks[0].1.start);
        let wrong = format!("{name}:{}:{}", right.line, self.cut(source).1);
        text.replacen(&wrong, &format!("{name}:{}:{}", right.line, right.column), 1)
    }

    /// The lines from the first label to the last.
    fn lines(&self, source: &'a Source) -> Snippet<'a, Annotation<'a>> {
        let lines = self.marks.iter().map(|&(_, span, _)| source.line_at(span.start));
        let (first, last) = (lines.clone().min().unwrap_or(0), lines.max().unwrap_or(0));
        let base = source.line(first).start;
        let text = source.slice(Span::new(base, source.line(last).end));
        let notes = self.marks.iter().map(|&(kind, span, label)| {
            let range = (span.start - base) as usize..(span.end - base) as usize;
            annotation(kind, range, label)
        });
        Snippet::source(text).line_start(first + 1).annotations(notes)
    }

    /// The part of a long line that is around its only label, and the label's column in it.
    fn cut(&self, source: &Source) -> (Snippet<'a, Annotation<'a>>, usize) {
        let (kind, span, label) = self.marks[0];
        let line = source.line(self.line);
        let before = source.slice(Span::new(line.start, span.start));
        let after = source.slice(Span::new(span.start, line.end));
        let from = nth_char_from_end(before, AROUND);
        let marked = nth_char(&after[..(span.end - span.start) as usize], UNDERLINE_MOST);
        let until = marked + nth_char(&after[marked..], AROUND);
        let lead = if from > 0 { "…" } else { "" };
        let tail = if until < after.len() { "…" } else { "" };
        let text = format!("{lead}{}{}{tail}", &before[from..], &after[..until]);
        let start = lead.len() + before.len() - from;
        let column = text[..start].chars().count() + 1;
        let mark = annotation(kind, start..start + marked, label);
        (Snippet::source(text).line_start(self.line + 1).annotation(mark), column)
    }
}

fn annotation(kind: AnnotationKind, range: std::ops::Range<usize>, label: &str) -> Annotation<'_> {
    let annotation = kind.span(range);
    if label.is_empty() { annotation } else { annotation.label(label) }
}

/// The byte at which the `nth` character starts, or the end.
fn nth_char(text: &str, nth: usize) -> usize {
    text.char_indices().nth(nth).map_or(text.len(), |(at, _)| at)
}

/// The byte at which the last `count` characters start.
fn nth_char_from_end(text: &str, count: usize) -> usize {
    text.char_indices().rev().nth(count.saturating_sub(1)).map_or(0, |(at, _)| at)
}
