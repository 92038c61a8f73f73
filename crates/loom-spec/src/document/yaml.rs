//! YAML, by the parser's events.

use super::build::{Builder, Scalar};
use super::places::Places;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use loom_protocol::ErrorCode;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

/// Reads the only document of a source into a tree.
pub(super) fn read<'a>(
    source: &'a Source,
    builder: &mut Builder<'a>,
) -> Result<(), Box<Diagnostic>> {
    let mut reader = Reader { text: source.text(), places: Places::new(source.text()), builder };
    let mut parser = Parser::new_from_str(source.text());
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| Box::new(not_yaml(source, &mut reader.places, &error)))?;
        reader.event(event, span)?;
    }
    Ok(())
}

struct Reader<'a, 'b> {
    text: &'a str,
    places: Places<'a>,
    builder: &'b mut Builder<'a>,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event<'_>, at: saphyr_parser::Span) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::DocumentStart(_) if self.builder.has_root() => {
                let message = "the file holds several YAML documents";
                Err(Diagnostic::error(ErrorCode::NotAWorkflow, message)
                    .at(self.places.span(at), "the second one begins here")
                    .help("put each workflow in a file of its own")
                    .into())
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(anchor) => self.builder.alias(anchor, self.places.span(at)),
            Event::Scalar(text, style, anchor, tag) => {
                let span = self.trimmed(at);
                let plain = match tag.as_deref() {
                    Some(tag) if tag.is_yaml_core_schema() => tag.suffix != "str",
                    Some(_) => false,
                    None => style == ScalarStyle::Plain,
                };
                self.no_tag(tag.as_deref(), span);
                self.builder.scalar(&Scalar { text: &text, plain, anchor, span })
            }
            Event::SequenceStart(anchor, tag) => {
                let span = self.places.span(at);
                self.no_tag(tag.as_deref(), span);
                self.builder.begin_list(anchor, span)
            }
            Event::MappingStart(anchor, tag) => {
                let span = self.places.span(at);
                self.no_tag(tag.as_deref(), span);
                self.builder.begin_map(anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.builder.end(self.places.span(at).end);
                Ok(())
            }
        }
    }

    /// The span of a scalar without the blanks that the parser counts to it.
    fn trimmed(&mut self, at: saphyr_parser::Span) -> Span {
        let span = self.places.span(at);
        let text = &self.text[span.start as usize..span.end as usize];
        // To a quoted scalar it also counts a comment behind it.
        let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''));
        let length = match quote.and_then(|quote| closing_quote(text, quote)) {
            Some(end) => end + 1,
            None => text.trim_end().len(),
        };
        Span::new(span.start, span.start + length as u32)
    }

    /// Reports a tag that asks for something that nothing here would do.
    fn no_tag(&mut self, tag: Option<&Tag>, span: Span) {
        let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema() && !tag.suffix.is_empty())
        else {
            return;
        };
        let message = format!("the tag `{tag}` means nothing in a workflow file");
        let problem = Diagnostic::error(ErrorCode::BadValue, message).at(span, "");
        self.builder.push(problem.help("write the value itself, without a tag"));
    }
}

/// Where the quote is that ends a text which begins with it.
fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if quote == '"' => drop(bytes.next()),
            // Two in a row stand for one.
            b'\'' if quote == '\'' && text[at + 1..].starts_with('\'') => drop(bytes.next()),
            _ if byte as char == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// What the parser says of brackets nested deeper than the 255 levels that it counts. It reads ahead,
/// so that it may say so before the limit of depth is seen to be exceeded.
const TOO_DEEP: &str = "recursion limit exceeded";

fn not_yaml(source: &Source, places: &mut Places<'_>, error: &ScanError) -> Diagnostic {
    let at = places.byte(*error.marker()) as u32;
    if error.info() == TOO_DEEP {
        let message = "brackets are nested deeper than the 255 levels that YAML's may have here";
        return Diagnostic::error(ErrorCode::TooLarge, message)
            .at(Span::empty(at), "one level too deep")
            .help("nest them less");
    }
    let text = source.slice(source.line(source.line_at(at)));
    let indent = &text[..text.len() - text.trim_start().len()];
    let message = format!("the file is not YAML: {}", error.info());
    let problem = Diagnostic::error(ErrorCode::NotYaml, message).at(Span::empty(at), "");
    if indent.contains('\t') {
        problem.help("YAML is indented with spaces: replace the tab at the start of the line")
    } else if text.contains(": ") && text.contains("{{") {
        problem.help("put a value that holds `{{ … }}` in quotes")
    } else {
        problem.help("check the indentation, the quotes and the brackets here and just above")
    }
}
