//! Finds the workloads that pick up a changed secret by themselves, and those that must be restarted.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{Cluster, Failure, Namespaces, Seen, Unseen};
use crate::metadata::Metadata;
use crate::propagation::Scope;
use crate::session::Session;
use crate::wording::{few, list, plural};
use crate::workload::{Consumer, Need, Reference, Renewal, Sight, State, Way, is_restartable};
use crate::{propagation, session, uses};

/// The keys of a registry login: without them a secret is none.
const LOGINS: [&str; 2] = [".dockerconfigjson", ".dockercfg"];

/// The workloads that use some keys of a secret.
pub(crate) struct AffectedWorkloads {
    /// The namespaces that were searched.
    scope: Namespaces,
    consumers: Vec<Consumer>,
    unseen: Vec<Unseen>,
}

impl AffectedWorkloads {
    /// Finds the workloads that use some keys of a secret, or of its copies if it is shared.
    pub(crate) async fn of_scope(
        scope: &Scope,
        secret: &str,
        keys: &[&str],
        namespace: &str,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        match scope {
            Scope::Nobody => Self::of(secret, keys, namespace, cluster).await,
            Scope::EveryProject | Scope::Department(_) => {
                Self::of_source(secret, keys, namespace, cluster).await
            }
        }
    }

    /// Returns those of several searches as one. If there are several, each workload is named with its namespace.
    pub(crate) fn together(searches: Vec<Self>) -> Self {
        let several = searches.len() > 1;
        let all = searches.into_iter().reduce(|mut all, mut one| {
            all.consumers.append(&mut one.consumers);
            all.unseen.append(&mut one.unseen);
            all
        });
        let none = || Self { scope: Namespaces::All, consumers: Vec::new(), unseen: Vec::new() };
        let all = all.unwrap_or_else(none);
        if several { Self { scope: Namespaces::All, ..all } } else { all }
    }

    /// Finds the workloads in the secret's own namespace.
    pub(crate) async fn of(
        secret: &str,
        keys: &[&str],
        namespace: &str,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        Self::read(secret, keys, Namespaces::One(namespace.to_owned()), cluster).await
    }

    /// Finds the workloads that use a shared secret in Run:ai's namespace, or one of its copies.
    async fn of_source(
        secret: &str,
        keys: &[&str],
        runai_namespace: &str,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let (audience, namesakes) = tokio::join!(
            Self::read(secret, keys, Namespaces::AllAtOnce, cluster),
            cluster.secrets_named(secret)
        );
        let mut audience = audience?;
        let namesakes = match namesakes {
            Ok(namesakes) => namesakes,
            // It is not known which of them have a copy: all are kept.
            Err(failure) if failure.is_forbidden() => return Ok(audience),
            Err(failure) => return Err(failure),
        };
        let identity = propagation::identity(runai_namespace, secret);
        let is_copy = |one: &Metadata| {
            propagation::origin(one, runai_namespace).is_some_and(|origin| origin.identity == identity)
        };
        let copies = namesakes.iter().filter(|one| is_copy(one)).map(|one| one.namespace.as_str());
        let places: BTreeSet<&str> = copies.chain([runai_namespace]).collect();
        audience.consumers.retain(|one| places.contains(one.namespace.as_str()));
        Ok(audience)
    }

    /// Finds the workloads that use copies which lose keys. `losses` has these keys by the copy's namespace.
    pub(crate) async fn of_copies(
        secret: &str,
        losses: &BTreeMap<String, Vec<String>>,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let keys: BTreeSet<&str> = losses.values().flatten().map(String::as_str).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let scope = Namespaces::around(losses.keys());
        let mut affected = Self::read(secret, &keys, scope, cluster).await?;
        affected.consumers.retain(|one| losses.contains_key(&one.namespace));
        Ok(affected)
    }

    /// Lists each kind that refers to secrets once.
    async fn read(
        secret: &str,
        keys: &[&str],
        scope: Namespaces,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let wanted = |reference: &Reference| reference.secret == secret && reference.way.takes(keys);
        let Seen { found, unseen, .. } = uses::consumers::find(wanted, &scope, cluster).await?;
        let consumers = found.into_iter().filter(|one| one.state.is_live()).collect();
        Ok(Self { scope, consumers, unseen })
    }

    /// Returns the workloads that keep the old value until they are restarted.
    fn stale(&self) -> impl Iterator<Item = &Consumer> {
        let runs = |one: &&Consumer| matches!(one.state, State::Running | State::Starting);
        self.consumers.iter().filter(runs).filter(|one| one.sees(Sight::AtStart))
    }

