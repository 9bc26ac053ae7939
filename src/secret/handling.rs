//! The treatment of every value, whatever its source: invisible characters at its ends, and empty values.

#[cfg(test)]
use std::path::Path;

use super::contents::Contents;
use super::doubt::Doubt;
use super::origin::{STANDARD_INPUT, Shown};
use super::unseen::{self, Unseen};
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::wording::list;

/// The treatment of every value, whatever its source.
#[derive(Clone, Copy)]
pub(crate) struct Handling {
    pub(crate) trimming: Trimming,
    pub(crate) nothing: Nothing,
}

/// The treatment of invisible characters at the ends of a value of one line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trimming {
    /// They are part of the value, as in kubectl; a note says so.
    Keep,
    /// They are removed. Values of several lines keep them: keys and certificates need them.
    Trim,
}

/// The treatment of an empty value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nothing {
    Refuse,
    /// Refused, but for the lines of a file of many keys, whose author wrote them so: a note names those.
    NoteLines,
    Take,
}

/// Adds a value. `place` names it in messages.
pub(super) fn add_value(
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

/// Returns the value without invisible characters at its ends, or notes them.
fn seen(
    contents: &mut Contents,
    place: &str,
    of_key: &str,
    value: SecretValue,
    trimming: Trimming,
) -> SecretValue {
    let unseen = Unseen::of(value.expose());
    if unseen.is_inside() && !unseen::is_utf16(value.expose()) {
        contents.note(invisible_inside(place, of_key));
    }
    doubt(contents, place, of_key, &value);
    match (unseen.at_the_ends(), trimming) {
        (None, _) => value,
        (Some(_), Trimming::Trim) => unseen.taken_off(value),
        (Some((ends, number)), Trimming::Keep) => {
            contents.note(format!(
                "{place} {ends}, which {} part of the value{of_key} (--trim removes {})",
                number.becomes(),
                number.it()
            ));
            value
        }
    }
}

/// Warns of a value that can hardly be what is meant.
fn doubt(contents: &mut Contents, place: &str, of_key: &str, value: &SecretValue) {
    if let Some(doubt) = Doubt::of(value.expose()) {
        contents.warnings.push(format!("{place}: the value{of_key} {doubt}"));
    }
}

fn invisible_inside(place: &str, of_key: &str) -> String {
    format!("{place} has invisible characters in it, and so has the value{of_key}")
}

/// Builds the refusal of an empty value.
fn nothing(place: &str, key: &str, value: &SecretValue) -> Error {
    let is = if value.len() == 0 { "is empty" } else { "has only invisible characters in it" };
    let error = Error::usage(format!("{place} {is}: no value for {key}"));
    let error = match place {
        STANDARD_INPUT => error.hint("the command before the pipe printed nothing: did it fail?"),
        _ if place.starts_with("the ") => error.hint("an unset or empty variable leaves nothing"),
        _ => error,
    };
    error.hint("if it is meant to be empty, add --allow-empty-values")
}

/// A file of many keys on its way into the contents.
pub(super) struct Lines<'a> {
    contents: &'a mut Contents,
    pub(super) file: String,
    /// The unit that holds a key: a line, or an entry.
    unit: &'static str,
    pub(super) handling: Handling,
    keys: usize,
    /// The positions without a value.
    empty: Vec<String>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(
        contents: &'a mut Contents,
        file: &Shown,
        unit: &'static str,
        handling: Handling,
    ) -> Self {
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

    /// Adds a key unchanged. It was checked before. It is not named in messages: in a file of another form it
    /// may be anything.
    pub(super) fn add(&mut self, number: usize, key: String, value: SecretValue) -> Result<()> {
        let place = format!("{}, {} {number}", self.file, self.unit);
        let unseen = Unseen::of(value.expose());
        if unseen.is_inside() {
            self.contents.note(invisible_inside(&place, ""));
        }
        if let Some((ends, _)) = unseen.at_the_ends().filter(|_| !unseen::is_nothing(value.expose())) {
            self.contents.note(format!("{place}: the value {ends}"));
        }
        doubt(self.contents, &place, "", &value);
        self.add_noted(number, key, value)
    }

    /// Adds a key whose value needs no more notes.
    fn add_noted(&mut self, number: usize, key: String, value: SecretValue) -> Result<()> {
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
        self.add_noted(number, key, value)
    }

    /// Builds the refusal of a line without a value.
    pub(super) fn lacks(&self, number: usize, what: &str) -> Error {
        Error::usage(format!("{}, {} {number}: {what}", self.file, self.unit))
            .hint("if it is meant to be empty, add --allow-empty-values")
    }

    /// Adds the notes about the whole file.
    pub(super) fn end(self, bytes: &[u8]) {
        let Self { contents, file, unit, keys, empty, .. } = self;
        if keys == 0 {
            let what = if unseen::is_nothing(bytes) { "is empty" } else { "has no key in it" };
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
