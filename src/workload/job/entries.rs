//! The form in which the `runai` CLI takes several settings in one flag: `key=value,key=value,word`.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// One flag's settings.
pub(super) struct Entries<'a> {
    /// What the flag takes, for an error.
    form: Form<'a>,
    entries: BTreeMap<&'a str, &'a str>,
}

/// A flag, the settings that it takes, and an example.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) flag: &'a str,
    pub(super) keys: &'a [&'a str],
    pub(super) example: &'a str,
}

impl<'a> Form<'a> {
    /// # Errors
    /// A setting is unknown, or given twice.
    pub(super) fn parse(self, text: &'a str) -> Result<Entries<'a>> {
        let mut entries = BTreeMap::new();
        for part in text.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if !self.keys.contains(&key) {
                return Err(
                    self.refusal(&format!("{text:?}: {key:?} is not one of {}", self.keys.join(", ")))
                );
            }
            if entries.insert(key, value).is_some() {
                return Err(self.refusal(&format!("{text:?} gives {key} twice")));
            }
        }
        Ok(Entries { form: self, entries })
    }

    pub(super) fn refusal(self, why: &str) -> Error {
        Error::usage(format!("{} {why}", self.flag))
            .hint(format!("for example: {} {}", self.flag, self.example))
    }
}

impl<'a> Entries<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.entries.get(key).copied()
    }

    /// # Errors
    /// It is missing.
    pub(super) fn required(&self, key: &str) -> Result<&'a str> {
        self.get(key).ok_or_else(|| self.form.refusal(&format!("lacks {key}=")))
    }

    /// Returns the value of a setting that is one of a few words.
    ///
    /// # Errors
    /// It is another one.
    pub(super) fn one_of(&self, key: &str, words: &[&'static str]) -> Result<Option<&'static str>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let known = words.iter().find(|word| **word == value).copied();
        known.map(Some).ok_or_else(|| {
            self.form.refusal(&format!("has {key}={value:?}, which is not one of {}", words.join(", ")))
        })
    }
}
