//! The values of a secret as a text to edit: YAML, as in a Secret's `stringData`, except that each value is
//! text, never a number or a boolean.
//!
//! Each value has the simplest unambiguous form: plain, in quotes, or indented lines below a `|`. Characters
//! that an editor or a reader of YAML could lose (carriage returns, blanks at the end of a line, control
//! characters) are written as escapes. As in `reveal.rs`, the text is made in a buffer that never moves.

mod reading;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem;

pub(crate) use self::reading::{Mistake, read};
use super::manifest::written;
use super::value::SecretValue;
use crate::printable::printable;

/// The indentation of a block, deep enough to be seen.
const INDENT: &str = "  ";

/// The words that other readers of YAML take for a truth value or null.
const WORDS_OF_YAML: [&str; 10] = ["y", "n", "yes", "no", "true", "false", "on", "off", "null", "nan"];

/// Returns true if a value can be edited as text. A zero byte is a sign of something else.
pub(crate) fn is_editable(value: &SecretValue) -> bool {
    let bytes = value.expose();
    std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0)
}

/// Returns these keys with their values, each line after `margin`. All of them must be [`is_editable`].
pub(crate) fn text(margin: &str, entries: &BTreeMap<&str, &SecretValue>) -> SecretValue {
    let lines = buffered(|out| entries.iter().try_for_each(|(key, value)| write_entry(key, value, out)));
    if margin.is_empty() {
        return lines;
    }
    let with_margin = |line: &[u8], out: &mut dyn Write| {
        out.write_all(margin.as_bytes())?;
        out.write_all(line)
    };
    let lines = lines.expose().split_inclusive(|byte| *byte == b'\n');
    buffered(|out| lines.clone().try_for_each(|line| with_margin(line, out)))
}

/// Joins several texts.
pub(crate) fn joined(parts: &[&[u8]]) -> SecretValue {
    buffered(|out| parts.iter().try_for_each(|part| out.write_all(part)))
}

fn buffered(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> SecretValue {
    SecretValue::from_bytes(mem::take(&mut *written(write)))
}

/// Writes one key with its value.
fn write_entry(key: &str, value: &SecretValue, out: &mut dyn Write) -> io::Result<()> {
    let text = std::str::from_utf8(value.expose()).map_err(io::Error::other)?;
    let quote = if is_plain(key) { "" } else { "\"" };
    write!(out, "{quote}{key}{quote}: ")?;
    if is_plain(text) {
        writeln!(out, "{text}")
    } else if is_line(text) && !text.contains(['"', '\\', '\t']) {
        writeln!(out, "\"{text}\"")
    } else if is_block(text) {
        block(text, out)
    } else {
        escaped(text, out)
    }
}

fn is_line(text: &str) -> bool {
    !text.contains('\n') && text.chars().all(is_visible)
}

/// Returns true if every reader of YAML reads the plain text as itself.
fn is_plain(text: &str) -> bool {
    let stands_out = |c: char| matches!(c, '"' | '\'' | '\\' | '\t');
    is_line(text)
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/'))
        && !text.contains(stands_out)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !WORDS_OF_YAML.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns true if a block survives an editor that removes blanks at the ends of lines and empty lines at the
/// end.
fn is_block(text: &str) -> bool {
    let is_safe = |line: &str| !line.ends_with([' ', '\t']) && line.chars().all(is_visible);
    text.split('\n').all(is_safe) && !text.ends_with("\n\n") && text != "\n"
}

fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return c == '\t' || !c.is_ascii_control();
    }
    let is_disturbing = || matches!(printable(c.encode_utf8(&mut [0; 4])), Cow::Owned(_));
    // The last two code points of each plane are not characters, and YAML does not allow them.
    !is_unicode_space(c) && u32::from(c) & 0xfffe != 0xfffe && !is_disturbing()
}

/// Returns true for a space that is not the common one.
fn is_unicode_space(c: char) -> bool {
    c != ' ' && c.is_whitespace()
}

/// Writes a block below a `|`, each line unchanged. States the indentation if the text itself begins with
/// blanks.
fn block(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let depth = if text.starts_with([' ', '\t', '\n']) { "2" } else { "" };
    let lines = text.strip_suffix('\n');
    let end = if lines.is_some() { "" } else { "-" };
    writeln!(out, "|{depth}{end}")?;
    for line in lines.unwrap_or(text).split('\n') {
        let indent = if line.is_empty() { "" } else { INDENT };
        writeln!(out, "{indent}{line}")?;
    }
    Ok(())
}

/// Writes the text between double quotes, a line for each of its lines: a backslash at the end joins the next
/// line.
fn escaped(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    write!(out, "\"")?;
    for line in &lines {
        if lines.len() > 1 {
            write!(out, "\\\n{INDENT}")?;
        }
        // A blank in front would belong to the indentation.
        let rest = line.strip_prefix(' ');
        if rest.is_some() {
            write!(out, "\\ ")?;
        }
        rest.unwrap_or(line).chars().try_for_each(|c| escape(c, out))?;
    }
    writeln!(out, "\"")
}

fn escape(c: char, out: &mut dyn Write) -> io::Result<()> {
    match c {
        '"' | '\\' => write!(out, "\\{c}"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        _ if is_visible(c) => write!(out, "{c}"),
        _ if u32::from(c) < 0x100 => write!(out, "\\x{:02X}", u32::from(c)),
        _ if u32::from(c) < 0x1_0000 => write!(out, "\\u{:04X}", u32::from(c)),
        _ => write!(out, "\\U{:08X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests;
