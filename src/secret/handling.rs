//! What is done to every value, whatever its source: what nobody sees at its ends, and values with nothing in them.

#[cfg(test)]
use std::path::Path;

use super::contents::Contents;
use super::origin::{STANDARD_INPUT, Shown};
use super::unseen::{self, Unseen};
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::wording::list;

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

/// Adds a value of which `place` is what it may be called.
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
    pub(super) fn end(self, bytes: &[u8]) {
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
