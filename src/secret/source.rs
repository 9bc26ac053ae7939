//! The sources of a new secret's values: the grammar of the flags, which is kubectl's where kubectl has one.
//!
//! A new kind of source is a variant of [`Source`], a function that makes it from its flag, and an arm in
//! `reading::read`. The text of an argument may be a value in the wrong place, so a literal, a variable and a
//! key of a flag are named by their position, never by their text.

use std::ffi::{OsStr, OsString};

use zeroize::Zeroizing;

use super::argument::{bytes_of, entries, os_string_of};
use super::generated;
use super::input::Input;
use super::name::{check_key, is_key, key_faults};
use super::origin::Origin;
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::printable::printable;

/// One source of values. The order of the variants is the order in which they are read: kubectl's.
pub(crate) enum Source {
    /// A value in memory: a literal, a variable's, a typed one, a generated one. `place` names it in
    /// messages; none if it was generated.
    Given { key: String, value: SecretValue, place: Option<String> },
    /// `--from-file [KEY=]PATH`; a directory without a key stands for the files in it.
    File { key: Option<String>, from: Origin },
    /// `KEY < FILE`: a value of one line loses its line end, which every editor and `echo` adds.
    Piped { key: String, from: Origin },
    /// `--from-env-file PATH`
    EnvFile { from: Origin },
    /// `--from-dotenv PATH`
    Dotenv { from: Origin },
    /// `--from-json PATH`
    Map { from: Origin },
}

