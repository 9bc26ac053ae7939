//! kubectl's env-file grammar, byte for byte (`pkg/cmd/util/env_file.go`), except that no line is ever lost.
//!
//! Each line is `KEY=value`, and the value is the raw rest of the line: no quotes, escapes, continuation or
//! expansion. kubectl 1.37.2 silently stops at the first line of 64 KiB; here a line has any length. An error
//! names only the file and the line: the text in the place of a key may be the middle of a private key.

use std::ffi::OsString;

use super::argument::bytes_of;
use super::handling::{Lines, Nothing};
use super::input::Input;
use super::name::{env_name_faults, key_faults};
use super::unseen::BYTE_ORDER_MARK;
use super::value::SecretValue;
use crate::error::{Error, Result};

/// The content of one line.
enum Line<'a> {
    /// A blank line or a comment.
    Nothing,
    /// `KEY=value`
    Value { key: &'a str, value: &'a str },
    /// `KEY` alone stands for the environment variable of that name.
    FromEnvironment { key: &'a str },
}

/// Adds the entries in `bytes`, the content of the file.
pub(super) fn add_all(to: &mut Lines<'_>, bytes: &[u8], input: &dyn Input) -> Result<()> {
    for (index, line) in lines(bytes).enumerate() {
        let number = index + 1;
        let fault = |what: String| Error::usage(format!("{}, line {number}: {what}", to.file));
        let of_line = |what| {
            let is_for_a_shell = line.trim_ascii_start().starts_with(b"export ");
            let error = fault(what);
            if is_for_a_shell {
                error.hint("--from-dotenv reads files with export and quotes")
            } else {
                error
            }
        };
        let parsed = parse(line, number).map_err(of_line)?;
        if let Line::Value { key, .. } | Line::FromEnvironment { key } = &parsed
            && to.has(key)
        {
            return Err(fault("cannot add this key, another key by that name already exists".to_owned()));
        }
        match parsed {
            Line::Nothing => {}
            Line::Value { key, value } => {
                if is_quoted(value) {
                    to.note(format!(
                        "{}, line {number}: the quotes are part of the value (--from-dotenv removes them)",
                        to.file
                    ));
                }
                to.add_raw(number, key.to_owned(), SecretValue::from_bytes(value.as_bytes().to_vec()))?;
            }
            Line::FromEnvironment { key } => {
                let value = from_environment(to, number, input.variable(key))?;
                to.add(number, key.to_owned(), SecretValue::from_bytes(value))?;
            }
        }
    }
    Ok(())
}

/// Returns the value of the variable that a line names; an unset one is empty where empty values are allowed.
fn from_environment(to: &mut Lines<'_>, number: usize, value: Option<OsString>) -> Result<Vec<u8>> {
    let value = value.map(bytes_of);
    let is_taken = to.handling.nothing == Nothing::Take;
    match value {
        Some(value) if is_taken || !value.is_empty() => Ok(value),
        Some(_) => Err(to.lacks(number, "the environment variable of that name is empty")),
        None if is_taken => {
            to.note(format!("{}, line {number}: no such environment variable; its value is empty", to.file));
            Ok(Vec::new())
        }
        None => Err(to.lacks(number, "no such environment variable").first_hint("set it and export it")),
    }
}

/// Returns true if the value is in quotes, as if for a shell.
fn is_quoted(value: &str) -> bool {
    let value = value.trim();
    ['"', '\''].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote))
}

