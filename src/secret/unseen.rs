//! Invisible characters that become part of a value: line ends, blanks, byte order marks.
//!
//! An editor, `echo`, a web page or PowerShell adds them, and the program that gets the value fails weeks
//! later.

use std::ops::Range;

use std::fmt::Display;

use super::value::{MARK, SecretValue};
use crate::error::{Error, Result};
use crate::wording::list;

pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The invisible characters at the ends and in the middle of a value of one line. Of a value of several lines
/// only the start is checked: keys and certificates need their line ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unseen {
    before: Vec<&'static str>,
    after: Vec<&'static str>,
    inside: bool,
    kept: Range<usize>,
}

impl Unseen {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else { return Self::of_binary(bytes) };
        let kept = text.trim_matches(is_unseen);
        if kept.contains('\n') {
            let kept = text.trim_start_matches(BYTE_ORDER_MARK);
            let start = text.len() - kept.len();
            return Self { before: names(&text[..start]), kept: start..text.len(), ..Self::default() };
        }
        let start = text.find(kept).unwrap_or_default();
        let end = start + kept.len();
        Self {
            before: names(&text[..start]),
            after: names(&text[end..]),
            inside: kept
                .chars()
                .any(|char| !matches!(char, ' ' | '\t') && (char.is_control() || is_unseen(char))),
            kept: start..end,
        }
    }

    /// Finds a line end after bytes that are not text.
    fn of_binary(bytes: &[u8]) -> Self {
        let line = bytes.strip_suffix(b"\n").filter(|line| !line.contains(&b'\n'));
        let Some(line) = line.filter(|_| !is_utf16(bytes)) else {
            return Self { kept: 0..bytes.len(), ..Self::default() };
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Self { after: vec!["a newline"], kept: 0..line.len(), ..Self::default() }
    }

    /// Returns `begins with a byte order mark and ends in a newline`, and whether that is more than one
    /// thing; none if there is nothing to report.
    pub(super) fn at_the_ends(&self) -> Option<(String, Number)> {
        let parts = [("begins with", &self.before), ("ends in", &self.after)];
        let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<String> = parts.map(|(verb, names)| format!("{verb} {}", list(names))).collect();
        let number = if self.before.len() + self.after.len() > 1 { Number::Many } else { Number::One };
        (!parts.is_empty()).then(|| (list(&parts), number))
    }

    /// Returns true for invisible characters between visible ones.
    pub(super) fn is_inside(&self) -> bool {
        self.inside
    }

    /// Returns the value without the invisible characters at its ends.
    pub(super) fn taken_off(self, value: SecretValue) -> SecretValue {
        value.within(self.kept)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    One,
    Many,
}

impl Number {
    pub(super) fn becomes(self) -> &'static str {
        if self == Self::One { "becomes" } else { "become" }
    }

    pub(super) fn it(self) -> &'static str {
        if self == Self::One { "it" } else { "them" }
    }
}

/// Returns a value of one line without the invisible characters at its ends.
pub(crate) fn without_unseen_ends(value: SecretValue) -> SecretValue {
    Unseen::of(value.expose()).taken_off(value)
}

/// Returns a value without the quotes around it, and without what is invisible around those.
pub(super) fn without_quotes(value: SecretValue) -> SecretValue {
    let value = without_unseen_ends(value);
    let end = value.len().saturating_sub(1);
    if end < 1 { value } else { value.within(1..end) }
}

/// Returns true for a value without visible characters.
pub(crate) fn is_blank(value: &SecretValue) -> bool {
    is_nothing(value.expose())
}

/// Returns true for bytes without visible characters.
pub(super) fn is_nothing(bytes: &[u8]) -> bool {
    match (std::str::from_utf8(bytes), utf16(bytes)) {
        (Ok(text), _) => text.chars().all(is_unseen),
        (_, Some(text)) => text.chars().all(is_unseen),
        _ => false,
    }
}

/// Returns true for UTF-16, with or without a byte order mark.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    utf16(bytes).is_some_and(|text| !text.is_empty())
}

/// Returns what keeps a program from reading a text that expects UTF-8 without a byte order mark; none if nothing
/// does.
pub(crate) fn foreign_encoding(bytes: &[u8]) -> Option<&'static str> {
    if is_utf16(bytes) {
        return Some("is UTF-16");
    }
    bytes.starts_with(MARK).then_some("begins with a byte order mark")
}

/// Returns true for invisible characters anywhere in a text of one line; a blank between words is none.
pub(crate) fn has_unseen(text: &str) -> bool {
    unseen_in("", text).is_some()
}

/// Returns the sentence that tells of invisible characters in a text of one line, with its place; none if it has none.
pub(crate) fn unseen_in(place: &str, text: &str) -> Option<String> {
    let unseen = Unseen::of(text.as_bytes());
    match unseen.at_the_ends() {
        Some((ends, _)) => Some(format!("{place} {ends}")),
        None => unseen.is_inside().then(|| format!("{place} has invisible characters in it")),
    }
}

/// Refuses a file in UTF-16 where its text is needed.
pub(super) fn refuse_utf16(shown: &dyn Display, bytes: &[u8]) -> Result<()> {
    if !is_utf16(bytes) {
        return Ok(());
    }
    Err(Error::usage(format!("{shown} is UTF-16, as PowerShell's > writes it, but must be UTF-8"))
        .hint("convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW; in PowerShell: Get-Content FILE | Set-Content -Encoding utf8 NEW"))
}

/// Refuses a byte order mark that `reader` does not accept.
pub(super) fn refuse_mark(shown: &dyn Display, bytes: &[u8], reader: &str) -> Result<()> {
    if !bytes.starts_with(MARK) {
        return Ok(());
    }
    Err(Error::usage(format!("{shown} begins with a byte order mark, which {reader} can't read"))
        .hint("save it as UTF-8 without a mark (BOM); tail -c +4 FILE > NEW removes it"))
}

