//! Lines, columns and ends in the text of a document, and new text that fits in.

use std::ops::Range;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::PrettyFormatter;

use super::node::{Content, Node, Scalar, Style, Tail};
use crate::render;

pub(super) struct Layout<'t> {
    text: &'t str,
    /// The line end of new text.
    line_end: &'static str,
    /// The start of each line.
    line_starts: Vec<usize>,
    /// The smallest indentation of an indented line, usually 2 or 4 blanks.
    unit: usize,
}

/// Writes a value, or one field as a pair, in block style without indentation.
pub(super) fn yaml<T: AsYaml + ?Sized>(value: &T) -> String {
    value.as_yaml()
}

/// A piece of a document that can be written.
pub(super) trait AsYaml {
    fn as_yaml(&self) -> String;
}

impl AsYaml for Value {
    fn as_yaml(&self) -> String {
        String::from_utf8_lossy(&render::manifest(self)).trim_end_matches('\n').to_owned()
    }
}

impl AsYaml for [(&str, &Value); 1] {
    fn as_yaml(&self) -> String {
        let [(name, value)] = *self;
        Value::Object([(name.to_owned(), value.clone())].into_iter().collect()).as_yaml()
    }
}

/// Writes a value on one line.
pub(super) fn json(value: &Value) -> String {
    value.to_string()
}

impl<'t> Layout<'t> {
    /// Reads all lines once, since there may be as many changes as lines.
    pub(super) fn of(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let indentations = text.lines().map(|line| line.len() - line.trim_start_matches(' ').len());
        Self {
            text,
            line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
            line_starts: std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect(),
            unit: indentations.filter(|blanks| *blanks > 0).min().unwrap_or(2),
        }
    }

