//! From the parser's character counts to byte offsets.

use crate::source::Span;
use saphyr_parser::Marker;

/// Follows the parser through a text. Markers come nearly in order, so each step is short.
pub(super) struct Places<'a> {
    text: &'a str,
    ascii: bool,
    chars: usize,
    bytes: usize,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, ascii: text.is_ascii(), chars: 0, bytes: 0 }
    }

    pub(super) fn span(&mut self, span: saphyr_parser::Span) -> Span {
        let start = self.byte(span.start);
        let end = if span.end == span.start { start } else { self.byte(span.end) };
        Span::new(start as u32, end.max(start) as u32)
    }

    pub(super) fn byte(&mut self, marker: Marker) -> usize {
        let index = marker.index();
        if self.ascii {
            return index.min(self.text.len());
        }
        if index >= self.chars {
            let rest = &self.text[self.bytes..];
            let step = rest.char_indices().nth(index - self.chars);
            let (bytes, chars) = match step {
                Some((bytes, _)) => (bytes, index - self.chars),
                None => (rest.len(), rest.chars().count()),
            };
            self.bytes += bytes;
            self.chars += chars;
        } else {
            let back = self.chars - index;
            let before = &self.text[..self.bytes];
            let (bytes, _) = before.char_indices().nth_back(back - 1).unwrap_or((0, '\0'));
            self.bytes = bytes;
            self.chars = index;
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_bytes_forwards_and_backwards() {
        let mut places = Places::new("aéb→c");
        let mut byte = |index| places.byte(Marker::new(index, 1, 0));
        assert_eq!([byte(4), byte(1), byte(2), byte(0), byte(5), byte(99)], [7, 1, 3, 0, 8, 8]);
    }
}
