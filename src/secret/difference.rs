//! What a write does to each key of a secret, or how two secrets differ: never with a value.

use std::collections::{BTreeMap, BTreeSet};

use crate::wording::list;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Added,
    Changed,
    Same,
    Gone,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Added, Self::Changed, Self::Same, Self::Gone];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Gone => "gone",
        }
    }
}

/// The keys that a write touches, each with what becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference(BTreeMap<String, Fate>);

impl Difference {
    /// Compares the keys in `after` with what was there `before`. A key without a value goes; keys that are
    /// not in `after` stay as they are, and are left out.
    pub(crate) fn of<'a, V: PartialEq + 'a>(
        before: &BTreeMap<String, V>,
        after: impl IntoIterator<Item = (&'a str, Option<&'a V>)>,
    ) -> Self {
        let fate = |key: &str, new: Option<&V>| match (before.get(key), new) {
            (None, Some(_)) => Some(Fate::Added),
            (Some(old), Some(new)) if old == new => Some(Fate::Same),
            (Some(_), Some(_)) => Some(Fate::Changed),
            (Some(_), None) => Some(Fate::Gone),
            (None, None) => None,
        };
        let fates = after.into_iter().filter_map(|(key, new)| Some((key.to_owned(), fate(key, new)?)));
        Self(fates.collect())
    }

    /// Returns the difference of a secret that loses these keys.
    pub(crate) fn losing(keys: &[String]) -> Self {
        Self(keys.iter().map(|key| (key.clone(), Fate::Gone)).collect())
    }

    /// Compares some keys, which are set, with what was there `before`.
    pub(crate) fn of_set<V: PartialEq>(before: &BTreeMap<String, V>, set: &BTreeMap<String, V>) -> Self {
        Self::of(before, set.iter().map(|(key, value)| (key.as_str(), Some(value))))
    }

    /// Compares the whole content with that which takes its place.
    pub(crate) fn of_whole<V: PartialEq>(before: &BTreeMap<String, V>, after: &BTreeMap<String, V>) -> Self {
        let keys: BTreeSet<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
        Self::of(before, keys.into_iter().map(|key| (key, after.get(key))))
    }

    /// Returns true if no key becomes anything else.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.values().all(|fate| *fate == Fate::Same)
    }

    /// Returns true if a key has the same value as before.
    pub(crate) fn keeps(&self, key: &str) -> bool {
        self.0.get(key) == Some(&Fate::Same)
    }

    /// Returns true if a key goes.
    pub(crate) fn loses(&self, key: &str) -> bool {
        self.0.get(key) == Some(&Fate::Gone)
    }

    /// Returns each key with its fate.
    pub(crate) fn fates(&self) -> impl Iterator<Item = (&str, Fate)> {
        self.0.iter().map(|(key, fate)| (key.as_str(), *fate))
    }

    /// Returns the keys of this fate.
    pub(crate) fn keys(&self, fate: Fate) -> Vec<String> {
        self.0.iter().filter(|(_, one)| **one == fate).map(|(key, _)| key.clone()).collect()
    }

    /// Returns the keys that have another value than before, or none.
    pub(crate) fn touched(&self) -> Vec<&str> {
        self.0.iter().filter(|(_, fate)| **fate != Fate::Same).map(|(key, _)| key.as_str()).collect()
    }

    /// Returns `added a and b; same c`; empty without keys.
    pub(crate) fn in_words(&self) -> String {
        let part = |fate: Fate| {
            let keys = self.keys(fate);
            (!keys.is_empty()).then(|| format!("{} {}", fate.word(), list(keys)))
        };
        Fate::ALL.into_iter().filter_map(part).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretValue;

    fn values(text: &[(&str, &str)]) -> BTreeMap<String, SecretValue> {
        let value = |text: &str| SecretValue::from_bytes(text.as_bytes().to_vec());
        text.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect()
    }

    #[test]
    fn each_key_is_told_by_what_becomes_of_it_and_never_with_a_value() {
        let before = values(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = values(&[("a", "1"), ("b", "20"), ("d", "4"), ("e", "5")]);
        let whole = Difference::of_whole(&before, &after);
        assert_eq!(whole.in_words(), "added d and e; changed b; same a; gone c");
        assert_eq!(whole.touched(), ["b", "c", "d", "e"]);
        assert_eq!(Difference::of_set(&before, &after).in_words(), "added d and e; changed b; same a");
    }

    #[test]
    fn equal_values_are_no_change_and_a_key_more_or_less_is_one() {
        let one = values(&[("a", "1"), ("b", "")]);
        assert!(Difference::of_whole(&one, &values(&[("a", "1"), ("b", "")])).is_nothing());
        assert!(!Difference::of_whole(&one, &values(&[("a", "1")])).is_nothing());
        assert!(!Difference::of_whole(&one, &values(&[("a", "1"), ("b", ""), ("c", "")])).is_nothing());
        assert!(Difference::of_set(&one, &values(&[("a", "1")])).is_nothing());
        assert!(Difference::of(&one, [("nowhere", None)]).is_nothing());
    }
}
