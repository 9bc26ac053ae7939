//! An edit of a secret's values, as changes to single keys. They can be applied to a newer version of the
//! secret: changes by others stay, and a key that both changed is found.

use std::collections::{BTreeMap, BTreeSet};

use super::value::SecretValue;

type Values = BTreeMap<String, SecretValue>;

pub(crate) struct Changes {
    after: Values,
    /// The keys that change. One without a value in `after` is removed.
    keys: BTreeSet<String>,
}

impl Changes {
    /// Returns the changes from `seen` to `after`. Only keys in `shown` may be removed: somebody who never
    /// saw a key did not remove it.
    pub(crate) fn between(seen: &Values, after: Values, shown: &BTreeSet<String>) -> Self {
        let changed = after.iter().filter(|(key, value)| !same(seen.get(*key), Some(value)));
        let gone = shown.iter().filter(|key| seen.contains_key(*key) && !after.contains_key(*key));
        let keys = changed.map(|(key, _)| key).chain(gone).cloned().collect();
        Self { after, keys }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the keys that change, with their new values; none for a removed key.
    pub(crate) fn entries(&self) -> BTreeMap<&str, Option<&SecretValue>> {
        self.keys.iter().map(|key| (key.as_str(), self.after.get(key))).collect()
    }

    /// Returns the removed keys.
    pub(crate) fn removed(&self) -> Vec<String> {
        self.keys.iter().filter(|key| !self.after.contains_key(*key)).cloned().collect()
    }

    /// Returns the keys that somebody else has changed too since they were read, to something else.
    pub(crate) fn disputed(&self, seen: &Values, now: &Values) -> Vec<String> {
        let by_both = |key: &&String| !same(seen.get(*key), now.get(*key));
        let differently = |key: &&String| !same(self.after.get(*key), now.get(*key));
        self.keys.iter().filter(by_both).filter(differently).cloned().collect()
    }

    /// Leaves a key unchanged.
    pub(crate) fn give_up(&mut self, key: &str) {
        self.keys.remove(key);
    }

    /// Drops the changes that somebody else has made already.
    pub(crate) fn drop_done(&mut self, now: &Values) {
        self.keys.retain(|key| !same(self.after.get(key), now.get(key)));
    }
}

fn same(a: Option<&SecretValue>, b: Option<&SecretValue>) -> bool {
    a.map(SecretValue::expose) == b.map(SecretValue::expose)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &[(&str, &str)]) -> Values {
        let value = |text: &str| SecretValue::from_bytes(text.as_bytes().to_vec());
        text.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect()
    }

    fn keys(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    /// Returns the values after the changes.
    fn applied(changes: &Changes, now: &Values) -> Vec<(String, Vec<u8>)> {
        let mut result: BTreeMap<String, Vec<u8>> =
            now.iter().map(|(key, value)| (key.clone(), value.expose().to_vec())).collect();
        for (key, value) in changes.entries() {
            match value {
                Some(value) => drop(result.insert(key.to_owned(), value.expose().to_vec())),
                None => drop(result.remove(key)),
            }
        }
        result.into_iter().collect()
    }

    #[test]
    fn a_key_that_was_not_shown_does_not_go() {
        let seen = values(&[("a", "1"), ("b", "2"), ("bin", "3"), ("c", "4")]);
        let after = values(&[("a", "1"), ("b", "20"), ("new", "5")]);
        let changes = Changes::between(&seen, after, &keys(&["a", "b", "c"]));
        let entries: Vec<_> =
            changes.entries().into_iter().map(|(key, value)| (key, value.is_some())).collect();
        assert_eq!(entries, [("b", true), ("c", false), ("new", true)]);
        assert_eq!(changes.removed(), ["c"]);
    }

    #[test]
    fn disputed_is_what_both_changed_to_something_else() {
        let seen = values(&[
            ("mine", "1"),
            ("theirs", "1"),
            ("both", "1"),
            ("equal", "1"),
            ("gone", "1"),
            ("kept", "1"),
        ]);
        let after = values(&[
            ("mine", "2"),
            ("theirs", "1"),
            ("both", "2"),
            ("equal", "2"),
            ("kept", "2"),
            ("new", "2"),
        ]);
        let now = values(&[
            ("mine", "1"),
            ("theirs", "3"),
            ("both", "3"),
            ("equal", "2"),
            ("gone", "3"),
            ("new", "3"),
        ]);
        let shown = seen.keys().cloned().collect();
        let mut changes = Changes::between(&seen, after, &shown);
        assert_eq!(changes.disputed(&seen, &now), ["both", "gone", "kept", "new"]);
        for key in ["both", "gone", "new"] {
            changes.give_up(key);
        }
        changes.drop_done(&now);
        assert_eq!(changes.entries().into_keys().collect::<Vec<_>>(), ["kept", "mine"]);
    }

    proptest! {
        #[test]
        fn what_only_one_side_changed_is_in_the_result_whoever_it_was(
            seen in prop::collection::btree_map("[a-d]", "[12]", 0..4),
            mine in prop::collection::btree_map("[a-d]", "[12]", 0..4),
            theirs in prop::collection::btree_map("[a-d]", "[12]", 0..4),
        ) {
            let of = |map: &BTreeMap<String, String>| {
                values(&map.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect::<Vec<_>>())
            };
            let changes = Changes::between(&of(&seen), of(&mine), &seen.keys().cloned().collect());
            let disputed = changes.disputed(&of(&seen), &of(&theirs));
            let result: BTreeMap<_, _> = applied(&changes, &of(&theirs)).into_iter().collect();
            for key in ["a", "b", "c", "d"] {
                let [seen, mine, theirs] = [&seen, &mine, &theirs].map(|map| map.get(key));
                prop_assert_eq!(disputed.contains(&key.to_owned()), mine != seen && theirs != seen && mine != theirs);
                let expected = if mine == seen { theirs } else { mine }.map(|text| text.as_bytes().to_vec());
                prop_assert_eq!(result.get(key), expected.as_ref());
            }
        }
    }
}
