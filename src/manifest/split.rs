//! The boundaries between the documents of a file.
//!
//! The pieces cover the text without a gap, so that joining them gives the text that was read, to the byte.

use std::ops::Range;

use serde::de::IgnoredAny;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    /// JSON objects, one after the other.
    Json,
}

/// Returns the pieces of a text. As for kubectl, a text that begins with `{` is JSON if it is JSON to its
/// end.
pub(super) fn pieces(text: &str) -> (Format, Vec<Range<usize>>) {
    match json_pieces(text) {
        Some(pieces) => (Format::Json, pieces),
        None => (Format::Yaml, yaml_pieces(text)),
    }
}

fn json_pieces(text: &str) -> Option<Vec<Range<usize>>> {
    let content = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !content.trim_start().starts_with('{') {
        return None;
    }
    let before = text.len() - content.len();
    let mut objects = serde_json::Deserializer::from_str(content).into_iter::<IgnoredAny>();
    let mut pieces: Vec<Range<usize>> = Vec::new();
    while let Some(object) = objects.next() {
        object.ok()?;
        let start = pieces.last().map_or(0, |piece| piece.end);
        pieces.push(start..before + objects.byte_offset());
    }
    pieces.last_mut()?.end = text.len();
    Some(pieces)
}

/// Splits YAML. A line `---` at the margin begins a document anywhere, and a line `...` ends one: even inside
/// a block of text the margin belongs to no document (YAML 1.2, production `c-forbidden`).
fn yaml_pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        if is_marker(line, "---") && start < at {
            pieces.push(start..at);
            start = at;
        }
        if is_marker(line, "...") {
            pieces.push(start..next);
            start = next;
        }
        at = next;
    }
    if start < text.len() {
        pieces.push(start..text.len());
    }
    pieces
}

pub(super) fn is_marker(line: &str, marker: &str) -> bool {
    line.trim_start_matches('\u{feff}')
        .strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        pieces(text).1.into_iter().map(|piece| &text[piece]).collect()
    }

    #[test]
    fn a_marker_at_the_margin_begins_a_document_and_no_other() {
        assert_eq!(split("a: 1\n---\nb: 2\n"), ["a: 1\n", "---\nb: 2\n"]);
        assert_eq!(split("# c\n--- # d\na: 1\n--- \n---\n"), ["# c\n", "--- # d\na: 1\n", "--- \n", "---\n"]);
        assert_eq!(split("a: |\n  ---\n  b\n----\n"), ["a: |\n  ---\n  b\n----\n"]);
        assert_eq!(split("a: 1\r\n---\r\nb: 2"), ["a: 1\r\n", "---\r\nb: 2"]);
        assert_eq!(split("a: 1\n...\n# c\n---\nb: 2\n...\n"), ["a: 1\n...\n", "# c\n", "---\nb: 2\n...\n"]);
        assert_eq!(split("\u{feff}---\na: 1\n"), ["\u{feff}---\na: 1\n"]);
        assert_eq!(split(""), Vec::<&str>::new());
    }

    #[test]
    fn objects_of_json_follow_each_other_with_or_without_lines_between() {
        assert_eq!(split("{\"a\":1}{\"b\":2}\n"), ["{\"a\":1}", "{\"b\":2}\n"]);
        assert_eq!(split("\u{feff} {}\n\n{}\n"), ["\u{feff} {}", "\n\n{}\n"]);
        assert_eq!(pieces("{\"a\":1}\n---\n{\"b\":2}").0, Format::Yaml);
        assert_eq!(pieces("{a: 1}").0, Format::Yaml);
    }

    proptest! {
        #[test]
        fn the_pieces_put_together_are_the_text(text in "([ -]{0,3}|---|\\.\\.\\.|\n|\r\n|\\{\\}|a: 1|\u{feff}){0,12}") {
            prop_assert_eq!(split(&text).concat(), text);
        }
    }
}
