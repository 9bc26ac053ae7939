//! The keys and values from all sources, and the rules for them together: no duplicate keys, and no more
//! bytes than the API server accepts.

use std::collections::BTreeMap;

use super::unseen;
use super::value::SecretValue;
use crate::error::{Error, Result};
use crate::metadata::Ends;
use crate::printable::printable;

/// The limit in bytes for the values of one secret together; key names do not count.
pub(super) const SIZE_LIMIT: usize = 1_048_576;

/// etcd's default limit in bytes for one object (`--max-request-bytes`).
const STORE_LIMIT: usize = 1_572_864;

/// The approximate bytes that a key needs beside its name and value: its name is stored again in
/// `managedFields`.
const BESIDE_A_KEY: usize = 14;

/// The most keys that a message about the size lists.
const LISTED_KEYS: usize = 5;

/// The data of a secret that is about to be written.
#[derive(Default)]
pub(crate) struct Contents {
    /// The value of each key.
    pub(crate) data: BTreeMap<String, SecretValue>,
    /// Notes about the sources, a line each, for standard error.
    pub(crate) notes: Vec<String>,
    /// Warnings of later failures, a line each.
    pub(crate) warnings: Vec<String>,
    /// When values end, as far as where they come from says it.
    pub(crate) ends: Ends,
    /// What can hardly be meant. The words of each are among the notes and warnings too.
    pub(crate) suspects: Vec<Suspect>,
    /// A sentence for each file of many keys that had none.
    pub(super) keyless: Vec<String>,
}

/// A value that can hardly be what is meant, for somebody who can be asked.
pub(crate) struct Suspect {
    /// Never shown: in a file of another form it may be anything.
    key: String,
    pub(crate) said: String,
    pub(crate) cure: Option<Cure>,
}

impl Suspect {
    pub(super) fn new(key: &str, said: &str, cure: Option<Cure>) -> Self {
        Self { key: key.to_owned(), said: said.to_owned(), cure }
    }

    /// Reports whether both are about the same value.
    pub(crate) fn is_about_same(&self, other: &Self) -> bool {
        !self.key.is_empty() && self.key == other.key
    }

    /// Returns what is said of a login as a whole, which nothing cures.
    pub(crate) fn of_login(said: &str) -> Self {
        Self::new("", said, None)
    }
}

/// What makes the value that was probably meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cure {
    /// Quotes are taken off.
    Quotes,
    /// Invisible characters at the ends are taken off.
    Ends,
}

impl Contents {
    /// Makes of a value what was probably meant.
    pub(crate) fn cure(&mut self, suspect: &Suspect) {
        let Some(cure) = suspect.cure else { return };
        if let Some(value) = self.data.remove(&suspect.key) {
            let cured = match cure {
                Cure::Quotes => unseen::without_quotes(value),
                Cure::Ends => unseen::without_unseen_ends(value),
            };
            self.data.insert(suspect.key.clone(), cured);
        }
    }

    /// Adds a key that was checked before. A duplicate key is refused even if the values are equal.
    pub(super) fn add(&mut self, key: String, value: SecretValue) -> Result<()> {
        if self.data.contains_key(&key) {
            let line = format!("cannot add key {}, another key by that name already exists", printable(&key));
            return Err(Error::usage(line));
        }
        self.data.insert(key, value);
        Ok(())
    }

    /// Warns of a later failure, about which somebody can be asked.
    pub(crate) fn doubt(&mut self, warning: String) {
        self.suspects.push(Suspect::new("", &warning, None));
        self.warnings.push(warning);
    }

    /// Adds what is said of a value that is a part of these contents.
    pub(crate) fn add_what_is_said(&mut self, of: &mut Self) {
        self.notes.append(&mut of.notes);
        self.warnings.append(&mut of.warnings);
    }

    pub(super) fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// Refuses more bytes than the API server accepts; its own "Too long" does not name the key.
    pub(super) fn check_size(&self) -> Result<()> {
        let sizes = || self.data.iter().map(|(key, value)| (key.as_str(), value.len()));
        let total: usize = sizes().map(|(_, size)| size).sum();
        if total <= SIZE_LIMIT { Ok(()) } else { Err(too_large(total, sizes())) }
    }

    /// Warns of too many keys. The API server notices only when it stores them, and gives no reason.
    pub(super) fn warn_of_many_keys(&mut self) {
        let stored = |(key, value): (&String, &SecretValue)| 2 * key.len() + value.len() + BESIDE_A_KEY;
        let stored: usize = self.data.iter().map(stored).sum();
        if stored > STORE_LIMIT {
            let keys = self.data.len();
            self.warnings.push(format!(
                "the names and values of {keys} keys take about {stored} bytes, and most servers store {STORE_LIMIT} at \
                 most: it may be refused"
            ));
        }
    }

