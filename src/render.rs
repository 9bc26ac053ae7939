//! Objects as text, in the forms that kubectl prints and reads back.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use zeroize::Zeroizing;

use crate::printable::{disturbs, is_printable};

/// Writes JSON as kubectl prints it: four spaces, a newline at the end.
pub(crate) fn json(object: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::new());
    let mut serializer = serde_json::Serializer::with_formatter(&mut *text, Escaping::default());
    object.serialize(&mut serializer).expect("objects are trees of strings, numbers and booleans");
    text.push(b'\n');
    text
}

/// Writes JSON in one line, as kubectl prints a part of an object.
pub(crate) fn json_in_one_line(object: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::new());
    let mut serializer = serde_json::Serializer::with_formatter(&mut *text, EscapingInOneLine);
    object.serialize(&mut serializer).expect("objects are trees of strings, numbers and booleans");
    text
}

/// Writes YAML that kubectl reads back exactly, and that is safe on a terminal. A text that needs escapes is
/// written as JSON, which is YAML too: names and labels come from anybody.
pub(crate) fn yaml(object: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let text = manifest(object);
    let is_shown_as_it_is = str::from_utf8(&text).is_ok_and(|text| text.split('\n').all(is_printable));
    if is_shown_as_it_is { text } else { json(object) }
}

/// Writes YAML that kubectl reads back exactly: texts that YAML 1.1 would take for a boolean, a number or a
/// date are quoted, and no line is folded.
pub(crate) fn manifest(object: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let text = serde_saphyr::to_string_with_options(object, options)
        .expect("objects are trees of strings, numbers and booleans");
    let mut text = Zeroizing::new(text.into_bytes());
    if text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    text
}

/// Writes a part of a JSON string, with an escape for each of these characters.
pub(crate) fn write_escaping<W: ?Sized + io::Write>(
    writer: &mut W,
    fragment: &str,
    is_escaped: impl Fn(char) -> bool,
) -> io::Result<()> {
    for part in fragment.split_inclusive(&is_escaped) {
        let plain = part.trim_end_matches(&is_escaped);
        writer.write_all(plain.as_bytes())?;
        for unit in part[plain.len()..].encode_utf16() {
            write!(writer, "\\u{unit:04x}")?;
        }
    }
    Ok(())
}

/// Writes JSON without blanks, in which every character with an effect on a terminal is escaped.
struct EscapingInOneLine;

impl Formatter for EscapingInOneLine {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaping(writer, fragment, disturbs)
    }
}

/// Writes JSON with kubectl's indentation, in which every character with an effect on a terminal is escaped.
pub(crate) struct Escaping(PrettyFormatter<'static>);

impl Default for Escaping {
    fn default() -> Self {
        Self(PrettyFormatter::with_indent(b"    "))
    }
}

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaping(writer, fragment, disturbs)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_would_do_something_to_a_terminal_is_escaped_and_read_back_as_it_was() {
        let object = json!({"a\u{202e}b": ["c\u{9b}2Jd", "\u{200b}", "\u{7f}", "\u{1b}[m"], "é": "\"\\n", "e": {}, "l": []});
        for text in [super::json(&object), yaml(&object)] {
            let text = str::from_utf8(&text).unwrap();
            assert!(text.split('\n').all(is_printable), "{text}");
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), object);
            assert!(text.contains("\"a\\u202eb\": [\n        \"c\\u009b2Jd\""), "{text}");
        }
        assert_eq!(&*yaml(&json!({"a": "é"})), "a: é\n".as_bytes());
    }
}
