//! How many consumers each listed secret has, as far as the user may see.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

use super::Row;
use crate::cluster::{Cluster, Failure, Namespaces, Unseen};
use crate::commands::{Session, consumers, scope};

/// The number of a secret's consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    NotAsked,
    Exactly(usize),
    /// Not every kind may be listed there.
    AtLeast(usize),
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => Ok(()),
            Self::Exactly(number) => write!(f, "{number}"),
            Self::AtLeast(0) => f.write_str("?"),
            Self::AtLeast(number) => write!(f, "{number}+"),
        }
    }
}

/// The number as far as it is known; null where it may be 0 or not.
impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NotAsked | Self::AtLeast(0) => serializer.serialize_none(),
            Self::Exactly(number) | Self::AtLeast(number) => number.serialize(serializer),
        }
    }
}

/// What refers to the secrets of the namespaces that are listed.
#[derive(Default)]
pub(super) struct Counts {
    /// The names of the consumers by namespace and secret.
    names: BTreeMap<(String, String), BTreeSet<String>>,
    unseen: Vec<Unseen>,
    /// Namespaces that belong to no project were not looked into.
    only_projects: bool,
}

impl Counts {
    /// Lists every kind that refers to secrets once.
    pub(super) async fn add(&mut self, namespaces: &Namespaces, cluster: &Cluster) -> Result<(), Failure> {
        let seen = consumers::look(|_| true, namespaces, cluster).await?;
        for consumer in seen.found {
            let secrets: BTreeSet<&String> = consumer.references.iter().map(|one| &one.secret).collect();
            for secret in secrets {
                let place = (consumer.namespace.clone(), secret.clone());
                self.names.entry(place).or_default().insert(consumer.display_name());
            }
        }
        self.unseen.extend(seen.unseen);
        self.only_projects |= seen.only_projects;
        Ok(())
    }

    pub(super) fn of(&self, row: &Row) -> Count {
        let place = (row.namespace.clone(), row.name.clone());
        let number = self.names.get(&place).map_or(0, BTreeSet::len);
        let is_hidden = |one: &Unseen| one.namespace.as_ref().is_none_or(|at| *at == row.namespace);
        let outside = self.only_projects && row.project.is_none();
        if outside || self.unseen.iter().any(is_hidden) {
            Count::AtLeast(number)
        } else {
            Count::Exactly(number)
        }
    }

    /// Says what was not looked at, and gives it.
    pub(super) fn tell_unseen(self, session: &Session<'_>) -> Vec<Unseen> {
        scope::warn_unseen(&self.unseen, "uses there are not counted", session);
        if self.only_projects && self.unseen.is_empty() {
            scope::warn_only_projects("not all uses are counted", session);
        }
        self.unseen
    }
}
