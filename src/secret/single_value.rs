//! The value for a flag that takes one: a password, a secret key.

use super::argument::bytes_of;
use super::contents::{Contents, SIZE_LIMIT};
use super::handling;
use super::input::Input;
use super::origin::Origin;
use super::unseen;
use super::value::SecretValue;
use crate::error::{Error, Result};

/// The source of the value.
pub(crate) enum SingleValue {
    From(Origin),
    /// The environment variable of that name.
    Variable(String),
}

/// A value, and what is said of it.
pub(crate) struct Single {
    /// With nothing but the value: it can be asked about as others are.
    pub(crate) looked_at: Contents,
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
    /// Looks at a value. `place` names it in messages.
    pub(crate) fn of(place: &str, value: SecretValue) -> Self {
        Self { looked_at: handling::unnamed(place, value) }
    }

    /// Returns the value, and what is left to say of it.
    pub(crate) fn into_parts(mut self) -> (SecretValue, Contents) {
        let value = self.looked_at.data.remove(handling::UNNAMED);
        (value.unwrap_or_else(|| SecretValue::from_bytes(Vec::new())), self.looked_at)
    }
}
