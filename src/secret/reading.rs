//! The reading of sources, in kubectl's order: the values at hand, then files, then files of many keys.

use std::path::Path;
use std::{fs, io};

use super::contents::{Contents, SIZE_LIMIT, too_large};
use super::input::Input;
use super::name::check_key;
use super::origin::{Origin, STANDARD_INPUT, Shown, read_file, reading, reason};
use super::source::Source;
use super::unseen::Unseen;
use super::value::SecretValue;
use super::{dotenv, env_file, map, unseen};
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::wording::list;

/// The most bytes of a file of many keys, of which much may be comments.
const MANY_KEYS_LIMIT: usize = 16 * SIZE_LIMIT;

/// What is done to every value, whatever its source.
#[derive(Clone, Copy)]
pub(crate) struct Handling {
    pub(crate) trimming: Trimming,
    pub(crate) nothing: Nothing,
}

/// What is done about that which nobody sees at the ends of a value of one line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trimming {
    /// It is part of the value, as kubectl has it; a note says so.
    Keep,
    /// It goes. Files of several lines keep what they have: keys and certificates want it.
    Trim,
}

/// What is done where a value was expected, and there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nothing {
    Refuse,
    /// The same, but for the lines of a file of many keys, whose author wrote them so: a note names those.
    NoteLines,
    Take,
}

/// Reads all sources. The first mistake ends it.
pub(crate) fn read(mut sources: Vec<Source>, handling: Handling, input: &mut dyn Input) -> Result<Contents> {
    check_standard_input(sources.iter().filter_map(Source::origin))?;
    sources.sort_by_key(Source::turn);
    let mut contents = Contents::default();
    for source in sources {
        match source {
            Source::Given { key, value, place: None } => contents.add(key, value)?,
            Source::Given { key, value, place: Some(place) } => {
                add_value(&mut contents, key, &place, value, handling)?;
            }
            Source::File { key, from } => add_file(&mut contents, key, &from, handling, input)?,
            Source::EnvFile { from } => {
                let (shown, bytes) = read_many(&from, "env secret file", input)?;
                let mut lines = Lines::of(&mut contents, &shown, "line", handling);
                env_file::add_all(&mut lines, bytes.expose(), input)?;
                lines.end(bytes.expose());
            }
            Source::Dotenv { from } => {
                let (shown, bytes) = read_many(&from, "dotenv file", input)?;
                let mut lines = Lines::of(&mut contents, &shown, "line", handling);
                dotenv::add_all(&mut lines, bytes.expose())?;
                lines.end(bytes.expose());
            }
            Source::Map { from } => {
                let (shown, bytes) = read_many(&from, "map", input)?;
                if unseen::is_nothing(bytes.expose()) {
                    contents.keyless.push(format!("{shown} is empty: it brings no keys"));
                    continue;
                }
                let mut lines = Lines::of(&mut contents, &shown, "entry", handling);
                map::add_all(&mut lines, bytes.expose())?;
                lines.end(bytes.expose());
            }
        }
    }
    contents.check_size()?;
    contents.warn_of_many_keys();
    Ok(contents)
}

/// Adds a value of which `place` is what it may be called.
fn add_value(
    contents: &mut Contents,
    key: String,
    place: &str,
    value: SecretValue,
    handling: Handling,
) -> Result<()> {
    if handling.nothing != Nothing::Take && unseen::is_nothing(value.expose()) {
        return Err(nothing(place, &printable(&key), &value));
    }
    if unseen::is_utf16(value.expose()) {
        contents.warnings.push(format!(
            "{place} is UTF-16, as PowerShell's > writes it, and so is the value of {}: \
             convert it (iconv -f UTF-16 -t UTF-8, or Set-Content -Encoding utf8)",
            printable(&key)
        ));
    }
    let value = seen(contents, place, &format!(" of {}", printable(&key)), value, handling.trimming);
    contents.add(key, value)
}

