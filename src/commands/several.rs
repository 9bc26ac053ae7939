//! One command for several objects: what goes wrong with one does not stop the rest, and is not lost.

use super::Session;
use crate::error::{Error, Kind, Result};
use crate::wording::plural;

/// What became of each, as far as the exit code needs to know.
pub(super) struct Several<'a> {
    session: &'a Session<'a>,
    all: usize,
    done: usize,
    failed: Vec<Kind>,
}

impl<'a> Several<'a> {
    /// So many secrets were named.
    pub(super) fn secrets(all: usize, session: &'a Session<'a>) -> Self {
        Self { session, all, done: 0, failed: Vec::new() }
    }

    /// Takes note of one of them, and gives what it came to.
    ///
    /// # Errors
    /// It was the only one; or the user ended the program.
    pub(super) fn one<T>(&mut self, name: &str, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(outcome) => {
                self.done += 1;
                Ok(Some(outcome))
            }
            Err(error) if self.all == 1 || error.kind() == Kind::Interrupted => Err(error),
            Err(error) => {
                self.failed.push(error.kind());
                self.session.ui.error(&error.at(&format!("secret {name}")));
                Ok(None)
            }
        }
    }

    /// # Errors
    /// Something was not done: all of it, or a part.
    pub(super) fn verdict(&self) -> Result<()> {
        let secrets = plural(self.all, "secret");
        match (self.failed.as_slice(), self.done) {
            ([], _) => Ok(()),
            (kinds, 0) if kinds.iter().all(|kind| *kind == Kind::Usage) => {
                Err(Error::usage(format!("done for none of {secrets}")))
            }
            (kinds, 0) if !kinds.contains(&Kind::Partly) => {
                Err(Error::failed(format!("done for none of {secrets}")))
            }
            (_, done) => Err(Error::partly(format!("done for {done} of {secrets}"))),
        }
    }
}
