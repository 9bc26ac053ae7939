//! The treatment of every value, whatever its source: invisible characters at its ends, and empty values.

#[cfg(test)]
use std::path::Path;

use super::contents::{Contents, Cure, Suspect};
use super::doubt::Doubt;
use super::origin::{STANDARD_INPUT, Shown};
use super::unseen::{self, Unseen};
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::wording::list;

/// The key of a value that has none; no secret can have it.
pub(super) const UNNAMED: &str = "(value)";

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
    /// The same, where no flag removes them.
    KeepAlways,
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
        let warning = format!(
            "{place} is UTF-16, as PowerShell's > writes it, and so is the value of {}: \
             convert it (iconv -f UTF-16 -t UTF-8, or Set-Content -Encoding utf8)",
            printable(&key)
        );
        contents.suspects.push(Suspect::new(&key, &warning, None));
        contents.warnings.push(warning);
    }
    let of_key = format!(" of {}", printable(&key));
    let value = Looked { contents, place, key: &key, of_key: &of_key }.seen(value, handling.trimming);
    contents.add(key, value)
}

/// Looks at a value that has no name of its own to show.
pub(super) fn unnamed(place: &str, value: SecretValue) -> Contents {
    let mut contents = Contents::default();
    let looked = Looked { contents: &mut contents, place, key: UNNAMED, of_key: "" };
    let value = looked.seen(value, Trimming::KeepAlways);
    contents.data.insert(UNNAMED.to_owned(), value);
    contents
}

/// A value that is looked at, and the words for it.
struct Looked<'a> {
    contents: &'a mut Contents,
    place: &'a str,
    key: &'a str,
    /// ` of KEY`; empty where the key is not shown.
    of_key: &'a str,
}

impl Looked<'_> {
    /// Returns the value without invisible characters at its ends, or notes them.
    fn seen(mut self, value: SecretValue, trimming: Trimming) -> SecretValue {
        let unseen = Unseen::of(value.expose());
        if unseen.is_inside() && !unseen::is_utf16(value.expose()) {
            self.note_what_is_inside();
        }
        self.doubt(&value);
        match (unseen.at_the_ends(), trimming) {
            (None, _) => value,
            (Some(_), Trimming::Trim) => unseen.taken_off(value),
            (Some((ends, number)), Trimming::Keep | Trimming::KeepAlways) => {
                let (place, of_key, becomes) = (self.place, self.of_key, number.becomes());
                let way = match trimming {
                    Trimming::Keep => format!(" (--trim removes {})", number.it()),
                    Trimming::KeepAlways | Trimming::Trim => String::new(),
                };
                let note = format!("{place} {ends}, which {becomes} part of the value{of_key}{way}");
                self.note(note, Some(Cure::Ends));
                value
            }
        }
    }

    fn note(&mut self, note: String, cure: Option<Cure>) {
        self.contents.suspects.push(Suspect::new(self.key, &note, cure));
        self.contents.note(note);
    }

    fn note_what_is_inside(&mut self) {
        let (place, of_key) = (self.place, self.of_key);
        self.note(format!("{place} has invisible characters in it, and so has the value{of_key}"), None);
    }

    /// Warns of a value that can hardly be what is meant.
    fn doubt(&mut self, value: &SecretValue) {
        let Some(doubt) = Doubt::of(value.expose()) else { return };
        let warning = format!("{}: the value{} {doubt}", self.place, self.of_key);
        let cure = (doubt == Doubt::Quoted).then_some(Cure::Quotes);
        self.contents.suspects.push(Suspect::new(self.key, &warning, cure));
        self.contents.warnings.push(warning);
    }
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
        let mut looked = Looked { contents: self.contents, place: &place, key: &key, of_key: "" };
        if unseen.is_inside() {
            looked.note_what_is_inside();
        }
        if let Some((ends, _)) = unseen.at_the_ends().filter(|_| !unseen::is_nothing(value.expose())) {
            looked.note(format!("{place}: the value {ends}"), Some(Cure::Ends));
        }
        looked.doubt(&value);
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
        let looked = Looked { contents: self.contents, place: &place, key: &key, of_key: "" };
        let value = looked.seen(value, self.handling.trimming);
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
