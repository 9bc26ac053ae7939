//! Values as text, for a user who asked to see them: several at once, in a form from which each is read back
//! unchanged.
//!
//! A value that a form can't hold is refused, never changed. As in `manifest.rs`, the text is written into a
//! buffer that never moves and is wiped when dropped.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::ser::{Error as _, Serialize, Serializer};
use zeroize::Zeroizing;

use super::manifest::{EncodedData, written};
use super::name::is_env_name;
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::render::Escaping;

/// The notation of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// A map of strings, as `--from-json` reads it.
    Json,
    /// Lines of `KEY=value`, quoted where they need it, which python-dotenv, Node's dotenv, Node itself and
    /// `--from-dotenv` read equally.
    Dotenv,
    /// Lines of `export KEY='value'`, for any POSIX shell.
    Shell,
}

impl Notation {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Dotenv => "a dotenv file",
            Self::Shell => "a shell's variable",
        }
    }

    /// Returns the reason why the notation can't hold this key or this value.
    fn fault(self, key: &str, value: &SecretValue) -> Option<&'static str> {
        let bytes = value.expose();
        let is_utf8 = std::str::from_utf8(bytes).is_ok();
        match self {
            Self::Json | Self::Dotenv if !is_utf8 => Some("its value is not UTF-8"),
            Self::Dotenv | Self::Shell if bytes.contains(&0) => Some("its value has a zero byte"),
            Self::Dotenv if !is_env_name(key) => Some("its key is not a variable name"),
            Self::Shell if !is_shell_name(key) => Some("its key is not a variable name"),
            Self::Dotenv => match std::str::from_utf8(bytes).map(DotenvForm::of) {
                Ok(Err(fault)) => Some(fault),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The form of a value in a dotenv file. None of them has escapes: no two readers agree on those.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DotenvForm {
    Plain,
    SingleQuotes,
    DoubleQuotes,
}

impl DotenvForm {
    /// Returns the form that every reader reads as this text; found by asking them (`reveal/tests.rs` does it
    /// again).
    ///
    /// # Errors
    /// No form is safe. Says why.
    fn of(text: &str) -> Result<Self, &'static str> {
        if text.contains('\r') {
            return Err("its value has a carriage return, which some readers refuse");
        }
        // python-dotenv replaces it even between single quotes.
        if text.split_once("${").is_some_and(|(_, rest)| rest.contains('}')) {
            return Err("its value has a ${…}, which some readers replace");
        }
        let is_simple = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
        if text.chars().all(is_simple) {
            Ok(Self::Plain)
        } else if !text.contains('\'') && !text.contains("\\\\") && !text.ends_with('\\') {
            Ok(Self::SingleQuotes)
        } else if !text.contains('"') && !has_escape(text) {
            Ok(Self::DoubleQuotes)
        } else if means_itself(text) {
            Ok(Self::Plain)
        } else {
            Err("readers differ on the quotes and backslashes in its value")
        }
    }
}

/// Returns true if some reader takes a backslash in it for the start of an escape.
fn has_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| pair[0] == b'\\' && b"\\'\"abfnrtv$`".contains(&pair[1]))
        || text.ends_with('\\')
}

/// Returns true if it needs no quotes, whatever quotes and backslashes it has inside.
fn means_itself(text: &str) -> bool {
    let is_known = |c: char| matches!(c, ' '..='~') || c.is_alphanumeric();
    text.chars().all(is_known)
        && !text.contains('#')
        && !text.starts_with([' ', '\'', '"', '`'])
        && !text.ends_with(' ')
}

/// Returns all values in one text.
///
/// # Errors
/// The notation can't hold a key or a value; the key is named.
pub(crate) fn revealed(
    data: &BTreeMap<String, SecretValue>,
    notation: Notation,
) -> Result<Zeroizing<Vec<u8>>> {
    for (key, value) in data {
        if let Some(fault) = notation.fault(key, value) {
            let error = Error::failed(format!("{key} can't be in {}: {fault}", notation.name()));
            let as_json = notation != Notation::Json && Notation::Json.fault(key, value).is_none();
            let error = if as_json { error.hint("-o json can hold any text") } else { error };
            return Err(error.hint(format!(
                "name the other keys, and take {key} alone: … {key} --reveal > FILE writes it byte for byte"
            )));
        }
    }
    Ok(written(|out| match notation {
        Notation::Json => json(data, out),
        Notation::Dotenv => data.iter().try_for_each(|(key, value)| dotenv(key, value.expose(), out)),
        Notation::Shell => data.iter().try_for_each(|(key, value)| shell(key, value.expose(), out)),
    }))
}

/// Returns JSON that has all values where kubectl's Secret has them, in base64.
pub(crate) fn as_kubectls(data: &BTreeMap<String, SecretValue>) -> Zeroizing<Vec<u8>> {
    written(|mut out| {
        serde_json::Serializer::new(&mut out)
            .collect_map([("data", EncodedData(data))])
            .map_err(io::Error::other)
    })
}

fn is_shell_name(key: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !key.is_empty() && key.bytes().all(legal) && !key.starts_with(|c: char| c.is_ascii_digit())
}

fn json(data: &BTreeMap<String, SecretValue>, mut out: &mut dyn Write) -> io::Result<()> {
    let texts = data.iter().map(|(key, value)| (key, Text(value)));
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Escaping::default());
    serializer.collect_map(texts)?;
    out.write_all(b"\n")
}

/// A value that is written as it is. It never leaves this file, so nothing else can serialize a value.
struct Text<'a>(&'a SecretValue);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = std::str::from_utf8(self.0.expose()).map_err(|_| S::Error::custom("not UTF-8"))?;
        serializer.serialize_str(text)
    }
}

/// Writes a value in a form that is known to exist.
fn dotenv(key: &str, value: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let text = std::str::from_utf8(value).map_err(io::Error::other)?;
    let quote: &[u8] = match DotenvForm::of(text).map_err(io::Error::other)? {
        DotenvForm::Plain => b"",
        DotenvForm::SingleQuotes => b"'",
        DotenvForm::DoubleQuotes => b"\"",
    };
    write!(out, "{key}=")?;
    [quote, value, quote, b"\n"].iter().try_for_each(|part| out.write_all(part))
}

/// Writes a value between single quotes, where only the single quote is special to a shell.
fn shell(key: &str, value: &[u8], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "export {key}='")?;
    for byte in value {
        out.write_all(if *byte == b'\'' { b"'\\''" } else { std::slice::from_ref(byte) })?;
    }
    out.write_all(b"'\n")
}

#[cfg(test)]
mod tests;