    /// Names the workloads that get the new value by themselves, and those that need a restart.
    pub(crate) fn tell(&self, namespace: &str, session: &Session<'_>) {
        let by_itself = |one: &&Consumer| one.sees(Sight::ByItself) && !one.sees(Sight::AtStart);
        let renewed = self.names(self.consumers.iter().filter(by_itself));
        tell_names("gets the new value by itself, files within about a minute", &renewed, session);
        let restartable = self.names(self.stale().filter(|one| is_restartable(one.kind)));
        let what = "keeps the old value until it is restarted (--restart does it with the change, restart NAME after it)";
        tell_names(what, &restartable, session);
        self.tell_what_stays_stale(session);
        let unknown = self.names(self.consumers.iter().filter(|one| one.sees(Sight::Unknown)));
        tell_names(
            "probably uses it, and when it sees the change is up to its controller",
            &unknown,
            session,
        );
        self.tell_unseen(namespace, session);
    }

    /// Names the workloads that no command restarts: they keep the old value until somebody creates them
    /// again.
    pub(crate) fn tell_what_stays_stale(&self, session: &Session<'_>) {
        let renewed_by =
            |renewals: &[Renewal]| self.names(self.stale().filter(|one| renewals.contains(&one.renewal())));
        let runs = renewed_by(&[Renewal::NextRun]);
        tell_names(
            "keeps the old value until its run ends; the next one reads the new value",
            &runs,
            session,
        );
        let by_controller = renewed_by(&[Renewal::DeletedPods, Renewal::Controller]);
        tell_names("keeps the old value until its controller makes its pods anew", &by_controller, session);
        let others = renewed_by(&[Renewal::SubmitAgain]);
        if !others.is_empty() {
            session.ui.note(&format!("keeps the old value until it is created again: {}", list(&others)));
            session.ui.note(
                "nothing restarts these: when its work allows, delete each one and create or submit it again",
            );
        }
    }

    /// Names the workloads that need a restart when the copies of a shared secret have arrived.
    pub(crate) fn tell_of_copies(&self, session: &Session<'_>) {
        let stale = self.names(self.stale());
        let what = "keeps the old value; restart it when its copy has arrived";
        if !stale.is_empty() {
            session.ui.note(&format!("{what}: {}", list(&stale)));
        }
    }

    fn names<'a>(&self, all: impl Iterator<Item = &'a Consumer>) -> Vec<String> {
        let mut names: Vec<String> = all.map(|one| session::scope::consumer_name(&self.scope, one)).collect();
        names.dedup();
        names
    }

    pub(crate) fn tell_unseen(&self, namespace: &str, session: &Session<'_>) {
        if !self.unseen.is_empty() {
            let kinds: BTreeSet<&str> = self.unseen.iter().map(|one| one.resource.as_str()).collect();
            let count = plural(kinds.len(), "kind");
            session.ui.note(&format!(
                "you may not list {count} of workloads in {namespace}: some of them may use it"
            ));
        }
    }

    /// Returns the workloads that do not start without the keys that their namespace loses, each with one of
    /// its uses.
    pub(crate) fn in_need<'k>(&self, lost: impl Fn(&str) -> &'k [String]) -> BTreeMap<String, String> {
        self.named(|one, reference| {
            let lost = lost(&one.namespace);
            let loses = |key: &&str| lost.iter().any(|gone| gone == key);
            match reference.way {
                Way::ImagePull => LOGINS.iter().any(loses),
                _ => reference.need == Need::Required && reference.way.keys().iter().any(loses),
            }
        })
    }

    /// Returns the workloads that use all keys and start without these, each with one of its uses.
    pub(crate) fn going_without(&self) -> BTreeMap<String, String> {
        self.named(|_, reference| match &reference.way {
            Way::Variables { .. } | Way::Login { .. } | Way::Probable { key: None, .. } => true,
            Way::Files { items, .. } => items.is_empty(),
            _ => false,
        })
    }

    /// Returns the workloads with a `wanted` use of the secret, each with that use.
    fn named(&self, wanted: impl Fn(&Consumer, &Reference) -> bool) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for one in &self.consumers {
            for reference in one.references.iter().filter(|reference| wanted(one, reference)) {
                found
                    .entry(session::scope::consumer_name(&self.scope, one))
                    .or_insert_with(|| reference.way.to_string());
            }
        }
        found
    }

    /// Warns of kinds that could not be listed and may need these keys.
    pub(crate) fn warn_unseen(&self, secret: &str, session: &Session<'_>) {
        session::scope::warn_unseen_consumers(&self.scope, &self.unseen, secret, "these keys", session);
    }
}

fn tell_names(what: &str, names: &[String], session: &Session<'_>) {
    if !names.is_empty() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        session.ui.note(&format!("{what}: {}", few(&names)));
    }
}

impl Consumer {
    fn sees(&self, sight: Sight) -> bool {
        self.references.iter().any(|reference| reference.way.sight() == sight)
    }
}