/// Returns the lines without their ends: `\n`, and one `\r` before it. A `\r` alone ends nothing.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Reads one line, numbered from 1. The error holds none of its text.
fn parse(line: &[u8], number: usize) -> Result<Line<'_>, String> {
    let line = std::str::from_utf8(line).map_err(|_| "invalid utf8 bytes".to_owned())?;
    let line = match number {
        1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
        _ => line,
    };
    let line = line.trim_start();
    if line.is_empty() || line.starts_with('#') {
        return Ok(Line::Nothing);
    }
    let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
    let mut faults = env_name_faults(key);
    if faults.is_empty() {
        faults = key_faults(key);
    }
    if !faults.is_empty() {
        return Err(format!("no valid key name before the '=': {}", faults.join(";")));
    }
    Ok(value.map_or(Line::FromEnvironment { key }, |value| Line::Value { key, value }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{self, Read};

    use proptest::prelude::*;

    use super::*;
    use crate::secret::contents::Contents;

    struct Environment(BTreeMap<&'static str, &'static str>);

    impl Input for Environment {
        fn standard_input(&mut self) -> io::Result<Box<dyn Read + '_>> {
            Ok(Box::new(io::empty()))
        }

        fn variable(&self, name: &str) -> Option<OsString> {
            self.0.get(name).map(OsString::from)
        }
    }

    fn read(bytes: &[u8]) -> Result<Contents> {
        let mut contents = Contents::default();
        let environment = Environment(BTreeMap::from([("SET", "from\nthe environment"), ("EMPTY", "")]));
        add_all(&mut Lines::in_a_test(&mut contents, "e.env"), bytes, &environment).map(|()| contents)
    }

    #[track_caller]
    fn assert_reads(bytes: &[u8], expected: &[(&str, &[u8])]) {
        let contents = read(bytes).unwrap_or_else(|error| panic!("{error}"));
        let found: Vec<_> = contents.data.iter().map(|(key, value)| (key.as_str(), value.expose())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_value_is_the_raw_rest_of_its_line() {
        assert_reads(b"A=1 # no comment", &[("A", b"1 # no comment")]);
        assert_reads(b"A=\"1 2\"\n", &[("A", b"\"1 2\"")]);
        assert_reads(b"A=  $B \\n =  \n", &[("A", b"  $B \\n =  ")]);
        assert_reads(b"A=\n", &[("A", b"")]);
    }

    #[test]
    fn a_line_ends_in_a_line_feed_and_at_most_one_carriage_return() {
        assert_reads(b"A=1\r\nB=2\r\r\nC=3\rD=4\r", &[("A", b"1"), ("B", b"2\r"), ("C", b"3\rD=4")]);
    }

    #[test]
    fn blank_lines_and_comments_say_nothing() {
        assert_reads(b"\n  \n# \n\t# c\n", &[]);
        assert_reads(b"", &[]);
    }

    #[test]
    fn white_space_before_a_key_is_dropped_also_when_it_is_not_ascii() {
        assert_reads("\u{b}\u{c} \u{a0}\u{3000}\u{85}A=1\n".as_bytes(), &[("A", b"1")]);
    }

    #[test]
    fn a_byte_order_mark_is_dropped_from_the_first_line_only() {
        assert_reads("\u{feff}A=1\n".as_bytes(), &[("A", b"1")]);
        assert!(read("A=1\n\u{feff}B=1\n".as_bytes()).is_err());
    }

    #[test]
    fn a_key_alone_takes_the_environment_variable_of_that_name() {
        assert_reads(b"SET\r\nEMPTY\n", &[("EMPTY", b""), ("SET", b"from\nthe environment")]);
        assert_reads(b"SET=\n", &[("SET", b"")]);
    }

    #[test]
    fn a_variable_that_is_not_set_gives_an_empty_value_and_a_note() {
        assert_reads(b"A=1\nUNSET\n", &[("A", b"1"), ("UNSET", b"")]);
        let notes = read(b"A=1\nUNSET\n").ok().unwrap().notes;
        assert_eq!(notes, ["e.env, line 2: no such environment variable; its value is empty"]);
    }

    #[test]
    fn no_line_is_lost_whatever_its_length() {
        for length in [65_535, 65_536, 1_000_000] {
            let file = [b"A=".to_vec(), vec![b'x'; length], b"\nB=2".to_vec()].concat();
            assert_reads(&file, &[("A", &vec![b'x'; length]), ("B", b"2")]);
        }
    }

    #[test]
    fn an_error_names_the_file_and_the_line_and_none_of_its_text() {
        let long_key = format!("CANARY{}=1", "k".repeat(250));
        for bad in [
            "export CANARY=1",
            "1CANARY=x",
            "CANARY+/x",
            "CANARY =1",
            "CANARY: 1",
            "=CANARY",
            "..CANARY=1",
            "CANARY\x1b=1",
            &long_key,
            "CANARY=1\nCANARY=1",
        ] {
            let refusal = read(format!("A=1\n{bad}\n").as_bytes()).err().unwrap().to_string();
            assert!(refusal.starts_with("error: e.env, line "), "{refusal}");
            assert!(!refusal.contains("CANARY"), "{refusal}");
        }
        let refusal = read(b"A=1\n# CANARY \xff\n").err().unwrap().to_string();
        assert_eq!(refusal, "error: e.env, line 2: invalid utf8 bytes");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_value_without_line_ends_survives(value in "[^\r\n]*", more in "[^\r\n]*") {
            let contents = read(format!("A={value}\nB={more}").as_bytes()).ok().unwrap();
            prop_assert_eq!(contents.data["A"].expose(), value.as_bytes());
            prop_assert_eq!(contents.data["B"].expose(), more.as_bytes());
        }

        #[test]
        fn no_error_holds_a_piece_of_a_line(line in "[ -~]{8,40}") {
            if let Err(error) = read(format!("{line}\n").as_bytes()) {
                let said = error.to_string();
                prop_assert!(!line.as_bytes().windows(8).any(|piece| said.contains(str::from_utf8(piece).unwrap())));
            }
        }
    }
}
