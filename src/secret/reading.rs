//! Reads sources in kubectl's order: given values, then files, then files of many keys.

use std::path::Path;
use std::{fs, io};

use super::contents::{Contents, SIZE_LIMIT, too_large};
use super::handling::{Handling, Lines, add_value};
use super::input::Input;
use super::name::check_key;
use super::origin::{Origin, Shown, read_file, reading, reason};
use super::source::Source;
use super::value::SecretValue;
use super::{dotenv, env_file, map, unseen};
use crate::error::{Error, Result};

/// The limit in bytes for a file of many keys, of which much may be comments.
const MANY_KEYS_LIMIT: usize = 16 * SIZE_LIMIT;

/// Reads all sources, up to the first mistake.
///
/// # Errors
/// A source can't be read, has an illegal or duplicate key, or they hold too much. Names the source, never
/// its content.
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
            Source::Piped { key, from } => {
                let place = from.shown().to_string();
                let value = without_last_line_end(from.read(SIZE_LIMIT, input)?, &key, &place, &mut contents);
                add_value(&mut contents, key, &place, value, handling)?;
            }
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

/// Refuses a second use of standard input, which would be empty.
pub(crate) fn check_standard_input<'a>(origins: impl Iterator<Item = &'a Origin>) -> Result<()> {
    if origins.filter(|origin| **origin == Origin::StandardInput).count() > 1 {
        return Err(Error::usage("standard input can be read only once")
            .hint("keep one '-' and give a path for each of the others"));
    }
    Ok(())
}

/// Returns a value of one line without its line end, and notes that.
fn without_last_line_end(value: SecretValue, key: &str, place: &str, contents: &mut Contents) -> SecretValue {
    let is_line = value.expose().iter().position(|byte| *byte == b'\n') == value.len().checked_sub(1);
    if !is_line || unseen::is_nothing(value.expose()) || unseen::is_utf16(value.expose()) {
        return value;
    }
    contents.note(format!(
        "the newline at the end of {place} is not part of the value of {key} (--from-file={key}=- keeps it)"
    ));
    value.without_line_end()
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

/// Adds the files of a directory in the order of their names, and follows links. kubectl skips links, so that
/// a mounted secret volume, in which every file is a link, is empty to it.
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
            // `..data` and `..2024_01_31…` of a mounted volume need no note.
            Ok(metadata) if metadata.is_dir() && key.starts_with("..") => continue,
            Ok(_) if key.starts_with("..") => "no key may start with '..'",
            Ok(metadata) if metadata.is_file() => {
                add_path(contents, key, &path, &metadata, handling)?;
                continue;
            }
            Ok(metadata) if metadata.is_dir() => "a directory",
            Ok(_) => "not a regular file",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "a broken link",
            Err(error) => return Err(reading(&Shown::path(&path), &error)),
        };
        contents.note(format!("skipped {}: {skipped}", Shown::path(&path)));
    }
    Ok(())
}

/// Reads a file of many keys. `what` names its kind when a directory is refused in kubectl's words.
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
