//! One value for a flag that asks for one: a password, a secret key.

use super::argument::bytes_of;
use super::contents::SIZE_LIMIT;
use super::input::Input;
use super::origin::Origin;
use super::value::SecretValue;
use crate::error::{Error, Result};

/// Where it comes from.
pub(crate) enum SingleValue {
    From(Origin),
    /// The environment variable of that name.
    Variable(String),
}

impl SingleValue {
    /// Reads it, without one line end: no password ends in one, and every editor and `echo` adds one.
    ///
    /// `flag` is the one that it is given with.
    pub(crate) fn read(&self, flag: &str, input: &mut dyn Input) -> Result<SecretValue> {
        let value = match self {
            Self::From(origin) => origin.read(SIZE_LIMIT, input)?,
            Self::Variable(name) => {
                let value = input.variable(name).ok_or_else(|| {
                    Error::usage(format!("{flag}: there is no environment variable of that name"))
                        .hint("it is not shown, since it may be a value; give the variable's name without $, and export it")
                })?;
                SecretValue::from_bytes(bytes_of(value))
            }
        };
        let value = value.without_line_end();
        if value.len() == 0 {
            return Err(Error::usage(format!("{flag}: the value is empty")));
        }
        Ok(value)
    }
}