    /// Refuses a file of many keys that has none: an empty pipe is more likely than an intention.
    pub(crate) fn check_no_file_is_empty(&self) -> Result<()> {
        match self.keyless.first() {
            Some(keyless) => Err(Error::usage(keyless).hint("leave it out, or add --allow-empty-values")),
            None => Ok(()),
        }
    }

    /// Refuses a secret without keys, and a file that brings none: an empty file or pipe is more likely than
    /// an intention.
    pub(crate) fn check_not_empty(&self) -> Result<()> {
        self.check_no_file_is_empty()?;
        if self.data.is_empty() {
            return Err(Error::usage("the secret would have no keys")
                .hint("give it some: --from-file KEY=PATH, --prompt KEY, --from-env VARIABLE, --from-dotenv .env, …")
                .hint("if it is meant to be empty, add --allow-empty"));
        }
        Ok(())
    }
}

/// Builds the refusal of too many bytes, with the largest keys.
pub(super) fn too_large<'a>(total: usize, sizes: impl Iterator<Item = (&'a str, usize)>) -> Error {
    let mut sizes: Vec<_> = sizes.collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let listed: Vec<_> = sizes
        .iter()
        .take(LISTED_KEYS)
        .map(|(key, size)| format!("{} ({size} bytes)", printable(key)))
        .collect();
    let and_more = if sizes.len() > LISTED_KEYS { ", …" } else { "" };
    Error::usage(format!("data: Too long: must have at most {SIZE_LIMIT} bytes, and this is {total}"))
        .hint(format!("the largest keys: {}{and_more}", listed.join(", ")))
        .hint("spread the keys over several secrets, or keep large files on a volume")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_sizes(sizes: &[(&str, usize)]) -> Contents {
        let mut contents = Contents::default();
        for (key, size) in sizes {
            contents.add((*key).to_owned(), SecretValue::from_bytes(vec![b'x'; *size])).unwrap();
        }
        contents
    }

    #[test]
    fn values_of_exactly_one_mebibyte_together_are_accepted() {
        of_sizes(&[("a", SIZE_LIMIT - 1), ("b", 1), ("c", 0)]).check_size().unwrap();
    }

    #[test]
    fn one_byte_more_is_refused_with_the_largest_keys_first() {
        let sizes = [("a", 1), ("b", SIZE_LIMIT), ("c", 7), ("d", 6), ("e", 5), ("f", 4)];
        let refusal = of_sizes(&sizes).check_size().unwrap_err().to_string();
        assert!(refusal.contains("at most 1048576 bytes, and this is 1048599"), "{refusal}");
        let listed = "b (1048576 bytes), c (7 bytes), d (6 bytes), e (5 bytes), f (4 bytes), …";
        assert!(refusal.contains(listed), "{refusal}");
    }

    #[test]
    fn more_keys_than_a_server_stores_are_warned_of() {
        let many = |count: usize| {
            let mut contents = Contents::default();
            for n in 0..count {
                contents.add(format!("K{n:05}"), SecretValue::from_bytes(b"value".to_vec())).unwrap();
            }
            contents.warn_of_many_keys();
            contents.warnings
        };
        assert_eq!(many(40_000), [""; 0]);
        assert!(many(60_000)[0].contains("60000 keys take about 1860000 bytes"));
        let mut one = of_sizes(&[("k", SIZE_LIMIT)]);
        one.warn_of_many_keys();
        assert_eq!(one.warnings, [""; 0]);
    }

    #[test]
    fn a_key_is_added_once_even_with_the_same_value() {
        let refusal =
            of_sizes(&[("k", 1)]).add("k".to_owned(), SecretValue::from_bytes(vec![b'x'])).unwrap_err();
        assert_eq!(refusal.to_string(), "error: cannot add key k, another key by that name already exists");
    }

    #[test]
    fn keys_that_differ_in_case_coexist() {
        assert_eq!(of_sizes(&[("k", 1), ("K", 1)]).data.len(), 2);
    }

    #[test]
    fn an_empty_secret_is_refused_with_the_way_to_have_it() {
        assert!(of_sizes(&[]).check_not_empty().unwrap_err().to_string().contains("--allow-empty"));
        of_sizes(&[("k", 0)]).check_not_empty().unwrap();
    }
}