    fn line_end(&self) -> &'static str {
        self.line_end
    }

    fn line_start(&self, at: usize) -> usize {
        self.line_starts[..self.line_starts.partition_point(|start| *start <= at)]
            .last()
            .copied()
            .unwrap_or(0)
    }

    /// Returns the end of the line of `at`, before its line end.
    fn end_of_line(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        if self.text[at..end].ends_with('\r') { end - 1 } else { end }
    }

    pub(super) fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].trim_start_matches('\u{feff}').chars().count()
    }

    /// Returns true if only blanks are before it on its line.
    pub(super) fn begins_line(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at].trim_start_matches([' ', '\t']).is_empty()
    }

    fn indentation(&self, at: usize) -> &str {
        let line = &self.text[self.line_start(at)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// Returns the lines of a part, with their line ends.
    pub(super) fn lines(&self, part: &Range<usize>) -> Range<usize> {
        let end = self.text[part.end..].find('\n').map_or(self.text.len(), |newline| part.end + newline + 1);
        self.line_start(part.start)..end
    }

    /// Returns the end of a node's content, without the rest of the line and without empty lines.
    pub(super) fn end_of(&self, node: &Node<'_>) -> usize {
        match &node.content {
            Content::Mapping(Style::Block, entries) => {
                entries.last().map_or(node.at.end, |entry| self.end_of_entry(entry))
            }
            Content::Sequence(Style::Block, items) => {
                items.last().map_or(node.at.end, |item| self.end_of(item))
            }
            Content::Scalar(Scalar { tail: Tail::EmptyLines, .. }) => {
                without_line_end(&self.text[..node.at.end]).len()
            }
            Content::Scalar(Scalar { tail: Tail::Blanks, .. }) => {
                self.text[..node.at.end].trim_end_matches(['\r', '\n']).len()
            }
            _ => node.at.start + self.text[node.at.clone()].trim_end().len(),
        }
    }

    /// Returns the end of an entry. The parser puts a missing value at the end of its key, but the colon
    /// belongs to the entry.
    pub(super) fn end_of_entry(&self, (key, value): &(Node<'_>, Node<'_>)) -> usize {
        let end = self.end_of(value);
        if end > key.at.end {
            return end;
        }
        let rest = &self.text[key.at.end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[blanks..].starts_with(':') { key.at.end + blanks + 1 } else { key.at.end }
    }

    /// Returns the positions of the dashes of a block sequence that begins after `after`. None if they are
    /// not found.
    pub(super) fn dashes(&self, after: usize, items: &[Node<'_>]) -> Option<Vec<usize>> {
        let mut from = after;
        let dash = |item: &Node<'_>| {
            let dash = self.dash_between(from, item.at.start)?;
            from = self.end_of(item).max(dash + 1);
            Some(dash)
        };
        items.iter().map(dash).collect()
    }

    /// Returns the first single dash that is not in a comment.
    fn dash_between(&self, from: usize, item: usize) -> Option<usize> {
        let is_blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let mut at = from;
        while at < item {
            let mut rest = self.text.get(at..)?.chars();
            let before = self.text[..at].chars().next_back();
            match rest.next()? {
                '-' if is_blank(before) && is_blank(rest.next()) => return Some(at),
                '#' if is_blank(before) => at = self.end_of_line(at),
                c => at += c.len_utf8(),
            }
        }
        None
    }

    /// Moves lines of block style, all but the first, to a column.
    pub(super) fn block(&self, lines: &str, column: usize) -> String {
        let indented = lines.lines().enumerate().map(|(index, line)| {
            if index == 0 || line.is_empty() { line.to_owned() } else { " ".repeat(column) + line }
        });
        indented.collect::<Vec<_>>().join(self.line_end())
    }

    /// Inserts new lines after the last line of a block collection.
    pub(super) fn line_after(&self, end: usize, column: usize, lines: &str) -> (Range<usize>, String) {
        let at = self.end_of_line(end);
        (at..at, format!("{}{}{lines}", self.line_end(), " ".repeat(column)))
    }

    /// Inserts new lines before an item of a block sequence, above the comments directly above it.
    pub(super) fn line_before(&self, item: usize, column: usize, lines: &str) -> (Range<usize>, String) {
        let mut at = item;
        while self.begins_line(at) && self.line_start(at) > 0 {
            let above = self.line_start(self.line_start(at) - 1);
            let line = &self.text[above..self.end_of_line(above)];
            let blanks = line.len() - line.trim_start_matches(' ').len();
            if blanks != column || !line[blanks..].starts_with('#') {
                break;
            }
            at = above + blanks;
        }
        (at..at, format!("{lines}{}{}", self.line_end(), " ".repeat(column)))
    }

    /// Inserts an item before another one between brackets.
    pub(super) fn before_in_flow(&self, next: usize, item: &str) -> (Range<usize>, String) {
        let text = if self.begins_line(next) {
            format!("{item},{}{}", self.line_end(), self.indentation(next))
        } else {
            format!("{item}, ")
        };
        (next..next, text)
    }

    /// Writes an entry of a mapping in braces, in the layout of its neighbor.
    pub(super) fn flow_entry(&self, name: &str, value: &Value, neighbour: usize) -> String {
        format!("{}: {}", Value::from(name), self.flow_value(value, neighbour))
    }

    /// Writes a value between brackets or braces, on lines of its own if its neighbor is.
    pub(super) fn flow_value(&self, value: &Value, neighbour: usize) -> String {
        if !self.begins_line(neighbour) {
            return json(value);
        }
        let indentation = self.indentation(neighbour);
        let unit = if indentation.contains('\t') { "\t" } else { &"    "[..self.unit(indentation.len())] };
        let mut text = Vec::new();
        let formatter = PrettyFormatter::with_indent(unit.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        value.serialize(&mut serializer).expect("objects are trees of strings, numbers and booleans");
        String::from_utf8_lossy(&text).replace('\n', &format!("{}{indentation}", self.line_end()))
    }

    fn unit(&self, deepest: usize) -> usize {
        self.unit.min(deepest).clamp(1, 4)
    }

    /// Inserts an item after the last one between brackets or braces.
    pub(super) fn after_in_flow(&self, first: usize, last: usize, item: &str) -> (Range<usize>, String) {
        let text = if self.begins_line(first) {
            format!(",{}{}{item}", self.line_end(), self.indentation(first))
        } else {
            format!(", {item}")
        };
        (last..last, text)
    }
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
