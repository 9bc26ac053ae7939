//! The value for a flag that takes one: a password, a secret key.

use super::argument::bytes_of;
use super::contents::SIZE_LIMIT;
use super::input::Input;
use super::origin::Origin;
use super::unseen::{self, Unseen};
use super::value::SecretValue;
use crate::error::{Error, Result};

/// The source of the value.
pub(crate) enum SingleValue {
    From(Origin),
    /// The environment variable of that name.
    Variable(String),
}

/// The value, and notes about it, a line each.
pub(crate) struct Single {
    pub(crate) value: SecretValue,
    pub(crate) notes: Vec<String>,
}

impl SingleValue {
    /// Reads the value, without one line end: no password ends in one, and every editor and `echo` adds one.
    ///
    /// `flag` is the flag that gives it.
    ///
    /// # Errors
    /// The source can't be read, or the value is empty.
    pub(crate) fn read(&self, flag: &str, input: &mut dyn Input) -> Result<Single> {
        let value = match self {
            Self::From(origin) => origin.read_text(SIZE_LIMIT, input)?,
            Self::Variable(name) => {
                let value = input.variable(name).ok_or_else(|| {
                    Error::usage(format!("{flag}: there is no environment variable of that name"))
                        .hint("it is not shown, since it may be a value; give the variable's name without $, and export it")
                })?;
                SecretValue::from_bytes(bytes_of(value))
            }
        };
        if unseen::is_nothing(value.expose()) {
            return Err(Error::usage(format!("{flag}: the value is empty")));
        }
        Ok(Single::of(flag, value.without_line_end()))
    }
}

impl Single {
    /// Checks a value. `place` names it in messages.
    pub(crate) fn of(place: &str, value: SecretValue) -> Self {
        let unseen = Unseen::of(value.expose());
        let mut notes = Vec::new();
        if let Some((ends, number)) = unseen.at_the_ends() {
            notes.push(format!("{place}: the value {ends}, which {} part of it", number.becomes()));
        }
        if unseen.is_inside() {
            notes.push(format!("{place}: the value has invisible characters in it"));
        }
        Self { value, notes }
    }
}
