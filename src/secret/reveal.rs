//! Values as text, for who asked to see them: several at once, in a form from which each is read back equal.
//!
//! What a form can't hold is refused, never changed. As in `manifest.rs`, the text is written into a buffer that never
//! moves and is wiped when it goes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::ser::PrettyFormatter;
use zeroize::Zeroizing;

use super::manifest::written;
use super::name::is_env_name;
use super::value::SecretValue;
use crate::error::{Error, Result};

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// A map of strings, as `--from-json` reads it.
    Json,
    /// Lines of `KEY=value`, quoted where they need it, as `--from-dotenv` reads them.
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

    /// Why this key or this value can't be written so.
    fn fault(self, key: &str, value: &SecretValue) -> Option<&'static str> {
        let bytes = value.expose();
        let is_utf8 = std::str::from_utf8(bytes).is_ok();
        match self {
            Self::Json | Self::Dotenv if !is_utf8 => Some("its value is not UTF-8"),
            Self::Dotenv | Self::Shell if bytes.contains(&0) => Some("its value has a zero byte"),
            Self::Dotenv if !is_env_name(key) => Some("its key is no variable's name"),
            Self::Shell if !is_shell_name(key) => Some("its key is no variable's name"),
            _ => None,
        }
    }
}

/// All values in one text.
///
/// # Errors
/// A key or a value that the notation can't hold; the key is named.
pub(crate) fn revealed(
    data: &BTreeMap<String, SecretValue>,
    notation: Notation,
) -> Result<Zeroizing<Vec<u8>>> {
    for (key, value) in data {
        if let Some(fault) = notation.fault(key, value) {
            return Err(Error::failed(format!("{key} can't be in {}: {fault}", notation.name())).hint(format!(
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

fn is_shell_name(key: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !key.is_empty() && key.bytes().all(legal) && !key.starts_with(|c: char| c.is_ascii_digit())
}

fn json(data: &BTreeMap<String, SecretValue>, mut out: &mut dyn Write) -> io::Result<()> {
    let pretty = PrettyFormatter::with_indent(b"    ");
    let texts = data.iter().map(|(key, value)| (key, Text(value)));
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, pretty);
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

/// Unquoted where nothing could be special to any reader; between single quotes where that holds it, since there readers
/// differ least; else between double quotes.
fn dotenv(key: &str, value: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:@%+,".contains(byte);
    write!(out, "{key}=")?;
    if value.iter().all(is_plain) {
        out.write_all(value)?;
    } else if !value.iter().any(|byte| matches!(byte, b'\'' | b'\\' | b'\r')) {
        quoted(value, b'\'', |_| None, out)?;
    } else {
        quoted(value, b'"', escape, out)?;
    }
    out.write_all(b"\n")
}

fn escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'"' => Some(b"\\\""),
        b'\\' => Some(b"\\\\"),
        b'\r' => Some(b"\\r"),
        _ => None,
    }
}

/// Between single quotes nothing is special to a shell but the single quote.
fn shell(key: &str, value: &[u8], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "export {key}=")?;
    quoted(value, b'\'', |byte| (byte == b'\'').then_some(&b"'\\''"[..]), out)?;
    out.write_all(b"\n")
}

fn quoted(
    value: &[u8],
    quote: u8,
    escape: impl Fn(u8) -> Option<&'static [u8]>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(&[quote])?;
    for byte in value {
        out.write_all(escape(*byte).unwrap_or(&[*byte]))?;
    }
    out.write_all(&[quote])
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;
    use crate::secret::contents::Contents;
    use crate::secret::{dotenv, map};

    /// Two keys: what follows a value must be read too.
    fn data(value: &[u8]) -> BTreeMap<String, SecretValue> {
        let entry = |key: &str, bytes: &[u8]| (key.to_owned(), SecretValue::from_bytes(bytes.to_vec()));
        BTreeMap::from([entry("K", value), entry("L", b"l")])
    }

    fn text(value: &[u8], notation: Notation) -> Zeroizing<Vec<u8>> {
        revealed(&data(value), notation).unwrap_or_else(|error| panic!("{error}"))
    }

    fn assert_read(contents: &Contents, value: &[u8]) {
        assert!(contents.data["K"].expose() == value, "{value:?}");
        assert!(contents.data["L"].expose() == b"l");
    }

    fn read_dotenv(value: &[u8]) {
        let mut contents = Contents::default();
        dotenv::add_all(&mut contents, ".env", &text(value, Notation::Dotenv)).unwrap();
        assert_read(&contents, value);
    }

    /// What a real shell makes of it.
    fn read_by(shell: &str, value: &[u8]) {
        let script = "eval \"$(cat)\"; printf %s \"$K\"; printf '|%s' \"$L\"";
        let mut child = Command::new(shell)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&text(value, Notation::Shell)).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, [value, b"|l"].concat(), "{shell} of {value:?}");
    }

    #[test]
    fn values_that_readers_stumble_over_are_read_back() {
        for value in [
            "",
            " ",
            "#",
            " #x",
            "a b",
            "'",
            "\"",
            "\\",
            "\\n",
            "$HOME",
            "`id`",
            "!x",
            "a=b",
            "\n",
            "a\nb\n",
            "\r\n",
            "\t",
            "'\"\\$`\r\n",
            "-----BEGIN A-----\nx\n-----END A-----\n",
            "\u{feff}",
            "é",
            "export K=1",
        ] {
            read_dotenv(value.as_bytes());
            ["sh", "bash", "dash", "zsh"]
                .iter()
                .filter(|shell| Command::new(shell).args(["-c", "true"]).status().is_ok())
                .for_each(|shell| read_by(shell, value.as_bytes()));
        }
    }

    #[test]
    fn plain_values_have_no_quotes_and_most_others_single_ones() {
        let line =
            |value: &str| String::from_utf8(text(value.as_bytes(), Notation::Dotenv).to_vec()).unwrap();
        assert_eq!(line("hf_x-1"), "K=hf_x-1\nL=l\n");
        assert_eq!(line("a $b"), "K='a $b'\nL=l\n");
        assert_eq!(line("it's"), "K=\"it's\"\nL=l\n");
    }

    #[test]
    fn what_a_notation_cannot_hold_is_refused_with_the_key() {
        for (value, notation) in [
            (&b"\xffx"[..], Notation::Json),
            (b"\xffx", Notation::Dotenv),
            (b"a\0b", Notation::Dotenv),
            (b"a\0b", Notation::Shell),
        ] {
            let refusal = revealed(&data(value), notation).err().unwrap().to_string();
            assert!(refusal.starts_with("error: K can't be in "), "{refusal}");
        }
        let dotted = BTreeMap::from([("tls.crt".to_owned(), SecretValue::from_bytes(Vec::new()))]);
        assert!(revealed(&dotted, Notation::Shell).is_err());
        assert!(revealed(&dotted, Notation::Json).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_from_a_dotenv_file_and_from_json(value in "[^\0]*", sharp in "['\"\\\\$`\r\n# a=]{0,12}") {
            for value in [value, sharp] {
                read_dotenv(value.as_bytes());
                let mut contents = Contents::default();
                map::add_all(&mut contents, "m.json", &text(value.as_bytes(), Notation::Json)).unwrap();
                assert_read(&contents, value.as_bytes());
            }
        }
    }

    proptest! {
        // Each case starts two shells.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_but_zero_are_read_back_by_bash_and_dash(value in proptest::collection::vec(1_u8.., 0..60)) {
            for shell in ["bash", "dash"] {
                if Command::new(shell).args(["-c", "true"]).status().is_ok() {
                    read_by(shell, &value);
                }
            }
        }
    }
}
