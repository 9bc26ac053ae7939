//! This machine as far as logins are looked for: variables that say where files are, and the files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::printable::printable;
use crate::secret::{Input, Origin, ProcessInput, SecretValue, reading, without_unseen_ends};
use crate::wording::list;

/// The limit in bytes for a file of another program's. Logins are small.
const LIMIT: usize = 1 << 20;

/// The surroundings in which other programs keep their logins.
pub(crate) struct Machine<'a> {
    pub(super) input: &'a dyn Input,
}

/// The text of a file that is there.
pub(super) struct Text {
    pub(super) path: PathBuf,
    value: SecretValue,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(input: &'a dyn Input) -> Self {
        Self { input }
    }

    /// Returns the path in a variable, if one is set that is not empty.
    pub(super) fn path_in(&self, variable: &str) -> Option<PathBuf> {
        self.input.variable(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Returns a variable's text, if it is set and not empty.
    pub(super) fn word_in(&self, variable: &str) -> Option<String> {
        self.input.variable(variable)?.into_string().ok().filter(|word| !word.is_empty())
    }

    /// Returns a path in the user's home folder.
    pub(super) fn home(&self, rest: &str) -> PathBuf {
        let home = self.path_in(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        // Nothing is looked for in the folder that somebody happens to be in: others may have written there.
        let home = home.or_else(std::env::home_dir).filter(|home| home.is_absolute());
        home.unwrap_or_else(|| PathBuf::from("/")).join(rest)
    }

    /// Returns a path in the user's folder of settings.
    pub(super) fn config(&self, rest: &str) -> PathBuf {
        let windows = cfg!(windows).then(|| self.path_in("APPDATA")).flatten();
        let folder = windows.or_else(|| self.path_in("XDG_CONFIG_HOME"));
        folder.unwrap_or_else(|| self.home(".config")).join(rest)
    }
}

/// Reads a file; none if there is none.
///
/// # Errors
/// It can't be read, is no regular file, is too large, or is not UTF-8.
pub(super) fn read(path: &Path) -> Result<Option<Text>> {
    let shown = shown(path);
    match fs::metadata(path) {
        // Something else may never end.
        Ok(metadata) if !metadata.is_file() => Err(Error::failed(format!("{shown} is not a regular file"))),
        Ok(_) => {
            let value = Origin::Path(path.to_owned()).read_text(LIMIT, &mut ProcessInput)?;
            if std::str::from_utf8(value.expose()).is_err() {
                return Err(Error::failed(format!("{shown} is not a text file")));
            }
            Ok(Some(Text { path: path.to_owned(), value: value.without_mark() }))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(reading(&Origin::Path(path.to_owned()).shown(), &error)),
    }
}

/// Reads the first of these files that is there.
///
/// # Errors
/// None is there, or it can't be read.
pub(super) fn read_first(paths: &[PathBuf]) -> Result<Text> {
    for path in paths {
        if let Some(text) = read(path)? {
            return Ok(text);
        }
    }
    Err(absent(paths))
}

/// Builds the error that there is no such file.
pub(super) fn absent(paths: &[PathBuf]) -> Error {
    let paths: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    let verb = if paths.len() == 1 { "does not exist" } else { "do not exist" };
    Error::failed(format!("{} {verb}", list(&paths)))
}

pub(super) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

impl Text {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(self.value.expose()).unwrap_or_default()
    }

    pub(super) fn shown(&self) -> String {
        shown(&self.path)
    }

    /// Returns the whole file as a value, to the byte but for a byte order mark.
    pub(super) fn into_value(self) -> SecretValue {
        self.value
    }

    /// Returns the one word in the file.
    ///
    /// # Errors
    /// It has several lines, or characters that no token has.
    pub(super) fn into_word(self) -> Result<SecretValue> {
        let shown = self.shown();
        let word = without_unseen_ends(self.value);
        if word.expose().iter().any(u8::is_ascii_control) {
            return Err(Error::failed(format!("{shown} has more in it than one token")));
        }
        Ok(word)
    }
}

/// Reads a JSON object. serde would take an array for a struct, too.
pub(super) fn object<T: DeserializeOwned>(file: &Text) -> Result<T, serde_json::Error> {
    match serde_json::from_str::<&RawValue>(file.text())?.get() {
        object if object.starts_with('{') => serde_json::from_str(object),
        _ => Err(serde::de::Error::custom("not an object")),
    }
}

/// Copies a part of a file into a value.
pub(super) fn value(text: &str) -> SecretValue {
    SecretValue::from_bytes(text.as_bytes().to_vec())
}
