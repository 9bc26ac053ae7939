//! What a login gives a secret.

use crate::error::{Error, Result};
use crate::metadata::Ends;
use crate::moment::Moment;
use crate::secret::{SecretValue, Source, is_blank};
use crate::wording::list;

/// What a login gives a secret.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) sources: Vec<Source>,
    /// Notes on it, a line each, without values.
    pub(crate) notes: Vec<String>,
    /// Warnings of later failures, a line each.
    pub(crate) warnings: Vec<String>,
    /// When its values end, as far as the program has noted it.
    pub(crate) ends: Ends,
    /// What a value looks like that can hardly be right, a line each.
    pub(crate) doubts: Vec<String>,
}

impl Found {
    /// Returns keys with their values, and notes where they are from.
    pub(super) fn new(place: &str, keys: Vec<(&str, SecretValue)>) -> Result<Self> {
        if let Some((key, _)) = keys.iter().find(|(_, value)| is_blank(value)) {
            return Err(Error::failed(format!("{place} has an empty login: no value for {key}")));
        }
        let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let notes = vec![format!("{} from {place}", list(&names))];
        let given =
            |(key, value): (&str, SecretValue)| Source::Given { key: key.to_owned(), value, place: None };
        Ok(Self { sources: keys.into_iter().map(given).collect(), notes, ..Self::default() })
    }

    /// Adds the end of some of its values.
    pub(super) fn ending(mut self, keys: &[&str], end: Option<Moment>) -> Self {
        if let Some(end) = end {
            self.ends = self.ends.and(Ends::noted(keys.iter().copied(), end));
        }
        self
    }

    pub(super) fn doubted(mut self, doubt: Option<String>) -> Self {
        self.doubts.extend(doubt);
        self
    }

    pub(super) fn warned(mut self, warning: Option<String>) -> Self {
        self.warnings.extend(warning);
        self
    }
}

/// Warns that a login ends by itself, and when, if that is known. `subject` ends in its verb: `these keys are`.
pub(super) fn temporary(subject: &str, end: Option<Moment>) -> String {
    let when = match end {
        Some(end) if end < Moment::now() => format!("temporary and ended at {end}"),
        Some(end) => format!("temporary, until {end}"),
        None => "temporary, for some hours".to_owned(),
    };
    format!("{subject} {when}: a job that starts later can't log in")
}

/// Puts the default profile first, as an empty name.
pub(super) fn default_first(mut names: Vec<String>, is_default: impl Fn(&str) -> bool) -> Vec<String> {
    if let Some(at) = names.iter().position(|name| is_default(name)) {
        names.remove(at);
        names.insert(0, String::new());
    }
    names
}

/// Stands for the default if anything is there.
pub(super) fn only_default(is_there: bool) -> Vec<String> {
    is_there.then(String::new).into_iter().collect()
}
