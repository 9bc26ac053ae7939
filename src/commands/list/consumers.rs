//! Counts the consumers of each listed secret, as far as the user may see.

use std::collections::{BTreeMap, BTreeSet};

use super::row::{Count, Row};
use crate::cluster::{Cluster, Failure, KindOf, Namespaces, Unseen};
use crate::session::Session;
use crate::{session, uses};

/// The consumers of the listed namespaces' secrets.
#[derive(Default)]
pub(super) struct Counts {
    /// The names of the consumers by namespace and secret.
    names: BTreeMap<(String, String), BTreeSet<String>>,
    unseen: Vec<Unseen>,
    /// Namespaces that belong to no project were not looked into.
    only_projects: bool,
}

impl Counts {
    /// Lists each kind that refers to secrets once.
    pub(super) async fn add(&mut self, namespaces: &Namespaces, cluster: &Cluster) -> Result<(), Failure> {
        let seen = uses::consumers::find(|_| true, namespaces, cluster).await?;
        self.only_projects |= seen.is_of_projects();
        for consumer in seen.found {
            let secrets: BTreeSet<&String> = consumer.references.iter().map(|one| &one.secret).collect();
            for secret in secrets {
                let place = (consumer.namespace.clone(), secret.clone());
                self.names.entry(place).or_default().insert(consumer.display_name());
            }
        }
        self.unseen.extend(seen.unseen);
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

    /// Warns of what could not be listed, and returns it.
    pub(super) fn tell_unseen(self, session: &Session<'_>) -> Vec<Unseen> {
        session::scope::warn_unseen(&self.unseen, "uses there are not counted", session);
        if self.only_projects && self.unseen.iter().all(|one| one.kind == KindOf::Cluster) {
            session::scope::warn_only_projects("not all uses are counted", session);
        }
        self.unseen
    }
}