/// The value without what nobody sees, or with a note about it.
fn seen(
    contents: &mut Contents,
    place: &str,
    of_key: &str,
    value: SecretValue,
    trimming: Trimming,
) -> SecretValue {
    let unseen = Unseen::of(value.expose());
    if unseen.is_inside() && !unseen::is_utf16(value.expose()) {
        contents.note(format!("{place} has characters in it that nobody sees, and so has the value{of_key}"));
    }
    match (unseen.at_the_ends(), trimming) {
        (None, _) => value,
        (Some(_), Trimming::Trim) => unseen.taken_off(value),
        (Some((ends, number)), Trimming::Keep) => {
            contents.note(format!(
                "{place} {ends}, which {} part of the value{of_key} (--trim takes {} off)",
                number.becomes(),
                number.it()
            ));
            value
        }
    }
}

/// That there is nothing where the value of a key was expected.
fn nothing(place: &str, key: &str, value: &SecretValue) -> Error {
    let is = if value.len() == 0 { "is empty" } else { "has nothing in it but what is not seen" };
    let error = Error::usage(format!("{place} {is}: no value for {key}"));
    let error = match place {
        STANDARD_INPUT => error.hint("the command before the pipe has printed nothing: did it fail?"),
        _ if place.starts_with("the ") => {
            error.hint("a variable that is not set, or is empty, leaves nothing")
        }
        _ => error,
    };
    error.hint("if it is meant to be empty, add --allow-empty-values")
}

/// A file of many keys on its way into the contents.
pub(super) struct Lines<'a> {
    contents: &'a mut Contents,
    pub(super) file: String,
    /// What it has keys in: lines, or entries.
    unit: &'static str,
    pub(super) handling: Handling,
    keys: usize,
    /// Those without a value.
    empty: Vec<String>,
}

