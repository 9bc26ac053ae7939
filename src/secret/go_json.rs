//! JSON as Go's `encoding/json` writes it, for the two places where the very bytes matter: the hash of `--append-hash`
//! and the content of a `.dockerconfigjson`.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};

use crate::render::write_escaping;

/// Writes compact JSON in which `<`, `>`, `&`, U+2028 and U+2029 are escaped even though JSON does not ask for it.
pub(super) fn write(writer: impl io::Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(writer, GoEscapes))
}

struct GoEscapes;

impl Formatter for GoEscapes {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaping(writer, fragment, |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'))
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_writes(value: &str, expected: &str) {
        let mut written = Vec::new();
        write(&mut written, &value).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn what_is_special_in_html_is_escaped() {
        assert_writes("a<b>c&d", r#""a\u003cb\u003ec\u0026d""#);
        assert_writes("p\u{2028}q\u{2029}", r#""p\u2028q\u2029""#);
    }

    #[test]
    fn all_else_is_written_as_usual() {
        assert_writes("é\"\\\n\t\u{1}'/", r#""é\"\\\n\t\u0001'/""#);
    }
}
