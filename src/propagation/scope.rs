//! The labels that share a secret, and with whom.
//!
//! Run:ai's controller copies a secret of its own namespace to every project while it has a label. The
//! label's key depends on the version: `runai/cluster-wide` is the older, documented one,
//! `run.ai/cluster-wide` its successor. Both are set, so that one command is right on any cluster.
//! `run.ai/department` shares it with the projects of one department instead.

use std::collections::BTreeMap;

pub(crate) const LEGACY_LABEL: &str = "runai/cluster-wide";
pub(crate) const CURRENT_LABEL: &str = "run.ai/cluster-wide";
/// The label for a department. Its value is the department's id, not its name.
pub(crate) const DEPARTMENT_LABEL: &str = "run.ai/department";

/// The projects that a secret of Run:ai's namespace is shared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    EveryProject,
    /// The projects of the department with this id.
    Department(String),
    Nobody,
}

impl Scope {
    pub(crate) fn of(labels: &BTreeMap<String, String>) -> Self {
        match labels.get(DEPARTMENT_LABEL) {
            _ if is_cluster_wide(labels) => Self::EveryProject,
            Some(id) => Self::Department(id.clone()),
            None => Self::Nobody,
        }
    }
}

/// One or both of the two labels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Legacy,
    Current,
    Both,
}

impl Key {
    /// Returns the labels that make a secret cluster-wide.
    pub(crate) fn labels(self) -> BTreeMap<&'static str, &'static str> {
        self.names().iter().map(|name| (*name, "true")).collect()
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Key::Legacy => &[LEGACY_LABEL],
            Key::Current => &[CURRENT_LABEL],
            Key::Both => &[LEGACY_LABEL, CURRENT_LABEL],
        }
    }
}

/// Returns true if this label shares a secret.
pub(crate) fn is_mark(label: &str) -> bool {
    [LEGACY_LABEL, CURRENT_LABEL, DEPARTMENT_LABEL].contains(&label)
}

/// Returns true if a secret with these labels is shared with every project, or is a copy of one.
pub(crate) fn is_cluster_wide(labels: &BTreeMap<String, String>) -> bool {
    [LEGACY_LABEL, CURRENT_LABEL].iter().any(|label| labels.get(*label).is_some_and(|value| value == "true"))
}

/// Returns the labels to change so that the secret has all wanted ones; none if it has them.
pub(crate) fn marking<'a>(
    labels: &BTreeMap<String, String>,
    wanted: &BTreeMap<&'a str, &'a str>,
) -> BTreeMap<&'a str, Option<&'a str>> {
    let missing = |(name, value): &(&&str, &&str)| labels.get(**name).is_none_or(|there| there != **value);
    wanted.iter().filter(missing).map(|(name, value)| (*name, Some(*value))).collect()
}

/// Returns the labels to remove so that this key no longer shares the secret; none if it does not.
pub(crate) fn unmarking(
    labels: &BTreeMap<String, String>,
    key: Key,
) -> BTreeMap<&'static str, Option<&'static str>> {
    let department = (key == Key::Both).then_some(DEPARTMENT_LABEL);
    let names = key.names().iter().copied().chain(department);
    names.filter(|name| labels.contains_key(*name)).map(|name| (name, None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn marking_sets_what_is_missing_and_nothing_else() {
        let wanted = Key::Both.labels();
        assert_eq!(marking(&labels(&[]), &wanted).len(), 2);
        assert_eq!(
            marking(&labels(&[(LEGACY_LABEL, "true"), (CURRENT_LABEL, "docker-registry")]), &wanted),
            BTreeMap::from([(CURRENT_LABEL, Some("true"))]),
            "a value that only an error in the documentation put there is mended"
        );
        let both = labels(&[(LEGACY_LABEL, "true"), (CURRENT_LABEL, "true")]);
        assert!(marking(&both, &wanted).is_empty());
        assert_eq!(unmarking(&both, Key::Legacy), BTreeMap::from([(LEGACY_LABEL, None)]));
        assert!(unmarking(&labels(&[]), Key::Both).is_empty());
        let department = labels(&[(DEPARTMENT_LABEL, "7")]);
        assert_eq!(unmarking(&department, Key::Both), BTreeMap::from([(DEPARTMENT_LABEL, None)]));
    }
}