impl<'a> Lines<'a> {
    fn of(contents: &'a mut Contents, file: &Shown, unit: &'static str, handling: Handling) -> Self {
        Self { contents, file: file.to_string(), unit, handling, keys: 0, empty: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn in_a_test(contents: &'a mut Contents, file: &str) -> Self {
        let handling = Handling { trimming: Trimming::Keep, nothing: Nothing::Take };
        Self::of(contents, &Shown::path(Path::new(file)), "line", handling)
    }

    pub(super) fn note(&mut self, line: String) {
        self.contents.note(line);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.contents.data.contains_key(key)
    }

    /// Adds a key as it is. It was checked before; it is not named, since in a file of another form it may be anything.
    pub(super) fn add(&mut self, number: usize, key: String, value: SecretValue) -> Result<()> {
        self.keys += 1;
        if unseen::is_nothing(value.expose()) {
            match self.handling.nothing {
                Nothing::Refuse => return Err(self.lacks(number, "no value for its key")),
                Nothing::NoteLines => self.empty.push(number.to_string()),
                Nothing::Take => {}
            }
        }
        self.contents.add(key, value)
    }

    /// Adds a key whose value is the raw rest of a line.
    pub(super) fn add_raw(&mut self, number: usize, key: String, value: SecretValue) -> Result<()> {
        if unseen::is_nothing(value.expose()) {
            return self.add(number, key, value);
        }
        let place = format!("{}, {} {number}", self.file, self.unit);
        let value = seen(self.contents, &place, "", value, self.handling.trimming);
        self.add(number, key, value)
    }

    /// That a line has no value.
    pub(super) fn lacks(&self, number: usize, what: &str) -> Error {
        Error::usage(format!("{}, {} {number}: {what}", self.file, self.unit))
            .hint("if it is meant to be empty, add --allow-empty-values")
    }

    /// Says what came of the whole file.
    fn end(self, bytes: &[u8]) {
        let Self { contents, file, unit, keys, empty, .. } = self;
        if keys == 0 {
            let what = if unseen::is_nothing(bytes) { "is empty" } else { "has nothing in it that is a key" };
            contents.keyless.push(format!("{file} {what}: it brings no keys"));
        }
        match empty.as_slice() {
            [] => {}
            [only] => contents.note(format!("{file}, {unit} {only}: the value is empty")),
            several => {
                let units = if unit == "entry" { "entries" } else { "lines" };
                contents.note(format!("{file}, {units} {}: the values are empty", list(several)));
            }
        }
    }
}

/// Refuses a second use of standard input, which would find it empty.
pub(crate) fn check_standard_input<'a>(origins: impl Iterator<Item = &'a Origin>) -> Result<()> {
    if origins.filter(|origin| **origin == Origin::StandardInput).count() > 1 {
        return Err(Error::usage("standard input can be read only once")
            .hint("keep one '-' and give a path for each of the others"));
    }
    Ok(())
}

fn add_file(
    contents: &mut Contents,
    key: Option<String>,
    from: &Origin,
    handling: Handling,
    input: &mut dyn Input,
) -> Result<()> {
    let path = match from {
        Origin::StandardInput => {
            let key = key.unwrap_or_else(|| "stdin".to_owned());
            let value = from.read(SIZE_LIMIT, input)?;
            return add_value(contents, key, &from.shown().to_string(), value, handling);
        }
        Origin::Path(path) => path,
    };
    let shown = from.shown();
    let metadata = fs::metadata(path).map_err(|error| reading(&shown, &error))?;
    if !metadata.is_dir() {
        let key = key.unwrap_or_else(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        return add_path(contents, key, path, &metadata, handling);
    }
    if key.is_some() {
        return Err(Error::usage("cannot give a key name for a directory path").hint(format!(
            "leave the key out, and each file in {shown} becomes a key: --from-file {shown}"
        )));
    }
    add_directory(contents, path, handling)
}

fn add_path(
    contents: &mut Contents,
    key: String,
    path: &Path,
    metadata: &fs::Metadata,
    handling: Handling,
) -> Result<()> {
    check_key(&key)?;
    let size = if metadata.is_file() { usize::try_from(metadata.len()).unwrap_or(usize::MAX) } else { 0 };
    if size > SIZE_LIMIT {
        return Err(too_large(size, std::iter::once((key.as_str(), size))));
    }
    let value = read_file(path, SIZE_LIMIT, size)?;
    add_value(contents, key, &Shown::path(path).to_string(), value, handling)
}

/// Adds the files of a directory in the order of their names, and follows links: to kubectl a mounted secret volume,
/// in which every file is a link, is empty.
fn add_directory(contents: &mut Contents, directory: &Path, handling: Handling) -> Result<()> {
    let folder = Shown::path(directory);
    let listing = |error: io::Error| {
        Error::failed(format!("error listing files in {folder}: open {folder}: {}", reason(&error)))
    };
    let entries: io::Result<Vec<_>> = fs::read_dir(directory).map_err(listing)?.collect();
    let mut names: Vec<_> = entries.map_err(listing)?.into_iter().map(|entry| entry.file_name()).collect();
    names.sort_unstable();
    for name in names {
        let path = directory.join(&name);
        let key = name.to_string_lossy().into_owned();
        let skipped = match fs::metadata(&path) {
            // `..data` and `..2024_01_31…` of a mounted volume are no news to anybody.
            Ok(metadata) if metadata.is_dir() && key.starts_with("..") => continue,
            Ok(_) if key.starts_with("..") => "no key may start with '..'",
            Ok(metadata) if metadata.is_file() => {
                add_path(contents, key, &path, &metadata, handling)?;
                continue;
            }
            Ok(metadata) if metadata.is_dir() => "a directory",
            Ok(_) => "not a regular file",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "a link to nothing",
            Err(error) => return Err(reading(&Shown::path(&path), &error)),
        };
        contents.note(format!("skipped {}: {skipped}", Shown::path(&path)));
    }
    Ok(())
}

/// Reads a file of many keys. `what` says what it is, for a directory's refusal in kubectl's words.
fn read_many(from: &Origin, what: &str, input: &mut dyn Input) -> Result<(Shown, SecretValue)> {
    let shown = from.shown();
    if let Origin::Path(path) = from
        && path.is_dir()
    {
        return Err(Error::usage(format!("{what} cannot be a directory: {shown}")));
    }
    Ok((shown, from.read_text(MANY_KEYS_LIMIT, input)?))
}

#[cfg(test)]
mod tests;
