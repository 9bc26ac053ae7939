//! Finds the workloads that would miss keys that a secret is to lose, and asks for confirmation.

use crate::change::secret::SecretChange;
use crate::cluster::Cluster;
use crate::error::Result;
use crate::flags::WriteArgs;
use crate::propagation::Scope;
use crate::session::Session;
use crate::uses::restarts::AffectedWorkloads;
use crate::wording::{list, plural};

/// `key a of secret s in ns goes`
pub(crate) fn in_words(keys: &[String], name: &str, namespace: &str) -> String {
    let (noun, verb) = if keys.len() == 1 { ("key", "goes") } else { ("keys", "go") };
    format!("{noun} {} of secret {name} in {namespace} {verb}", list(keys))
}

pub(crate) struct LostKeys<'a> {
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) keys: &'a [String],
    /// With whom the secret is shared: its copies lose the keys too.
    pub(crate) scope: &'a Scope,
    /// The action, for the question: `Take A out of hf`.
    pub(crate) deed: String,
    pub(crate) cluster: &'a Cluster,
    pub(crate) write: &'a WriteArgs,
    pub(crate) session: &'a Session<'a>,
}

impl LostKeys<'_> {
    /// Asks for confirmation if workloads would not start without these keys; for a shared secret, also
    /// workloads that use its copies. Names the workloads that use all keys and would start without these.
    ///
    /// # Errors
    /// The workloads can't be listed, the answer is no, or nobody can be asked.
    pub(crate) async fn agree(&self) -> Result<()> {
        let Self { name, namespace, cluster, session, .. } = self;
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let audience = match self.scope {
            Scope::Nobody => AffectedWorkloads::of(name, &keys, namespace, cluster).await?,
            Scope::EveryProject | Scope::Department(_) => {
                AffectedWorkloads::of_source(name, &keys, namespace, cluster).await?
            }
        };
        audience.warn_unseen(name, session);
        let without = audience.going_without();
        if !without.is_empty() {
            let names: Vec<String> = without.iter().map(|(name, way)| format!("{name} ({way})")).collect();
            session.ui.note(&format!("loses {} at its next start: {}", list(self.keys), list(names)));
        }
        let in_need = audience.in_need(self.keys);
        if in_need.is_empty() {
            return Ok(());
        }
        let effect =
            |(workload, way): (&String, &String)| format!("{workload} would not start any more: {way}");
        let effects: Vec<String> = in_need.iter().map(effect).collect();
        let question = format!(
            "{} although {} it?",
            self.deed,
            if in_need.len() == 1 {
                "1 workload needs".to_owned()
            } else {
                format!("{} need", plural(in_need.len(), "workload"))
            }
        );
        session.confirm_effects(self.write, &effects, &question).await
    }
}

/// Asks for confirmation if workloads would not start without these keys.
///
/// # Errors
/// The workloads can't be listed, the answer is no, or nobody can be asked.
pub(crate) async fn agree(change: &SecretChange<'_>, scope: &Scope, keys: &[String]) -> Result<()> {
    let SecretChange { name, namespace, cluster, session, write, .. } = change;
    let deed = format!("Take {} out of {name}", list(keys));
    LostKeys { name, namespace, keys, scope, deed, cluster, write, session }.agree().await
}