impl Source {
    /// Reads all arguments of `--from-literal`, which are not lists: a comma is part of a value.
    ///
    /// # Errors
    /// An argument has no `=`, or an illegal key. Names its position, never its text.
    pub(crate) fn literals(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<Self>> {
        arguments.into_iter().zip(1..).map(|(argument, position)| Self::literal(argument, position)).collect()
    }

    /// Reads all arguments of `--from-file`, each a list separated by commas.
    ///
    /// # Errors
    /// An entry lacks its path or its key, or the key is illegal.
    pub(crate) fn files(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<Self>> {
        entries("--from-file", arguments)?.iter().map(|entry| Self::file(entry)).collect()
    }

    /// Reads all arguments of `--from-env-file`, each a list separated by commas.
    ///
    /// # Errors
    /// An argument is not valid CSV.
    pub(crate) fn env_files(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<Self>> {
        let entries = entries("--from-env-file", arguments)?;
        Ok(entries.iter().map(|entry| Self::EnvFile { from: Origin::of(entry) }).collect())
    }

    /// Reads all arguments of `--from-dotenv`, each a path.
    pub(crate) fn dotenv_files(arguments: impl IntoIterator<Item = OsString>) -> Vec<Self> {
        arguments.into_iter().map(|path| Self::Dotenv { from: Origin::of(&path) }).collect()
    }

    /// Reads all arguments of `--from-json`, each a path.
    pub(crate) fn maps(arguments: impl IntoIterator<Item = OsString>) -> Vec<Self> {
        arguments.into_iter().map(|path| Self::Map { from: Origin::of(&path) }).collect()
    }

    /// Reads all arguments of `--from-env`: `VARIABLE`, or `KEY=VARIABLE`.
    ///
    /// # Errors
    /// A variable is not set, or a key is illegal. Names the position, never the text.
    pub(crate) fn variables(
        arguments: impl IntoIterator<Item = String>,
        input: &dyn Input,
    ) -> Result<Vec<Self>> {
        let numbered = arguments.into_iter().zip(1..);
        numbered.map(|(argument, position)| Self::variable(&argument, position, input)).collect()
    }

    /// Reads all arguments of `--generate`: `KEY`, or `KEY=LENGTH`.
    ///
    /// # Errors
    /// A key is illegal, the length is out of range, or the system has no random numbers.
    pub(crate) fn generated(arguments: impl IntoIterator<Item = String>) -> Result<Vec<Self>> {
        let numbered = arguments.into_iter().zip(1..);
        numbered.map(|(argument, position)| Self::generate(&argument, position)).collect()
    }

    /// Checks the keys given to a flag such as `--prompt`.
    ///
    /// # Errors
    /// A key is illegal. Names its position, never its text.
    pub(crate) fn check_keys(flag: &str, keys: &[String]) -> Result<()> {
        keys.iter().zip(1..).try_for_each(|(key, position)| check_flag_key(flag, key, position))
    }

    /// Wraps a value that was typed at a prompt. The key was checked before.
    pub(crate) fn typed(key: impl Into<String>, value: SecretValue) -> Self {
        Self::Given { key: key.into(), value, place: Some("what was typed".to_owned()) }
    }

    /// Makes standard input the value of a key. The key was checked before.
    pub(crate) fn piped(key: impl Into<String>) -> Self {
        Self::Piped { key: key.into(), from: Origin::StandardInput }
    }

    fn variable(argument: &str, position: usize, input: &dyn Input) -> Result<Self> {
        const FLAG: &str = "--from-env";
        let (key, name) = argument.split_once('=').unwrap_or((argument, argument));
        check_flag_key(FLAG, key, position)?;
        let Some(value) = input.variable(name) else {
            let line =
                format!("the {} {FLAG}: there is no environment variable of that name", ordinal(position));
            return Err(Error::usage(line)
                .hint("it is not shown, since it may be a value; give the variable's name without $, and export it")
                .hint(format!("write {FLAG} VARIABLE, or {FLAG} KEY=VARIABLE for another key")));
        };
        let value = SecretValue::from_bytes(bytes_of(value));
        let place = format!("the variable of the {} {FLAG}", ordinal(position));
        Ok(Self::Given { key: key.to_owned(), value, place: Some(place) })
    }

    fn generate(argument: &str, position: usize) -> Result<Self> {
        const FLAG: &str = "--generate";
        let (key, length) =
            argument.split_once('=').map_or((argument, None), |(key, length)| (key, Some(length)));
        check_flag_key(FLAG, key, position)?;
        let length = length.map_or(Some(generated::LENGTH), |length| length.parse().ok());
        let Some(length) = length.filter(|length| generated::LENGTHS.contains(length)) else {
            let (least, most) = (generated::LENGTHS.start(), generated::LENGTHS.end());
            let line =
                format!("the {} {FLAG}: the length is a number from {least} to {most}", ordinal(position));
            return Err(Error::usage(line).hint(format!("for example: {FLAG} password=48")));
        };
        Ok(Self::Given { key: key.to_owned(), value: generated::value(length)?, place: None })
    }

    fn literal(argument: OsString, position: usize) -> Result<Self> {
        let which = ordinal(position);
        let argument = Zeroizing::new(bytes_of(argument));
        let parts = argument.iter().position(|byte| *byte == b'=').map(|at| argument.split_at(at));
        let Some((key @ [_, ..], value)) = parts else {
            return Err(Error::usage(format!(
                "invalid literal source, expected key=value: the {which} --from-literal"
            ))
            .hint("it is not shown, since it may be a value; write --from-literal KEY=VALUE"));
        };
        let key = String::from_utf8_lossy(key);
        let faults = key_faults(&key);
        if !faults.is_empty() {
            let line = format!(
                "the {which} --from-literal: its key is not valid for a Secret: {}",
                faults.join(";")
            );
            return Err(Error::usage(line).hint("write --from-literal KEY=VALUE; the first '=' ends the key"));
        }
        let value = SecretValue::from_bytes(value[1..].to_vec());
        Ok(Self::Given { key: key.into_owned(), value, place: Some(format!("the {which} --from-literal")) })
    }

    fn file(entry: &OsStr) -> Result<Self> {
        key_and_origin(entry).map(|(key, from)| Self::File { key, from })
    }

    pub(super) fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Given { .. } => None,
            Self::File { from, .. }
            | Self::Piped { from, .. }
            | Self::EnvFile { from }
            | Self::Dotenv { from }
            | Self::Map { from } => Some(from),
        }
    }

    /// Returns true for a source whose value is taken as it is, and so may have invisible characters at its ends.
    pub(crate) fn may_have_ends(&self) -> bool {
        let is_given = matches!(self, Self::Given { place: Some(_), .. });
        is_given || matches!(self, Self::File { .. } | Self::Piped { .. } | Self::EnvFile { .. })
    }

    pub(super) fn turn(&self) -> u8 {
        match self {
            Self::Given { .. } => 0,
            Self::File { .. } | Self::Piped { .. } => 1,
            Self::EnvFile { .. } => 2,
            Self::Dotenv { .. } => 3,
            Self::Map { .. } => 4,
        }
    }
}

/// Splits one entry of `--from-file`: a path, perhaps with a key before it.
pub(super) fn key_and_origin(entry: &OsStr) -> Result<(Option<String>, Origin)> {
    let bytes = entry.as_encoded_bytes();
    let text = entry.to_string_lossy();
    let shown = || printable(text.trim_matches('='));
    match text.matches('=').count() {
        0 => Ok((None, Origin::of(entry))),
        1 if text.starts_with('=') => {
            Err(Error::usage(format!("key name for file path {} missing", shown())))
        }
        1 if text.ends_with('=') => Err(Error::usage(format!("file path for key name {} missing", shown()))),
        1 => {
            let at = bytes.iter().position(|byte| *byte == b'=').expect("counted above");
            let key = String::from_utf8_lossy(&bytes[..at]).into_owned();
            check_key(&key)?;
            Ok((Some(key), Origin::of(&os_string_of(bytes[at + 1..].to_vec())?)))
        }
        _ => Err(Error::usage("key names or file paths cannot contain '='")
            .hint("make a link to the file under another name, and give that: --from-file KEY=LINK")),
    }
}

fn check_flag_key(flag: &str, key: &str, position: usize) -> Result<()> {
    if is_key(key) {
        return Ok(());
    }
    let faults = key_faults(key).join(";");
    Err(Error::usage(format!(
        "the {} {flag}: its key is not valid for a Secret: {faults}",
        ordinal(position)
    )))
}

pub(super) fn ordinal(position: usize) -> String {
    let suffix = match (position % 100, position % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{position}{suffix}")
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use proptest::prelude::*;

    use super::*;

    struct Environment;

    impl Input for Environment {
        fn standard_input(&mut self) -> io::Result<Box<dyn Read + '_>> {
            Ok(Box::new(io::empty()))
        }

        fn variable(&self, name: &str) -> Option<OsString> {
            (name == "HF_TOKEN").then(|| "t0ken".into())
        }
    }

    #[track_caller]
    fn given(sources: Result<Vec<Source>>) -> (String, Vec<u8>) {
        match sources.ok().unwrap().remove(0) {
            Source::Given { key, value, .. } => (key, value.expose().to_vec()),
            _ => panic!("not a value at hand"),
        }
    }

    #[test]
    fn positions_are_counted_as_people_do() {
        let counted = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal);
        assert_eq!(counted, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
    }

    #[test]
    fn a_variable_is_its_own_key_unless_one_is_given() {
        let read = |argument: &str| Source::variables([argument.to_owned()], &Environment);
        assert_eq!(given(read("HF_TOKEN")), ("HF_TOKEN".to_owned(), b"t0ken".to_vec()));
        assert_eq!(given(read("token=HF_TOKEN")), ("token".to_owned(), b"t0ken".to_vec()));
    }

    #[test]
    fn a_variable_that_is_not_set_is_refused_and_not_echoed() {
        for argument in ["CANARY", "k=CANARY", "CANARY!", "=CANARY", "k="] {
            let refusal = Source::variables([argument.to_owned()], &Environment).err().unwrap().to_string();
            assert!(refusal.contains("the 1st --from-env") && !refusal.contains("CANARY"), "{refusal}");
        }
    }

    #[test]
    fn a_generated_value_has_the_length_that_was_asked_for() {
        assert_eq!(given(Source::generated(["k".to_owned()])).1.len(), 32);
        assert_eq!(given(Source::generated(["k=48".to_owned()])).1.len(), 48);
        for bad in ["k=", "k=0", "k=-1", "k=x", "k=7", "k=99999999", "k k", ""] {
            assert!(Source::generated([bad.to_owned()]).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_argument_is_taken_or_refused_without_a_panic(argument in any::<String>()) {
            let _ = Source::variables([argument.clone()], &Environment);
            let _ = Source::generated([argument]);
        }
    }
}