/// Decodes UTF-16; few random bytes are valid.
fn utf16(bytes: &[u8]) -> Option<zeroize::Zeroizing<String>> {
    let (body, is_little) = match bytes {
        [0xff, 0xfe, body @ ..] => (body, true),
        [0xfe, 0xff, body @ ..] => (body, false),
        [_, 0, _, 0, ..] => (bytes, true),
        [0, _, 0, _, ..] => (bytes, false),
        _ => return None,
    };
    let order =
        |pair: &[u8; 2]| if is_little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    let has_mark = body.len() < bytes.len();
    let (pairs, rest) = body.as_chunks::<2>();
    let mut text = zeroize::Zeroizing::new(String::with_capacity(body.len() * 2));
    for char in char::decode_utf16(pairs.iter().map(order)) {
        let is_text = |char: &char| !char.is_control() || matches!(char, '\n' | '\r' | '\t');
        let char = char.ok().filter(is_text)?;
        if !has_mark && !char.is_ascii() {
            return None;
        }
        text.push(char);
    }
    rest.is_empty().then_some(text)
}

/// Returns true for white space, and for characters without width.
fn is_unseen(char: char) -> bool {
    char.is_whitespace()
        || matches!(char, BYTE_ORDER_MARK | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Names the characters, each once, in the order of the text.
fn names(text: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let name = match char {
            '\r' if chars.peek() == Some(&'\n') => continue,
            '\n' => "a newline",
            '\r' => "a carriage return",
            ' ' => "a space",
            '\t' => "a tab",
            BYTE_ORDER_MARK => "a byte order mark",
            '\u{a0}' | '\u{202f}' | '\u{2007}' => "a no-break space",
            char if char.is_whitespace() => "an unusual space",
            _ => "a character without width",
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends(bytes: &[u8]) -> String {
        Unseen::of(bytes).at_the_ends().map(|(words, _)| words).unwrap_or_default()
    }

    fn kept(bytes: &[u8]) -> Vec<u8> {
        Unseen::of(bytes).taken_off(SecretValue::from_bytes(bytes.to_vec())).expose().to_vec()
    }

    fn in_utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn what_is_at_the_ends_is_named_and_can_be_taken_off() {
        for (value, words) in [
            ("token", ""),
            ("token\n", "ends in a newline"),
            ("token\r\n", "ends in a newline"),
            ("token\r", "ends in a carriage return"),
            ("token \n\n", "ends in a space and a newline"),
            (" token\u{a0}", "begins with a space and ends in a no-break space"),
            ("\u{feff}token\r\n", "begins with a byte order mark and ends in a newline"),
            ("token\u{200b}\t", "ends in a character without width and a tab"),
        ] {
            assert_eq!(ends(value.as_bytes()), words, "{value:?}");
            assert_eq!(kept(value.as_bytes()), b"token", "{value:?}");
        }
        assert_eq!(ends(b"\xff\n"), "ends in a newline");
        assert_eq!(kept(b"\xff\r\n"), b"\xff");
    }

    #[test]
    fn text_of_several_lines_keeps_all_but_a_byte_order_mark() {
        for value in ["a\nb\n", " a\nb \n", "\n\na\nb"] {
            assert_eq!((ends(value.as_bytes()), kept(value.as_bytes())), (String::new(), value.into()));
        }
        assert_eq!(ends("\u{feff}a\nb\n".as_bytes()), "begins with a byte order mark");
        assert_eq!(kept("\u{feff}a\nb\n".as_bytes()), b"a\nb\n");
    }

    #[test]
    fn what_is_between_is_found_too() {
        for value in ["to\u{200b}ken", "to\u{1b}[200~ken", "to\u{a0}ken", "to\rken"] {
            assert!(Unseen::of(value.as_bytes()).is_inside(), "{value:?}");
        }
        for value in ["to ken", "tökén", "a\tb", "a\nb"] {
            assert!(!Unseen::of(value.as_bytes()).is_inside(), "{value:?}");
        }
    }

    #[test]
    fn utf_16_is_known_with_a_mark_and_without() {
        let with_mark = [b"\xff\xfe".to_vec(), in_utf16("tökén\r\n")].concat();
        assert!(is_utf16(&with_mark) && is_utf16(&in_utf16("token")) && is_utf16(b"\xfe\xff\0a"));
        for value in [
            &b"token"[..],
            b"",
            b"a\0",
            b"\0\0\0\0",
            b"\xff\xfea",
            b"\xff\xfe\x01\0",
            b"a\0b\0\x01\0",
            b"ab\0\0",
        ] {
            assert!(!is_utf16(value), "{value:?}");
        }
    }

    #[test]
    fn nothing_is_what_nobody_sees() {
        let of_powershell = [b"\xff\xfe".to_vec(), in_utf16("\r\n")].concat();
        for value in [&b""[..], b"\n", b" \r\n", b"\xef\xbb\xbf", "\u{a0}".as_bytes(), &of_powershell] {
            assert!(is_nothing(value), "{value:?}");
        }
        for value in [&b"0"[..], b"\0", b"\xff", b"-"] {
            assert!(!is_nothing(value), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_looked_at_without_a_panic(bytes in any::<Vec<u8>>(), text in "[ab\\s\u{feff}\u{200b}]{0,9}") {
            let _ = (ends(&bytes), kept(&bytes), is_nothing(&bytes), is_utf16(&bytes));
            let text = text.as_bytes();
            prop_assert_eq!(kept(&kept(text)), kept(text));
        }
    }
}
