//! When values end, as people have noted it: for tokens that do not say it themselves. An annotation of the secret has a
//! time for each key.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::moment::Moment;

/// The annotation: a JSON object of keys and times.
pub(crate) const EXPIRES: &str = "kubectl-runai-secret/expires";

/// The end that was noted for each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends(BTreeMap<String, Moment>);

impl Ends {
    /// Reads the annotation. What is no time is left out: it may be anything.
    pub(crate) fn of(annotation: &str) -> Self {
        let texts: BTreeMap<String, serde_json::Value> = serde_json::from_str(annotation).unwrap_or_default();
        let times = texts.into_iter().filter_map(|(key, time)| Some((key, Moment::parse(time.as_str()?)?)));
        Self(times.collect())
    }

    /// Notes one end for several keys.
    pub(crate) fn noted<'k>(keys: impl IntoIterator<Item = &'k str>, end: Moment) -> Self {
        Self(keys.into_iter().map(|key| (key.to_owned(), end)).collect())
    }

    /// Returns the annotation; none if there is nothing to note.
    pub(crate) fn annotation(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| serde_json::to_string(&self.0).unwrap_or_default())
    }

    pub(crate) fn of_key(&self, key: &str) -> Option<Moment> {
        self.0.get(key).copied()
    }

    /// Returns the first end of all.
    pub(crate) fn first(&self) -> Option<Moment> {
        self.0.values().min().copied()
    }

    /// Returns those of some keys.
    pub(crate) fn kept(mut self, keeps: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|key, _| keeps(key));
        self
    }

    /// Adds others, which win.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Returns the keys that have an end here and none there.
    pub(crate) fn lost_in(&self, there: &Self) -> Vec<String> {
        self.0.keys().filter(|key| !there.0.contains_key(*key)).cloned().collect()
    }
}

impl<'de> Deserialize<'de> for Ends {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|annotation| Self::of(&annotation))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_noted_is_read_again_and_what_is_no_time_is_left_out() {
        let ends = Ends::of(r#"{"a":"2027-01-31","b":"2028-01-31T00:00:00+01:00","c":"soon","d":1}"#);
        assert_eq!(ends.annotation().unwrap(), r#"{"a":"2027-01-31T00:00:00Z","b":"2028-01-30T23:00:00Z"}"#);
        assert_eq!(Ends::of(&ends.annotation().unwrap()), ends);
        assert_eq!(ends.first(), ends.of_key("a"));
        let new = Ends::noted(["b"], Moment::since_1970(Duration::from_secs(1)));
        assert_eq!(ends.clone().kept(|key| key == "b").and(new.clone()), new);
        assert_eq!(ends.lost_in(&new), ["a"]);
        for other in ["", "2027-01-31", "[]", "{"] {
            assert_eq!(Ends::of(other).annotation(), None, "{other}");
        }
    }
}
