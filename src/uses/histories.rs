//! When the secrets changed that containers read at their start.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::Seen;
use crate::history::{Change, Freshness, History};
use crate::metadata::Metadata;
use crate::moment::Moment;
use crate::propagation;
use crate::workload::{Consumer, Reader, Reference, Sight};

/// The history of each secret that somebody has read.
pub(crate) struct Histories<'a> {
    /// By namespace and by name.
    known: BTreeMap<&'a str, BTreeMap<&'a str, History>>,
    secrets: &'a Seen<Metadata>,
}

/// What is known of the last change of what somebody has read.
#[derive(Clone, Copy)]
pub(crate) enum LastChange {
    /// The secret is not there, or lacks these keys.
    NotThere,
    /// The user may not see the secret.
    Unseen,
    /// The server does not say when it was written.
    Undated,
    At(Change),
}

impl LastChange {
    /// Judges what somebody holds who read it at some time; none if there is nothing to hold.
    pub(crate) fn held_since(self, read: Moment) -> Option<Freshness> {
        match self {
            Self::NotThere => None,
            Self::Unseen | Self::Undated => Some(Freshness::PerhapsOld),
            Self::At(change) => Some(change.held_since(read)),
        }
    }

    /// Returns the time after which it has not changed.
    pub(crate) fn until(self) -> Option<Moment> {
        match self {
            Self::NotThere | Self::Unseen | Self::Undated => None,
            Self::At(change) => Some(change.until()),
        }
    }
}

impl<'a> Histories<'a> {
    /// Reads those that these consumers refer to. What is known of a source counts for its copies.
    pub(crate) fn of<'c>(
        secrets: &'a Seen<Metadata>,
        consumers: &'c [Consumer],
        runai_namespace: &str,
    ) -> Self {
        let of = |one: &'c Consumer| {
            let references = one.references.iter().filter(|one| one.way.sight() == Sight::AtStart);
            references.map(|reference| (one.namespace.as_str(), reference.secret.as_str()))
        };
        let read: BTreeSet<(&str, &str)> = consumers.iter().flat_map(of).collect();
        let names: BTreeSet<&str> = read.iter().map(|(_, name)| *name).collect();
        let sources = secrets.found.iter().filter(|one| one.namespace == runai_namespace);
        let sources: BTreeMap<&str, History> = sources
            .filter(|one| names.contains(one.name.as_str()))
            .map(|one| (one.name.as_str(), History::of(one)))
            .collect();
        let is_read = |one: &&Metadata| read.contains(&(one.namespace.as_str(), one.name.as_str()));
        let history = |one: &Metadata| {
            let mut history = History::of(one);
            let is_copy = || {
                let identity = propagation::identity(runai_namespace, &one.name);
                propagation::origin(one, runai_namespace).is_some_and(|origin| origin.identity == identity)
            };
            if let Some(source) = sources.get(one.name.as_str()).filter(|_| is_copy()) {
                history.learn_from(source);
            }
            history
        };
        let mut all = Self { known: BTreeMap::new(), secrets };
        for one in secrets.found.iter().filter(is_read) {
            all.known.entry(&one.namespace).or_default().insert(&one.name, history(one));
        }
        all
    }

    /// Returns the last change of what a consumer's pod has read.
    pub(crate) fn of_reader(&self, consumer: &Consumer, reader: &Reader) -> LastChange {
        self.of_keys(&consumer.namespace, reader.secret(), reader.keys())
    }

    /// Returns when anything was changed for the last time that a consumer reads of a secret at its start.
    pub(crate) fn last_change(&self, consumer: &Consumer, secret: &str) -> Option<Moment> {
        let read = |one: &&Reference| one.secret == secret && one.way.sight() == Sight::AtStart;
        let changes = consumer
            .references
            .iter()
            .filter(read)
            .filter_map(|one| self.of_keys(&consumer.namespace, secret, &one.way.keys()).until());
        changes.max()
    }

    /// Reports whether there certainly is no secret of this name.
    pub(crate) fn lack(&self, namespace: &str, secret: &str) -> bool {
        self.get(namespace, secret).is_none() && self.secrets.covers(namespace)
    }

    fn get(&self, namespace: &str, secret: &str) -> Option<&History> {
        self.known.get(namespace)?.get(secret)
    }

    fn of_keys<K: AsRef<str>>(&self, namespace: &str, secret: &str, keys: &[K]) -> LastChange {
        match self.get(namespace, secret) {
            None if self.secrets.covers(namespace) => LastChange::NotThere,
            None => LastChange::Unseen,
            Some(history) if history.is_empty() => LastChange::Undated,
            Some(history) => history.change_of(keys).map_or(LastChange::NotThere, LastChange::At),
        }
    }
}
