//! A description of a value that reveals nothing of it.

use std::fmt;

use serde::de::IgnoredAny;

use super::identity::End;
use super::pem::{Block, blocks};
use super::unseen::{self, Unseen};
use super::value::SecretValue;
use crate::wording::{list, plural};

/// The facts that may be shown about a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ValueSummary {
    pub(crate) form: Form,
    pub(crate) ends_in_newline: bool,
    /// The invisible characters at its ends, in words.
    unseen: Option<String>,
    end: Option<End>,
    /// The parts of a PEM file: `private key`, `certificate`; for other text the number of lines.
    parts: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Empty,
    Pem,
    Json,
    Text,
    /// Text, as Windows programs write it; others can't read it.
    Utf16,
    /// Not UTF-8, or with characters that control a terminal.
    Binary,
}

impl Form {
    /// Returns its stable name in reports.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Pem => "pem",
            Self::Json => "json",
            Self::Text => "text",
            Self::Utf16 => "utf-16",
            Self::Binary => "binary",
        }
    }
}

impl ValueSummary {
    pub(crate) fn of(value: &SecretValue) -> Self {
        let bytes = value.expose();
        let ends_in_newline = bytes.ends_with(b"\n");
        let unseen = Unseen::of(bytes).at_the_ends().map(|(words, _)| words);
        // Of several lines, or of characters that are not text.
        let unseen = unseen.or_else(|| ends_in_newline.then(|| "ends in a newline".to_owned()));
        let of =
            |form, parts| Self { form, ends_in_newline, unseen: unseen.clone(), end: End::of(bytes), parts };
        if bytes.is_empty() {
            return of(Form::Empty, Vec::new());
        }
        if unseen::is_utf16(bytes) {
            return Self { ends_in_newline: false, unseen: None, ..of(Form::Utf16, Vec::new()) };
        }
        if !is_text(bytes) {
            return of(Form::Binary, Vec::new());
        }
        let blocks = blocks(bytes);
        if !blocks.is_empty() {
            // Files of keys and certificates end in a newline.
            let unseen = Unseen::of(bytes).at_the_ends().map(|(words, _)| words);
            return Self { unseen, ..of(Form::Pem, contents(&blocks)) };
        }
        let is_tree =
            bytes.trim_ascii_start().starts_with(b"{") || bytes.trim_ascii_start().starts_with(b"[");
        if is_tree && serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
            return of(Form::Json, Vec::new());
        }
        let lines = bytes.split(|byte| *byte == b'\n').count() - usize::from(bytes.ends_with(b"\n"));
        of(Form::Text, vec![plural(lines, "line")])
    }

    /// Returns the day on which the certificate or the token in it expires: `2026-01-31`.
    pub(crate) fn expires(&self) -> Option<String> {
        self.end.map(|end| end.at.day())
    }
}

/// `certificate, expires 2027-01-31`; `text, 1 line, ends in a newline`
impl fmt::Display for ValueSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::Pem => f.write_str(&list(&self.parts))?,
            Form::Json => f.write_str("JSON")?,
            Form::Utf16 => f.write_str("UTF-16 text")?,
            form => f.write_str(form.code())?,
        }
        if self.form == Form::Text {
            write!(f, ", {}", self.parts.join(""))?;
        }
        if let (Some(end), Some(day)) = (self.end, self.expires()) {
            write!(f, ", {} {day}", if end.is_over() { "expired" } else { "expires" })?;
        }
        self.unseen.iter().try_for_each(|words| write!(f, ", {words}"))
    }
}

/// Says how long a value is: `35 characters` of one line of text, or else its bytes and its form.
pub(crate) fn size(value: &SecretValue) -> String {
    let summary = ValueSummary::of(value);
    match std::str::from_utf8(value.expose()) {
        Ok(text) if summary.form == Form::Text && !text.contains('\n') => {
            plural(text.chars().count(), "character")
        }
        _ => format!("{}, {summary}", plural(value.len(), "byte")),
    }
}

/// Returns true for text that a terminal shows as it is: it can't contain an escape sequence.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(harmless))
}

/// Returns the kinds of blocks, each with its number. Only known labels are shown: an unknown one may be
/// anything.
fn contents(blocks: &[Block<'_>]) -> Vec<String> {
    let kind = |block: &Block<'_>| match block.label {
        _ if block.is_certificate() => "certificate",
        _ if block.is_private_key() && block.is_encrypted() => "encrypted private key",
        _ if block.is_private_key() => "private key",
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "public key",
        "CERTIFICATE REQUEST" => "certificate request",
        _ => "PEM block",
    };
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for kind in blocks.iter().map(kind) {
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let words = |(kind, count): (&str, usize)| if count == 1 { kind.to_owned() } else { plural(count, kind) };
    kinds.into_iter().map(words).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn look(bytes: &[u8]) -> String {
        ValueSummary::of(&SecretValue::from_bytes(bytes.to_vec())).to_string()
    }

    #[test]
    fn every_form_is_told_from_the_others() {
        for (value, words) in [
            (&b""[..], "empty"),
            (b"hunter2", "text, 1 line"),
            (b"hunter2\n", "text, 1 line, ends in a newline"),
            (b"a\r\nb", "text, 2 lines"),
            (b"\n", "text, 1 line, ends in a newline"),
            (b"x\xc2\xa0", "text, 1 line, ends in a no-break space"),
            (b"\xef\xbb\xbfx\r\n", "text, 1 line, begins with a byte order mark and ends in a newline"),
            (b"\xff\xfeh\0i\0\r\0\n\0", "UTF-16 text"),
            (b"h\0i\0", "UTF-16 text"),
            (b"{\"a\": [1]}\n", "JSON, ends in a newline"),
            (b"{\"a\": ", "text, 1 line, ends in a space"),
            (b"12", "text, 1 line"),
            (b"\xff\xfe", "binary"),
            (b"a\0b\n", "binary, ends in a newline"),
            (b"a\x1b[2Jb", "binary"),
            (b"\xc2\x9b31m", "binary"),
        ] {
            assert_eq!(look(value), words, "{value:?}");
        }
    }

    #[test]
    fn of_pem_the_kinds_of_blocks_are_told_and_no_label_that_is_not_known() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAA==\n-----END {label}-----\n");
        assert_eq!(look(block("RSA PRIVATE KEY").as_bytes()), "private key");
        assert_eq!(look(block("ENCRYPTED PRIVATE KEY").as_bytes()), "encrypted private key");
        assert_eq!(look(block("hunter2").as_bytes()), "PEM block");
        let chain = [block("CERTIFICATE"), block("CERTIFICATE"), block("PRIVATE KEY")].concat();
        assert_eq!(look(chain.as_bytes()), "2 certificates and private key");
    }

    proptest! {
        #[test]
        fn nothing_of_a_value_is_told(value in "[A-Z]{8,40}") {
            prop_assert!(!look(value.as_bytes()).contains(&value));
        }

        #[test]
        fn any_value_is_looked_at_without_a_panic(value in any::<Vec<u8>>()) {
            let _ = look(&value);
        }
    }
}
