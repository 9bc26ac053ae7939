//! Finds kinds that only the cluster knows, and workloads of which only the name is known.

use super::across_namespaces::Refusals;
use super::discovery::Others;
use super::{Cluster, Failure, Namespaces, Seen, Unseen};
use crate::workload::{KINDS, Kind, Target, owner};

impl Cluster {
    /// Asks what the server serves, for a search that is to come. A failure shows when the search asks again.
    pub(crate) async fn discover_ahead(&self) {
        let mut discovered = self.versions.discovered.lock().await;
        if discovered.is_none() {
            *discovered = self.discover().await.unwrap_or_default();
        }
    }

    /// Returns the kinds that the cluster adds to those that are known.
    pub(crate) async fn other_kinds(&self) -> Result<Others, Failure> {
        let discovered = self.versions.discovered.lock().await;
        self.others(discovered).await
    }

    /// Does something with the known kinds, and something with those that Kartas describe, of which neither waits for
    /// the other. If the latter can't be found out, there are none.
    pub(crate) async fn beside_described<K, D>(
        &self,
        known: impl Future<Output = K>,
        described: impl AsyncFnOnce(Vec<&'static Kind>) -> D,
    ) -> (K, D) {
        // Locked while the server is asked: known kinds that are not built in wait for the answer.
        let discovered = self.versions.discovered.lock().await;
        let described = async {
            let mut kinds = self.others(discovered).await.map(|others| others.kinds).unwrap_or_default();
            kinds.retain(|kind| kind.has_place_for_attachments());
            described(kinds).await
        };
        tokio::join!(known, described)
    }

    /// Finds the workloads of this name, of any kind that has a place for attachments. One that a controller
    /// made is left out if another has the name.
    ///
    /// # Errors
    /// Any failure but a forbidden request, or, of what the cluster adds, a refused one: that is part of the
    /// answer.
    pub(crate) async fn workloads_named(&self, namespace: &str, name: &str) -> Result<Seen<Target>, Failure> {
        let scope = Namespaces::One(namespace.to_owned());
        let get = async |kind: &'static Kind, _| self.made_and_named(namespace, kind, name).await;
        // Locked while the server is asked: known kinds that are not built in wait for the answer.
        let discovered = self.versions.discovered.lock().await;
        let others = async {
            let Others { mut kinds, missed, .. } = self.others(discovered).await?;
            kinds.retain(|kind| kind.has_place_for_attachments());
            let unseen = |kind: &Kind, namespace| Unseen::of_added(namespace, kind.in_kubectl());
            let refusals = Refusals { is_one: Failure::is_refusal, unseen, most_lists: 0 };
            let mut seen = self.everywhere_but(kinds, &scope, refusals, get).await?;
            let at = |resource| Unseen::of_added(Some(namespace.to_owned()), resource);
            seen.unseen.extend(missed.into_iter().map(at));
            Ok::<_, Failure>(seen)
        };
        let known = self.everywhere(KINDS.iter().collect(), &scope, |kind| kind.plural, get);
        let (known, others) = tokio::join!(known, others);
        let mut seen = known?;
        seen.add(others?);
        let (made, own): (Vec<_>, Vec<_>) = seen.found.into_iter().partition(|(_, is_made)| *is_made);
        let found = if own.is_empty() { made } else { own };
        let mut found: Vec<Target> = found.into_iter().map(|(target, _)| target).collect();
        found.sort_by_cached_key(ToString::to_string);
        Ok(Seen { found, unseen: seen.unseen, only_in: None })
    }

    /// Returns the object of this name, if there is one, and whether a controller made it.
    async fn made_and_named(
        &self,
        namespace: &str,
        kind: &'static Kind,
        name: &str,
    ) -> Result<Vec<(Target, bool)>, Failure> {
        let target = Target { kind, name: name.to_owned() };
        match self.workload(namespace, &target).await {
            Ok(object) => Ok(vec![(target, owner(&object).is_some())]),
            Err(failure) if failure.is_not_found() || failure.is_not_served() => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }
}
