//! Finds the workloads that would miss keys that a secret is to lose, and asks for confirmation.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use crate::change::secret::SecretChange;
use crate::cluster::{Cluster, Failure};
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

/// `1 workload needs`
pub(crate) fn workloads_need(count: usize) -> String {
    format!("{} need{}", plural(count, "workload"), if count == 1 { "s" } else { "" })
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
        let audience = audience(self.name, self.keys, self.namespace, self.scope, self.cluster).await?;
        ask(self.name, self.keys, &audience, &self.deed, self.write, self.session).await
    }
}

/// Finds the workloads that use these keys of a secret, or of its copies.
async fn audience(
    name: &str,
    keys: &[String],
    namespace: &str,
    scope: &Scope,
    cluster: &Cluster,
) -> Result<AffectedWorkloads, Failure> {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    AffectedWorkloads::of_scope(scope, name, &keys, namespace, cluster).await
}

async fn ask(
    name: &str,
    keys: &[String],
    audience: &AffectedWorkloads,
    deed: &str,
    write: &WriteArgs,
    session: &Session<'_>,
) -> Result<()> {
    let in_need = tell(name, &list(keys), audience, |_| keys, session);
    if in_need.is_empty() {
        return Ok(());
    }
    let question = format!("{deed} although {} it?", workloads_need(in_need.len()));
    session.confirm_effects(write, &in_need, &question).await
}

/// Returns a line for each workload that would not start without the keys that copies of a secret lose. Names
/// the workloads that use all keys and would start without these. `losses` has the keys by the copy's
/// namespace.
///
/// # Errors
/// The workloads can't be listed.
pub(crate) async fn of_copies(
    name: &str,
    losses: &BTreeMap<String, Vec<String>>,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Vec<String>> {
    let audience = AffectedWorkloads::of_copies(name, losses, cluster).await?;
    let different: BTreeSet<&Vec<String>> = losses.values().collect();
    let what = match different.first() {
        Some(keys) if different.len() == 1 => list(*keys),
        _ => "the keys that go there".to_owned(),
    };
    let lost = |namespace: &str| losses.get(namespace).map(Vec::as_slice).unwrap_or_default();
    Ok(tell(name, &what, &audience, lost, session))
}

/// Tells what is known of the workloads that start without the keys and of those that could not be listed;
/// returns a line for each that would not start.
fn tell<'k>(
    name: &str,
    what: &str,
    audience: &AffectedWorkloads,
    lost: impl Fn(&str) -> &'k [String],
    session: &Session<'_>,
) -> Vec<String> {
    audience.warn_unseen(name, session);
    let without = audience.going_without();
    if !without.is_empty() {
        let names: Vec<String> = without.iter().map(|(name, way)| format!("{name} ({way})")).collect();
        session.ui.note(&format!("loses {what} at its next start: {}", list(names)));
    }
    let line = |(workload, way): (&String, &String)| format!("{workload} would not start any more: {way}");
    audience.in_need(lost).iter().map(line).collect()
}

/// Asks for confirmation, once for the secrets of one name, if workloads would not start without these keys.
///
/// # Errors
/// The workloads can't be listed, the answer is no, or nobody can be asked.
pub(crate) async fn agree(changes: &[(&SecretChange<'_>, Scope)], keys: &[String]) -> Result<()> {
    let [(SecretChange { name, session, write, .. }, _), ..] = changes else { return Ok(()) };
    let searches =
        changes.iter().map(|(change, scope)| audience(name, keys, &change.namespace, scope, &change.cluster));
    let audience = AffectedWorkloads::together(try_join_all(searches).await?);
    let deed = format!("Take {} out of {name}", list(keys));
    ask(name, keys, &audience, &deed, write, session).await
}
