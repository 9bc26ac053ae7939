//! When the secrets changed that containers read at their start.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Change, History};
use crate::metadata::Metadata;
use crate::moment::Moment;
use crate::propagation;
use crate::workload::{Consumer, Reader, Sight};

/// The history of each secret that somebody has read, by namespace and by name.
pub(crate) struct Histories<'a>(BTreeMap<&'a str, BTreeMap<&'a str, History>>);

impl<'a> Histories<'a> {
    /// Reads those that these consumers refer to. What is known of a source counts for its copies.
    pub(crate) fn of<'c>(secrets: &'a [Metadata], consumers: &'c [Consumer], runai_namespace: &str) -> Self {
        let of = |one: &'c Consumer| {
            let references = one.references.iter().filter(|one| one.way.sight() == Sight::AtStart);
            references.map(|reference| (one.namespace.as_str(), reference.secret.as_str()))
        };
        let read: BTreeSet<(&str, &str)> = consumers.iter().flat_map(of).collect();
        let names: BTreeSet<&str> = read.iter().map(|(_, name)| *name).collect();
        let sources = secrets.iter().filter(|one| one.namespace == runai_namespace);
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
        let mut all = Self(BTreeMap::new());
        for one in secrets.iter().filter(is_read) {
            all.0.entry(&one.namespace).or_default().insert(&one.name, history(one));
        }
        all
    }

    /// Returns when a secret of the consumer's namespace was changed for the last time.
    pub(crate) fn last_change(&self, consumer: &Consumer, secret: &str) -> Option<Moment> {
        let history = self.0.get(consumer.namespace.as_str())?.get(secret)?;
        history.change_of::<&str>(&[]).map(Change::until)
    }

    /// Returns the history of what a consumer's pod has read; none if the secret is not known.
    pub(crate) fn get(&self, consumer: &Consumer, reader: &Reader) -> Option<&History> {
        self.0.get(consumer.namespace.as_str())?.get(reader.secret())
    }
}
