//! Lists the objects of every kind that a cluster has, known or not: any kind may refer to secrets.
//!
//! Discovery is sent together with the lists of built-in kinds. Then each unknown kind is one list of few
//! objects: a cluster has dozens of kinds, a namespace hardly any of their objects. If there are more, the
//! kind's schema says whether it can refer to a secret at all, and only then all of them are listed.

use serde_json::Value;

use super::across_namespaces::Refusals;
use super::call::Call;
use super::discovery::Others;
use super::pages::PAGE;
use super::place::Place;
use super::{Cluster, Failure, Namespaces, Seen, Unseen};
use crate::workload::{Kind, Version, may_refer_to_secrets};

/// The number of objects of a kind that are read before its schema is.
const FIRST: u32 = 50;

/// The number of lists that are sent project by project if not all namespaces may be listed: dozens of kinds in
/// hundreds of projects would be thousands.
const MOST_LISTS: usize = 1_000;

impl Cluster {
    /// Lists the objects of the kinds that may refer to secrets: the known ones, and all that the cluster adds.
    ///
    /// # Errors
    /// Any failure but a forbidden list, or, of what the cluster adds, a refused one: that is part of the answer.
    pub(crate) async fn objects_of_every_kind<T>(
        &self,
        namespaces: &Namespaces,
        read: impl Fn(&'static Kind, &Value) -> T,
    ) -> Result<Seen<T>, Failure> {
        // Locked while the server is asked: known kinds that are not built in wait for the answer.
        let discovered = self.versions.discovered.lock().await;
        let others = async {
            let Others { kinds, missed, .. } = self.others(discovered).await?;
            self.objects_of_others(kinds, missed, namespaces, &read).await
        };
        let (others, known) = tokio::join!(others, self.objects(Kind::referring(), namespaces, &read));
        let (mut seen, others) = (known?, others?);
        seen.found.extend(others.found);
        seen.unseen.extend(others.unseen);
        seen.only_projects |= others.only_projects;
        Ok(seen)
    }

    async fn objects_of_others<T>(
        &self,
        kinds: Vec<&'static Kind>,
        missed: Vec<String>,
        namespaces: &Namespaces,
        read: &impl Fn(&'static Kind, &Value) -> T,
    ) -> Result<Seen<T>, Failure> {
        let list = async |kind: &'static Kind, namespace: Option<String>| match self
            .objects_of_other(kind, namespace.as_deref(), |object| read(kind, object))
            .await
        {
            Err(failure) if failure.is_unknown_type() => Ok(Vec::new()),
            answer => answer,
        };
        // A webhook that is down must not keep everything else from being seen.
        let unseen = |kind: &Kind, namespace| Unseen::of_added(namespace, kind.in_kubectl());
        let refusals = Refusals { is_one: Failure::is_refusal, unseen, most_lists: MOST_LISTS };
        let mut seen = self.everywhere_but(kinds, namespaces, refusals, list).await?;
        let namespace = namespaces.only().map(str::to_owned);
        seen.unseen.extend(missed.into_iter().map(|resource| Unseen::of_added(namespace.clone(), resource)));
        Ok(seen)
    }

    async fn objects_of_other<T>(
        &self,
        kind: &'static Kind,
        namespace: Option<&str>,
        read: impl Fn(&Value) -> T,
    ) -> Result<Vec<T>, Failure> {
        let Version::Served(version) = kind.version else { return Ok(Vec::new()) };
        let call = Call::get(Place::workloads(kind, version, namespace));
        let (first, more) = self.first_trees(call.clone(), FIRST, &read).await?;
        if !more || !self.may_refer(kind, version).await? {
            return Ok(first);
        }
        self.list_trees(call, PAGE, read).await
    }

    /// Returns true if objects of a kind may refer to secrets, and if the server does not say what they hold.
    async fn may_refer(&self, kind: &Kind, version: &str) -> Result<bool, Failure> {
        match self.object::<Value>(&Call::get(Place::schemas(kind.group, version))).await {
            Ok(document) => Ok(may_refer_to_secrets(&document, kind)),
            Err(failure) if failure.is_refusal() || failure.is_unknown_type() || failure.is_too_large() => {
                Ok(true)
            }
            Err(failure) => Err(failure),
        }
    }
}
