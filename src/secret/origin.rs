//! A path on the command line, which may stand for standard input, and its reading.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::input::Input;
use super::unseen;
use super::value::SecretValue;
use crate::command_line;
use crate::error::{Error, Result};
use crate::printable::printable;

/// The name of standard input in messages.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// The meaning of a path on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    StandardInput,
    Path(PathBuf),
}

/// The name of a file, or of standard input, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown(String);

impl Shown {
    /// Names the value of a key, whatever file it comes from.
    pub(super) fn key(key: &str) -> Self {
        Self(key.to_owned())
    }
}

impl Origin {
    /// Reads `-` as standard input, unlike kubectl, and `/dev/stdin` too, which the system cannot open if it
    /// is a socket.
    pub(crate) fn of(path: &OsStr) -> Self {
        if path == "-" || path == "/dev/stdin" { Self::StandardInput } else { Self::Path(path.into()) }
    }

    pub(crate) fn shown(&self) -> Shown {
        match self {
            Self::StandardInput => Shown(STANDARD_INPUT.to_owned()),
            Self::Path(path) => Shown::path(path),
        }
    }

    /// Reads everything, or refuses more than `limit` bytes: a pipe or a device may never end.
    ///
    /// # Errors
    /// It can't be read, or is larger.
    pub(crate) fn read(&self, limit: usize, input: &mut dyn Input) -> Result<SecretValue> {
        let shown = self.shown();
        match self {
            Self::StandardInput => {
                let from = input.standard_input().map_err(|error| reading(&shown, &error))?;
                read_at_most(limit, from, 0, &shown)
            }
            Self::Path(path) => {
                let metadata = fs::metadata(path).map_err(|error| reading(&shown, &error))?;
                let size = usize::try_from(metadata.len()).unwrap_or(0).min(limit);
                read_file(path, limit, if metadata.is_file() { size } else { 0 })
            }
        }
    }
}

impl Origin {
    /// Reads a file as text.
    ///
    /// # Errors
    /// It can't be read, is too large, or is UTF-16.
    pub(crate) fn read_text(&self, limit: usize, input: &mut dyn Input) -> Result<SecretValue> {
        let text = self.read(limit, input)?;
        unseen::refuse_utf16(&self.shown(), text.expose())?;
        Ok(text)
    }
}

impl Shown {
    pub(super) fn path(path: &Path) -> Self {
        Self(path.to_string_lossy().into_owned())
    }

    /// Returns it quoted as a word of a shell command.
    pub(super) fn quoted(&self) -> String {
        command_line::quoted(&self.0).into_owned()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

/// Reads a file of `expected` bytes, as far as its size is known.
pub(super) fn read_file(path: &Path, limit: usize, expected: usize) -> Result<SecretValue> {
    let shown = Shown::path(path);
    let file =
        File::open(path).map_err(|error| Error::failed(format!("open {shown}: {}", reason(&error))))?;
    read_at_most(limit, file, expected, &shown)
}

fn read_at_most(limit: usize, from: impl Read, expected: usize, shown: &Shown) -> Result<SecretValue> {
    let value =
        SecretValue::read(from.take(limit as u64 + 1), expected).map_err(|error| reading(shown, &error))?;
    if value.len() > limit {
        return Err(Error::usage(format!("{shown}: Too long: must have at most {limit} bytes"))
            .hint("keep large files on a volume"));
    }
    Ok(value)
}

/// Builds the error of a failed read, in kubectl's words.
pub(crate) fn reading(shown: &Shown, error: &io::Error) -> Error {
    let refusal = Error::failed(format!("error reading {shown}: {}", reason(error)));
    if shown.0.starts_with("~/") {
        return refusal
            .hint("a shell expands ~ only at the start of a word: put a space before it instead of '='");
    }
    refusal
}

/// Returns the system's reason in the words that kubectl's users know.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}
